"""One rotation at a time: a lock that ends with the program that holds it, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from db.engine import POSTGRESQL
from ivr.domain.errors import BadInput

_BUSY = "keys are being rotated by another program; wait for its end"
_LOCK = "hashtextextended('ekc rotation', 0)"


@contextmanager
def alone(engine: Engine, directory: Path) -> Iterator[None]:
    """Raises BadInput when somebody else is inside.

    PostgreSQL's own lock, for its programs run on several machines; at SQLite one on the key directory.
    """
    with _at_server(engine) if engine.dialect.name == POSTGRESQL else _on_directory(directory):
        yield


@contextmanager
def _at_server(engine: Engine) -> Iterator[None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.execute(text(f"SELECT pg_try_advisory_lock({_LOCK})")).scalar():
            raise BadInput(_BUSY)
        try:
            yield
        finally:
            with suppress(SQLAlchemyError):  # where the session is gone, so is its lock
                connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
            connection.invalidate()


@contextmanager
def _on_directory(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BadInput(_BUSY) from None
