"""Many cards at once, as after years: sealed, with a contact and a passage, some with a callback."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table

from db import marks
from db.access import Access, Row
from db.crypto import Vault
from db.engine import connect
from db.keys import KeyRing
from db.repositories.card_hashes import number_hash
from db.repositories.contacts import new_contact
from db.store import open_store
from db.tables import callbacks, card_topics, cards, contacts, passages
from ivr.domain.callback import Source, State
from ivr.domain.enquiry import ContactOutcome, Level, Outcome
from ivr.domain.ids import new_id
from ivr.domain.passage import CONNECTED

ZONE = ZoneInfo("Asia/Yekaterinburg")
NODE = "node1"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
CARDS_PER_DAY = 4000
"""Of a busy regional line."""
AT_ONCE = 2000
AGENCIES = ("soc", "pfr", "fss", "szn")
OPERATORS = tuple(str(extension) for extension in range(201, 251))
TOPICS = 40
PEOPLE = 300_000
CALLBACK_SHARE, OPEN_SHARE = 50, 10
"""One card of so many has a callback, and of so many callbacks one is still to be kept."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """An address and the folder of its keys: what a process needs to open it."""

    name: str
    url: str
    keys: Path

    def engine(self) -> Engine:
        return connect(self.url)

    def vault(self) -> Vault:
        return Vault(KeyRing(self.keys))


def prepare(database: Database) -> None:
    """Tables and keys."""
    store = open_store(database.url, database.vault(), timezone=ZONE, node=NODE)
    store.upgrade()
    store.close()


def access(connection: Connection, vault: Vault) -> Access:
    """As a transaction of the store has it (db/store.py)."""
    using = vault.using(marks.by_kind(marks.in_use(connection)))
    return Access(connection=connection, vault=using, zone=ZONE, node=NODE)


@contextmanager
def opened(database: Database) -> Iterator[tuple[Engine, Vault]]:
    engine = database.engine()
    try:
        yield engine, database.vault()
    finally:
        engine.dispose()


def fill(database: Database, size: int, *, progress: Callable[[int], None]) -> None:
    """So many cards, the newest at NOW. progress: told how many have been added."""
    chance = random.Random(1)  # noqa: S311 - invented cards
    with opened(database) as (engine, vault):
        for first in range(0, size, AT_ONCE):
            many = range(first, min(first + AT_ONCE, size))
            with engine.connect() as connection:
                db = access(connection, vault)
                rows: dict[Table, list[Row]] = {t: [] for t in (cards, card_topics, contacts, passages)}
                rows[callbacks] = []
                for place in many:
                    _one(db, rows, chance, place, size)
                for table, found in rows.items():
                    db.insert(table, found)
                connection.commit()
            progress(len(many))
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
            connection.commit()


def number_of(person: int) -> str:
    return f"+7912{person:07d}"


def moment(place: int, size: int) -> datetime:
    return NOW - timedelta(days=1) * ((size - place) / CARDS_PER_DAY)


def _one(db: Access, rows: dict[Table, list[Row]], chance: random.Random, place: int, size: int) -> None:
    """Add what belongs to one enquiry."""
    at = moment(place, size)
    id_, call = new_id(at), f"{NODE}-{place}.1"
    agency, operator = chance.choice(AGENCIES), chance.choice(OPERATORS)
    number = {"number": number_of(chance.randrange(PEOPLE))}
    sealed = db.vault.seal_row(cards, {**number, "comment": "Спрашивает о выплате."}, row=id_)
    hashed = db.vault.hash_row(number_hash(number))
    rows[cards].append(
        {
            "id": id_,
            "registration_number": f"{at.astimezone(ZONE).year:04}-{place:07}",
            "registered_at": at,
            "closed_at": at + timedelta(minutes=6),
            "level": Level.NONE.value,
            "agency": agency,
            "operator": operator,
            "outcome": chance.choice((Outcome.SERVED, Outcome.SELF_SERVICE, Outcome.CALLBACK)).value,
            **sealed,
            **hashed,
        }
    )
    topic = f"Тема {chance.randrange(TOPICS)}"
    rows[card_topics].append({"card": id_, "position": 0, "agency": agency, "title": topic})
    contact = new_contact(card=id_, node=NODE, call=call, at=at)
    talk = {"waiting_s": 20, "talking_s": 180, "wrapup_s": 60, "outcome": ContactOutcome.SERVED.value}
    rows[contacts].append({**contact, **talk})
    rows[passages].append(_passage(contact["id"], agency, operator, at))
    if place % CALLBACK_SHARE == 0:
        rows[callbacks].append(_callback(db, id_, agency, place, at))


def _passage(contact: str, agency: str, operator: str, at: datetime) -> Row:
    return {
        "contact": contact,
        "position": 0,
        "queue": f"{agency}-1",
        "entered": at,
        "left": at + timedelta(seconds=20),
        "why": CONNECTED,
        "operator": operator,
        "talking_s": 180,
        "hold_s": 0,
        "missed": [],
    }


def _callback(db: Access, card: str, agency: str, place: int, at: datetime) -> Row:
    """Numbers of their own, for a number has at most one open callback."""
    id_ = new_id(at)
    number = {"number": f"+7913{place:07d}"}
    waits = place // CALLBACK_SHARE % OPEN_SHARE == 0
    return {
        "id": id_,
        "card": card,
        **db.vault.seal_row(callbacks, number, row=id_),
        **db.vault.hash_row(number_hash(number)),
        "source": Source.CLOSED.value,
        "state": (State.WAITING if waits else State.DONE).value,
        "queue": f"{agency}-1",
        "arrived_at": at,
        "due": at,
        "leg": 0,
    }
