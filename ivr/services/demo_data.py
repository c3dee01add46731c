"""Invented people for demonstrations and tests: nobody lives who is meant, and all of them by one seed.

They are loaded through the rules of the files (docs/files.md), so what the demo shows a real file can bring.
Days lie around the first of the current month: within a month the same seed invents the same, word for word.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from ivr.domain import snils
from ivr.domain.errors import BadInput
from ivr.domain.menu import Topic, check_topics
from ivr.ports import Store
from ivr.services import imports
from ivr.services.audit import By
from ivr.services.demo_words import (
    AGENCIES,
    BIRTH_YEARS,
    CODE_WORDS,
    MISSING,
    NAMES,
    NOTICES,
    PAYMENTS,
    SERVICES,
    STATES,
    State,
)
from ivr.services.imports import Kind
from ivr.services.rows import LIST_SEPARATOR, Line

SUBJECT = "demo-data"
"""In the audit, where an import says `file`."""
FIRST_NUMBER, LAST_NUMBER = 900_000_000, 999_999_999
"""SNILS without check digits: far above those issued, so that they belong to nobody."""

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Person:
    """One invented citizen with everything that is told of them, by the columns of the files."""

    citizen: Mapping[str, str]
    applications: Sequence[Row]
    """`missing_documents` is a list."""
    payments: Sequence[Row]
    notices: Sequence[Row]

    def view(self) -> dict[str, object]:
        """In clear: nobody real is meant."""
        lists = {"applications": self.applications, "payments": self.payments, "notices": self.notices}
        return {**self.citizen, **lists}


def invent(*, seed: int, count: int, today: date) -> Sequence[Person]:
    """So many people, the same for the same seed within a month. today: in the site's zone."""
    chance = random.Random(seed)  # noqa: S311  # repeatable on purpose; it guards nothing
    inventor = _Inventor(chance=chance, month=today.replace(day=1), count=count)
    return [inventor.person(place) for place in range(count)]


class _Inventor:
    """Draws people; numbers that must differ are drawn together, so that they do."""

    def __init__(self, *, chance: random.Random, month: date, count: int) -> None:
        self._chance = chance
        self._month = month
        self._snils = chance.sample(range(FIRST_NUMBER, LAST_NUMBER), count)
        self._phones = chance.sample(range(10**9), count)
        self._documents = chance.sample(range(10**6), count)
        self._receipts = iter(chance.sample(range(100_000, 1_000_000), 2 * count))

    def person(self, place: int) -> Person:
        nine = f"{self._snils[place]:09}"
        number = nine + snils.check_digits(nine)
        drawn = range(1 + self._chance.randrange(2))
        return Person(
            citizen=self._citizen(number, place),
            applications=[self._application(number, place + extra) for extra in drawn],
            payments=self._payments(number),
            notices=self._notices(number),
        )

    def _citizen(self, number: str, place: int) -> Mapping[str, str]:
        last, first, patronymic = (self._chance.choice(names) for names in NAMES[place % 2])
        born = date(self._chance.choice(BIRTH_YEARS), 1, 1) + timedelta(days=self._chance.randrange(365))
        return {
            "snils": number,
            "last_name": last,
            "first_name": first,
            "patronymic": patronymic,
            "birth_date": born.isoformat(),
            "phone": f"+79{self._phones[place]:09}",
            "secret_code": self._code(place),
            "document_type": "паспорт",
            "document_series": f"53{self._chance.randrange(5, 25):02}",
            "document_number": f"{self._documents[place]:06}",
        }

    def _code(self, place: int) -> str:
        """Every third has digits only, as many citizens choose."""
        if place % 3 == 2:
            return f"{self._chance.randrange(10_000, 1_000_000)}"
        return f"{self._chance.choice(CODE_WORDS)}{self._chance.randrange(10, 1000)}"

    def _application(self, number: str, place: int) -> Row:
        """Each state in turn, so that a few people show them all."""
        agency = self._chance.choice(sorted(SERVICES))
        state: State = STATES[place % len(STATES)]
        missing = self._chance.sample(MISSING, self._chance.randrange(1, 3)) if state.lacks_documents else []
        return {
            "snils": number,
            "number": f"56-{next(self._receipts)}",
            "accepted_on": self._day(-120, -1),
            "agency": agency,
            "service": self._chance.choice(SERVICES[agency]),
            "status": state.status,
            "decision": state.decision,
            "refusal_reason": state.refusal_reason,
            "missing_documents": missing,
        }

    def _payments(self, number: str) -> Sequence[Row]:
        """One to three in the past, perhaps one of them returned, and the next one."""
        agency = self._chance.choice(sorted(PAYMENTS))
        title = self._chance.choice(PAYMENTS[agency])
        amount = f"{self._chance.randrange(500, 30_000)}.{self._chance.choice((0, 25, 50, 99)):02}"
        past = self._chance.randrange(1, 4)
        rows = [(self._day(-30 * (n + 1), -30 * n - 1), "paid") for n in range(past)]
        if self._chance.randrange(4) == 0:
            rows[-1] = (rows[-1][0], "returned")
        rows.append((self._day(31, 60), "planned"))
        same = {"snils": number, "agency": agency, "title": title, "amount": amount}
        return [{**same, "date": day, "status": status} for day, status in rows]

    def _notices(self, number: str) -> Sequence[Row]:
        agency, event, measure, how = self._chance.choice(NOTICES)
        if self._chance.randrange(2):
            return []
        until = self._day(90, 200) if self._chance.randrange(3) else ""
        row = {"snils": number, "agency": agency, "event": event, "measure": measure}
        return [{**row, "how_to_get": how, "valid_until": until}]

    def _day(self, first: int, last: int) -> str:
        """Days from the first of the month; from 31 on they lie ahead on every day of it."""
        return (self._month + timedelta(days=self._chance.randint(first, last))).isoformat()


