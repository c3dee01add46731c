"""The product's database by plain SQL, on either backend: what it has written down of the calls."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg

from tests.chaos.dialling import ENDED, UNDER_WAY
from tests.chaos.evidence import CallbackRow, CardRow, Contact

_MICROSECONDS = 1e6
_CONTACTS = 'SELECT "call", card, direction, "at", outcome FROM contacts'
_CARDS = "SELECT id, outcome, closed_at FROM cards"
_CALLBACKS = """
    SELECT c.id, c.card, c.source, c.state, c.number_hash,
           (SELECT count(*) FROM callback_attempts a WHERE a.callback = c.id)
    FROM callbacks c"""
_ENDS = """SELECT "call", count(*) FROM traces WHERE kind = 'end' GROUP BY "call" """
_TOLD = "SELECT DISTINCT \"call\" FROM traces WHERE kind = 'prompt' AND id = 'status.result'"
_OPEN = "SELECT count(*) FROM contacts WHERE outcome IS NULL"
_UNFINISHED = "SELECT count(*) FROM cards WHERE outcome IS NULL"
_BUSY = f"SELECT count(*) FROM callbacks WHERE state IN {tuple(sorted(UNDER_WAY))!r}"  # noqa: S608 - our own words
_WAITING = f"SELECT count(*) FROM callbacks WHERE state NOT IN {tuple(sorted(ENDED))!r}"  # noqa: S608
_CONNECTIONS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_STORY = {
    "contacts": 'SELECT "call", card, direction, "at", outcome, waiting_s, talking_s FROM contacts',
    "traces": 'SELECT "call", "at", kind, id, outcome FROM traces ORDER BY seq',
    "callbacks": "SELECT id, card, source, state, due FROM callbacks",
    "attempts": 'SELECT callback, position, "at", result FROM callback_attempts',
}


class Rows(NamedTuple):
    """All that the audit wants."""

    contacts: Sequence[Contact]
    cards: Sequence[CardRow]
    callbacks: Sequence[CallbackRow]
    ends: dict[str, int]
    told: frozenset[str]


class Unready(Exception):
    """The database does not answer now."""


def select(database: str, statements: Sequence[str]) -> list[list[tuple[Any, ...]]]:
    """The rows of each statement, all in one transaction. database: a SQLite file, or a PostgreSQL URL."""
    try:
        if "://" in database:
            with psycopg.connect(database, connect_timeout=5) as link:
                return [link.execute(s.encode()).fetchall() for s in statements]
        source = f"file:{quote(str(Path(database).absolute()))}?mode=ro"
        with closing(sqlite3.connect(source, uri=True, timeout=10, isolation_level=None)) as file:
            file.execute("BEGIN")
            return [file.execute(s).fetchall() for s in statements]
    except (sqlite3.Error, psycopg.Error) as error:
        raise Unready(str(error)) from None


def read(database: str) -> Rows:
    """Raises Unready."""
    contacts, cards, callbacks, ends, told = select(database, [_CONTACTS, _CARDS, _CALLBACKS, _ENDS, _TOLD])
    return Rows(
        contacts=[
            Contact(call=r[0], card=r[1], direction=r[2], at=r[3] / _MICROSECONDS, outcome=r[4])
            for r in contacts
        ],
        cards=[
            CardRow(id=r[0], outcome=r[1], closed_at=None if r[2] is None else r[2] / _MICROSECONDS)
            for r in cards
        ],
        callbacks=[
            CallbackRow(
                id=r[0], card=r[1], source=r[2], state=r[3], number_hash=bytes(r[4]).hex(), attempts=r[5]
            )
            for r in callbacks
        ],
        ends=dict(ends),  # type: ignore[arg-type] - two columns
        told=frozenset(r[0] for r in told),
    )


def waiting(database: str) -> int:
    """Citizens who are still to be called back. Raises Unready."""
    return int(select(database, [_WAITING])[0][0][0])


def connections(database: str) -> int:
    """Of others than us to a PostgreSQL; 0 for a file. Raises Unready."""
    return int(select(database, [_CONNECTIONS])[0][0][0]) if "://" in database else 0


def story(database: str) -> dict[str, list[list[Any]]]:
    """What each call lived through, and every callback, for who looks into a finding. Raises Unready."""
    found = select(database, list(_STORY.values()))
    return {name: [list(row) for row in found[n]] for n, name in enumerate(_STORY)}


def unfinished(database: str) -> tuple[int, int, int]:
    """Open contacts, open cards, callbacks that are being dialled now. Raises Unready."""
    found = select(database, [_OPEN, _UNFINISHED, _BUSY])
    return found[0][0][0], found[1][0][0], found[2][0][0]
