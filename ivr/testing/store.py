"""A whole store in memory: `ivr.ports.Store` and `ivr.ports.UnitOfWork`, held to the database's tests."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar, cast

from ivr import ports
from ivr.domain.errors import StorageDown
from ivr.ports import UnitOfWork
from ivr.testing.appointments import MemoryAgreements, MemoryDeferred
from ivr.testing.cards import MemoryCards
from ivr.testing.duty import MemoryOperators, MemoryReasons
from ivr.testing.passages import MemoryPassages
from ivr.testing.people import (
    MemoryAgencies,
    MemoryApplications,
    MemoryCitizens,
    MemoryNotices,
    MemoryPayments,
)
from ivr.testing.promises import MemoryCallbacks
from ivr.testing.queues import MemoryQueues
from ivr.testing.records import MemoryAudit, MemoryCalendarDays, MemoryGuesses, MemoryJournal, MemoryTraces
from ivr.testing.rows import Rows
from ivr.testing.scenarios import MemoryScenarios
from ivr.testing.standings import MemoryStandings

T = TypeVar("T")


class MemoryUnitOfWork:
    """All repositories. Of itself a test can use it as it stands, without a store."""

    def __init__(self) -> None:
        self.cards = MemoryCards()
        self.passages = MemoryPassages(self.cards)
        self.callbacks = MemoryCallbacks(self.cards)
        self.deferred = MemoryDeferred(self.cards)
        self.agreements = MemoryAgreements(self.callbacks)
        self.operators = MemoryOperators(self.cards)
        self.reasons = MemoryReasons()
        self.applications = MemoryApplications()
        self.agencies = MemoryAgencies()
        self.queues = MemoryQueues(self.cards)
        self.scenarios = MemoryScenarios()
        self.calendar = MemoryCalendarDays()
        self.traces = MemoryTraces()
        self.audit = MemoryAudit()
        self.guesses = MemoryGuesses()
        self.journal = MemoryJournal()
        self.citizens = MemoryCitizens()
        self.payments = MemoryPayments()
        self.notices = MemoryNotices()
        self.standings = MemoryStandings(self)
        self.committed: Callable[[], None] | None = None
        """Told of each commit."""

    def commit(self) -> None:
        if self.committed is not None:
            self.committed()

    def copied(self) -> Self:
        """A twin that can be changed without the original's noticing."""
        twin = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Rows):
                setattr(twin, name, value.copied())
        twin.callbacks.cards = twin.operators.cards = twin.queues.cards = twin.cards
        twin.passages.cards = twin.deferred.cards = twin.cards
        twin.agreements.callbacks = twin.callbacks
        twin.standings = MemoryStandings(twin)
        twin.committed = None
        return twin


class MemoryStore:
    """Everything that was committed is in `rows`. One thread, one transaction at a time.

    `down = True` makes it a database that does not answer; `failing_after` lets so many more transactions
    through before that.
    """

    def __init__(self, rows: MemoryUnitOfWork | None = None) -> None:
        self.rows = rows or MemoryUnitOfWork()
        self.down = False
        self.failing_after: int | None = None
        self._open = False

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A unit of work; leaving it without `commit` leaves no trace. Raises StorageDown."""
        self._check()
        if self._open:
            raise RuntimeError("a unit of work is open already; the database would wait for it in vain")
        work = self.rows.copied()
        work.committed = lambda: self._publish(work)
        self._open = True
        try:
            yield cast(UnitOfWork, work)  # its repositories are the ports': see `_kept`
        finally:
            self._open = False

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` and commit, one turn of the event loop later. Raises StorageDown."""
        await asyncio.sleep(0)
        with self.transaction() as uow:
            result = work(uow)
            uow.commit()
        return result

    def _check(self) -> None:
        if self.failing_after is not None:
            self.down = self.down or self.failing_after == 0
            self.failing_after = max(self.failing_after - 1, 0)
        if self.down:
            raise StorageDown

    def _publish(self, work: MemoryUnitOfWork) -> None:
        self.rows = work.copied()


def _kept(uow: MemoryUnitOfWork, store: MemoryStore) -> tuple[object, ...]:
    """For the type checker alone: each of these is what its port promises."""
    cards: ports.Cards = uow.cards
    passages: ports.Passages = uow.passages
    callbacks: ports.Callbacks = uow.callbacks
    appointments: tuple[ports.DeferredEnquiries, ports.Agreements] = (uow.deferred, uow.agreements)
    standings: ports.Standings = uow.standings
    operators: ports.Operators = uow.operators
    applications: ports.Applications = uow.applications
    agencies: ports.Agencies = uow.agencies
    directories: ports.Reasons = uow.reasons
    queues: ports.Queues = uow.queues
    scenarios: ports.Scenarios = uow.scenarios
    calendar: ports.CalendarDays = uow.calendar
    traces: ports.Traces = uow.traces
    audit: ports.Audit = uow.audit
    guesses: ports.Guesses = uow.guesses
    journal: ports.Journal = uow.journal
    people: tuple[ports.Citizens, ports.Payments, ports.Notices] = (uow.citizens, uow.payments, uow.notices)
    whole: ports.Store = store
    return (
        cards,
        passages,
        callbacks,
        standings,
        operators,
        applications,
        agencies,
        queues,
        (directories, scenarios, calendar),
        traces,
        audit,
        guesses,
        journal,
        (
            people,
            appointments,
            whole,
        ),
    )
