"""A site whose journals are read, settled and reconciled, on any store: engines come and go over it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ivr.domain.callback import Callback
from ivr.domain.enquiry import Card
from ivr.domain.reconciliation import Account
from ivr.ports import Store, UnitOfWork
from ivr.services.journal import JournalReader
from ivr.services.journal_keeping import Keeping
from ivr.services.journal_lines import ARRIVALS, CEL, QUEUE_LOG
from ivr.services.reconcile import SUSPECT_SECONDS, Auditor, Reconciler
from ivr.services.settlement import Rules
from ivr.services.unasked import Unasked
from ivr.testing import VirtualClock
from tests.integration.storing import do
from tests.journals import Journals, captured

AFTER = datetime.fromtimestamp(1795558530, UTC)
"""When the last of the captured journals had been written."""
EVERY = 60.0
"""Seconds between two looks at everybody."""


def may_be_called(number: str) -> bool:
    return number.startswith("+79")


def soonest(_uow: UnitOfWork, now: datetime) -> datetime:
    return now


UNASKED = Unasked(dialable=may_be_called, soonest=soonest)


@dataclass(kw_only=True)
class Line:
    """One node of a line, its Asterisk and its engine."""

    store: Store
    folder: Path
    node: str = "node1"
    number: str = "79123456789"
    """Of everybody who calls, as the trunk sends it."""
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(AFTER))
    live: set[str] | None = field(default_factory=set)
    """Channels that are up; None: Asterisk does not say."""
    lost: int = 0
    """Brought back so far."""

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.journals = Journals(self.folder)
        self.restart()

    def restart(self) -> None:
        """Another engine."""
        self.reader = self.a_reader()
        self.reconciler = Reconciler(
            self.store,
            self.auditor,
            self.reader,
            self.clock,
            unasked=UNASKED,
            seconds=EVERY,
            on_lost=self._count,
        )

    def a_reader(self) -> JournalReader:
        return JournalReader(
            self.store,
            self.journals.files,
            node=self.node,
            clock=self.clock,
            rules=Rules(served=5.0, wrapup=30.0),
            in_hand=lambda _call: False,
            unasked=UNASKED,
            live=self.alive,
        )

    @property
    def auditor(self) -> Auditor:
        path = self.journals.paths[ARRIVALS]
        return Auditor(self.store, path, live=self.alive, dialable=may_be_called)

    def keeping(self, *, engine_runs: bool = False) -> Keeping:
        return Keeping(
            store=self.store,
            files=self.journals.files,
            node=self.node,
            clock=self.clock,
            auditor=self.auditor,
            reader=self.a_reader,
            engine_runs=lambda: engine_runs,
        )

    async def alive(self) -> Set[str] | None:
        return self.live

    def _count(self, lost: int) -> None:
        self.lost += lost

    # --- what is written ---

    def text(self, name: str, journal: str) -> str:
        text = captured(name)[journal].replace("node1", self.node)
        return text.replace("79123456789", self.number)

    def play(self, name: str, *journals: str) -> list[str]:
        """All of a capture, or these of its journals; the calls that arrive in it."""
        for journal in journals or (ARRIVALS, QUEUE_LOG, CEL):
            self.journals.append(journal, self.text(name, journal))
        return [line.split("\t")[2] for line in self.text(name, ARRIVALS).splitlines()]

    # --- what happens ---

    async def poll(self) -> None:
        """Until the journals are read and what has ended is settled."""
        while await self.reader.poll():
            pass

    async def reconcile(self) -> Account:
        """Everything an engine does in the minutes after its start; what is there then."""
        for _ in range(2):
            await self.poll()
            await self.reconciler.work()
            self.clock.forward(SUSPECT_SECONDS)
        await self.poll()
        return await self.look()

    async def look(self) -> Account:
        return await self.auditor.look()

    # --- what is there ---

    def card(self, call: str) -> Card:
        found = do(self.store, lambda uow: uow.cards.of_call(call))
        assert found is not None
        return found

    def callbacks(self) -> list[Callback]:
        return list(do(self.store, lambda uow: uow.callbacks.list()))

    def ended(self, call: str) -> tuple[str | None, str | None]:
        """Outcome of the card and of the contact."""
        card = self.card(call)
        [contact] = card.contacts
        return (
            card.outcome.value if card.outcome else None,
            contact.outcome.value if contact.outcome else None,
        )
