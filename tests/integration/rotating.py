"""What the tests of key rotation have in common."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from db import marks
from db.keys import KeyKind
from db.store import SqlStore
from db.tables import metadata
from db.types import KeyedHash, Sealed
from ivr.ports import KeyRotation
from tests.integration.conftest import Database

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def silent(_done: int, _total: int) -> None:
    """For who wants no progress."""


def rotated(store: SqlStore, *, pepper: bool = False, forget_before: datetime = LONG_AGO) -> KeyRotation:
    return store.rotate_keys(pepper=pepper, forget_before=forget_before, progress=silent)


def key_files(database: Database) -> dict[str, list[str]]:
    """Ids by kind, oldest first."""
    names = sorted(path.name for path in database.keys.iterdir())
    assert all(name.endswith(".key") for name in names)
    return {kind: [n.split("-")[1][:-4] for n in names if n.startswith(f"{kind}-")] for kind in KeyKind}


def used(store: SqlStore) -> dict[str, list[str]]:
    """Ids of the keys in use by kind, oldest first; there are no others."""
    with store._engine.connect() as connection:
        for state in (marks.MarkState.PENDING, marks.MarkState.RETIRED):
            assert marks.read(connection, state) == []
        found = marks.by_kind(marks.in_use(connection))
    return {kind: list(reversed(ids)) for kind, ids in found.items()}


def octets(store: SqlStore) -> dict[str, list[bytes]]:
    """Every sealed value and keyed hash, by table and column; but the marks of keys."""
    found: dict[str, list[bytes]] = {}
    with store._engine.connect() as connection:
        for table in metadata.tables.values():
            for column in table.c:
                if isinstance(column.type, Sealed | KeyedHash) and table.name != "key_marks":
                    values = connection.execute(select(column).where(column.is_not(None))).scalars()
                    found[f"{table.name}.{column.name}"] = list(values)
    return found


def current_data(store: SqlStore) -> list[str]:
    """Ids of the data keys in use."""
    with store._engine.connect() as connection:
        return list(marks.by_kind(marks.in_use(connection))[KeyKind.DATA])
