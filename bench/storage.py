"""The store under load: searches among many cards, callbacks by several workers, import; both databases."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bench import storage_import, storage_workers
from bench.figures import percentile
from bench.options import Options
from bench.report import Report, Table, Target, at_least, at_most
from bench.showing import say
from bench.storage_fill import Database, fill, opened, prepare
from bench.storage_queries import FIGURES, QUERIES, plans, timed
from bench.storage_workers import Worked
from tests.harness.postgres import cluster

ROUNDS = 1
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
LIMIT_MS = 50.0
MANY = 1_000_000
"""Cards that the limit is about."""
CALLBACKS_PER_SECOND = 4000.0
"""On PostgreSQL."""
AS_AT_WORK = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}
"""The cluster of the tests forgets at a power cut; this one is as a site has it."""
PAGES = "Pages: ms of one query, its rows opened. Cards: how many there are. Plans are in the JSON."
CALLBACKS = (
    "Callbacks taken (fifty at once, as the dialler does) and settled (fifty in a transaction) by so many "
    "processes. Locked: how often one waited 5 s in vain for SQLite's only right to write."
)
IMPORT = "Import of citizens from a file, without codes; and filling the tables at once."


def run(options: Options) -> Report:
    size = options.size or options.by_effort(5_000, 100_000, MANY)
    tables: dict[str, list[dict[str, Any]]] = {PAGES: [], CALLBACKS: [], IMPORT: []}
    found_plans: dict[str, Any] = {}
    with databases(options.database) as wanted:
        for database in wanted:
            prepare(database)
            took = _filled(database, size)
            with opened(database) as (engine, vault):
                for name, query in QUERIES.items():
                    times = options.by_effort(20, 200, 500) // (10 if name == FIGURES else 1)
                    spent = timed(engine, vault, query, size=size, times=times)
                    tables[PAGES].append(_page_row(database.name, name, size, spent))
                    found_plans.setdefault(database.name, {})[name] = plans(engine, vault, query, size=size)
            storage_workers.work(0, 0, database)  # those of the filling are out of the way
            for workers in options.by_effort((1, 4), (1, 4, 16), (1, 4, 16)):
                many = _callbacks(options, database)
                tables[CALLBACKS].append(_workers_row(database, workers, many))
            rows = options.by_effort(500, 5000, 100_000)
            rate = storage_import.rate(database, rows)
            row = {"what": database.name, "rows": rows, "rows_per_s": round(rate)}
            tables[IMPORT].append(row | {"cards_filled_per_s": round(size / took)})
            say(f"storage, {database.name}: done")
    return Report(
        tables=[
            Table(title=PAGES, rows=tables[PAGES], names=("what", "database")),
            Table(title=CALLBACKS, rows=tables[CALLBACKS], names=("what", "workers")),
            Table(title=IMPORT, rows=tables[IMPORT]),
        ],
        targets=targets(tables[PAGES], tables[CALLBACKS]),
        extra={"cards": size, "plans": found_plans},
    )


def _callbacks(options: Options, database: Database) -> int:
    """So many that a measurement takes seconds."""
    if database.name == SQLITE:
        return options.by_effort(200, 2000, 10_000)
    return options.by_effort(500, 10_000, 50_000)


@contextmanager
def databases(only: str | None = None) -> Iterator[tuple[Database, ...]]:
    """Both or only that one, empty, with keys of their own. PostgreSQL keeps what it has confirmed."""
    with tempfile.TemporaryDirectory(prefix="ekc-bench-") as folder, ExitStack() as stack:
        place, found = Path(folder), []
        if only != "postgresql":
            found.append(
                Database(name=SQLITE, url=f"sqlite:///{place / 'ekc.db'}", keys=place / "keys-sqlite")
            )
        if only != "sqlite":
            server = stack.enter_context(cluster(AS_AT_WORK))
            url = server.url(server.create())
            found.append(Database(name=POSTGRESQL, url=url, keys=place / "keys-postgresql"))
        yield tuple(found)


def _filled(database: Database, size: int) -> float:
    """The seconds it took."""
    begin = time.perf_counter()
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(f"storage, {database.name}: {size} cards", total=size)
        fill(database, size, progress=lambda many: bar.advance(task, many))
    return time.perf_counter() - begin


def _page_row(database: str, name: str, size: int, spent: list[float]) -> dict[str, Any]:
    return {
        "what": name,
        "database": database,
        "cards": size,
        "p50_ms": round(percentile(spent, 0.5), 2),
        "p99_ms": round(percentile(spent, 0.99), 2),
    }


def _workers_row(database: Database, workers: int, many: int) -> dict[str, Any]:
    rate, done = storage_workers.measure(database, workers=workers, many=many)
    return workers_row(database.name, workers, many, rate, done)


def workers_row(name: str, workers: int, many: int, rate: float, done: Worked) -> dict[str, Any]:
    """One that is settled twice, or not at all, is a failure."""
    wrong = done.settled != many
    return {
        "what": name,
        "workers": workers,
        "per_s": None if wrong else round(rate),
        "locked": done.locked,
        "failed": wrong,
        "note": f"failed: {done.settled} settled of {many}" if wrong else "",
    }


def targets(pages: list[dict[str, Any]], callbacks: list[dict[str, Any]]) -> list[Target]:
    found = []
    for name in dict.fromkeys(row["database"] for row in pages):
        rows = [row for row in pages if row["database"] == name and row["what"] != FIGURES]
        most = max(row["p99_ms"] for row in rows)
        found.append(at_most(f"slowest page p99, {rows[0]['cards']} cards, {name}", LIMIT_MS, most, " ms"))
    rates = [row["per_s"] or 0 for row in callbacks if row["what"] == POSTGRESQL]
    if rates:
        best = max(rates)
        found.append(at_least("callbacks taken and settled a second, PostgreSQL", CALLBACKS_PER_SECOND, best))
    return found
