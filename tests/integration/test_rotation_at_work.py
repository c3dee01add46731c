"""Keys are rotated again and again while others read and write: nothing is missed, doubled or lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

import pytest

import db.engine
import db.keys
from db import rotation
from db.rotation import Rotation, rotate
from db.store import SqlStore
from ivr.domain.benefits import Citizen
from ivr.domain.callback import State
from ivr.domain.errors import StorageDown
from ivr.ports import KeyRotation, UnitOfWork
from tests.integration.conftest import Database
from tests.integration.filling import APPLICATION, a_code, a_counter, fill
from tests.integration.rotating import LONG_AGO, current_data, key_files, rotated, silent, used
from tests.integration.storing import a_callback, a_card, do

ROTATIONS, MOST = 2, 20
"""So many, and more until every worker has had its turns: who waits for SQLite is not served in order."""
PAUSE_S = 0.03
"""Between two rounds of a worker: at SQLite there is one writer at a time, and even calls leave it gaps."""
PEOPLE = [Citizen(snils=f"{n:011}", phone="+79120000000", last_name=f"Фамилия{n}") for n in range(1, 21)]
NUMBERS = [f"+7912555{n:04}" for n in range(5)]
DAY = date(2026, 11, 2)


class Worker(threading.Thread):
    """A program of its own: its own connections, its own key ring. Works until it is told to stop."""

    def __init__(self, database: Database, work: Callable[[SqlStore, int], None]) -> None:
        super().__init__()
        self._store = database.open()
        self._work = work
        self._ended = threading.Event()
        self.rounds = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            for number in count():
                if self._ended.wait(PAUSE_S):
                    return
                self._work(self._store, number)
                self.rounds += 1
        except BaseException as error:  # noqa: BLE001  # raised by `end`, in the test's own thread
            self.error = error

    def end(self) -> int:
        """How many rounds it did; raises what it stumbled over."""
        self._ended.set()
        self.join()
        if self.error is not None:
            raise self.error
        return self.rounds


def reading(store: SqlStore, number: int) -> None:
    """Everybody is found, in every round."""
    person = PEOPLE[number % len(PEOPLE)]
    with store.transaction() as uow:
        known = uow.citizens.credentials(person.snils)
        assert known is not None and known.phone is not None
        assert uow.citizens.get(person.snils).last_name == person.last_name
        assert [a.snils for a in uow.applications.by_receipt(person.snils, DAY)] == [person.snils]


def changing(store: SqlStore, number: int) -> None:
    """Each round gives everybody a new telephone number: nobody is inserted twice."""
    changed = [replace(person, phone=f"+7913{number:07}") for person in PEOPLE]
    assert do(store, lambda uow: uow.citizens.upsert(changed)) == len(PEOPLE)


def promising(store: SqlStore, number: int) -> None:
    """A number that has an open callback gets no second one; every other time it is cancelled."""
    phone = NUMBERS[number % len(NUMBERS)]

    def promise(uow: UnitOfWork) -> None:
        card = uow.cards.list(limit=1)[0].id
        first = uow.callbacks.request(a_callback(card, number=phone))
        assert uow.callbacks.request(a_callback(card, number=phone)) == first
        if number % 2:
            uow.callbacks.save(uow.callbacks.get(first.id).move(State.CANCELLED))

    do(store, promise)


def guessing(store: SqlStore, _: int) -> None:
    """One more failure of a SNILS that nobody has."""

    def fail(uow: UnitOfWork) -> None:
        counter = uow.guesses.get("code", "00000000099")
        failures = 0 if counter is None else counter.failures
        uow.guesses.put("code", "00000000099", replace(a_counter(), failures=failures + 1))

    do(store, fail)


def coding(store: SqlStore, number: int) -> None:
    """The last citizen's code is set again and again; hashed with a pepper retired meanwhile, once more."""
    code = a_code(store, str(number))
    try:
        do(store, lambda uow: uow.citizens.set_code(PEOPLE[-1].snils, code))
    except StorageDown as error:
        assert "set the code again" in str(error)
        return
    known = do(store, lambda uow: uow.citizens.credentials(PEOPLE[-1].snils))
    assert known is not None and known.code == code


