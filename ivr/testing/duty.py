"""Operators and their reasons in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import (
    PAUSE,
    PAUSE_REASONS,
    Operator,
    OperatorState,
    Place,
    SipAccount,
    StateChange,
    usual_places,
)
from ivr.testing.cards import MemoryCards
from ivr.testing.rows import Rows, aware


class MemoryOperators(Rows):
    """`ivr.ports.Operators`; `rows` and `secrets` (ha1) by extension."""

    def __init__(self, cards: MemoryCards) -> None:
        self.rows: dict[str, Operator] = {}
        self.secrets: dict[str, str] = {}
        self.served: dict[str, Sequence[Place]] = {}
        """Places by extension."""
        self.changes: list[StateChange] = []
        self.cards = cards

    def add(self, operator: Operator, ha1: str) -> None:
        if operator.extension in self.rows:
            raise BadInput(f"extension {operator.extension} is taken")
        aware(operator.since)
        self.rows[operator.extension] = operator
        self.secrets[operator.extension] = ha1
        self.set_places(operator.extension, usual_places(operator.agency, operator.line))

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
        self.changes.append(StateChange(extension=extension, state=state, reason=reason, at=at))

    def appoint(self, extension: str, *, supervisor: bool) -> None:
        """See the port. Raises NotFound."""
        self.rows[extension] = replace(self.get(extension), supervisor=supervisor)

    def history(self, *, since: datetime) -> Sequence[StateChange]:
        aware(since)
        before = {change.extension: change for change in self.changes if change.at < since}
        after = [change for change in self.changes if change.at >= since]
        return sorted([*before.values(), *after], key=lambda change: change.at)

    def assign(self, extension: str, *, agency: str, line: int) -> None:
        """See the port. Raises NotFound."""
        self.rows[extension] = replace(self.get(extension), agency=agency, line=line)

    def places(self) -> Mapping[str, Sequence[Place]]:
        return {extension: self.served[extension] for extension in sorted(self.served)}

    def set_places(self, extension: str, places: Iterable[Place]) -> None:
        """See the port. Raises NotFound."""
        self.get(extension)
        self.served[extension] = sorted(places, key=lambda place: place.queue)
        if not self.served[extension]:
            del self.served[extension]

    def note_talk(self, extension: str, call: str) -> None:
        """See the port. Raises NotFound."""
        self.rows[extension] = replace(self.get(extension), last_call=call, missed=0)

    def note_missed(self, extension: str, missed: int) -> None:
        """See the port. Raises NotFound."""
        self.rows[extension] = replace(self.get(extension), missed=missed)

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


class MemoryReasons(Rows):
    """`ivr.ports.Reasons`; titles by kind and key."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], str] = {(PAUSE, key): title for key, title in PAUSE_REASONS.items()}

    def list(self, kind: str) -> Mapping[str, str]:
        return {key: title for (of, key), title in sorted(self.rows.items()) if of == kind}

    def set(self, kind: str, key: str, title: str) -> None:
        self.rows[kind, key] = title

    def remove(self, kind: str, key: str) -> bool:
        return self.rows.pop((kind, key), None) is not None
