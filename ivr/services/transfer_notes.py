"""What is kept of a transfer (§23): its trace, the card's topic and comment, the audit; and the whisper."""

from __future__ import annotations

from collections.abc import Callable

from ivr.domain.callback import leg_call
from ivr.domain.errors import StorageDown
from ivr.domain.transfer import Stage, Transfer, Way, failed_note
from ivr.observe import get_logger
from ivr.ports import Clock, Store, UnitOfWork, Whisper
from ivr.services.audit import By
from ivr.services.traces import TraceLog
from ivr.services.whispers import Whispers

KIND = "transfer"
"""Of the trace's events; id: the queue it leads to; outcome: the way at first, then each stage."""
LOST = "operator_lost"
"""Outcome of the event of a lost operator; its id is the extension."""
_log = get_logger("ivr.transfers")


class TransferNotes:
    """Writes down what happens; a database that is down stops no transfer."""

    def __init__(self, store: Store, traces: TraceLog, whispers: Whispers, clock: Clock) -> None:
        self._store = store
        self._traces = traces
        self._whispers = whispers
        self._clock = clock

    async def whisper(self, transfer: Transfer) -> Whisper | None:
        """What the second operator hears first: the new topic, and the citizen's level as it is by now."""
        try:
            card = await self._store.run(lambda uow: uow.cards.of_call(_call(transfer)))
        except StorageDown:
            return None
        if card is None:
            return None
        enquiry = card.registration_number[-4:]
        topic = transfer.target.topic
        return await self._whispers.prepare(topic=topic, level=card.level, enquiry=enquiry)

    async def begun(self, transfer: Transfer, way: Way) -> None:
        """Where to and why, on the card (§23)."""

        def work(uow: UnitOfWork) -> None:
            card = uow.cards.of_call(_call(transfer))
            if card is None:
                return
            uow.cards.change(card.id, comment=_added(card.comment, transfer.note()))
            uow.cards.add_topic(card.id, agency=transfer.target.agency, topic=transfer.target.topic)
            by = By(actor=transfer.first, at=self._clock.now())
            queue = transfer.target.queue
            by.note(uow, f"transfers.{way.value}", card.id, call=_call(transfer), result=queue)

        self._tell(transfer, way.value)
        await self._write(transfer, work)

    async def reached(self, transfer: Transfer) -> None:
        """A new stage: a failure is on the card, and the second operator's last talk is this citizen's."""

        def work(uow: UnitOfWork) -> None:
            card = uow.cards.of_call(_call(transfer))
            if card is not None and transfer.stage is Stage.RECALLED:
                uow.cards.change(card.id, comment=_added(card.comment, failed_note(transfer)))
            if transfer.stage is Stage.CONNECTED:
                uow.operators.note_talk(transfer.second, _call(transfer))

        self._tell(transfer, transfer.stage.value)
        if transfer.stage in (Stage.RECALLED, Stage.CONNECTED):
            await self._write(transfer, work)

    def lost(self, citizen: str, extension: str) -> None:
        """The telephone of this citizen's operator died."""
        self._traces.teller(citizen)(KIND, extension, LOST)
        _log.warning("operator_lost", call=citizen, extension=extension)

    def _tell(self, transfer: Transfer, outcome: str) -> None:
        self._traces.teller(transfer.citizen)(KIND, transfer.target.queue, outcome)

    async def _write(self, transfer: Transfer, work: Callable[[UnitOfWork], None]) -> None:
        try:
            await self._store.run(work)
        except StorageDown as error:
            _log.error("transfer_unwritten", call=transfer.citizen, reason=str(error))


def _call(transfer: Transfer) -> str:
    """The call of the citizen's leg, which in a callback is one half of ours."""
    return leg_call(transfer.citizen) or transfer.citizen


def _added(comment: str, line: str) -> str:
    return "\n".join(filter(None, (comment, line)))
