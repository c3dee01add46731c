"""Migrations, on both databases: up and down with rows, from nothing and from 0001, as the program needs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from db import schema
from db.crypto import Vault
from db.engine import connect, prepare
from db.keys import KeyKind, KeyRing
from db.store import SqlStore, open_store
from db.tables import metadata
from ivr.domain.errors import KeyLost, StorageDown
from tests.harness.markers import find_marker, plant
from tests.harness.postgres import as_user, newest_binaries
from tests.integration.conftest import BACKENDS, ZONE, Database
from tests.integration.filling import MARKERS, a_code, fill, read
from tests.integration.storing import a_card, do

FIRST_TABLES = {
    *("agencies", "applications", "audit", "calendar_days", "callback_attempts", "callbacks", "card_topics"),
    *("cards", "contacts", "counters", "guesses", "journal_lines", "journal_positions", "key_marks"),
    *("operators", "topics", "traces"),
}
"""What 0001 makes."""


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database in which there is nothing at all."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ekc.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = connect(url)
    prepare(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(url, Vault(KeyRing(tmp_path / "keys")), timezone=ZONE, node="node1")
    yield store
    store.close()


def go_to(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        config = schema.migration_config(connection)
        up = revision == "head"
        (command.upgrade if up else command.downgrade)(config, revision)


def tables_of(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def marks_of(engine: Engine) -> set[tuple[str, str]]:
    with engine.connect() as connection:
        return {tuple(row) for row in connection.execute(text("SELECT kind, id FROM key_marks"))}


# --- in step ---------------------------------------------------------------------------------------


def test_the_program_names_the_newest_of_the_migrations() -> None:
    scripts = ScriptDirectory(str(schema.MIGRATIONS))
    assert scripts.get_heads() == [schema.REVISION]


def test_migrations_make_exactly_the_programs_tables(engine: Engine) -> None:
    go_to(engine, "head")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    assert tables_of(engine) == set(metadata.tables)


def test_a_table_that_differs_from_the_program_is_named(store: SqlStore, engine: Engine) -> None:
    store.upgrade()
    assert store.check() == []
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE notices ADD COLUMN surplus TEXT"))
    [problem] = store.check()
    assert "surplus" in problem


# --- up and down -----------------------------------------------------------------------------------


def test_going_down_step_by_step_leaves_nothing_and_up_again_everything(engine: Engine) -> None:
    go_to(engine, "head")
    go_to(engine, "0001")
    assert tables_of(engine) == FIRST_TABLES
    go_to(engine, "base")
    assert tables_of(engine) == set()
    go_to(engine, "head")
    assert tables_of(engine) == set(metadata.tables)


def test_what_was_stored_before_identification_is_there_after_going_down_and_up(
    store: SqlStore, engine: Engine, url: str, tmp_path: Path
) -> None:
    store.upgrade()
    fill(store)
    before = read(store)
    go_to(engine, "0001")
    assert {kind for kind, _ in marks_of(engine)} == {"data", "hash"}  # what the older program understands
    again = open_store(url, Vault(KeyRing(tmp_path / "keys")), timezone=ZONE, node="node1")
    with pytest.raises(StorageDown, match=r"at revision 0001, .* `ekc db upgrade`"):
        do(again, lambda uow: uow.cards.list())
    again.close()
    store.upgrade()
    after = do(
        store,
        lambda uow: (
            sorted(uow.cards.list(), key=lambda card: card.registration_number),
            list(uow.callbacks.list()),
            list(uow.operators.sip_accounts()),
            uow.guesses.get("code", before["citizens"][0].snils),  # type: ignore[index]
        ),
    )
    assert after == (before["cards"], before["callbacks"], before["accounts"], before["guesses"])
    assert do(store, lambda uow: uow.citizens.credentials("11223344595")) is None


def test_a_database_of_the_first_revision_gets_a_pepper_and_keeps_its_other_keys(
    store: SqlStore, engine: Engine, tmp_path: Path
) -> None:
    store.upgrade()
    a_card(store)
    go_to(engine, "0001")
    for pepper in (tmp_path / "keys").glob("pepper-*.key"):
        pepper.unlink()  # as it was before there were any
    before = marks_of(engine)
    assert store.upgrade() == schema.REVISION
    [new] = marks_of(engine) - before
    assert new[0] == KeyKind.PEPPER == "pepper"
    assert (tmp_path / "keys" / f"pepper-{new[1]}.key").stat().st_size == 32
    assert store.peppers.current() == new[1]
    fill(store)
    assert [card.number for card in do(store, lambda uow: uow.cards.list())] != []


def test_upgrading_again_changes_nothing(store: SqlStore, engine: Engine) -> None:
    store.upgrade()
    fill(store)
    before, keys = read(store), marks_of(engine)
    assert store.upgrade() == schema.REVISION
    assert (read(store), marks_of(engine)) == (before, keys)


def test_a_pepper_that_was_lost_is_said_and_none_is_made_in_its_place(
    store: SqlStore, tmp_path: Path
) -> None:
    store.upgrade()
    [pepper] = (tmp_path / "keys").glob("pepper-*.key")
    pepper.unlink()
    with pytest.raises(KeyLost, match=f"{pepper.name} is missing"):
        store.upgrade()
    assert not list((tmp_path / "keys").glob("pepper-*"))


def test_a_step_that_fails_leaves_the_database_as_it_was(
    store: SqlStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_to(engine, "head")
    go_to(engine, "0001")
    before = tables_of(engine)

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("alembic.op.add_column", fails)  # the last thing that 0002 does
    with pytest.raises(ZeroDivisionError):
        store.upgrade()
    assert (store.revision(), tables_of(engine)) == ("0001", before)


def test_a_database_of_a_newer_program_is_left_alone(store: SqlStore, engine: Engine) -> None:
    store.upgrade()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageDown, match="9999, which this program does not know"):
        store.upgrade()


def test_a_code_column_has_room_for_the_other_form(store: SqlStore, engine: Engine) -> None:
    """§21 as elsewhere in the country: the answer to one of five set questions."""
    store.upgrade()
    fill(store)
    with engine.connect() as connection:
        forms = connection.execute(text("SELECT code_form, code_set_at FROM citizens ORDER BY id")).all()
    assert [form for form, _ in forms] == ["code", "code"]
    assert sum(set_at is not None for _, set_at in forms) == 1


# --- nothing in clear ------------------------------------------------------------------------------


def test_nothing_personal_is_in_the_databases_files_in_clear(database: Database, tmp_path: Path) -> None:
    store = database.open()
    fill(store)
    do(store, lambda uow: uow.citizens.set_code("11223344595", a_code(store, "2")))
    assert read(store)["citizens"] != []
    dump = tmp_path / "searched"
    dump.mkdir()
    if store.backend == "sqlite":
        for path in tmp_path.glob("ekc.db*"):
            (dump / path.name).write_bytes(path.read_bytes())
    else:
        (dump / "dump.sql").write_bytes(dumped(database.url))
    assert {marker: find_marker(dump, marker) for marker in MARKERS} == {marker: [] for marker in MARKERS}
    for marker in ("2026-000001", "node1-7.7", "Анна Орлова"):
        assert find_marker(dump, marker)  # what is in clear is found: the search does see the rows


def test_the_search_for_what_is_in_clear_finds_what_was_planted(tmp_path: Path) -> None:
    planted = plant(tmp_path / "control", MARKERS[4])
    assert find_marker(tmp_path / "control", MARKERS[4]) == planted


def dumped(url: str) -> bytes:
    """As pg_dump writes it; its bytea in hexadecimal turned back into bytes beside it."""
    program = [*as_user(), str(newest_binaries() / "pg_dump"), url]
    done = subprocess.run(program, capture_output=True, check=True, cwd="/")
    octets = (bytes.fromhex(found.decode()) for found in re.findall(rb"\\\\?x([0-9a-f]+)", done.stdout))
    return done.stdout + b"\n".join(octets)
