"""A store in memory and a site around it, for tests of services and commands that need no database.

Only what those tests touch; rollback is a copy of everything made when the unit of work is entered.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ivr.domain.callback import Callback
from ivr.domain.enquiry import Card, Contact, Direction, Outcome
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.menu import Topic
from ivr.domain.operators import Operator, OperatorState
from ivr.ports import AuditRow, CallRow, DayException, JournalLine, TraceEvent
from ivr.settings import Settings

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


class Cards:
    def __init__(self) -> None:
        self.rows: dict[str, Card] = {}

    def open(self, *, call: str, node: str, number: str | None, at: datetime) -> Card:
        id_ = f"{node}-{len(self.rows) + 1}"
        contact = Contact(call=call, direction=Direction.INBOUND, at=at)
        registration = f"2026-{len(self.rows) + 1:06}"
        card = Card(
            id=id_, registration_number=registration, registered_at=at, number=number, contacts=(contact,)
        )
        self.rows[id_] = card
        return card

    def get(self, id_: str) -> Card:
        for card in self.rows.values():
            if id_ in (card.id, card.registration_number):
                return card
        raise NotFound(f"there is no card {id_}")

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> list[Card]:
        found = [c for c in self.rows.values() if since is None or c.registered_at >= since]
        return sorted(found, key=lambda c: c.registered_at, reverse=True)[:limit]

    def change(self, id_: str, **fields: Any) -> Card:
        self.rows[id_] = replace(self.rows[id_], **fields)
        return self.rows[id_]

    def add_topic(self, id_: str, *, agency: str, topic: str) -> None:
        card = self.rows[id_]
        self.rows[id_] = replace(card, agency=agency, topics=(*card.topics, topic))

    def close(self, id_: str, *, outcome: Outcome, at: datetime) -> None:
        self.change(id_, outcome=outcome, closed_at=at)

    def contact(self, call: str) -> Contact | None:
        return next((c for card in self.rows.values() for c in card.contacts if c.call == call), None)

    def change_contact(self, call: str, **fields: Any) -> None:
        for card in list(self.rows.values()):
            changed = tuple(replace(c, **fields) if c.call == call else c for c in card.contacts)
            self.rows[card.id] = replace(card, contacts=changed)

    def calls(self, *, limit: int | None = None) -> list[CallRow]:
        rows = [
            CallRow(
                call=contact.call,
                at=contact.at,
                number=card.number,
                card=card.id,
                state="ended" if contact.outcome else "in_progress",
                outcome=contact.outcome,
            )
            for card in self.rows.values()
            for contact in card.contacts
        ]
        return sorted(rows, key=lambda r: r.at, reverse=True)[:limit]


class Callbacks:
    def __init__(self) -> None:
        self.rows: dict[str, Callback] = {}

    def request(self, callback: Callback) -> Callback:
        self.rows[callback.id] = callback
        return callback

    def get(self, id_: str) -> Callback:
        if id_ not in self.rows:
            raise NotFound(f"there is no callback {id_}")
        return self.rows[id_]

    def save(self, callback: Callback) -> None:
        self.rows[callback.id] = callback

    def list(self, *, open_only: bool = False) -> list[Callback]:
        return sorted((c for c in self.rows.values() if c.open or not open_only), key=lambda c: c.due)

    def open_for_card(self, card: str) -> Callback | None:
        return next((c for c in self.rows.values() if c.card == card and c.open), None)


class Agencies:
    def __init__(self) -> None:
        self.rows = [Topic(agency="szn", agency_name="Центр занятости", key="1", title="Работа", line=1)]

    def topics(self) -> list[Topic]:
        return self.rows

    def codes(self) -> list[str]:
        return sorted({topic.agency for topic in self.rows})


class Operators:
    def __init__(self) -> None:
        self.rows: dict[str, Operator] = {}
        self.secrets: dict[str, str] = {}
        self.today: datetime | None = None

    def add(self, operator: Operator, ha1: str) -> None:
        if operator.extension in self.rows:
            raise BadInput(f"extension {operator.extension} is taken")
        self.rows[operator.extension] = operator
        self.secrets[operator.extension] = ha1

    def get(self, extension: str) -> Operator:
        if extension not in self.rows:
            raise NotFound(f"there is no operator {extension}")
        return self.rows[extension]

    def list(self, *, today: datetime | None = None) -> list[Operator]:
        self.today = today
        return list(self.rows.values())

    def set_state(self, extension: str, state: OperatorState, *, reason: str, at: datetime) -> None:
        self.rows[extension] = replace(self.rows[extension], state=state, reason=reason, since=at)

    def set_ha1(self, extension: str, ha1: str) -> None:
        self.secrets[extension] = ha1


class Calendar:
    def __init__(self) -> None:
        self.rows: dict[date, DayException] = {}

    def list(self) -> list[DayException]:
        return [self.rows[day] for day in sorted(self.rows)]

    def set(self, day: DayException) -> None:
        self.rows[day.day] = day

    def clear(self, day: date) -> bool:
        return self.rows.pop(day, None) is not None


class Traces:
    def __init__(self) -> None:
        self.rows: list[TraceEvent] = []

    def add(self, events: list[TraceEvent]) -> None:
        self.rows.extend(events)

    def of_call(self, call: str, *, after: int = 0) -> list[tuple[int, TraceEvent]]:
        return [(n, e) for n, e in enumerate(self.rows, 1) if e.call == call and n > after]


class Audit:
    def __init__(self) -> None:
        self.rows: list[AuditRow] = []

    def add(self, row: AuditRow) -> None:
        self.rows.append(row)

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> list[AuditRow]:
        found = [row for row in reversed(self.rows) if since is None or row.at >= since]
        return found[:limit]


class Journal:
    def __init__(self) -> None:
        self.rows: list[JournalLine] = []

    def of_linked(self, linked: str) -> list[JournalLine]:
        return [row for row in self.rows if row.linked == linked]


class Rows:
    """Everything stored; also the unit of work."""

    def __init__(self) -> None:
        self.cards = Cards()
        self.callbacks = Callbacks()
        self.agencies = Agencies()
        self.operators = Operators()
        self.calendar = Calendar()
        self.traces = Traces()
        self.audit = Audit()
        self.journal = Journal()
        self.committed = False

    def commit(self) -> None:
        self.committed = True


class Store:
    def __init__(self) -> None:
        self.rows = Rows()

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        work = copy.deepcopy(self.rows)
        work.committed = False
        yield work
        if work.committed:
            self.rows = work


class Clock:
    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def forward(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass
class Node:
    commands: list[str] = field(default_factory=list)
    error: Exception | None = None

    def console(self, command: str) -> str:
        if self.error is not None:
            raise self.error
        self.commands.append(command)
        return f"said: {command}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    what: str
    remedy: str


class Site:
    """What commands see of a site."""

    def __init__(self, state: Path) -> None:
        self.settings = Settings(state=state)
        self.clock = Clock()
        self.store = Store()
        self.node = Node()
        self.applied = 0
        self.ready = True
        self.findings: list[Finding] = []
        self.waited: float | None = None

    @property
    def rows(self) -> Rows:
        return self.store.rows

    def apply_operators(self) -> None:
        self.applied += 1

    def prompt_text(self, id_: str) -> str:
        return f"«{id_}»"

    def status(self, wait: float) -> dict[str, object]:
        self.waited = wait
        alarm = {"since": START.isoformat(), "what": "Asterisk does not run", "remedy": "start it"}
        return {"ready": self.ready, "line": {"open": True, "next_opening": None}, "alarms": [alarm]}

    def doctor(self) -> list[Finding]:
        return self.findings

    def run_up(self) -> int:
        return 0

    def run_engine(self) -> int:
        return 7

    def upgrade_database(self) -> str:
        return "0001"

    def check_database(self) -> list[Finding]:
        return self.findings

    def install_asterisk(self) -> str:
        return "22.10.1"

    def render_asterisk(self) -> None:
        self.applied += 1

    def start_asterisk(self) -> int:
        return 4711

    def stop_asterisk(self) -> None:
        if self.node.error is not None:
            raise self.node.error

    def asterisk_console(self) -> list[str]:
        return ["/usr/sbin/asterisk", "-r"]

    def close(self) -> None:
        self.applied = -1
