"""Which keys a database uses: its table `key_marks`.

Every transaction begins by asking for them (`in_use`), and until it ends no other program changes them. So
when a rotation makes a new key the current one (db/rotation.py), all programs go over to it at one moment:
none hashes with a key that others do not look up with, none writes with a key that is about to be retired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from sqlalchemy import Connection, bindparam, select, text

from db.crypto import Vault
from db.engine import POSTGRESQL, serialise, share
from db.keys import KeyKind
from db.prepared import Prepared
from db.tables import key_marks

_LOCK = "ekc keys"
HOLD_MS = 300
Mark = tuple[KeyKind, str, bytes]
"""Kind, id and what the key is recognised by (`Vault.mark`)."""


_IN_STATE = Prepared(
    select(key_marks.c.kind, key_marks.c.id, key_marks.c.mark)
    .where(key_marks.c.state == bindparam("wanted"))
    .order_by(key_marks.c.id.desc())
)
"""Every transaction asks for it."""


class MarkState(StrEnum):
    """pending → used → retired; a pending key that is not completed is dropped."""

    PENDING = "pending"  # its file is being written; nobody uses it
    USED = "used"  # opens and finds; the newest of its kind also seals and hashes
    RETIRED = "retired"  # nothing refers to it; its file is being erased


def in_use(connection: Connection) -> Sequence[Mark]:
    """The keys in use, newest first; they stay so until the transaction ends."""
    share(connection, _LOCK)
    return read(connection, MarkState.USED)


def hold(connection: Connection) -> None:
    """Wait until no transaction uses keys; until this one ends none begins. To change what is in use.

    Others queue up behind it, so it does not wait long: where somebody works for long, try again later.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text(f"SET LOCAL lock_timeout = {HOLD_MS}"))
    serialise(connection, _LOCK)


def read(connection: Connection, state: MarkState) -> Sequence[Mark]:
    """Newest first."""
    rows = _IN_STATE.rows(connection, {"wanted": state.value})
    return [(KeyKind(row["kind"]), row["id"], row["mark"]) for row in rows]


def by_kind(marks: Sequence[Mark]) -> Mapping[KeyKind, Sequence[str]]:
    """Their ids, in the same order."""
    return {kind: tuple(id_ for other, id_, _ in marks if other is kind) for kind in KeyKind}


def check(connection: Connection, vault: Vault) -> Sequence[Mark]:
    """The keys in use. Raises KeyLost when the ring lacks one of them."""
    found = in_use(connection)
    for mark in found:
        vault.check_mark(*mark)
    return found


def settle(connection: Connection, vault: Vault) -> None:
    """Make the first keys of a database that has used none; otherwise all its keys must be there.

    A database from before there were codes has no pepper yet: that one is made, too.
    """
    vault.keys.reload()
    known = {kind for kind, _, _ in check(connection, vault)}
    missing = [KeyKind.PEPPER] if known else list(KeyKind)
    missing = [kind for kind in missing if kind not in known]
    vault.keys.create_missing(missing)
    add(
        connection,
        [(kind, id_, vault.mark(kind, id_)) for kind in missing for id_ in vault.keys.ids(kind)],
        MarkState.USED,
    )


def add(connection: Connection, marks: Sequence[Mark], state: MarkState) -> None:
    rows = [{"kind": kind.value, "id": id_, "mark": mark, "state": state.value} for kind, id_, mark in marks]
    if rows:
        connection.execute(key_marks.insert(), rows)


def move(connection: Connection, mark: Mark, before: MarkState, after: MarkState | None) -> bool:
    """Change a mark's state, or drop it; whether it was there in the state `before`."""
    kind, id_, _ = mark
    here = (key_marks.c.kind == kind.value) & (key_marks.c.id == id_) & (key_marks.c.state == before.value)
    change = key_marks.delete() if after is None else key_marks.update().values(state=after.value)
    return connection.execute(change.where(here)).rowcount == 1
