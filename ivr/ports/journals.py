"""Storage of journal lines and of how far their files have been read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class JournalLine:
    """One line of a journal file; its identity is (node, journal, generation, offset), never its text."""

    node: str
    journal: str
    """arrivals, queue_log, cel"""
    generation: str
    offset: int
    """Bytes from the start of the file to the start of the line."""
    call: str
    """Uniqueid the line speaks of, or empty."""
    linked: str
    """Linkedid (CEL), or the call itself."""
    at: datetime
    event: str
    data: Mapping[str, str]
    """What is needed later; a caller's number is not part of it."""


@dataclass(frozen=True, kw_only=True)
class JournalPosition:
    """How far a journal file has been read."""

    generation: str
    offset: int


class Journal(Protocol):
    def position(self, node: str, journal: str) -> JournalPosition | None: ...

    def advance(
        self, node: str, journal: str, position: JournalPosition, *, read_from: JournalPosition | None
    ) -> bool:
        """Move on from `read_from`; False, and nothing changes, when that is not where the journal stands.

        Of two readers of one journal only one moves it: the other one waits, then has False.
        """
        ...

    def add(self, lines: Iterable[JournalLine]) -> None:
        """Store lines; one that is already there is left as it is."""
        ...

    def of_linked(self, linked: str) -> Sequence[JournalLine]:
        """All lines of a call and the legs linked with it, in the order of time, then of reading."""
        ...