def test_nothing_is_missed_doubled_or_lost_while_keys_change(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.resealing.ROWS", 7)
    monkeypatch.setattr(db.engine, "LOCK_MS", 60_000)  # a busy machine is not what is tested here
    store = database.open()
    prepare(store)
    jobs = (reading, reading, changing, promising, promising, guessing, guessing, coding)
    workers = [Worker(database, job) for job in jobs]
    for worker in workers:
        worker.start()
    done: list[KeyRotation] = []
    try:
        while len(done) < ROTATIONS or (len(done) < MOST and _waits(workers)):
            done.append(
                store.rotate_keys(pepper=True, forget_before=datetime(2020, 1, 1, tzinfo=UTC), progress=none)
            )
    finally:
        ended = [(job.__name__, worker.end()) for job, worker in zip(jobs, workers, strict=True)]
    assert min(rounds for _, rounds in ended) > 1, ended
    assert all(rotation.rows > len(PEOPLE) and not rotation.unreadable for rotation in done)
    check(store, ended)


def none(_done: int, _total: int) -> None:
    """Nobody watches."""


def prepare(store: SqlStore) -> None:
    a_card(store)
    receipts = [
        replace(APPLICATION, snils=person.snils, number=person.snils, accepted_on=DAY) for person in PEOPLE
    ]
    do(store, lambda uow: (uow.citizens.upsert(PEOPLE), uow.applications.upsert(receipts)))


def _waits(workers: Sequence[Worker]) -> bool:
    """Whether one that is at work has not had two rounds."""
    return any(worker.rounds < 2 and worker.error is None for worker in workers)


def check(store: SqlStore, ended: Sequence[tuple[str, int]]) -> None:
    """What the workers did is there, once."""
    rounds = {name: sum(n for other, n in ended if other == name) for name, _ in ended}
    last = f"+7913{rounds['changing'] - 1:07}"
    open_numbers = [callback.number for callback in open_callbacks(store)]
    assert sorted(open_numbers) == sorted(set(open_numbers))
    for person in PEOPLE:
        assert do(store, lambda uow, s=person.snils: uow.citizens.get(s)).phone == last
    counter = do(store, lambda uow: uow.guesses.get("code", "00000000099"))
    assert counter is not None
    assert counter.failures == rounds["guessing"]


def open_callbacks(store: SqlStore) -> Sequence[object]:
    return do(store, lambda uow: uow.callbacks.list(open_only=True))


# --- whoever works for long ----------------------------------------


def busy_for(store: SqlStore, pauses: int) -> Callable[[float], None]:
    """A pause that ends, after so many, a transaction that is open from now on and changes a card."""
    stack, count = ExitStack(), iter(range(pauses))
    uow = stack.enter_context(store.transaction())
    [card, _] = sorted(uow.cards.list(), key=lambda card: card.registration_number)
    uow.cards.change(card.id, comment="пока меняли ключи")

    def pause(_seconds: float) -> None:
        if next(count, None) is None:
            uow.commit()
            stack.close()

    return pause


@pytest.mark.parametrize("pauses", [0, 3])
def test_whoever_works_for_long_is_waited_for_and_its_work_is_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch, pauses: int
) -> None:
    monkeypatch.setattr(db.engine, "LOCK_MS", 50)
    store = database.open()
    fill(store)
    done = rotate(
        *(store._engine, store._vault),
        pepper=False,
        forget_before=LONG_AGO,
        progress=silent,
        pause=busy_for(database.open(), pauses),
    )
    assert done.rows > 0 and not done.resumed
    comments = [card.comment for card in do(store, lambda uow: uow.cards.list())]
    assert "пока меняли ключи" in comments
    assert key_files(database) == used(store)


def test_a_database_that_stays_busy_ends_the_attempt(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.engine, "LOCK_MS", 20)
    store = database.open()
    fill(store)
    pauses: list[float] = []
    with database.open().transaction() as uow:
        uow.cards.list()
        with pytest.raises(StorageDown):
            rotate(
                *(store._engine, store._vault),
                pepper=False,
                forget_before=LONG_AGO,
                progress=silent,
                pause=pauses.append,
            )
    tries = [2.0**number for number in range(rotation.TRIES - 1)]
    assert [seconds for seconds in pauses if seconds in tries] == tries
    rotated(store)
    assert key_files(database) == used(store)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_row_that_somebody_is_changing_is_come_back_to(database: Database) -> None:
    """PostgreSQL only: at SQLite nobody is in a transaction while another one is."""
    store = database.open()
    fill(store)
    run = Rotation(store._engine, store._vault, pepper=False, forget_before=LONG_AGO)
    steps = run.steps()
    while len(current_data(store)) < 2:  # up to the moment when the new keys are in use
        next(steps)
    pause = busy_for(database.open(), 0)
    told = [next(steps) for _ in range(40)]  # again and again: one row is held
    assert told[-1][0] == told[-1][1]
    assert len(current_data(store)) == 2
    pause(0)
    for _ in steps:
        pass
    assert key_files(database) == used(store)
    assert "пока меняли ключи" in [card.comment for card in do(store, lambda uow: uow.cards.list())]
