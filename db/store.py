"""`ivr.ports.Store` on SQLAlchemy Core."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from db import marks, rotation, schema
from db.access import Access
from db.crypto import Vault
from db.engine import SQLITE, connect, storage_errors
from db.keys import KeyKind
from db.unit_of_work import SqlUnitOfWork
from ivr.domain.errors import StorageDown
from ivr.ports import KeyRotation, Peppers, UnitOfWork

T = TypeVar("T")
_CLOSED = "the database is closed: the program is ending"

THREADS = 4
"""At PostgreSQL. SQLite has one writer anyway, so one thread: nobody waits for a lock of our own process."""


def open_store(url: str, vault: Vault, *, timezone: ZoneInfo, node: str) -> SqlStore:
    """The database at `sqlite:///FILE` or `postgresql://…`; nothing is opened before its first use.

    timezone: the site's, for the year of registration numbers. node: this machine's name in contacts.
    Raises BadInput for an address that cannot be one.
    """
    return SqlStore(connect(url), vault, timezone=timezone, node=node)


class SqlStore:
    """The database. Methods raise StorageDown when it is not there, locked, too slow or not migrated."""

    def __init__(self, engine: Engine, vault: Vault, *, timezone: ZoneInfo, node: str) -> None:
        self._engine = engine
        self._vault = vault
        self._zone = timezone
        self._node = node
        self._fit = False
        self._seen: tuple[Sequence[marks.Mark], Vault] = ((), vault)
        """The keys in use, as the last transaction saw them, and the vault with these."""
        self._closed = False
        threads = 1 if self.backend == SQLITE else THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ekc-store")

    @property
    def backend(self) -> Literal["sqlite", "postgresql"]:
        return "sqlite" if self._engine.dialect.name == SQLITE else "postgresql"

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A unit of work in the caller's thread; leaving it without `commit` rolls back.

        Keep it short: on SQLite it holds the only right to write. Not for the event loop's thread: `run`.
        """
        if self._closed:
            raise StorageDown(_CLOSED)
        with storage_errors(), self._engine.connect() as connection:
            if not self._fit:
                schema.require_current(connection, self._vault)
                self._fit = True
            vault = self._keys_in_use(connection)
            yield SqlUnitOfWork(Access(connection=connection, vault=vault, zone=self._zone, node=self._node))

    def _keys_in_use(self, connection: Connection) -> Vault:
        """The vault with these keys. Raises KeyLost for a new one that has not come to this machine."""
        used = marks.in_use(connection)
        seen, vault = self._seen
        if used != seen:
            for mark in set(used).difference(seen):
                self._vault.check_mark(*mark)
            vault = self._vault.using(marks.by_kind(used))
            self._seen = (used, vault)
        return vault

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` in the store's thread and commit; its result, or its exception after a rollback.

        Cancelled while it waits for the thread, it never runs; cancelled while it runs, it is rolled back
        unless the commit has begun. Shield what must be done even if the caller goes.
        """
        if self._closed:
            raise StorageDown(_CLOSED)
        abandoned = threading.Event()

        def done() -> T | None:
            with self.transaction() as uow:
                result = work(uow)
                if abandoned.is_set():
                    return None
                uow.commit()
            return result

        future = asyncio.get_running_loop().run_in_executor(self._threads, done)
        try:
            return await future  # type: ignore[return-value]  # None only when nobody awaits it any more
        except asyncio.CancelledError:
            abandoned.set()
            task = asyncio.current_task()
            if self._closed and (task is None or not task.cancelling()):
                raise StorageDown(_CLOSED) from None  # dropped by `close`, not cancelled by its caller
            raise

    def revision(self) -> str | None:
        """The revision the database is at; None when it was never migrated."""
        with storage_errors(), self._engine.connect() as connection:
            return schema.revision(connection)

    def upgrade(self) -> str:
        """Bring the database to the program's revision, making the first keys for a new one; the revision.

        Raises KeyLost when the database was sealed with a key that is not in the ring.
        """
        with storage_errors():
            revision = schema.upgrade(self._engine, self._vault)
        self._seen = ((), self._vault)  # there may be new ones
        return revision

    def rotate_keys(
        self, *, pepper: bool, forget_before: datetime, progress: Callable[[int, int], None]
    ) -> KeyRotation:
        """New keys for old while everything goes on (db/rotation.py); killed, it goes on when called again.

        pepper: a new one for the codes that are set from now on, too. forget_before: counters of guesses that
        have been quiet since are dropped, for they cannot be hashed anew. progress: rows done, rows in all.
        """
        with self.transaction():
            pass  # the database is fit for this program, or says why not
        try:
            return rotation.rotate(
                self._engine, self._vault, pepper=pepper, forget_before=forget_before, progress=progress
            )
        finally:
            self._seen = ((), self._vault)

    @property
    def peppers(self) -> Peppers:
        return SqlPeppers(self)

    def current_pepper(self) -> str:
        """As the last transaction of this program saw it: a transaction may be open in this thread."""
        if not self._seen[0]:
            with self.transaction():
                pass  # which asks what is in use
        return self._seen[1].current(KeyKind.PEPPER)

    def pepper(self, id_: str) -> bytes:
        """Raises KeyLost."""
        return self._vault.keys.key(KeyKind.PEPPER, id_)

    def check(self) -> Sequence[str]:
        """What is wrong, one sentence each: revision, tables, damage, keys. Changes nothing."""
        with storage_errors(), self._engine.connect() as connection:
            return schema.differences(connection, self._vault)

    @property
    def server_pid(self) -> int | None:
        """Of a database server that we started: SQLite has none, and PostgreSQL is the site's own."""
        return None

    def close(self) -> None:
        """Finish what runs, drop what waits, close the connections. Closing twice is the same as once."""
        self._closed = True
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._engine.dispose()


class SqlPeppers:
    """`ivr.ports.Peppers`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def current(self) -> str:
        return self._store.current_pepper()

    def key(self, id_: str) -> bytes:
        return self._store.pepper(id_)