# --- loading ---------------------------------------------------------------------------------------


def load(store: Store, by: By, people: Sequence[Person], *, citizens: Kind[Any], today: date) -> int:
    """Bring agencies and people in, as files would; how many rows really changed.

    Topics and names that the site has stay as they are. Raises BadInput where its menu has no room for an
    invented agency, StorageDown.
    """
    changed = _bring(store, by, imports.agencies(store), _topic_rows(store))
    missing = sorted(SERVICES.keys() - imports.known_agencies(store))
    if missing:
        raise BadInput(f"the menu has no room for {', '.join(missing)}; use a state of its own")
    changed += _bring(store, by, citizens, (person.citizen for person in people))
    changed += _bring(
        store, by, imports.applications(store, today=today), (a for p in people for a in p.applications)
    )
    changed += _bring(store, by, imports.payments(store), (row for p in people for row in p.payments))
    return changed + _bring(store, by, imports.notices(store), (row for p in people for row in p.notices))


def _bring(store: Store, by: By, kind: Kind[Any], rows: Iterable[Mapping[str, Any]]) -> int:
    counts = imports.bring_in(store, by, kind, _lines(rows), subject=SUBJECT)
    if counts.first is not None:
        raise BadInput(f"an invented row of {kind.name} does not fit: {counts.first.reason}")
    return counts.changed


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterable[Line]:
    for number, row in enumerate(rows, start=1):
        values = {name: LIST_SEPARATOR.join(v) if isinstance(v, list) else str(v) for name, v in row.items()}
        yield Line(number=number, values=values, raw=())


def _topic_rows(store: Store) -> Sequence[Mapping[str, str]]:
    """The invented topics that the site's menu has room for."""
    with store.transaction() as uow:
        there = list(uow.agencies.topics())
    names = {topic.agency: topic.agency_name for topic in there}
    added: list[Topic] = []
    for topic in AGENCIES:
        named = replace(topic, agency_name=names.get(topic.agency, topic.agency_name))
        if _has_room([*there, *added], named):
            added.append(named)
    return [
        {"code": t.agency, "name": t.agency_name, "topic_key": t.key, "topic": t.title, "line": str(t.line)}
        for t in added
    ]


def _has_room(menu: Sequence[Topic], topic: Topic) -> bool:
    if any((other.agency, other.title) == (topic.agency, topic.title) for other in menu):
        return False
    try:
        check_topics([*menu, topic])
    except BadInput:
        return False
    return True
