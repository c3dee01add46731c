"""Deferred enquiries and agreements in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ivr.domain.callback import Source
from ivr.domain.deferred import Deferred
from ivr.domain.errors import NotFound
from ivr.ports import Typed
from ivr.testing.cards import MemoryCards
from ivr.testing.promises import MemoryCallbacks
from ivr.testing.rows import Rows, aware


class MemoryDeferred(Rows):
    """`ivr.ports.DeferredEnquiries`; `rows` by card. It looks at the cards of its unit of work."""

    def __init__(self, cards: MemoryCards) -> None:
        self.rows: dict[str, Deferred] = {}
        self.cards = cards

    def put(self, deferred: Deferred) -> None:
        """See the port. Raises NotFound."""
        card = self.cards.rows.get(deferred.card)
        if card is None:
            raise NotFound(f"there is no card {deferred.card}")
        aware(deferred.deadline, deferred.marked_at, deferred.assigned_at, deferred.finished_at)
        self.rows[deferred.card] = replace(deferred, registered_at=card.registered_at)

    def of_card(self, card: str) -> Deferred | None:
        return self.rows.get(card)

    def list(self, *, open_only: bool = False) -> Sequence[Deferred]:
        found = (one for one in self.rows.values() if one.open or not open_only)
        return sorted(found, key=lambda one: (one.registered_at, one.card))

    def registered(self, since: datetime, until: datetime) -> Sequence[Deferred]:
        aware(since, until)
        return [one for one in self.list() if since <= one.registered_at < until]


class MemoryAgreements(Rows):
    """`ivr.ports.Agreements` over the callbacks of its unit of work."""

    def __init__(self, callbacks: MemoryCallbacks) -> None:
        self.callbacks = callbacks

    def taken(self, since: datetime, until: datetime, *, besides: str = "") -> Sequence[datetime]:
        aware(since, until)
        agreed = (one for one in self.callbacks.list(open_only=True) if one.source is Source.AGREED)
        return [one.due for one in agreed if since <= one.due < until and one.id != besides]

    def typed(self, number: str, *, since: datetime) -> Sequence[Typed]:
        aware(since)
        cards = self.callbacks.cards.rows
        found = [
            Typed(one.arrived_at, one.open)
            for one in self.callbacks.rows.values()
            if cards[one.card].number == number and one.number != number and one.arrived_at >= since
        ]
        return sorted(found)
