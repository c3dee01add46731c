"""PostgreSQL's database into a file and back, by its own programs pg_dump and pg_restore (custom format)."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg.conninfo
from sqlalchemy import URL as URL
from sqlalchemy import Connection, text

from db import marks, schema
from db.engine import connect, storage_errors
from db.marks import MarkState
from ivr.domain.errors import BadInput, StorageDown

LOCK_WAIT = "30s"
"""How long a dump waits for a migration."""
Marks = Sequence[tuple[str, str, bytes]]


class Server:
    """One database of a server."""

    def __init__(self, url: URL) -> None:
        self._url = url

    def is_empty(self) -> bool:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        with self._connection() as connection:
            return int(connection.execute(text(tables)).scalar_one()) == 0

    def dump(self, file: Path) -> tuple[str, Marks]:
        """Into a new file; revision and keys of the very moment that the dump shows."""
        with self._connection() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            revision = schema.revision(connection)
            if revision is None:
                raise BadInput("there is no database yet; start the system with `ekc up` first")
            used = marks.read(connection, MarkState.USED)
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            self._run(
                "pg_dump",
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--lock-wait-timeout={LOCK_WAIT}",
                f"--snapshot={snapshot}",
                f"--file={file}",
            )
        return revision, [(kind.value, id_, mark) for kind, id_, mark in used]

    def load(self, file: Path) -> None:
        """Into the empty database, in one transaction. Owner and rights are those of whoever connects."""
        self._run(
            "pg_restore",
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            str(file),
        )

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        engine = connect(self._url.render_as_string(hide_password=False))
        try:
            with storage_errors(), engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def _run(self, program: str, *arguments: str) -> None:
        """The password goes by the environment: arguments can be read by everybody on the machine."""
        engine = connect(self._url.render_as_string(hide_password=False))
        _, values = engine.dialect.create_connect_args(engine.url)
        values.pop("context", None)  # psycopg's own, not libpq's
        password = values.pop("password", None)
        environment = dict(os.environ) | ({"PGPASSWORD": str(password)} if password else {})
        address = psycopg.conninfo.make_conninfo("", **values)
        run(program, *arguments, f"--dbname={address}", environment=environment, error=StorageDown)


def run(
    program: str,
    *arguments: str,
    environment: dict[str, str] | None = None,
    error: type[BadInput] | type[StorageDown] = BadInput,
) -> bytes:
    """What a program of PostgreSQL says. Raises BadInput when it is missing, `error` when it fails."""
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            umask=0o077,
            check=False,
        )
    except FileNotFoundError:
        raise BadInput(f"{program} is not installed: apt-get install postgresql-client") from None
    if done.returncode != 0:
        raise error(f"{program} failed ({_first_line(done.stderr)}); mend that and run the command again")
    return done.stdout


def _first_line(stderr: bytes) -> str:
    """Of errors; the lines after it may quote values of rows."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if "error:" in line]
    return (lines or ["it does not say why"])[0][:300]


# --- a dump that came from anywhere ------------------------------------------------------------------


def read(file: Path) -> tuple[str, Marks]:
    """Revision and keys in use of a dump that can be read to its end. Raises BadInput."""
    run("pg_restore", "--list", str(file))
    run("pg_restore", "--file=/dev/null", str(file))
    tables = ("--table=alembic_version", "--table=key_marks")
    script = run("pg_restore", "--data-only", *tables, "--file=-", str(file)).decode(errors="replace")
    try:
        revisions = [row["version_num"] for row in _rows(script, "alembic_version")]
        used = [row for row in _rows(script, "key_marks") if row["state"] == MarkState.USED]
        return (revisions or ["none"])[0], [(row["kind"], row["id"], _bytes(row["mark"])) for row in used]
    except (ValueError, KeyError):
        raise BadInput("the database in it has tables of no known form; take another backup") from None


def _bytes(written: str) -> bytes:
    r"""`\\x0a0b`: COPY doubles the backslash."""
    return bytes.fromhex(written.removeprefix("\\\\x"))


def _rows(script: str, table: str) -> Iterator[dict[str, str]]:
    """Rows of a table in a script of pg_restore, in COPY's text format; none of ours needs unescaping.

    Raises BadInput when the table is not there.
    """
    head = re.search(rf"^COPY (?:\w+\.)?{table} \(([\w, ]+)\) FROM stdin;\n", script, re.MULTILINE)
    if head is None:
        raise BadInput(f"the database in it has no table {table}; take another backup")
    body, end, _ = script[head.end() - 1 :].partition("\n\\.\n")
    for line in body.splitlines() if end else ():
        if line:
            yield dict(zip(head[1].split(", "), line.split("\t"), strict=True))
