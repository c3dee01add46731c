"""Records that come in files again and again: found by what identifies them, changed where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Generic, TypeVar

from sqlalchemy import Table, bindparam, select

from db.access import Access, Row, chunks
from db.crypto import Keyed
from db.prepared import Prepared
from ivr.domain.ids import new_id

T = TypeVar("T")
SNILS = "snils"
"""Purpose of the keyed hash of SNILS: the same one in every table."""


@cache
def _by_hash(table: Table, column: str) -> Prepared:
    which = table.c[column].in_(bindparam("hashes", expanding=True))
    return Prepared(select(table).where(which).order_by(table.c.id), lists=("hashes",))


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[T]):
    """How one kind of record is stored."""

    table: Table
    identity: str
    """The column with the keyed hash of what identifies a record."""
    hashes: Callable[[T], Mapping[str, Keyed]]
    """What the hashes are of, by column."""
    clear: Callable[[T], Row]
    """The other columns, but the id, in clear."""
    record: Callable[[Row], T]
    """The record of a row in clear."""

    def row_hashes(self, clear: Row) -> Mapping[str, Keyed]:
        return self.hashes(self.record(clear))


class Upserts(Generic[T]):
    """The records of one kind."""

    def __init__(self, access: Access, kind: Kind[T]) -> None:
        self._db = access
        self._kind = kind

    def upsert(self, records: Iterable[T]) -> int:
        """How many rows really changed. The last of several records with one identity counts."""
        self._db.serialise(self._kind.table.name)
        latest = {self._identity(record): record for record in records}
        # Ids of one moment are sorted, so that rows are read in the order in which they were given.
        ids = sorted(new_id(datetime.now(UTC)) for _ in latest)
        incoming = list(zip(latest.items(), ids, strict=True))
        return sum(self._upsert(part) for part in chunks(incoming))

    def _upsert(self, incoming: Sequence[tuple[tuple[Keyed, T], str]]) -> int:
        known = self._known([identity for (identity, _), _ in incoming])
        new = [self._row(id_, record) for (identity, record), id_ in incoming if identity not in known]
        self._db.insert(self._kind.table, new)
        changed = [
            self._row(known[identity][0], record)
            for (identity, record), _ in incoming
            if identity in known and known[identity][1] != record
        ]
        for row in changed:
            self._db.change(self._kind.table, row["id"], row)
        return len(new) + len(changed)

    def _known(self, identities: Iterable[Keyed]) -> dict[Keyed, tuple[str, T]]:
        """(row id, record) of those that are stored, by identity."""
        hashes = [h for identity in identities for h in self._db.vault.lookups(*identity)]
        column = self._kind.table.c[self._kind.identity]
        found: dict[Keyed, tuple[str, T]] = {}
        for part in chunks(hashes):
            for row in self._db.rows(select(self._kind.table).where(column.in_(part))):
                record = self._open(row)
                found[self._identity(record)] = (row["id"], record)
        return found

    def find(self, column: str, of: Keyed) -> list[T]:
        """In the order they were given."""
        return [self._open(row) for row in self.rows(column, of)]

    def rows(self, column: str, of: Keyed) -> Sequence[Row]:
        """Rows with this hash in a column, as they are stored."""
        return self._db.rows(_by_hash(self._kind.table, column), hashes=self._db.vault.lookups(*of))

    def _row(self, id_: str, record: T) -> Row:
        vault, kind = self._db.vault, self._kind
        return {
            "id": id_,
            **vault.hash_row(kind.hashes(record)),
            **vault.seal_row(kind.table, kind.clear(record), row=id_),
        }

    def _open(self, row: Row) -> T:
        return self._kind.record(self._db.vault.open_row(self._kind.table, row))

    def _identity(self, record: T) -> Keyed:
        return self._kind.hashes(record)[self._kind.identity]
