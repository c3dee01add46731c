"""Storage of enquiries: cards with their contacts, what calls lived through, promises, the audit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ivr.domain.callback import Callback, State
from ivr.domain.enquiry import Card, Contact, ContactOutcome, Outcome
from ivr.domain.passage import Passage
from ivr.ports.outbound import CallbackCounts


@dataclass(frozen=True, kw_only=True)
class TraceEvent:
    """One thing a caller lived through; never a secret, never a digit of an answer outside menus."""

    call: str
    at: datetime
    kind: str
    """prompt, ask, key, speech, level, queue, bridge, transfer, supervisor, end"""
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


@dataclass(frozen=True, kw_only=True)
class CardSearch:
    """Which cards are looked for: all that is named must fit. Free text is sealed and cannot be searched."""

    number: str | None = None
    """E.164."""
    snils: str | None = None
    """11 digits, of the citizen who was identified (§21)."""
    agency: str | None = None
    topic: str | None = None
    """Its whole title."""
    operator: str | None = None
    """Extension."""
    outcome: Outcome | None = None
    since: datetime | None = None
    """Registered from then on; in whole milliseconds, as ids have it."""
    until: datetime | None = None
    """Registered before then."""


class Cards(Protocol):
    def open(self, *, call: str, node: str, number: str | None, at: datetime) -> Card:
        """The card of this inbound call, made with its registration number if the call has none yet.

        Idempotent by (node, call): the engine and the journal reader both call it. When the card exists
        and has no number while `number` is given, the number is completed.
        """
        ...

    def register(self, *, number: str, at: datetime) -> Card:
        """A new card of an enquiry that did not come by a call of ours: without a contact yet."""
        ...

    def get(self, id_: str) -> Card:
        """By id or registration number; raises NotFound."""
        ...

    def of_call(self, call: str) -> Card | None: ...

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[Card]:
        """Newest first."""
        ...

    def search(
        self, wanted: CardSearch, *, limit: int | None = None, before: str | None = None
    ) -> Sequence[Card]:
        """Newest first, by id. before: the id of the last card of the page before this one."""
        ...

    def identified(self, id_: str, *, snils: str) -> None:
        """Whose card it is was proven (§21): level `personal`, and found by this SNILS. Raises NotFound."""
        ...

    def snils_of(self, id_: str) -> str | None:
        """Of who was identified; raises NotFound."""
        ...

    def change(self, id_: str, **fields: object) -> None:
        """Set fields of Card by name (all but id, registration_number, registered_at, number, contacts)."""
        ...

    def add_topic(self, id_: str, *, agency: str, topic: str) -> None: ...

    def close(self, id_: str, *, outcome: Outcome, at: datetime) -> None: ...

    def contact(self, call: str) -> Contact | None: ...

    def known(self, calls: Iterable[str]) -> Set[str]:
        """Those of these calls that have a contact: operators' own calls have none."""
        ...

    def change_contact(self, call: str, **fields: object) -> None:
        """Set waiting_s, talking_s, wrapup_s, outcome of the contact of a call; raises NotFound."""
        ...

    def dialled(self, id_: str, *, call: str, node: str, at: datetime) -> None:
        """Add an outbound contact to a card, that of an attempt to call the citizen; once for a call.

        Raises NotFound.
        """
        ...

    def on_the_line(self, number: str, *, since: datetime) -> bool:
        """Whether an inbound call of this number (E.164), begun since then, has not ended yet."""
        ...

    def outbound(self, since: datetime) -> Sequence[Contact]:
        """Outbound contacts that began from then on, oldest first."""
        ...

    def calls(self, *, limit: int | None = None) -> Sequence[CallRow]:
        """Newest first."""
        ...

    def unfinished(self, node: str) -> Sequence[str]:
        """Calls of this node that, or whose cards, have no outcome yet, oldest first."""
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

    def held(self, ids: Collection[str]) -> Sequence[Callback]:
        """Those of these that are there, by id; each is held like one that was got by `get`."""
        ...

    def save(self, *changed: Callback) -> None:
        """Store their new state: everything but id and number. Raises NotFound."""
        ...

    def list(self, *, open_only: bool = False) -> Sequence[Callback]:
        """In the order of due."""
        ...

    def open_for_card(self, card: str) -> Callback | None: ...

    def open_for_number(self, number: str) -> Callback | None:
        """Of this number (E.164); it is held like one that was got by `get`."""
        ...

    def of_number(self, number: str, *, limit: int = 5) -> Sequence[Callback]:
        """Callbacks to this number (E.164), open or over, the newest first."""
        ...

    def take(
        self, states: Collection[State], *, due_by: datetime | None, queue: str | None = None, limit: int
    ) -> Sequence[Callback]:
        """Those in these states whose time has come by then (None: whenever), by first arrival.

        They are held until the end of the transaction: no other engine takes them, and those that another
        one holds are left out. Of one queue only one engine takes at a time, the other waits for its end.
        """
        ...

    def in_states(self, states: Collection[State]) -> Sequence[Callback]:
        """By first arrival; for states in which only few are."""
        ...

    def due_queues(self, now: datetime) -> Mapping[str, int]:
        """How many wait (PENDING_STATES) with their time come, by queue."""
        ...

    def counts(self, now: datetime) -> CallbackCounts: ...


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
