"""Many rows at once, past the repositories: COPY on PostgreSQL, long statements on SQLite; indexes last.

What is stored is the same to the byte; only how it comes in is shorter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import JSON, Column, Connection, Engine, Table
from sqlalchemy.dialects import sqlite

from db.engine import POSTGRESQL
from db.tables import callbacks, card_topics, cards, contacts, passages
from db.types import UtcTime

Made = Mapping[str, Sequence[Sequence[object]]]
"""Rows by table, each with a value for every column."""
TABLES: tuple[Table, ...] = (cards, card_topics, contacts, passages, callbacks)
"""Those that are filled, parents first."""


def _converter(column: Column[Any]) -> Callable[[Any], object] | None:
    """What a value becomes on its way into this column; None: it stays what it is."""
    if isinstance(column.type, UtcTime):
        return partial(column.type.process_bind_param, dialect=sqlite.dialect())  # a number at any
    return json.dumps if isinstance(column.type, JSON) else None


_COLUMNS = {table.name: [(column.name, _converter(column)) for column in table.c] for table in TABLES}


def stored(table: Table, row: Mapping[str, object]) -> tuple[object, ...]:
    """The row's values as the database keeps them, in the order of its columns."""
    get = row.get
    return tuple([get(name) if to is None else to(get(name)) for name, to in _COLUMNS[table.name]])


@contextmanager
def loading(engine: Engine) -> Iterator[Connection]:
    """A connection that adds rows without care for a crash, references and other programs' patience."""
    with engine.connect() as connection:
        for setting in _careless(engine):
            connection.exec_driver_sql(setting)
        connection.commit()
        yield connection
    engine.dispose()  # nobody else gets it


def _careless(engine: Engine) -> Sequence[str]:
    if engine.dialect.name == POSTGRESQL:
        return (
            "SET statement_timeout = 0",
            "SET synchronous_commit = off",
            "SET session_replication_role = replica",
            "SET maintenance_work_mem = '512MB'",
        )
    outside = ("PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF", "PRAGMA cache_size = -500000")
    return ("COMMIT", *outside, "BEGIN")  # within a transaction these do nothing


def add(connection: Connection, made: Made) -> None:
    """In a transaction of its own."""
    with connection.begin():
        for table in TABLES:
            if rows := made.get(table.name):
                _add(connection, table, rows)


def _add(connection: Connection, table: Table, rows: Sequence[Sequence[object]]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    if connection.dialect.name != POSTGRESQL:
        marks = ", ".join("?" for _ in table.c)
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


@contextmanager
def without_indexes(connection: Connection) -> Iterator[None]:
    """They are made at the end, all at once."""
    indexes = [index for table in TABLES for index in table.indexes]
    for index in indexes:
        index.drop(connection)
    connection.commit()
    yield
    for index in indexes:
        index.create(connection)
        connection.commit()
    analyse(connection)


def analyse(connection: Connection) -> None:
    """Tell the planner what there is."""
    connection.exec_driver_sql("ANALYZE")
    connection.commit()
