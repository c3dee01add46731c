"""`ekc keys rotate` on both databases, killed anywhere, refused, or short of a key: nothing is lost."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import db.engine
import db.keys
from db import rotation
from db.rotation import Rotation
from db.store import SqlStore
from ivr.domain.errors import BadInput, KeyLost
from tests.integration.conftest import Database
from tests.integration.filling import PHONE, fill, read
from tests.integration.rotating import LONG_AGO, current_data, key_files, rotated, used
from tests.integration.storing import do


@pytest.fixture
def store(database: Database) -> SqlStore:
    """A filled store."""
    store = database.open()
    fill(store)
    return store


# --- killed ----------------------------------------------------------------------------------------


def run_steps(store: SqlStore, count: int) -> int:
    """Do so many steps of a rotation with all new keys, then die; how many there were to do."""
    steps = Rotation(store._engine, store._vault, pepper=True, forget_before=LONG_AGO).steps()
    done = sum(1 for _ in zip(range(count), steps, strict=False))
    steps.close()  # type: ignore[attr-defined]  # what the system does when a process ends: locks are let go
    return done


def test_killed_between_any_two_steps_everything_reads_as_before_and_the_next_run_finishes(
    store: SqlStore, database: Database
) -> None:
    running = database.open(node="node2")
    before, count = read(store), 0
    while run_steps(store, count := count + 1) == count:
        assert read(running) == before
        assert read(database.open()) == before, f"after {count} steps"
        database.stores.pop().close()
        rotated(database.open(), pepper=True)
        database.stores.pop().close()
        assert read(running) == before
        assert key_files(database) == used(store)
        assert {kind: len(ids) for kind, ids in used(store).items()} == {"data": 1, "hash": 2, "pepper": 2}
    assert count > 20


@pytest.mark.parametrize("number", [1, 2, 3])
def test_killed_while_a_key_is_written_leaves_no_half_key_for_long(
    store: SqlStore, database: Database, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before, real, calls = read(store), db.keys.os.link, []

    def dies(*names: Path) -> None:
        calls.append(names)
        if len(calls) == number:
            raise KeyboardInterrupt
        real(*names)

    monkeypatch.setattr(db.keys.os, "link", dies)
    with pytest.raises(KeyboardInterrupt):
        rotated(store, pepper=True)
    assert list(database.keys.glob("*.new")) != []
    assert read(database.open()) == before
    done = rotated(store, pepper=True)
    assert not done.resumed
    assert key_files(database) == used(store)
    assert read(store) == before


def test_keys_that_were_never_used_do_not_become_current_by_being_there(
    store: SqlStore, database: Database
) -> None:
    current = store.peppers.current()
    run_steps(store, 4)  # announced and written, but not in use
    assert len(key_files(database)["pepper"]) == 2
    other = database.open()
    assert other.peppers.current() == current
    do(other, lambda uow: uow.cards.open(call="n", node="node1", number=PHONE, at=datetime.now(UTC)))
    rotated(store)
    assert len(do(database.open(), lambda uow: uow.cards.list())) == 3


def test_killed_with_all_rows_done_only_the_old_keys_are_erased_by_the_next_run(
    store: SqlStore, database: Database
) -> None:
    steps = Rotation(store._engine, store._vault, pepper=False, forget_before=LONG_AGO).steps()
    while len(current_data(store)) < 2:
        next(steps)
    while len(current_data(store)) > 1:
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    [new] = current_data(store)
    done = rotated(store)
    assert (done.resumed, done.rows, done.removed) == (True, 0, 1)
    assert key_files(database)["data"] == [new]


PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo
from db.crypto import Vault
from db.keys import KeyRing
from db.store import open_store
store = open_store(sys.argv[1], Vault(KeyRing(Path(sys.argv[2]))), timezone=ZoneInfo("UTC"), node="x")
print(store.rotate_keys(
    pepper=True, forget_before=datetime(2020, 1, 1, tzinfo=UTC), progress=lambda *_: print(".", flush=True)
))
"""


@pytest.mark.parametrize("dots", [3, 9, 20])
def test_killed_by_the_system_the_next_one_may_begin_at_once(
    store: SqlStore, database: Database, dots: int
) -> None:
    before = read(store)
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, database.url, str(database.keys)], stdout=subprocess.PIPE
    )
    assert program.stdout is not None
    with program, program.stdout as output:
        for _ in range(dots):
            assert output.readline() == b".\n"
        program.send_signal(signal.SIGKILL)
    rotated(store)
    assert key_files(database) == used(store)
    assert read(store) == before


# --- refused or hindered -------------------------------------------------------------------------


def test_only_one_rotation_runs_at_a_time(store: SqlStore, database: Database) -> None:
    steps = Rotation(store._engine, store._vault, pepper=False, forget_before=LONG_AGO).steps()
    next(steps)
    with pytest.raises(BadInput, match="by another program"):
        rotated(database.open())
    steps.close()  # type: ignore[attr-defined]
    rotated(database.open())


def test_a_machine_that_lacks_the_new_key_says_which_and_goes_on_when_it_has_come(
    store: SqlStore, database: Database, tmp_path: Path
) -> None:
    shutil.copytree(database.keys, tmp_path / "elsewhere")
    elsewhere = database.open(node="node2", keys=tmp_path / "elsewhere")
    before = read(elsewhere)
    rotated(store)
    with pytest.raises(KeyLost, match=r"(data|hash)-\w{10}\.key is missing in .*elsewhere.* copy it"):
        read(elsewhere)
    shutil.copytree(database.keys, tmp_path / "elsewhere", dirs_exist_ok=True)
    assert read(elsewhere) == before


def test_a_clock_behind_the_newest_key_is_told_before_anything_is_done(
    store: SqlStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key_files(database)
    monkeypatch.setattr(rotation, "new_key", lambda: ("0000000000", bytes(32)))
    with pytest.raises(BadInput, match="clock is behind"):
        rotated(store)
    assert key_files(database) == before == used(store)


def test_a_key_directory_that_cannot_be_written_is_told(
    store: SqlStore, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(db.keys.os, "link", full)
    with pytest.raises(BadInput, match="cannot be changed: No space left"):
        rotated(store)
    monkeypatch.undo()
    assert not rotated(store).resumed
    assert key_files(database) == used(store)
