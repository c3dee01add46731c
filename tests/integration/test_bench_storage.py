"""The bench of the store, in small: every query runs on what was filled in, each callback is settled once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import storage_import, storage_workers
from bench.storage_fill import Database, fill, opened, prepare
from bench.storage_queries import QUERIES, plans, timed

SIZE = 120


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("bench")
    made = Database(name="SQLite", url=f"sqlite:///{folder / 'ekc.db'}", keys=Path(folder / "keys"))
    prepare(made)
    added: list[int] = []
    fill(made, SIZE, progress=added.append)
    assert sum(added) == SIZE
    yield made


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_timed_and_its_plan_is_told(database: Database, name: str) -> None:
    with opened(database) as (engine, vault):
        spent = timed(engine, vault, QUERIES[name], size=SIZE, times=3)
        made = plans(engine, vault, QUERIES[name], size=SIZE)
    assert len(spent) == 3 and spent == sorted(spent)
    assert made and all(one["plan"] for one in made)


def test_every_callback_is_taken_and_settled_once(database: Database) -> None:
    storage_workers.work(0, 0, database)
    storage_workers.add(database, 25)
    first, second = (storage_workers.work(0, number, database) for number in (1, 2))
    assert (first.settled, second.settled, first.locked) == (25, 0, 0)


def test_every_row_of_the_file_comes_in(database: Database) -> None:
    assert storage_import.rate(database, 30) > 0
