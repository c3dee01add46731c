"""Both databases for the tests of the store: each test gets a fresh one, migrated once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from db.crypto import Vault
from db.keys import KeyRing
from db.store import SqlStore, open_store
from ivr.ports import Store
from ivr.testing import MemoryStore
from tests.harness.postgres import Postgres, cluster

ZONE = ZoneInfo("Asia/Yekaterinburg")
BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A cluster for the whole run, started by the first test that wants it."""
    with cluster() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@dataclass(kw_only=True)
class Database:
    """A database and its keys; opens any number of stores on it, and closes them all."""

    url: str
    keys: Path
    stores: list[SqlStore] = field(default_factory=list)

    def open(self, *, node: str = "node1", keys: Path | None = None) -> SqlStore:
        vault = Vault(KeyRing(keys or self.keys))
        store = open_store(self.url, vault, timezone=ZONE, node=node)
        self.stores.append(store)
        return store

    def close(self) -> None:
        for store in self.stores:
            store.close()


@pytest.fixture(scope="session")
def templates(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], tuple[str, Path]]:
    """(SQLite file or PostgreSQL database, key directory) of a migrated, empty database of a backend."""
    made: dict[str, tuple[str, Path]] = {}

    def template(backend: str) -> tuple[str, Path]:
        if backend not in made:
            folder = tmp_path_factory.mktemp(f"template-{backend}")
            if backend == "sqlite":
                name, url = str(folder / "ekc.db"), f"sqlite:///{folder / 'ekc.db'}"
            else:
                server: Postgres = request.getfixturevalue("postgres")
                name = server.create()
                url = server.url(name)
            database = Database(url=url, keys=folder / "keys")
            database.open().upgrade()
            database.close()
            made[backend] = (name, folder / "keys")
        return made[backend]

    return template


@contextmanager
def fresh(
    backend: str,
    request: pytest.FixtureRequest,
    templates: Callable[[str], tuple[str, Path]],
    folder: Path,
) -> Iterator[Database]:
    """A migrated, empty database of this backend; its keys in `folder`."""
    template, keys = templates(backend)
    shutil.copytree(keys, folder / "keys")
    if backend == "sqlite":
        shutil.copy(template, folder / "ekc.db")
        made = Database(url=f"sqlite:///{folder / 'ekc.db'}", keys=folder / "keys")
        yield made
        made.close()
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(template)
    made = Database(url=server.url(name), keys=folder / "keys")
    yield made
    made.close()
    server.drop(name)


@pytest.fixture(params=BACKENDS)
def database(
    request: pytest.FixtureRequest, templates: Callable[[str], tuple[str, Path]], tmp_path: Path
) -> Iterator[Database]:
    """A migrated, empty database: the test runs once with each backend."""
    with fresh(request.param, request, templates, tmp_path) as made:
        yield made


@pytest.fixture(params=[*BACKENDS, "memory"])
def store(
    request: pytest.FixtureRequest, templates: Callable[[str], tuple[str, Path]], tmp_path: Path
) -> Iterator[Store]:
    """A store on each backend, and the fake that ships beside them: one contract for all."""
    if request.param == "memory":
        yield MemoryStore()
        return
    with fresh(request.param, request, templates, tmp_path) as made:
        yield made.open()
