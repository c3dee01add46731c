"""Storage of enquiries: cards with their contacts, what calls lived through, promises, the audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ivr.domain.callback import Callback
from ivr.domain.enquiry import Card, Contact, ContactOutcome, Outcome
from ivr.domain.passage import Passage


@dataclass(frozen=True, kw_only=True)
class TraceEvent:
    """One thing a caller lived through; never a secret, never a digit of an answer outside menus."""

    call: str
    at: datetime
    kind: str
    """prompt, ask, key, speech, level, queue, bridge, transfer, end"""
    id: str
    outcome: str


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """Who did what to whom."""

    at: datetime
    actor: str
    """`ivr`, `cli:<login>`, an operator's extension …"""
    action: str
    subject: str
    """An opaque id: card id, callback id, extension; never a name, number or document."""
    call: str | None
    result: str


@dataclass(frozen=True, kw_only=True)
class CallRow:
    """A line of `ekc calls list`."""

    call: str
    at: datetime
    number: str | None
    card: str
    state: str
    """`in_progress` or `ended`"""
    outcome: ContactOutcome | None


class Cards(Protocol):
    def open(self, *, call: str, node: str, number: str | None, at: datetime) -> Card:
        """The card of this inbound call, made with its registration number if the call has none yet.

        Idempotent by (node, call): the engine and the journal reader both call it. When the card exists
        and has no number while `number` is given, the number is completed.
        """
        ...

    def get(self, id_: str) -> Card:
        """By id or registration number; raises NotFound."""
        ...

    def of_call(self, call: str) -> Card | None: ...

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[Card]:
        """Newest first."""
        ...

    def change(self, id_: str, **fields: object) -> Card:
        """Set fields of Card by name (all but id, registration_number, registered_at, number, contacts)."""
        ...

    def add_topic(self, id_: str, *, agency: str, topic: str) -> None: ...

    def close(self, id_: str, *, outcome: Outcome, at: datetime) -> None: ...

    def contact(self, call: str) -> Contact | None: ...

    def change_contact(self, call: str, **fields: object) -> None:
        """Set waiting_s, talking_s, wrapup_s, outcome of the contact of a call; raises NotFound."""
        ...

    def calls(self, *, limit: int | None = None) -> Sequence[CallRow]:
        """Newest first."""
        ...

    def unfinished(self, node: str) -> Sequence[str]:
        """Calls of this node whose cards have no outcome yet, oldest first."""
        ...

    def contacts(self, since: datetime, until: datetime) -> Sequence[Contact]:
        """Those that began in this time (`until` itself not), oldest first."""
        ...


class Passages(Protocol):
    """What became of calls in queues: drawn from the journals, the source of all figures."""

    def put(self, call: str, found: Sequence[Passage]) -> None:
        """Instead of those the contact of this call had; the same ones again cost little. Raises NotFound."""
        ...

    def of_calls(self, calls: Sequence[str]) -> Sequence[Passage]:
        """Of each call in the order of entering."""
        ...

    def entered(self, since: datetime, until: datetime) -> Sequence[Passage]:
        """Those entered in this time (`until` itself not), oldest first."""
        ...


class Callbacks(Protocol):
    def request(self, callback: Callback) -> Callback:
        """Store it; when the number already has an open callback, that one is returned instead."""
        ...

    def get(self, id_: str) -> Callback: ...

    def save(self, callback: Callback) -> None:
        """Store its new state."""
        ...

    def list(self, *, open_only: bool = False) -> Sequence[Callback]:
        """In the order of due."""
        ...

    def open_for_card(self, card: str) -> Callback | None: ...


class Traces(Protocol):
    def add(self, events: Iterable[TraceEvent]) -> None: ...

    def of_call(self, call: str, *, after: int = 0) -> Sequence[tuple[int, TraceEvent]]:
        """(sequence number, event) in the order of time; `after`: only later sequence numbers."""
        ...


class Audit(Protocol):
    def add(self, row: AuditRow) -> None: ...

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[AuditRow]:
        """Newest first."""
        ...
