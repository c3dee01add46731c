"""Identification by keys: verdicts, one price for every failure, and the audit (§21)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ivr.domain.benefits import Citizen
from ivr.domain.caller import FAILED, MatchSource, Path
from ivr.domain.enquiry import Level
from ivr.ports import UnitOfWork
from ivr.services.identification import Attempt, Caller
from tests.unit.identifying import (
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
