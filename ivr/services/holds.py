"""Holds, written into the journal of queues as lines of ours: Asterisk's journals do not tell of them.

So the time on hold comes from the journals like all else (services/passages.py). An engine that is away while
an operator holds does not write: that hold counts as talk or, if only its end is missed, to the end of the
talk. The sum of both is true in any case.
"""

from __future__ import annotations

from ivr.domain.transfer import ON_HOLD, Transfer
from ivr.ports import FloorEvent, FloorKind, Switchboard
from ivr.services.floor import Floor
from ivr.services.hold_story import HOLD, UNHOLD

_NO_QUEUE = "NONE"


class Holds:
    """Listens to the floor: `floor.listen(holds.note)`."""

    def __init__(self, floor: Floor, switchboard: Switchboard) -> None:
        self._floor = floor
        self._switchboard = switchboard
        self._holding: dict[str, tuple[str, str]] = {}
        """By operator's leg that holds: the citizen's call, and the queue."""

    async def note(self, event: FloorEvent) -> None:
        """An operator puts a citizen on hold, comes back, or hangs up meanwhile. Raises Unavailable."""
        if not event.extension:
            return
        if event.kind is FloorKind.HELD and event.call not in self._holding:
            talk = self._floor.view.talks.get(event.extension)
            call, queue = (talk.call, talk.queue) if talk is not None else (event.linked, "")
            self._holding[event.call] = (call, queue)
            await self._write(HOLD, call=call, queue=queue, extension=event.extension)
        elif event.kind is FloorKind.RESUMED or (
            event.kind is FloorKind.HUNG_UP and event.call in self._holding
        ):
            call, queue = self._holding.pop(event.call, (event.linked, ""))
            await self._write(UNHOLD, call=call, queue=queue, extension=event.extension)

    async def consulted(self, before: Transfer | None, after: Transfer) -> None:
        """While an operator talks with a colleague about a citizen, the citizen is on hold (docs/metrics.md).

        before: None: the transfer has just begun. Raises Unavailable.
        """
        held = before is not None and before.stage in ON_HOLD
        holds = after.stage in ON_HOLD
        if held is not holds:
            line = HOLD if holds else UNHOLD
            await self._write(line, call=after.citizen, queue="", extension=after.first)

    async def _write(self, line: str, *, call: str, queue: str, extension: str) -> None:
        await self._switchboard.journal(line, call=call, queue=queue or _NO_QUEUE, extension=extension)
