"""A PostgreSQL of the tests' own: a cluster in a temporary directory, on a unix socket only, soon gone again.
Debian's binaries; where we are root it runs as the user `postgres`, for it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests.harness.processes import Group, wait_for

BINARIES = Path("/usr/lib/postgresql")
USER = "postgres"
START_SECONDS = 60
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # a power cut in a test loses nothing worth keeping
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "autovacuum": "off",
    "log_min_messages": "warning",
}


class Postgres:
    """A running cluster."""

    def __init__(self, folder: Path, binaries: Path, settings: Mapping[str, str] | None = None) -> None:
        self._settings = {**_SETTINGS, **(settings or {})}
        self._folder = folder
        self._binaries = binaries
        self._numbers = count(1)
        self._server: Group | None = None

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    def url(self, name: str) -> str:
        """As a site writes it in `database_url`."""
        return f"postgresql://{USER}@/{name}?host={quote(str(self._folder), safe='')}"

    def create(self, template: str = "template0") -> str:
        """A fresh database, a copy of `template`; its name."""
        name = f"test{next(self._numbers)}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        return name

    def drop(self, name: str) -> None:
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, statement: str, *, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the superuser, outside a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        self._server = Group(
            [
                *as_user(),
                self._binaries / "postgres",
                "-D",
                self._folder / "data",
                "-k",
                self._folder,
                *options,
            ],
            output=self._folder / "server.log",
            cwd=self._folder,
        )
        wait_for(self._answers, START_SECONDS, f"PostgreSQL to answer; its log: {self._server.tail()}")

    def stop(self) -> None:
        """End it by its own process id, every connection at once."""
        if self._server is not None and self._server.alive:
            self._server.signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
            self._server.wait(30)

    def kill(self) -> None:
        """Whatever is left of it."""
        if self._server is not None:
            self._server.kill()

    def signal(self, number: int) -> None:
        """To every process of the server: SIGSTOP makes it hang, SIGCONT goes on."""
        os.killpg(self.pid, number)

    def _answers(self) -> bool:
        assert self._server is not None
        if not self._server.alive:
            raise AssertionError(f"PostgreSQL did not start: {self._server.tail()}")
        try:
            self.sql("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def as_user() -> list[str]:
    """What runs a program as another user where we are root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"]


def newest_binaries() -> Path:
    """Raises FileNotFoundError, with the remedy, where there is no PostgreSQL."""
    found = [path.parent for path in BINARIES.glob("*/bin/initdb")]
    if not found:
        raise FileNotFoundError(
            f"no PostgreSQL in {BINARIES}: run `make setup`, or apt-get install postgresql"
        )
    return max(found, key=lambda path: float(path.parent.name))


@contextmanager
def cluster(settings: Mapping[str, str] | None = None) -> Iterator[Postgres]:
    """A cluster for the time of the block; nothing of it stays. settings: other ones than the tests'."""
    binaries = newest_binaries()
    # /tmp, because a unix socket's name has at most 107 characters
    folder = Path(tempfile.mkdtemp(prefix="ekc-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        initdb = [*as_user(), binaries / "initdb", "-D", folder / "data", "-U", USER]
        done = subprocess.run(
            [*map(str, initdb), "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"],
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        server = Postgres(folder, binaries, settings)
        try:
            server.start()
            yield server
            server.stop()
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)
