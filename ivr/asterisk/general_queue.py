"""The queue `general` as a realtime row.

app_queue takes a section `[general]` of queues.conf for its global settings, so a queue of this name, which
the outer interface promises, can only come from a database. Asterisk reads the row at each call.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ivr.domain.errors import BadInput
from ivr.domain.operators import GENERAL_QUEUE

_COLUMN = re.compile(r"[a-z_]+")
# Asterisk looks for these columns at its start and warns when one is missing.
_MEMBERS = """CREATE TABLE queue_members (uniqueid INTEGER PRIMARY KEY, queue_name TEXT, interface TEXT,
membername TEXT, state_interface TEXT, penalty INTEGER, paused INTEGER, reason_paused TEXT, ringinuse TEXT,
wrapuptime INTEGER)"""


def options(queues_conf: str) -> dict[str, str]:
    """The template `[settings]` of a rendered queues.conf, so that `general` differs from no other queue."""
    lines = queues_conf.partition("[settings](!)")[2].partition("\n[")[0].splitlines()
    pairs = (line.partition(";")[0].partition("=") for line in lines)
    return {key.strip().replace("-", "_"): value.strip() for key, sep, value in pairs if sep}


def write(path: Path, settings: Mapping[str, str]) -> bool:
    """Put the row into the database, made if missing (mode 0600); whether anything has changed.

    In place, for Asterisk keeps the file open.
    """
    wanted = {"name": GENERAL_QUEUE, "musiconhold": settings["musicclass"], **settings}
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        if _read(database) == wanted:
            return False
        database.execute("BEGIN IMMEDIATE")
        for table in ("queues", "queue_members"):
            database.execute(f"DROP TABLE IF EXISTS {table}")
        database.execute(f"CREATE TABLE queues ({', '.join(f'{_column(key)} TEXT' for key in wanted)})")
        marks = ", ".join("?" * len(wanted))
        database.execute(f"INSERT INTO queues VALUES ({marks})", tuple(wanted.values()))  # noqa: S608 - marks
        database.execute(_MEMBERS)
        database.execute("COMMIT")
    return True


def _read(database: sqlite3.Connection) -> dict[str, str]:
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'queues'").fetchone():
        return {}
    cursor = database.execute("SELECT * FROM queues")
    return dict(zip((c[0] for c in cursor.description), cursor.fetchone() or (), strict=False))


def _column(key: str) -> str:
    if not _COLUMN.fullmatch(key):
        raise BadInput(f"queues.conf has an option of the odd name {key!r}")
    return key
