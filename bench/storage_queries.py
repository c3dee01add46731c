"""What pages ask of the store, each with the statements it makes and the database's plan of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, event

from bench.storage_fill import (
    AGENCIES,
    NOW,
    OPERATORS,
    PEOPLE,
    TOPICS,
    ZONE,
    access,
    moment,
    number_of,
    registration,
    snils_of,
)
from db.crypto import Vault
from db.engine import SQLITE
from db.unit_of_work import SqlUnitOfWork
from ivr.domain.enquiry import Outcome
from ivr.domain.figures import Limits
from ivr.domain.ids import first_id
from ivr.ports import CardSearch, UnitOfWork
from ivr.services import reports

PAGE = 50
"""Cards on one page of a search, the newest first."""
Query = Callable[[UnitOfWork, random.Random, int], object]
"""Takes the number of cards there are."""


def _search(**wanted: Callable[[random.Random, int], Any]) -> Query:
    """The newest page of what is looked for; each value is drawn anew."""

    def page(uow: UnitOfWork, chance: random.Random, size: int) -> object:
        search = CardSearch(**{name: draw(chance, size) for name, draw in wanted.items()})
        return uow.cards.search(search, limit=PAGE)

    return page


def _agency(chance: random.Random, _size: int) -> str:
    return chance.choice(AGENCIES)


def _operator(chance: random.Random, _size: int) -> str:
    return chance.choice(OPERATORS)


def _topic(chance: random.Random, _size: int) -> str:
    return f"Тема {chance.randrange(TOPICS)}"


def _deep(uow: UnitOfWork, chance: random.Random, size: int) -> object:
    """A page anywhere: whoever turns pages names the last card seen."""
    before = first_id(moment(chance.randrange(size), size))
    return uow.cards.search(CardSearch(agency=chance.choice(AGENCIES)), limit=PAGE, before=before)


def _of_a_day(uow: UnitOfWork, chance: random.Random, size: int) -> object:
    since = moment(chance.randrange(size), size)
    search = CardSearch(since=since, until=since + timedelta(days=1))
    return uow.cards.search(search, limit=PAGE)


def _by_registration(uow: UnitOfWork, chance: random.Random, size: int) -> object:
    place = chance.randrange(size)
    return uow.cards.get(registration(place, moment(place, size)))


def _figures(uow: UnitOfWork, _chance: random.Random, _size: int) -> object:
    day = (NOW - timedelta(days=1)).astimezone(ZONE).date()
    return reports.by_hour(uow, day, zone=ZONE, limits=Limits())


DUE, FIGURES = "due callbacks by queue", "figures of a day"
QUERIES: Mapping[str, Query] = {
    "card by registration number": _by_registration,
    "cards by number (keyed hash)": _search(number=lambda c, _: number_of(c.randrange(PEOPLE))),
    "cards by SNILS (keyed hash)": _search(snils=lambda c, _: snils_of(c.randrange(PEOPLE))),
    "cards by agency": _search(agency=_agency),
    "cards by agency, any page": _deep,
    "cards by topic": _search(topic=_topic),
    "cards by operator": _search(operator=_operator),
    "cards by operator and topic": _search(operator=_operator, topic=_topic),
    "cards by outcome": _search(outcome=lambda _c, _s: Outcome.CALLBACK),
    "cards of a period": _of_a_day,
    DUE: lambda uow, _c, _s: uow.callbacks.due_queues(NOW),
    FIGURES: _figures,
}


def timed(engine: Engine, vault: Vault, query: Query, *, size: int, times: int) -> list[float]:
    """Milliseconds of each of so many, ascending; each in a transaction of its own."""
    chance = random.Random(1)  # noqa: S311 - which card is asked for
    found = []
    for number in range(times + 1):
        with engine.connect() as connection:
            db = access(connection, vault)
            begin = time.perf_counter()
            query(SqlUnitOfWork(db), chance, size)
            if number:  # the first one also compiles
                found.append(1000 * (time.perf_counter() - begin))
    return sorted(found)


def plans(engine: Engine, vault: Vault, query: Query, *, size: int) -> list[dict[str, Any]]:
    """Each statement that it makes, and how the database goes about it."""
    chance = random.Random(2)  # noqa: S311
    with engine.connect() as connection:
        db = access(connection, vault)
        made = _recorded(connection, lambda: query(SqlUnitOfWork(db), chance, size))
        return [{"statement": text, "plan": _plan(connection, text, values)} for text, values in made]


def _recorded(connection: Connection, work: Callable[[], object]) -> Sequence[tuple[str, Any]]:
    made: dict[str, Any] = {}

    def note(_c: object, _cursor: object, text: str, values: Any, _context: object, _many: bool) -> None:
        made.setdefault(text, values)

    event.listen(connection, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(connection, "before_cursor_execute", note)
    return list(made.items())


def _plan(connection: Connection, text: str, values: Any) -> list[str]:
    if connection.dialect.name == SQLITE:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
        return [str(row[-1]) for row in rows]
    return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {text}", values)]
