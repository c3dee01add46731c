"""The database as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from ivr.ports.appointments import Agreements, DeferredEnquiries
from ivr.ports.citizens import Applications, Citizens, Guesses, Notices, Payments
from ivr.ports.enquiries import Audit, Callbacks, Cards, Passages, Traces
from ivr.ports.journals import Journal
from ivr.ports.scenarios import Scenarios
from ivr.ports.site import Agencies, CalendarDays, Operators, Queues, Reasons
from ivr.ports.standings import Standings

T = TypeVar("T")


class UnitOfWork(Protocol):
    """One transaction. Leaving it without `commit` rolls back."""

    cards: Cards
    passages: Passages
    callbacks: Callbacks
    standings: Standings
    deferred: DeferredEnquiries
    agreements: Agreements
    applications: Applications
    agencies: Agencies
    operators: Operators
    reasons: Reasons
    queues: Queues
    scenarios: Scenarios
    calendar: CalendarDays
    traces: Traces
    audit: Audit
    guesses: Guesses
    journal: Journal
    citizens: Citizens
    payments: Payments
    notices: Notices

    def commit(self) -> None: ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractContextManager[UnitOfWork]:
        """A unit of work in the caller's thread (CLI, tests). Raises StorageDown."""
        ...

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` and commit, in the store's thread. Raises StorageDown."""
        ...


Backend = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, kw_only=True)
class KeyNeed:
    """A key without which a database cannot be read."""

    file: str
    """Its name in the key directory."""
    mark: bytes
    """What it is recognised by; tells nothing of the key."""


@dataclass(frozen=True, kw_only=True)
class CopyFacts:
    """What a copy of a database is of."""

    backend: Backend
    revision: str
    keys: tuple[KeyNeed, ...]
    """By name."""


class DatabaseCopies(Protocol):
    """The whole database into a file, and back."""

    @property
    def backend(self) -> Backend: ...

    def is_empty(self) -> bool:
        """Whether there are no tables yet. Raises StorageDown."""
        ...

    def files(self) -> Sequence[Path]:
        """What the database consists of where it is files; empty for a server's."""
        ...

    def write(self, file: Path) -> CopyFacts:
        """Copy the database of one moment into a new file (0600); it is read and written meanwhile.

        Raises StorageDown, BadInput when there is no room or a program is missing.
        """
        ...

    def examine(self, file: Path, backend: Backend) -> CopyFacts:
        """Read a copy of either database. Raises BadInput with why it cannot be used."""
        ...

    def is_key(self, key: bytes, need: KeyNeed) -> bool:
        """Whether these are the bytes of the key that is needed."""
        ...

    def load(self, file: Path) -> None:
        """Make an examined copy the empty database, whole or not at all; the file may be gone then.

        Raises StorageDown, BadInput.
        """
        ...
