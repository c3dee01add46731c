"""Connections to SQLite and PostgreSQL, and the one place where a driver's error becomes StorageDown."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.prepared import Prepared, driver_cursor
from ivr.domain.errors import BadInput, StorageDown

LOCK_MS = 5_000
"""Milliseconds that a writer waits for another one."""
STATEMENT_MS = 5_000
CONNECT_S = 3
"""Whole seconds until a PostgreSQL that does not answer counts as down."""
_CONNECTIONS = 4
_BEGIN = "BEGIN IMMEDIATE"
_LOCKED = Prepared(text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"))
_SHARED = Prepared(text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:what, 0))"))

SQLITE, POSTGRESQL = "sqlite", "postgresql"
NO_RIGHT = "42501"
"""PostgreSQL's insufficient_privilege."""


def connect(url: str) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql+psycopg://…`; nothing is opened yet.

    Raises BadInput for any other address. Its messages never carry the values of a statement.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise BadInput("database_url is no address; write postgresql://user@host/name") from None
    backend = address.get_backend_name()
    if backend == SQLITE:
        return _sqlite(address)
    if backend == POSTGRESQL:
        return _postgresql(address)
    raise BadInput(f"there is no support for {backend}; use PostgreSQL or leave database_url empty")


def _sqlite(address: URL) -> Engine:
    if not address.database or address.database == ":memory:":
        raise BadInput("SQLite needs a file: several processes share it")
    path = Path(address.database).absolute()
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        pool_timeout=LOCK_MS / 1000,
        # isolation_level None: the driver begins nothing by itself, we do it below
        connect_args={"isolation_level": None, "timeout": LOCK_MS / 1000},
    )

    @event.listens_for(engine, "do_connect")
    def _private(*_: object) -> None:
        _create_private(path)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        # What was replaced or erased, a code's old hash for instance, does not stay in free pages.
        connection.execute("PRAGMA secure_delete = ON")
        # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits when the power fails, and a callback
        # that was promised on the telephone must be there after it.
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later would fail instead of waiting its turn.
        with driver_cursor(connection, _BEGIN) as cursor:
            cursor.execute(_BEGIN)

    return engine


def _create_private(path: Path) -> None:
    """The file with mode 0600 before SQLite makes it with the umask's; -wal and -shm take the file's mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return


def prepare(engine: Engine) -> None:
    """Set what is kept in the file itself: SQLite's write-ahead log, so that readers wait for nobody.

    Outside a transaction, once, before the first table; an already prepared file stays as it is.
    """
    if engine.dialect.name != SQLITE:
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()
    finally:
        connection.close()


def _postgresql(address: URL) -> Engine:
    engine = create_engine(
        address.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        pool_timeout=CONNECT_S,
        pool_pre_ping=True,
        # tcp_user_timeout: a server that vanished from the network is noticed, not waited for
        connect_args={
            "connect_timeout": CONNECT_S,
            "tcp_user_timeout": STATEMENT_MS,
            "application_name": "ekc",
        },
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {STATEMENT_MS}")
            cursor.execute(f"SET lock_timeout = {LOCK_MS}")
            cursor.execute(f"SET idle_in_transaction_session_timeout = {6 * STATEMENT_MS}")
        connection.commit()

    return engine


def serialise(connection: Connection, what: str) -> None:
    """From here to the end of the transaction nobody else passes this call with the same `what`.

    On SQLite every transaction is alone already. On PostgreSQL what was committed while waiting is seen.
    """
    if connection.dialect.name == POSTGRESQL:
        _LOCKED.run(connection, {"what": what})


def share(connection: Connection, what: str) -> None:
    """From here to the end of the transaction nobody passes `serialise` with the same `what`."""
    if connection.dialect.name == POSTGRESQL:
        _SHARED.run(connection, {"what": what})


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn 'not there, locked or too slow' into StorageDown; other errors are faults of our own."""
    try:
        yield
    except IntegrityError:
        raise
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StorageDown(_reason(error)) from None
    except DatabaseError as error:
        if getattr(error.orig, "sqlstate", None) == NO_RIGHT:
            raise StorageDown(
                "the database's user has not the right to do this; `ekc db upgrade` wants the owner of the "
                "tables: see “PostgreSQL” in docs/production.md"
            ) from None
        if type(error) is not DatabaseError:
            raise
        raise StorageDown(_reason(error)) from None  # SQLite: not a database, malformed
    except OSError as error:
        raise StorageDown(f"the database file cannot be made: {error.strerror}; see `ekc doctor`") from None


def _reason(error: SQLAlchemyError) -> str:
    """One line: the driver's own words (which hold no values of a statement) and the remedy."""
    original = getattr(error, "orig", None) or error
    words = str(original).strip().partition("\n")[0] or type(original).__name__
    return f"the database does not answer ({words}); see `ekc doctor`"
