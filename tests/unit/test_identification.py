"""Identification by keys in memory: verdicts, limits, audit, and one price for every failure (§21)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ivr.domain.benefits import Citizen
from ivr.domain.caller import FAILED, MatchSource, Path
from ivr.domain.enquiry import Level
from ivr.domain.errors import StorageDown
from ivr.ports import CodeHashes, UnitOfWork
from ivr.services import identification as service
from ivr.services import locks
from ivr.services.audit import By
from ivr.services.guesses import GuessGuard
from ivr.services.identification import Attempt, Caller, Identification, Ticket
from ivr.settings import IdentificationRules, Settings
from ivr.testing import START, MemoryStore, VirtualClock

SNILS, OTHER_SNILS, UNKNOWN_SNILS = "11223344595", "08765430300", "00100199800"
MINE, STRANGE, THIRD = "+79123456789", "+79990000000", "+79991111111"
CODE, DOCUMENT = "52521", "5604123456"
WRONG = "00000"
BY = By(actor="cli:anna", at=START)
HASHES = CodeHashes(keypad=f"hash of {CODE}", exact="hash of мама1")


class Codes:
    """Compares without hashing, and counts."""

    def __init__(self) -> None:
        self.asked: list[bool] = []
        """Whether there was a code to compare with."""
        self.error: BaseException | None = None

    async def keypad_matches(self, digits: str, code: CodeHashes | None) -> bool:
        self.asked.append(code is not None)
        if self.error is not None:
            raise self.error
        return code is not None and code.keypad == f"hash of {digits}"


class Alarms:
    def __init__(self) -> None:
        self.standing: dict[str, str] = {}

    def set(self, key: str, what: str, remedy: str, now: object) -> None:
        self.standing[key] = f"{what}; {remedy}"

    def clear(self, key: str) -> None:
        self.standing.pop(key, None)


class Desk:
    """An identification service with what it works on."""

    def __init__(self, **rules: Any) -> None:
        self.store = MemoryStore()
        self.clock = VirtualClock()
        self.codes = Codes()
        self.alarms = Alarms()
        self.slept: list[float] = []
        settings = Settings(identification=IdentificationRules(**rules))
        self.service = Identification.of(settings, self.store, self.codes, self.clock, self.alarms)
        self.service._sleep = self._sleep
        with self.store.transaction() as uow:
            person = Citizen(snils=SNILS, phone=MINE, document_series="5604", document_number="123456")
            no_code = Citizen(snils=OTHER_SNILS, phone=STRANGE, document_number="1")
            uow.citizens.upsert([person, no_code])
            uow.citizens.set_code(SNILS, HASHES)
            uow.commit()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def ticket(self, number: str | None = MINE, snils: str = SNILS) -> Ticket | None:
        return await self.service.choose_path(Caller(call="1.1", card="card", number=number), snils)

    async def attempt(
        self,
        number: str | None = MINE,
        snils: str = SNILS,
        *,
        code: str = WRONG,
        document: str = "",
    ) -> Attempt | None:
        """A call with one attempt; None: locked before anything was asked."""
        ticket = await self.ticket(number, snils)
        if ticket is None:
            return None
        return await self.service.check(ticket, code=code, document=document)

    async def fail(self, times: int, number: str | None = MINE, snils: str = SNILS) -> list[bool | None]:
        """Whether each of so many wrong attempts was followed by a lock; None: it was refused."""
        attempts = [await self.attempt(number, snils) for _ in range(times)]
        return [None if attempt is None else attempt.locked for attempt in attempts]

    def results(self) -> list[str]:
        return [row.result for row in self.store.rows.audit.rows]


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- the ladder ------------------------------------------------------------------------------------


async def test_from_the_number_on_file_the_code_is_enough(desk: Desk) -> None:
    ticket = await desk.ticket()
    assert ticket is not None and ticket.path is Path.CODE
    attempt = await desk.service.check(ticket, code=CODE, document="")
    assert (attempt.verdict.level, attempt.locked) == (Level.PERSONAL, False)
    assert attempt.verdict.match_source is MatchSource.NUMBER


@pytest.mark.parametrize("number", [STRANGE, None])
async def test_from_any_other_number_the_document_is_needed_too(desk: Desk, number: str | None) -> None:
    ticket = await desk.ticket(number)
    assert ticket is not None and ticket.path is Path.CODE_AND_DOCUMENT
    attempt = await desk.service.check(ticket, code=CODE, document=DOCUMENT)
    assert attempt.verdict.match_source is MatchSource.DOCUMENT


@pytest.mark.parametrize(("number", "snils"), [(MINE, UNKNOWN_SNILS), (STRANGE, OTHER_SNILS)])
async def test_a_stranger_and_somebody_without_a_code_are_asked_the_document_like_anybody(
    desk: Desk, number: str, snils: str
) -> None:
    ticket = await desk.ticket(number, snils)
    assert ticket is not None and ticket.path is Path.CODE_AND_DOCUMENT


FAILURES = {
    "wrong code": (STRANGE, SNILS, WRONG, DOCUMENT),
    "wrong document": (STRANGE, SNILS, CODE, "5604123457"),
    "both wrong": (STRANGE, SNILS, WRONG, "1"),
    "no number": (None, SNILS, WRONG, DOCUMENT),
    "unknown SNILS": (STRANGE, UNKNOWN_SNILS, CODE, DOCUMENT),
    "unknown SNILS and nothing typed": (STRANGE, UNKNOWN_SNILS, "", ""),
    "no code set": (THIRD, OTHER_SNILS, CODE, "1"),
    "no code set, own number": (STRANGE, OTHER_SNILS, CODE, "1"),
    "wrong code, own number": (MINE, SNILS, WRONG, ""),
}


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
async def test_every_failure_is_one_and_the_same(desk: Desk, case: tuple[str | None, str, str, str]) -> None:
    number, snils, code, document = case
    assert await desk.attempt(number, snils, code=code, document=document) == Attempt(
        verdict=FAILED, locked=False
    )


async def test_an_empty_document_on_file_is_matched_by_nothing(desk: Desk) -> None:
    with desk.store.transaction() as uow:
        uow.citizens.upsert([Citizen(snils=SNILS, phone=MINE)])
        uow.commit()
    attempt = await desk.attempt(STRANGE, code=CODE, document="")
    assert attempt is not None and attempt.verdict == FAILED


async def test_a_number_that_was_changed_between_path_and_check_opens_nothing(desk: Desk) -> None:
    ticket = await desk.ticket()
    with desk.store.transaction() as uow:
        uow.citizens.upsert([Citizen(snils=SNILS, phone=STRANGE, document_number=DOCUMENT)])
        uow.commit()
    assert ticket is not None
    assert (await desk.service.check(ticket, code=CODE, document="")).verdict == FAILED


# --- one price -------------------------------------------------------------------------------------


class Meter:
    """Counts what a unit of work is asked, by repository and method."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
        self.seen: list[str] = []
        run = desk.store.run

        async def metered(work: Callable[[UnitOfWork], Any]) -> Any:
            self.seen.append("transaction")
            return await run(lambda uow: work(_Metered(uow, self.seen)))

        monkeypatch.setattr(desk.store, "run", metered)


