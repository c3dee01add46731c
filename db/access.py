"""What every repository works with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Executable, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from db.crypto import Vault
from db.engine import POSTGRESQL, serialise
from db.prepared import Prepared
from db.prepared import Row as Row

T = TypeVar("T")
Statement = Executable | Prepared
"""Prepared is what every call asks for; what is built each time costs several times as much."""
CHUNK = 500
"""Values in one IN (…): both databases limit the parameters of a statement."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """A connection inside a transaction, the vault, and whose node and zone this is."""

    connection: Connection
    vault: Vault
    zone: ZoneInfo
    node: str

    def rows(self, statement: Statement, **values: object) -> list[Row]:
        """values: of the statement's bindparams."""
        if isinstance(statement, Prepared):
            return statement.rows(self.connection, values)
        found = self.connection.execute(statement, values or None)
        names = tuple(found.keys())
        return [dict(zip(names, row, strict=True)) for row in found]

    def first(self, statement: Statement, **values: object) -> Row | None:
        if isinstance(statement, Prepared):
            return statement.first(self.connection, values)
        row = self.connection.execute(statement, values or None).mappings().first()
        return None if row is None else dict(row)

    def run(self, statement: Statement, **values: object) -> int:
        """How many rows it touched."""
        if isinstance(statement, Prepared):
            return statement.run(self.connection, values)
        return int(self.connection.execute(statement, values or None).rowcount)

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows that all have the same columns."""
        if rows:
            _inserting(table, tuple(rows[0])).many(self.connection, rows)

    def insert_missing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert; a row that breaks a unique rule is already there and stays as it is."""
        if rows:
            statement = _inserting_missing(table, tuple(rows[0]), self.connection.dialect.name)
            statement.many(self.connection, rows)

    def change(self, table: Table, id_: str, fields: Mapping[str, Any]) -> int:
        """Set columns of the row with this id; how many there are."""
        return _changing(table, tuple(fields)).run(self.connection, {**fields, "wanted": id_})

    def put(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert; a row whose key is there already gets these values."""
        if not rows:
            return
        insert, key = _upsert(table, self.connection.dialect.name), table.primary_key
        values = {column.name: insert.excluded[column.name] for column in table.c if column not in set(key)}
        self.connection.execute(insert.on_conflict_do_update(index_elements=key, set_=values), list(rows))

    def serialise(self, what: str) -> None:
        serialise(self.connection, what)


@cache
def _inserting(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(table.insert().inline(), columns=columns)


@cache
def _inserting_missing(table: Table, columns: tuple[str, ...], backend: str) -> Prepared:
    return Prepared(_upsert(table, backend).on_conflict_do_nothing().inline(), columns=columns)


def _upsert(table: Table, backend: str) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what follows from a conflict; each database has its own."""
    return postgresql.insert(table) if backend == POSTGRESQL else sqlite.insert(table)


@cache
def _changing(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(table.update().where(table.c.id == bindparam("wanted")), columns=columns)


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """`values` in pieces of at most CHUNK."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
