"""Callbacks and operators in memory; both look at the cards of their unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ivr.domain.callback import Callback
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import Operator, OperatorState, SipAccount
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

    def save(self, callback: Callback) -> None:
        """See the port. Raises NotFound."""
        self.get(callback.id)
        self.rows[callback.id] = callback

    def list(self, *, open_only: bool = False) -> Sequence[Callback]:
        found = (c for c in self.rows.values() if c.open or not open_only)
        return sorted(found, key=lambda c: (c.due, c.arrived_at, c.id))

    def open_for_card(self, card: str) -> Callback | None:
        return next((c for c in self.list(open_only=True) if c.card == card), None)


class MemoryOperators(Rows):
    """`ivr.ports.Operators`; `rows` and `secrets` (ha1) by extension."""

    def __init__(self, cards: MemoryCards) -> None:
        self.rows: dict[str, Operator] = {}
        self.secrets: dict[str, str] = {}
        self.cards = cards

    def add(self, operator: Operator, ha1: str) -> None:
        if operator.extension in self.rows:
            raise BadInput(f"extension {operator.extension} is taken")
        aware(operator.since)
        self.rows[operator.extension] = operator
        self.secrets[operator.extension] = ha1

    def get(self, extension: str) -> Operator:
        if extension not in self.rows:
            raise NotFound(f"there is no operator {extension}")
        return self.rows[extension]

    def list(self, *, today: datetime | None = None) -> Sequence[Operator]:
        """By extension; without `today` nobody's calls are counted."""
        rows = [self.rows[extension] for extension in sorted(self.rows)]
        return [replace(row, calls_today=self._served(row.extension, today)) for row in rows]

    def _served(self, extension: str, since: datetime | None) -> int:
        if since is None:
            return 0
        cards = (card for card in self.cards.list() if card.operator == extension)
        contacts = (contact for card in cards for contact in card.contacts if contact.at >= since)
        return sum(contact.outcome is ContactOutcome.SERVED for contact in contacts)

    def set_state(self, extension: str, state: OperatorState, *, reason: str, at: datetime) -> None:
        """See the port. Raises NotFound."""
        aware(at)
        self.rows[extension] = replace(self.get(extension), state=state, reason=reason, since=at)

    def set_ha1(self, extension: str, ha1: str) -> None:
        """See the port. Raises NotFound."""
        self.get(extension)
        self.secrets[extension] = ha1

    def sip_accounts(self) -> Sequence[SipAccount]:
        """By extension."""
        enabled = (row for row in self.list() if row.state is not OperatorState.DISABLED)
        return [
            SipAccount(extension=row.extension, name=row.name, ha1=self.secrets[row.extension])
            for row in enabled
        ]
