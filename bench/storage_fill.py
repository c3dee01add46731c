"""Many cards at once, as after years: sealed, with a contact and a passage, some with a callback."""

from __future__ import annotations

import multiprocessing.context
import random
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table

from bench import storage_bulk
from db import marks
from db.access import Access, Row
from db.crypto import Vault
from db.engine import connect
from db.keys import KeyRing
from db.repositories.card_hashes import card_hashes, number_hash
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
AT_ONCE = 5000
"""Cards of one piece."""
AGENCIES = ("soc", "pfr", "fss", "szn")
OPERATORS = tuple(str(extension) for extension in range(201, 251))
TOPICS = 40
PEOPLE = 300_000
CALLBACK_SHARE, OPEN_SHARE = 50, 10
"""One card of so many has a callback, and of so many callbacks one is still to be kept."""
KNOWN_SHARE = 3
"""Of so many cards the caller of one was identified."""
CHECK_FROM = 1_001_999
"""Numbers of a SNILS up to 001-001-998 carry no check digits."""
COMMENT = "Спрашивает о выплате."
TALK = {"waiting_s": 20, "talking_s": 180, "wrapup_s": 60, "outcome": ContactOutcome.SERVED.value}
SEALING = 2
"""Processes."""


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
    with (
        opened(database) as (engine, _),
        storage_bulk.loading(engine) as connection,
        storage_bulk.without_indexes(connection),
    ):
        for many, made in _pieces(database, size):
            storage_bulk.add(connection, made)
            progress(many)


def _pieces(database: Database, size: int) -> Iterator[tuple[int, storage_bulk.Made]]:
    """(how many cards, their rows): sealed by other processes, a few pieces ahead of who adds them."""
    firsts = iter(range(0, size, AT_ONCE))
    with ProcessPoolExecutor(SEALING, mp_context=processes()) as pool:
        made = deque(pool.submit(piece, database, first, size) for first in islice(firsts, 2 * SEALING))
        while made:
            done = made.popleft().result()
            made.extend(pool.submit(piece, database, first, size) for first in islice(firsts, 1))
            yield len(done[cards.name]), done


def processes() -> multiprocessing.context.ForkServerContext:
    """Those of this bench, the workers of callbacks too: each would load the whole program by itself."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["bench.storage_workers"])
    return found


def piece(database: Database, first: int, size: int) -> storage_bulk.Made:
    """Rows of the cards from this place on."""
    chance, vault = random.Random(first), database.vault()  # noqa: S311 - invented cards
    rows: dict[str, list[tuple[object, ...]]] = {table.name: [] for table in storage_bulk.TABLES}
    for place in range(first, min(first + AT_ONCE, size)):
        for table, row in _one(vault, chance, place, size):
            rows[table.name].append(storage_bulk.stored(table, row))
    return rows


def number_of(person: int) -> str:
    return f"+7912{person:07d}"


def moment(place: int, size: int) -> datetime:
    return NOW - timedelta(days=1) * ((size - place) / CARDS_PER_DAY)


def snils_of(person: int) -> str:
    """With its check digits (the rule stands in ivr/domain/snils.py)."""
    digits = f"{CHECK_FROM + person:09d}"
    total = sum(int(digit) * (9 - place) for place, digit in enumerate(digits))
    return f"{digits}{total % 101 % 100:02d}"


def _one(vault: Vault, chance: random.Random, place: int, size: int) -> Iterator[tuple[Table, Row]]:
    """What belongs to one enquiry."""
    at = moment(place, size)
    id_, agency, operator = new_id(at), chance.choice(AGENCIES), chance.choice(OPERATORS)
    contact = new_contact(card=id_, node=NODE, call=f"{NODE}-{place}.1", at=at)
    yield cards, _card(vault, chance, id_, place, at, agency=agency, operator=operator)
    topic = f"Тема {chance.randrange(TOPICS)}"
    yield card_topics, {"card": id_, "position": 0, "agency": agency, "title": topic}
    yield contacts, {**contact, **TALK}
    yield passages, _passage(contact["id"], agency, operator, at)
    if place % CALLBACK_SHARE == 0:
        waits = place // CALLBACK_SHARE % OPEN_SHARE == 0
        state, number = State.WAITING if waits else State.DONE, f"+7913{place:07d}"
        queue = f"{agency}-1"
        yield callbacks, callback_row(vault, id_, number=number, queue=queue, state=state, at=at)


def _card(
    vault: Vault, chance: random.Random, id_: str, place: int, at: datetime, *, agency: str, operator: str
) -> Row:
    person = chance.randrange(PEOPLE)
    known = place % KNOWN_SHARE == 0
    clear = {"number": number_of(person), "snils": snils_of(person) if known else None, "comment": COMMENT}
    return {
        "id": id_,
        "registration_number": registration(place, at),
        "registered_at": at,
        "closed_at": at + timedelta(minutes=6),
        "level": (Level.PERSONAL if known else Level.NONE).value,
        "agency": agency,
        "operator": operator,
        "outcome": chance.choice((Outcome.SERVED, Outcome.SELF_SERVICE, Outcome.CALLBACK)).value,
        **vault.seal_row(cards, clear, row=id_),
        **vault.hash_row(card_hashes(clear)),
    }


def registration(place: int, at: datetime) -> str:
    return f"{at.astimezone(ZONE).year:04}-{place:08}"


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


def callback_row(vault: Vault, card: str, *, number: str, queue: str, state: State, at: datetime) -> Row:
    """Numbers of their own, for a number has at most one open callback."""
    id_, clear = new_id(at), {"number": number}
    return {
        "id": id_,
        "card": card,
        **vault.seal_row(callbacks, clear, row=id_),
        **vault.hash_row(number_hash(clear)),
        "source": Source.CLOSED.value,
        "state": state.value,
        "queue": queue,
        "arrived_at": at,
        "due": at,
        "leg": 0,
    }
