"""How often somebody may be wrong about a SNILS, from a number, on the line, and what a lock leaves open."""

from __future__ import annotations

import asyncio

import pytest

from ivr.domain.enquiry import Level
from ivr.domain.errors import StorageDown
from ivr.services import identification as service
from ivr.services import locks
from tests.unit.identifying import (
    BY,
    CODE,
    DOCUMENT,
    MINE,
    OTHER_SNILS,
    SNILS,
    STRANGE,
    THIRD,
    UNKNOWN_SNILS,
    WRONG,
    Desk,
)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("snils", [SNILS, UNKNOWN_SNILS, OTHER_SNILS])
async def test_a_snils_known_or_not_is_locked_by_the_same_number_of_failures(desk: Desk, snils: str) -> None:
    numbers = [f"+7999222222{n}" for n in range(6)]
    locks = [(await desk.fail(1, number, snils))[0] for number in numbers]
    assert locks == [False, False, False, False, True, None]


async def test_a_lock_ends_and_the_next_one_is_longer_up_to_a_cap() -> None:
    desk = Desk(tries_per_snils=1, tries_per_number=1000, lock_seconds=60, lock_cap_seconds=200)
    for lock in (60, 120, 200, 200):
        assert await desk.fail(2, STRANGE) == [True, None]
        desk.clock.forward(lock - 1)
        assert await desk.fail(1, STRANGE) == [None]
        desk.clock.forward(1)


async def test_failures_from_other_numbers_never_lock_the_number_on_file(desk: Desk) -> None:
    for n in range(20):
        await desk.fail(1, f"+799900000{n:02}")
    attempt = await desk.attempt(code=CODE)
    assert attempt is not None and attempt.verdict.level is Level.PERSONAL
    assert await desk.fail(1, THIRD) == [None]


async def test_failures_from_the_number_on_file_do_not_lock_the_way_by_the_document(desk: Desk) -> None:
    await desk.fail(5)
    assert await desk.fail(1) == [None]
    attempt = await desk.attempt(STRANGE, code=CODE, document=DOCUMENT)
    assert attempt is not None and attempt.verdict.level is Level.PERSONAL


async def test_a_calling_number_is_locked_whatever_it_asks_about(desk: Desk) -> None:
    snilses = ["11223344595", "08765430300", "00100199800"]
    locks = [(await desk.fail(1, THIRD, snilses[n % 3]))[0] for n in range(11)]
    assert locks == [False] * 9 + [True, None]


async def test_callers_without_a_number_cannot_lock_each_other_out() -> None:
    desk = Desk(tries_per_snils=1000)
    await desk.fail(50, None, UNKNOWN_SNILS)
    attempt = await desk.attempt(None, code=CODE, document=DOCUMENT)
    assert attempt is not None and attempt.verdict.level is Level.PERSONAL


async def test_asking_only_for_the_path_counts_for_the_number(desk: Desk) -> None:
    tickets = [await desk.ticket(MINE, UNKNOWN_SNILS) for _ in range(11)]
    assert [ticket is not None for ticket in tickets] == [True] * 10 + [False]
    assert await desk.ticket(STRANGE) is not None


async def test_an_attempt_takes_the_place_of_its_choice_of_path(desk: Desk) -> None:
    await desk.attempt()
    counter = desk.store.rows.guesses.get(service.NUMBER, MINE)
    assert counter is not None and counter.failures == 1


async def test_each_further_attempt_of_a_call_counts(desk: Desk) -> None:
    ticket = await desk.ticket(THIRD)
    assert ticket is not None
    for _ in range(3):
        await desk.service.check(ticket, code=WRONG, document="1")
    counter = desk.store.rows.guesses.get(service.NUMBER, THIRD)
    assert counter is not None and counter.failures == 3


async def test_being_right_every_day_is_never_counted(desk: Desk) -> None:
    for _ in range(50):
        attempt = await desk.attempt(code=CODE)
        assert attempt is not None and attempt.verdict.level is Level.PERSONAL
    assert desk.store.rows.guesses.rows == {}


async def test_being_right_forgets_the_failures_about_oneself_but_not_those_of_the_telephone(
    desk: Desk,
) -> None:
    await desk.fail(4)
    await desk.attempt(code=CODE)
    assert desk.store.rows.guesses.get(service.OWN, SNILS) is None
    number = desk.store.rows.guesses.get(service.NUMBER, MINE)
    assert number is not None and number.failures == 4


