"""Where a store in memory stands with arrivals: `ivr.ports.Standings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ivr.domain.callback import Source
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.reconciliation import Standing

if TYPE_CHECKING:
    from ivr.testing.store import MemoryUnitOfWork


class MemoryStandings:
    """It looks at the other repositories of its unit of work."""

    def __init__(self, uow: MemoryUnitOfWork) -> None:
        self._uow = uow

    def of_calls(self, node: str, calls: Sequence[str]) -> Mapping[str, Sequence[Standing]]:
        found = {call: self._standings(node, call) for call in calls}
        return {call: standings for call, standings in found.items() if standings}

    def _standings(self, node: str, call: str) -> list[Standing]:
        uow = self._uow
        told = [event for _, event in uow.traces.of_call(call)]
        asked = any(e.outcome == "operator" or (e.kind, e.outcome) == ("queue", "asked") for e in told)
        return [
            Standing(
                call=call,
                card=card,
                outcome=contact.outcome,
                card_outcome=uow.cards.rows[card].outcome,
                settled=any(event.kind == "end" for event in told),
                wanted=asked or bool(uow.queues.turns([call])),
                callbacks=self._made(card),
                answered=any((event.kind, event.id) == ("ask", "callback.declined") for event in told),
            )
            for card, contact in uow.cards.contacts_of(node, call)
        ]

    def _made(self, card: str) -> int:
        elsewhere = (Source.AGREED, Source.DEFERRED)
        rows = self._uow.callbacks.rows.values()
        return sum(c.card == card and c.source not in elsewhere for c in rows)

    def served_since(self, number: str, at: datetime) -> bool:
        return any(
            contact.outcome is ContactOutcome.SERVED and contact.at >= at
            for card in self._uow.cards.list()
            if card.number == number
            for contact in card.contacts
        )

    def has_callback(self, number: str) -> bool:
        return any(callback.number == number for callback in self._uow.callbacks.rows.values())
