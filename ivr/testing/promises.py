"""Callbacks in memory; they look at the cards of their unit of work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from ivr.domain.callback import PENDING_STATES, Callback, State
from ivr.domain.errors import NotFound
from ivr.ports import CallbackCounts
from ivr.testing.cards import MemoryCards
from ivr.testing.rows import Rows, aware


class MemoryCallbacks(Rows):
    """`ivr.ports.Callbacks`; `rows` by id."""

    def __init__(self, cards: MemoryCards) -> None:
        self.rows: dict[str, Callback] = {}
        self.cards = cards

    def request(self, callback: Callback) -> Callback:
        """See the port. Raises NotFound when there is no such card."""
        if callback.card not in self.cards.rows:
            raise NotFound(f"there is no card {callback.card}")
        aware(callback.due, callback.arrived_at)
        existing = next((c for c in self.rows.values() if c.number == callback.number and c.open), None)
        return existing or self.rows.setdefault(callback.id, callback)

    def get(self, id_: str) -> Callback:
        if id_ not in self.rows:
            raise NotFound(f"there is no callback {id_}")
        return self.rows[id_]

    def held(self, ids: Collection[str]) -> Sequence[Callback]:
        return [self.rows[id_] for id_ in sorted(ids) if id_ in self.rows]

    def save(self, *changed: Callback) -> None:
        """See the port. Raises NotFound."""
        for callback in changed:
            before = self.get(callback.id)
            self.rows[callback.id] = replace(callback, number=before.number)

    def list(self, *, open_only: bool = False) -> Sequence[Callback]:
        found = (c for c in self.rows.values() if c.open or not open_only)
        return sorted(found, key=lambda c: (c.due, c.arrived_at, c.id))

    def open_for_number(self, number: str) -> Callback | None:
        return next((c for c in self.rows.values() if c.number == number and c.open), None)

    def of_number(self, number: str, *, limit: int = 5) -> Sequence[Callback]:
        found = [c for c in self.rows.values() if c.number == number]
        return sorted(found, key=lambda c: c.id, reverse=True)[:limit]

    def take(
        self, states: Collection[State], *, due_by: datetime | None, queue: str | None = None, limit: int
    ) -> Sequence[Callback]:
        aware(due_by)
        found = (
            callback
            for callback in self.in_states(states)
            if queue in (None, callback.queue) and (due_by is None or callback.due <= due_by)
        )
        return list(islice(found, limit))

    def in_states(self, states: Collection[State]) -> Sequence[Callback]:
        found = (c for c in self.rows.values() if c.state in states)
        return sorted(found, key=lambda c: (c.arrived_at, c.id))

    def due_queues(self, now: datetime) -> Mapping[str, int]:
        return Counter(c.queue for c in self.rows.values() if c.state in PENDING_STATES and c.due <= now)

    def counts(self, now: datetime) -> CallbackCounts:
        every = self.rows.values()
        return CallbackCounts(
            by_state=Counter(c.state.value for c in every),
            by_source=Counter(c.source.value for c in every if c.open),
            oldest_due=min(
                (c.due for c in every if c.state in PENDING_STATES and c.due <= now), default=None
            ),
        )

    def open_for_card(self, card: str) -> Callback | None:
        return next((c for c in self.list(open_only=True) if c.card == card), None)