async def test_the_right_code_at_the_last_try_is_still_right_and_locks_nobody(desk: Desk) -> None:
    await desk.fail(4)
    attempt = await desk.attempt(code=CODE)
    assert attempt is not None and attempt.verdict.level is Level.PERSONAL
    assert desk.store.rows.guesses.locked(desk.clock.now()) == []


async def test_a_right_attempt_takes_back_its_own_failure_and_leaves_those_of_others(desk: Desk) -> None:
    ticket = await desk.ticket()
    await desk.fail(3, MINE, UNKNOWN_SNILS)
    assert ticket is not None
    await desk.service.check(ticket, code=CODE, document="")
    number = desk.store.rows.guesses.get(service.NUMBER, MINE)
    assert number is not None and number.failures == 3


async def test_a_lock_that_others_caused_meanwhile_is_not_taken_back(desk: Desk) -> None:
    ticket = await desk.ticket()
    await desk.fail(10, MINE, UNKNOWN_SNILS)
    assert ticket is not None
    attempt = await desk.service.check(ticket, code=CODE, document="")
    assert attempt.verdict.level is Level.PERSONAL
    assert await desk.ticket() is None


async def test_what_was_unlocked_meanwhile_stays_unlocked(desk: Desk) -> None:
    await desk.fail(9, MINE, UNKNOWN_SNILS)
    ticket = await desk.ticket()
    with desk.store.transaction() as uow:
        locks.unlock(uow, BY, SNILS)
        uow.commit()
    assert ticket is not None
    await desk.service.check(ticket, code=CODE, document="")
    assert desk.store.rows.guesses.get(service.NUMBER, MINE) is None


async def test_many_calls_at_once_have_no_more_tries_than_one_after_another(desk: Desk) -> None:
    numbers = [f"+799900000{n:02}" for n in range(40)]
    await asyncio.gather(*(desk.attempt(number) for number in numbers))
    assert len(desk.codes.asked) == 5


async def test_a_call_that_breaks_off_has_had_its_try(desk: Desk) -> None:
    desk.codes.error = asyncio.CancelledError()
    ticket = await desk.ticket(THIRD)
    assert ticket is not None
    with pytest.raises(asyncio.CancelledError):
        await desk.service.check(ticket, code=CODE, document=DOCUMENT)
    counter = desk.store.rows.guesses.get(service.OTHERS, SNILS)
    assert counter is not None and counter.failures == 1


async def test_a_failure_of_ours_is_nobodys(desk: Desk) -> None:
    desk.codes.error = StorageDown()
    ticket = await desk.ticket(THIRD)
    assert ticket is not None
    with pytest.raises(StorageDown):
        await desk.service.check(ticket, code=CODE, document=DOCUMENT)
    assert desk.store.rows.guesses.rows == {}


async def test_the_line_is_slowed_down_and_alarmed_but_never_locked() -> None:
    desk = Desk(tries_per_line=3)
    for n in range(2):
        await desk.fail(1, f"+7999000000{n}", UNKNOWN_SNILS)
    assert desk.slept == [] and desk.alarms.standing == {}
    await desk.fail(1, THIRD, UNKNOWN_SNILS)
    attempt = await desk.attempt(code=CODE)
    assert attempt is not None and attempt.verdict.level is Level.PERSONAL
    assert desk.slept == [3.0, 3.0]
    assert "secret codes are being guessed" in desk.alarms.standing[service.ALL]
    desk.clock.forward(3600)
    await desk.attempt(code=CODE)
    assert desk.slept == [3.0, 3.0] and desk.alarms.standing == {}


async def test_unlocking_opens_every_way_of_one_citizen(desk: Desk) -> None:
    await desk.fail(10)
    await desk.fail(5, STRANGE)
    await desk.fail(10, MINE, UNKNOWN_SNILS)
    with desk.store.transaction() as uow:
        locks.unlock(uow, BY, SNILS)
        uow.commit()
    for number, document in ((MINE, ""), (STRANGE, DOCUMENT)):
        attempt = await desk.attempt(number, code=CODE, document=document)
        assert attempt is not None and attempt.verdict.level is Level.PERSONAL


async def test_an_unknown_snils_can_be_unlocked_like_any(desk: Desk) -> None:
    for n in range(6):
        await desk.fail(1, f"+7999000000{n}", UNKNOWN_SNILS)
    with desk.store.transaction() as uow:
        locks.unlock(uow, BY, UNKNOWN_SNILS)
        uow.commit()
    assert await desk.fail(1, THIRD, UNKNOWN_SNILS) == [False]
