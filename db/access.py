"""What every repository works with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

from db.crypto import Vault
from db.engine import POSTGRESQL, serialise

T = TypeVar("T")
Row = dict[str, Any]
CHUNK = 500
"""Values in one IN (…): both databases limit the parameters of a statement."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """A connection inside a transaction, the vault, and whose node and zone this is."""

    connection: Connection
    vault: Vault
    zone: ZoneInfo
    node: str

    def rows(self, statement: Executable, **values: object) -> list[Row]:
        """values: of the statement's bindparams. One that is made once costs half of one made each time."""
        found = self.connection.execute(statement, values or None)
        names = tuple(found.keys())
        return [dict(zip(names, row, strict=True)) for row in found]

    def first(self, statement: Executable, **values: object) -> Row | None:
        row = self.connection.execute(statement, values or None).mappings().first()
        return None if row is None else dict(row)

    def run(self, statement: Executable, **values: object) -> int:
        """How many rows it touched."""
        return int(self.connection.execute(statement, values or None).rowcount)

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self.connection.execute(table.insert(), list(rows))

    def insert_missing(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert; a row that breaks a unique rule is already there and stays as it is."""
        if rows:
            self.connection.execute(self._insert(table).on_conflict_do_nothing(), list(rows))

    def put(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert; a row whose key is there already gets these values."""
        if not rows:
            return
        insert, key = self._insert(table), table.primary_key
        values = {column.name: insert.excluded[column.name] for column in table.c if column not in set(key)}
        self.connection.execute(insert.on_conflict_do_update(index_elements=key, set_=values), list(rows))

    def _insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        insert = postgresql.insert if self.connection.dialect.name == POSTGRESQL else sqlite.insert
        return insert(table)

    def serialise(self, what: str) -> None:
        serialise(self.connection, what)


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """`values` in pieces of at most CHUNK."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
