"""Passages in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ivr.domain.errors import NotFound
from ivr.domain.passage import Passage
from ivr.testing.cards import MemoryCards
from ivr.testing.rows import Rows, aware


class MemoryPassages(Rows):
    """`ivr.ports.Passages`; `rows` by call. It looks at the cards of its unit of work."""

    def __init__(self, cards: MemoryCards) -> None:
        self.rows: dict[str, tuple[Passage, ...]] = {}
        self.cards = cards

    def put(self, call: str, found: Sequence[Passage]) -> None:
        """See the port. Raises NotFound."""
        if self.cards.contact(call) is None:
            raise NotFound(f"there is no call {call}")
        aware(*(passage.entered for passage in found))
        self.rows[call] = tuple(found)

    def of_calls(self, calls: Sequence[str]) -> Sequence[Passage]:
        return _ordered(passage for call in set(calls) for passage in self.rows.get(call, ()))

    def entered(self, since: datetime, until: datetime) -> Sequence[Passage]:
        aware(since, until)
        known = (passage for of_call in self.rows.values() for passage in of_call)
        return _ordered(passage for passage in known if since <= passage.entered < until)


def _ordered(found: Iterable[Passage]) -> Sequence[Passage]:
    return sorted(found, key=lambda passage: passage.entered)