class _Metered:
    def __init__(self, thing: Any, seen: list[str], path: str = "") -> None:
        self._thing, self._seen, self._path = thing, seen, path

    def __getattr__(self, name: str) -> Any:
        return _Metered(getattr(self._thing, name), self._seen, f"{self._path}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._seen.append(self._path)
        return self._thing(*args, **kwargs)


async def test_every_failure_costs_the_same_queries_in_the_same_order_and_one_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prices = {}
    for name, (number, snils, code, document) in FAILURES.items():
        desk = Desk()
        meter = Meter(monkeypatch, desk)
        await desk.attempt(number, snils, code=code, document=document)
        prices[name] = (*meter.seen, len(desk.codes.asked))
    assert len(set(prices.values())) == 1, prices
    price = next(iter(prices.values()))
    assert price.count("transaction") == 3 and price.count(".citizens.credentials") == 2 and price[-1] == 1


async def test_a_right_attempt_costs_the_same_until_it_is_known_to_be_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    for code in (WRONG, CODE):
        desk = Desk()
        meter = Meter(monkeypatch, desk)
        await desk.attempt(code=code)
        seen.append(meter.seen[: [i for i, s in enumerate(meter.seen) if s == "transaction"][2]])
    assert seen[0] == seen[1]


# --- limits ----------------------------------------------------------------------------------------


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


# --- audit -----------------------------------------------------------------------------------------


async def test_every_attempt_is_an_audit_row_that_tells_what_matched_and_no_secret(desk: Desk) -> None:
    await desk.attempt(code=CODE)
    await desk.attempt(STRANGE, code=CODE, document=DOCUMENT)
    await desk.attempt()
    await desk.fail(5, THIRD, UNKNOWN_SNILS)
    await desk.attempt(THIRD, UNKNOWN_SNILS)
    assert desk.results() == [
        "personal match_source=number",
        "personal match_source=document",
        "failed path=code",
        *["failed path=code_and_document"] * 5,
        "locked",
    ]
    text = repr(desk.store.rows.audit.rows)
    assert all(secret not in text for secret in (SNILS, UNKNOWN_SNILS, MINE, STRANGE, CODE, DOCUMENT, WRONG))
    row = desk.store.rows.audit.rows[0]
    assert (row.action, row.actor, row.subject, row.call) == ("identification.attempt", "ivr", "card", "1.1")


async def test_an_attempt_without_a_card_is_told_under_its_call(desk: Desk) -> None:
    ticket = await desk.service.choose_path(Caller(call="1.7", card="", number=None), SNILS)
    assert ticket is not None
    await desk.service.check(ticket, code="1", document="1")
    assert desk.store.rows.audit.rows[0].subject == "1.7"


async def test_what_is_passed_around_never_shows_whom_it_is_about(desk: Desk) -> None:
    ticket = await desk.ticket()
    assert SNILS not in repr(ticket) and MINE not in repr(ticket)


# --- pairs of a receipt's number and date ----------------------------------------------------------


def a_guard(desk: Desk, **settings: Any) -> GuessGuard:
    guard = GuessGuard.of(Settings(**settings), desk.store, desk.clock, desk.alarms)
    guard._sleep = desk._sleep
    return guard


async def test_too_many_wrong_pairs_lock_their_caller_for_a_while(desk: Desk) -> None:
    guard = a_guard(desk, pair_tries_per_caller=3)
    for _ in range(3):
        assert await guard.allowed(MINE)
        await guard.failed(MINE)
    await guard.succeeded(MINE)
    assert not await guard.allowed(MINE)
    assert await guard.allowed(STRANGE)
    desk.clock.forward(timedelta(minutes=15).total_seconds())
    assert await guard.allowed(MINE)


async def test_a_receipt_of_ones_own_does_not_pay_for_guessing_at_others(desk: Desk) -> None:
    guard = a_guard(desk, pair_tries_per_caller=3)
    for _ in range(2):
        await guard.failed(MINE)
        await guard.succeeded(MINE)
    await guard.failed(MINE)
    assert not await guard.allowed(MINE)


async def test_callers_without_a_number_share_one_count_of_pairs(desk: Desk) -> None:
    guard = a_guard(desk, pair_tries_per_caller=1)
    await guard.failed(None)
    assert not await guard.allowed(None)
    assert await guard.allowed(MINE)


async def test_pairs_guessed_by_many_slow_the_line_down_and_alarm(desk: Desk) -> None:
    guard = a_guard(desk, pair_tries_per_line=2, guess_delay_seconds=1.5)
    for number in (MINE, STRANGE):
        assert await guard.allowed(number)
        await guard.failed(number)
    assert desk.slept == []
    assert await guard.allowed(THIRD)
    assert desk.slept == [1.5] and "receipts" in desk.alarms.standing["pair.line"]
