"""What pages ask of the store, each with the statements it makes and the database's plan of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, event, select

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
)
from db.access import Access
from db.crypto import Vault
from db.engine import SQLITE
from db.repositories.card_hashes import NUMBER
from db.tables import card_topics, cards
from db.unit_of_work import SqlUnitOfWork
from ivr.domain.enquiry import Outcome
from ivr.domain.figures import Limits
from ivr.services import reports

PAGE = 50
"""Cards on one page of a search, the newest first."""
Query = Callable[[Access, SqlUnitOfWork, random.Random, int], object]
"""Takes the number of cards there are."""


def page(db: Access, *which: ColumnElement[bool]) -> object:
    """A page of a search: whole rows, opened."""
    newest = select(cards).where(*which).order_by(cards.c.registered_at.desc()).limit(PAGE)
    return [db.vault.open_row(cards, row) for row in db.rows(newest)]


def _by_number(db: Access, _uow: SqlUnitOfWork, chance: random.Random, _size: int) -> object:
    hashes = db.vault.lookups(NUMBER, number_of(chance.randrange(PEOPLE)))
    return page(db, cards.c.number_hash.in_(hashes))


def _by_topic(db: Access, _uow: SqlUnitOfWork, chance: random.Random, _size: int) -> object:
    title = f"Тема {chance.randrange(TOPICS)}"
    return page(db, cards.c.id.in_(select(card_topics.c.card).where(card_topics.c.title == title)))


def _by_period(db: Access, _uow: SqlUnitOfWork, chance: random.Random, size: int) -> object:
    since = moment(chance.randrange(size), size)
    return page(db, cards.c.registered_at >= since, cards.c.registered_at < since + timedelta(days=1))


def _by_registration(_db: Access, uow: SqlUnitOfWork, chance: random.Random, size: int) -> object:
    place = chance.randrange(size)
    return uow.cards.get(f"{moment(place, size).astimezone(ZONE).year:04}-{place:07}")


def _figures(_db: Access, uow: SqlUnitOfWork, _chance: random.Random, _size: int) -> object:
    day = (NOW - timedelta(days=1)).astimezone(ZONE).date()
    return reports.by_hour(uow, day, zone=ZONE, limits=Limits())


DUE, FIGURES = "due callbacks by queue", "figures of a day"
QUERIES: Mapping[str, Query] = {
    "card by registration number": _by_registration,
    "cards by number (keyed hash)": _by_number,
    "cards by agency": lambda db, _u, c, _s: page(db, cards.c.agency == c.choice(AGENCIES)),
    "cards by topic": _by_topic,
    "cards by operator": lambda db, _u, c, _s: page(db, cards.c.operator == c.choice(OPERATORS)),
    "cards by outcome": lambda db, _u, _c, _s: page(db, cards.c.outcome == Outcome.CALLBACK.value),
    "cards of a period": _by_period,
    DUE: lambda _d, uow, _c, _s: uow.callbacks.due_queues(NOW),
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
            query(db, SqlUnitOfWork(db), chance, size)
            if number:  # the first one also compiles
                found.append(1000 * (time.perf_counter() - begin))
    return sorted(found)


def plans(engine: Engine, vault: Vault, query: Query, *, size: int) -> list[dict[str, Any]]:
    """Each statement that it makes, and how the database goes about it."""
    chance = random.Random(2)  # noqa: S311
    with engine.connect() as connection:
        db = access(connection, vault)
        made = _recorded(connection, lambda: query(db, SqlUnitOfWork(db), chance, size))
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
