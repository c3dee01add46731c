"""Sealing and hashing rows anew: those of one piece of a table that were made with older keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Table, bindparam, func, or_, select

from db.access import Row
from db.crypto import Keyed, Vault
from db.keys import KeyKind
from db.repositories.applications import APPLICATIONS
from db.repositories.benefits import NOTICES, PAYMENTS
from db.repositories.card_hashes import card_hashes, number_hash
from db.repositories.citizens import CITIZENS
from db.tables import metadata
from db.types import KeyedHash, Sealed
from ivr.domain.errors import KeyLost, SealBroken

ROWS = 100
"""Rows looked at in one transaction: some 30 ms, for at SQLite everybody else waits."""

_HASHES: Mapping[str, Callable[[Row], Mapping[str, Keyed]]] = {
    "cards": card_hashes,
    "callbacks": number_hash,
    **{kind.table.name: kind.row_hashes for kind in (APPLICATIONS, PAYMENTS, NOTICES, CITIZENS)},
}
"""What the look-up hashes of a row in clear are of."""


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A piece of a table after it was gone through."""

    last: str | None
    """Key of its last row; None: the table has no more rows."""
    rows: int
    changed: int
    busy: int
    """Rows that somebody else is changing."""
    unreadable: int
    """Rows that do not open."""


def tables() -> Sequence[Table]:
    """All with sealed values."""
    return [table for table in metadata.sorted_tables if _columns(table, Sealed)]


def row_count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def anew(connection: Connection, vault: Vault, table: Table, after: str) -> Passed:
    """Seal and hash what is old among the next rows after this key, with the vault's current keys.

    It waits for nobody, so that it can never be one of two that wait for each other.
    """
    key = _key(table)
    ids = connection.execute(select(key).where(key > after).order_by(key).limit(ROWS)).scalars().all()
    old = key.in_(ids) & _is_old(table, vault)
    found = connection.execute(select(func.count()).select_from(table).where(old)).scalar_one()
    mine = select(table).where(old).with_for_update(skip_locked=True, key_share=True)
    rows = [dict(row) for row in connection.execute(mine).mappings()] if found else []
    changed = [row for row in (_anew(vault, table, row) for row in rows) if row is not None]
    if changed:
        _write(connection, table, changed)
    return Passed(
        last=ids[-1] if len(ids) == ROWS else None,
        rows=len(ids),
        changed=len(changed),
        busy=found - len(rows),
        unreadable=len(rows) - len(changed),
    )


def _anew(vault: Vault, table: Table, row: Row) -> Row | None:
    """The row's new sealed values and hashes, with its key; None when it does not open."""
    id_ = str(row[_key(table).name])
    try:
        clear = vault.open_row(table, row)
    except (SealBroken, KeyLost):
        return None
    sealed = {column.name: clear[column.name] for column in _columns(table, Sealed)}
    hashes = vault.hash_row(_HASHES[table.name](clear)) if _columns(table, KeyedHash) else {}
    return {"_key": id_, **vault.seal_row(table, sealed, row=id_), **hashes}


def _write(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Rows of one shape in one go: a card without a number has no hash of it."""
    shapes: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        shapes.setdefault(tuple(row), []).append(row)
    for names, alike in shapes.items():
        values: dict[str, Any] = {name: bindparam(name) for name in names if name != "_key"}
        connection.execute(table.update().where(_key(table) == bindparam("_key")).values(values), alike)


def _is_old(table: Table, vault: Vault) -> ColumnElement[bool]:
    """NULL begins with nothing, and is neither old nor new."""
    hash_key = vault.current(KeyKind.HASH).encode()
    return or_(
        *(_begins_otherwise(column, vault.head) for column in _columns(table, Sealed)),
        *(_begins_otherwise(column, hash_key) for column in _columns(table, KeyedHash)),
    )


def _begins_otherwise(column: ColumnElement[Any], head: bytes) -> ColumnElement[bool]:
    return func.substr(column, 1, len(head), type_=LargeBinary) != head


def _columns(table: Table, kind: type[Sealed] | type[KeyedHash]) -> Sequence[ColumnElement[Any]]:
    return [column for column in table.c if isinstance(column.type, kind)]


def _key(table: Table) -> ColumnElement[Any]:
    (key,) = table.primary_key
    return key
