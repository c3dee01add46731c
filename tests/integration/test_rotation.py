"""`ekc keys rotate` on both databases: what it changes, and what outlives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db.rotation import rotate
from db.store import SqlStore
from ivr.domain.errors import KeyLost, SealBroken
from tests.integration.conftest import Database
from tests.integration.filling import OTHER, SNILS, a_code, a_counter, fill, read
from tests.integration.rotating import LONG_AGO, key_files, octets, rotated, silent, used
from tests.integration.storing import do


@pytest.fixture
def store(database: Database) -> SqlStore:
    """A filled store."""
    store = database.open()
    fill(store)
    return store


# --- what a rotation does --------------------------------------------------------------------------


def test_everything_is_sealed_and_hashed_with_the_new_keys_and_reads_as_before(
    store: SqlStore, database: Database
) -> None:
    before, old = read(store), key_files(database)
    assert all(octets(store).values()), "a column has nothing in it: this test is blind there"
    done = rotated(store, forget_before=datetime.now(UTC) + timedelta(minutes=1))
    assert (done.resumed, done.removed, done.kept, done.unreadable) == (False, 2, 0, 0)
    new = key_files(database)
    assert used(store) == new
    assert (new["data"] != old["data"], new["hash"] != old["hash"]) == (True, True)
    assert (len(new["data"]), len(new["hash"]), new["pepper"]) == (1, 1, old["pepper"])
    left = [value for values in octets(store).values() for value in values]
    ids = [old[kind][0].encode() for kind in ("data", "hash")]
    assert [value for value in left if any(id_ in value[:11] for id_ in ids)] == []
    assert {**read(store), "guesses": before["guesses"]} == before
    assert store.check() == []


def test_a_program_that_runs_meets_the_new_keys_by_itself(store: SqlStore, database: Database) -> None:
    running = database.open(node="node2")
    before = read(running)
    for _ in range(2):
        rotated(store)
        assert read(running) == before
        code = a_code(running, "2")
        do(running, lambda uow, c=code: uow.citizens.set_code(OTHER, c))
        found = do(store, lambda uow: uow.citizens.credentials(OTHER))
        assert found is not None and found.code == code
        before = read(store)


def test_what_was_sealed_already_is_left_to_the_next_rotation(store: SqlStore) -> None:
    first, second = rotated(store), rotated(store)
    assert first.rows == second.rows > 0
    assert (first.resumed, second.resumed) == (False, False)


def test_an_empty_database_gets_new_keys_too(database: Database) -> None:
    store, old = database.open(), key_files(database)
    assert rotated(store).rows == 0
    assert key_files(database) == used(store)
    assert key_files(database)["data"] != old["data"]


def test_progress_never_goes_back_and_ends_with_all_rows(store: SqlStore) -> None:
    told: list[tuple[int, int]] = []
    store.rotate_keys(
        pepper=False, forget_before=LONG_AGO, progress=lambda done, total: told.append((done, total))
    )
    counted = [(done, total) for done, total in told if total]
    assert counted == sorted(counted)
    assert counted[-1][0] == counted[-1][1] > 0


def test_rows_are_done_in_pieces_with_a_pause_after_each(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.resealing.ROWS", 1)
    store = database.open()
    fill(store)
    pauses: list[float] = []
    done = rotate(
        *(store._engine, store._vault),
        pepper=False,
        forget_before=LONG_AGO,
        progress=silent,
        pause=pauses.append,
    )
    assert len(pauses) > done.rows > 6
    assert min(pauses) > 0


# --- what outlives it ------------------------------------------------------------------------------


def test_a_counter_of_guesses_keeps_its_hash_key_until_it_is_forgotten(
    store: SqlStore, database: Database
) -> None:
    counter = a_counter(ago=timedelta(days=2))
    do(store, lambda uow: uow.guesses.put("code", "99999999999", counter))
    do(store, lambda uow: uow.guesses.clear("code", SNILS))
    old = key_files(database)["hash"]
    for kept in (1, 1):
        assert rotated(store).kept == kept
        assert key_files(database)["hash"][0] == old[0]
        assert do(store, lambda uow: uow.guesses.get("code", "99999999999")) == counter
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert rotated(store, forget_before=yesterday).kept == 0
    assert do(store, lambda uow: uow.guesses.get("code", "99999999999")) is None
    assert len(key_files(database)["hash"]) == 1


def test_a_counter_that_is_counted_on_moves_to_the_new_key(store: SqlStore, database: Database) -> None:
    assert rotated(store).kept == 1
    do(store, lambda uow: uow.guesses.put("code", SNILS, a_counter()))
    assert rotated(store).kept == 1, "the key of the first rotation: the counter was moved to it"
    assert len(key_files(database)["hash"]) == 2


def test_a_lock_that_lasts_is_not_forgotten_however_long_ago_it_began(store: SqlStore) -> None:
    from dataclasses import replace

    now = datetime.now(UTC)
    locked = replace(a_counter(ago=timedelta(days=9)), locked_until=now + timedelta(days=9))
    do(store, lambda uow: uow.guesses.put("code", SNILS, locked))
    rotated(store, forget_before=now)
    assert do(store, lambda uow: uow.guesses.get("code", SNILS)) == locked


def test_a_new_pepper_is_for_new_codes_and_the_old_one_stays_for_the_old(
    store: SqlStore, database: Database
) -> None:
    [old] = key_files(database)["pepper"]
    assert rotated(store, pepper=True).kept == 2, "the pepper, and the hash key of a counter"
    [kept, new] = key_files(database)["pepper"]
    assert (kept, store.peppers.current()) == (old, new)
    assert len(store.peppers.key(old)) == len(store.peppers.key(new)) == 32
    found = do(store, lambda uow: uow.citizens.credentials(SNILS))
    assert found is not None and found.code is not None and found.code.keypad.startswith(old)
    do(store, lambda uow: uow.citizens.set_code(SNILS, a_code(store, "2")))
    rotated(store)
    assert key_files(database)["pepper"] == [new]
    with pytest.raises(KeyLost):
        store.peppers.key(old)


def test_a_row_that_does_not_open_is_told_and_keeps_the_old_keys(store: SqlStore, database: Database) -> None:
    old = key_files(database)
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE payments SET title = amount"))
    done = rotated(store)
    assert (done.unreadable, done.removed) == (1, 0)
    assert set(old["data"]) < set(key_files(database)["data"])
    assert do(store, lambda uow: uow.notices.of(SNILS)) != []
    with pytest.raises(SealBroken):
        do(store, lambda uow: uow.payments.of(SNILS))
    with store._engine.begin() as connection:
        connection.execute(text("DELETE FROM payments"))
    mended = rotated(store)
    assert (mended.resumed, mended.unreadable, mended.rows) == (True, 0, 0)
    assert len(key_files(database)["data"]) == 1
