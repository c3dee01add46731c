"""The whole database into a file and back: `ivr.ports.DatabaseCopies`, of SQLite here, of PostgreSQL in
db/dump_postgresql.py.

A copy may come from anywhere by the time it is read: it is looked at as a stranger's file.
"""

from __future__ import annotations

import hmac
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from db import dump_postgresql as pg
from db.crypto import Vault
from db.engine import LOCK_MS, connect, storage_errors
from db.keys import KeyRing
from db.marks import MarkState
from db.schema import MIGRATIONS, REVISION
from ivr.domain.errors import BadInput, StorageDown
from ivr.files import sync
from ivr.ports import Backend, CopyFacts, DatabaseCopies, KeyNeed


def open_copies(url: str) -> DatabaseCopies:
    """Of the database at this address, as `connect` takes it; nothing is opened yet. Raises BadInput."""
    engine = connect(url)
    if engine.dialect.name == "sqlite":
        return SqliteCopies(Path(str(make_url(url).database)).absolute())
    return PostgresqlCopies(engine.url)


class _Copies:
    """What can be said of a copy whatever the site's own database is."""

    def examine(self, file: Path, backend: Backend) -> CopyFacts:
        read = _read_sqlite if backend == "sqlite" else pg.read
        revision, marks = read(file)
        facts = _facts(backend, revision, marks)
        if not _is_known(facts.revision):
            raise BadInput(
                f"the database in it is at revision {facts.revision}, this program knows {REVISION}: "
                "install the newer version of the program"
            )
        return facts

    def is_key(self, key: bytes, need: KeyNeed) -> bool:
        return hmac.compare_digest(Vault(KeyRing(Path())).mark_of(key), need.mark)


class SqliteCopies(_Copies):
    """Of a file, by SQLite's online backup: one read transaction, and in WAL mode nobody waits for it."""

    backend: Backend = "sqlite"

    def __init__(self, file: Path) -> None:
        self._file = file

    def files(self) -> Sequence[Path]:
        """The file first, for its journals mean nothing without it."""
        names = [self._file, *(self._file.with_name(self._file.name + end) for end in ("-wal", "-shm"))]
        return [path for path in names if path.exists()]

    def is_empty(self) -> bool:
        return not self.files()

    def write(self, file: Path) -> CopyFacts:
        file.touch(mode=0o600, exist_ok=False)
        with _sqlite_errors(f"the database cannot be copied into {file.parent}; is there room?"):
            source = sqlite3.connect(f"{self._file.as_uri()}?mode=rw", uri=True, timeout=LOCK_MS / 1000)
            with closing(source), closing(sqlite3.connect(file)) as copy:
                source.backup(copy)
        return self.examine(file, self.backend)

    def load(self, file: Path) -> None:
        if not self.is_empty():
            raise BadInput(f"{self._file} is there already: a backup is restored into an empty state")
        draft = self._file.with_name(f".{self._file.name}.new")
        with storage_errors():
            shutil.move(file, draft)  # the site's file may lie on another disk
            draft.chmod(0o600)
            sync(draft)
            draft.replace(self._file)
            sync(self._file.parent)


class PostgresqlCopies(_Copies):
    """Of a server's database, by pg_dump and pg_restore."""

    backend: Backend = "postgresql"

    def __init__(self, url: pg.URL) -> None:
        self._server = pg.Server(url)

    def files(self) -> Sequence[Path]:
        return ()

    def is_empty(self) -> bool:
        return self._server.is_empty()

    def write(self, file: Path) -> CopyFacts:
        revision, marks = self._server.dump(file)
        return _facts(self.backend, revision, marks)

    def load(self, file: Path) -> None:
        if not self.is_empty():
            raise BadInput(
                "the PostgreSQL database has tables already; name an empty one by EKC_DATABASE_URL, "
                "or drop and create this one"
            )
        self._server.load(file)


def _facts(backend: Backend, revision: str, marks: Iterable[tuple[str, str, bytes]]) -> CopyFacts:
    """marks: kind, id and mark of the keys in use."""
    needs = sorted((f"{kind}-{id_}.key", bytes(mark)) for kind, id_, mark in marks)
    keys = tuple(KeyNeed(file=file, mark=mark) for file, mark in needs)
    return CopyFacts(backend=backend, revision=revision, keys=keys)


def _is_known(revision: str) -> bool:
    """Whether the program has this migration; the text may be anything."""
    return bool(re.fullmatch(r"\d{4}", revision) and list(MIGRATIONS.glob(f"versions/{revision}_*.py")))


def _read_sqlite(file: Path) -> tuple[str, list[tuple[str, str, bytes]]]:
    """Revision and marks of a copy that is in order; the copy is not touched. Raises BadInput."""
    with _sqlite_errors("the database in it cannot be read; take another backup", BadInput):
        address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as copy:
            copy.execute("PRAGMA trusted_schema = OFF")
            copy.execute("PRAGMA cell_size_check = ON")
            for problem in _problems(copy):
                raise BadInput(f"the database in it is damaged: {problem}; take another backup")
            (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone() or ("none",)
            used = copy.execute("SELECT kind, id, mark FROM key_marks WHERE state = ?", (MarkState.USED,))
            return str(revision), used.fetchall()


def _problems(copy: sqlite3.Connection) -> Iterator[str]:
    yield from (line for (line,) in copy.execute("PRAGMA integrity_check(5)") if line != "ok")
    yield from (f"{row[0]} has an orphan" for row in copy.execute("PRAGMA foreign_key_check"))
    # Our migrations make tables and indices: whatever else there is would run when the program writes.
    foreign = "SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view') OR sql LIKE 'CREATE VIRTUAL%'"
    yield from (f"{name} is none of ours" for (name,) in copy.execute(foreign))


@contextmanager
def _sqlite_errors(sentence: str, kind: type[BadInput] | type[StorageDown] = StorageDown) -> Iterator[None]:
    """sentence: what cannot be done; the remedy."""
    try:
        yield
    except (
        sqlite3.Error,
        ValueError,
        TypeError,
    ) as error:  # a stranger's cells hold anything
        what, _, remedy = sentence.partition("; ")
        words = str(error) if isinstance(error, sqlite3.Error) else type(error).__name__
        raise kind(f"{what} ({words}); {remedy}") from None
