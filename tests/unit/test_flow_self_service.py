"""Status of an application by the receipt's number and date, and by SNILS with an operator (§20)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ivr.domain.enquiry import ContactOutcome, Level
from ivr.domain.errors import ResourceDown
from ivr.ports import GuessCounter
from ivr.services.guesses import LINE, PAIR_LINE
from ivr.testing import FakeChannel
from tests.unit.ringing import MINE, PAIR, RECEIPT, SNILS, Line, another

WRONG = "99#02112026"
NOTHING = "nothing_found"


def a_line(**settings: object) -> Line:
    return Line(**settings).knows(applications=[RECEIPT])


def guessed(line: Line, scope: str, key: str) -> int:
    counter = line.store.rows.guesses.get(scope, key)
    return 0 if counter is None else counter.failures


def in_general(channel: FakeChannel) -> bool:
    return channel.handed_over is not None and channel.handed_over[0] == "general"


# --- what is told ----------------------------------------------------------------------------------


async def test_the_right_pair_is_told_and_stands_on_card_and_in_the_audit() -> None:
    line = a_line()
    channel = await line.call(f"11{PAIR}")
    card = line.card(channel)
    assert channel.heard.count("status.result") == 1
    assert (card.level, card.agency) == (Level.APPLICATION, "soc")
    [row] = line.audit
    assert (row.actor, row.action, row.subject, row.call) == ("ivr", "applications.read", card.id, channel.id)


async def test_the_caller_hears_the_decision_and_what_is_missing() -> None:
    refused = another(
        RECEIPT, status="рассмотрено", decision="отказано", missing_documents=("справка о доходах",)
    )
    line = Line().knows(applications=[refused])
    await line.call(f"11{PAIR}")
    told = line.prompts.said("status.result").values
    assert (told["decision"], told["missing_documents"]) == ("отказано", ("справка о доходах",))


async def test_one_repeats_the_answer_as_often_as_it_is_pressed() -> None:
    line = a_line()
    channel = line.ring(f"11{PAIR}")
    channel.caller.presses("1", on="status.more", hearing=1)
    channel.caller.presses("1", on="status.more", hearing=2)
    await line.answers(channel)
    assert channel.heard.count("status.result") == 3
    assert len(line.audit) == 1


async def test_zero_after_the_answer_leads_to_the_queue_of_that_agency() -> None:
    line = a_line()
    channel = line.ring(f"11{PAIR}")
    channel.caller.presses("0", on="status.more")
    await line.answers(channel)
    assert channel.handed_over == ("soc-1", 0, line.card(channel).id)
    assert line.outcome(channel) is None


async def test_without_an_audit_row_nothing_is_told() -> None:
    line = a_line()
    channel = line.ring()
    channel.caller.presses("11", at=0)
    channel.caller.presses(PAIR, on="status.number")
    # one transaction opens the card, one asks whether guessing is allowed, one looks up, one counts
    line.store.failing_after = 4
    await line.answers(channel)
    assert "status.result" not in channel.heard
    assert channel.heard[-2:] == ["resource.down", "connecting"] and in_general(channel)


@pytest.mark.parametrize("failing_after", [1, 2, 3])
async def test_a_database_that_fails_at_any_step_tells_nothing_and_leads_to_an_operator(
    failing_after: int,
) -> None:
    line = a_line()
    line.store.failing_after = failing_after
    channel = await line.call(f"11{WRONG}")
    assert NOTHING not in channel.heard and in_general(channel)


async def test_several_applications_of_one_receipt_are_not_told_but_left_to_an_operator() -> None:
    line = Line().knows(applications=[RECEIPT, another(RECEIPT, snils="08765430300")])
    channel = await line.call(f"11{PAIR}")
    assert channel.heard[-2:] == ["status.several", "connecting"] and in_general(channel)
    assert line.card(channel).level is Level.NONE and line.audit == []


async def test_an_agency_that_does_not_answer_leads_to_an_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> None:
        raise ResourceDown

    line = a_line()
    monkeypatch.setattr(line.desk.resources, "applications", down)
    channel = await line.call(f"11{PAIR}")
    assert channel.heard[-2:] == ["resource.down", "connecting"] and in_general(channel)
    assert guessed(line, "pair", MINE) == 0


# --- wrong pairs -----------------------------------------------------------------------------------


async def test_a_wrong_pair_is_asked_again_and_the_third_leads_to_an_operator() -> None:
    line = a_line()
    channel = line.ring("11")
    for hearing in (1, 2, 3):
        channel.caller.presses(WRONG, on="status.number", hearing=hearing)
    await line.answers(channel)
    assert channel.heard.count(NOTHING) == 3
    assert channel.heard.count("status.again") == 2
    assert channel.heard[-2:] == [NOTHING, "connecting"] and in_general(channel)
    assert guessed(line, "pair", MINE) == guessed(line, PAIR_LINE, LINE) == 3


async def test_after_a_wrong_pair_the_right_one_is_told() -> None:
    line = a_line()
    channel = line.ring("11")
    channel.caller.presses(WRONG, on="status.number")
    channel.caller.presses(PAIR, on="status.number", hearing=2)
    await line.answers(channel)
    assert "status.result" in channel.heard and line.outcome(channel) is ContactOutcome.SELF_SERVICE


@pytest.mark.parametrize("day", ["31022026", "00000000", "02112099", "32132026"])
async def test_a_date_that_no_receipt_has_is_found_nothing_for_and_never_looked_up(day: str) -> None:
    line = a_line()
    channel = line.ring("11")
    channel.caller.presses(f"56000123#{day}", on="status.number")
    await line.answers(channel)
    assert channel.heard.count(NOTHING) == 1
    assert guessed(line, "pair", MINE) == 0


async def test_who_has_guessed_too_often_waits_but_reaches_an_operator() -> None:
    line = a_line(pair_tries_per_caller=2)
    channel = line.ring("11")
    for hearing in (1, 2, 3):
        channel.caller.presses(WRONG, on="status.number", hearing=hearing)
    await line.answers(channel)
    assert channel.heard[-3:] == [NOTHING, "status.locked", "connecting"] and in_general(channel)
    channel = await line.call(f"11{PAIR}")
    assert "status.number" not in channel.heard and channel.heard[-2:] == ["status.locked", "connecting"]
    line.clock.forward(line.desk.settings.pair_lock_seconds)
    assert "status.result" in (await line.call(f"11{PAIR}")).heard


async def test_one_caller_s_lock_is_nobody_else_s() -> None:
    line = a_line(pair_tries_per_caller=1)
    await line.call(f"11{WRONG}")
    assert "status.result" in (await line.call(f"11{PAIR}", number="+79990000000")).heard


async def test_withheld_numbers_share_one_limit() -> None:
    line = a_line(pair_tries_per_caller=1)
    await line.call(f"11{WRONG}", number=None)
    assert "status.locked" in (await line.call(f"11{PAIR}", number=None)).heard


async def test_while_the_line_is_guessed_at_a_look_up_is_slow_and_an_alarm_stands() -> None:
    line = a_line(pair_tries_per_line=5, guess_delay_seconds=3)
    with line.store.transaction() as uow:
        now = line.clock.now()
        counter = GuessCounter(failures=5, since=now, locked_until=None, locks=0)
        uow.guesses.put(PAIR_LINE, LINE, counter)
        uow.commit()
    began = line.clock.now()
    channel = line.ring("11")
    channel.caller.presses(PAIR, on="status.number")
    channel.caller.leaves(on="status.number", after=0)
    await line.answers(channel)
    assert line.clock.now() - began >= timedelta(seconds=3)
    assert PAIR_LINE in line.alarms.standing
    assert channel.heard[-2:] == ["checking", "status.number"]


async def test_no_digit_of_a_receipt_stands_in_trace_or_audit() -> None:
    line = a_line()
    channel = await line.call(f"11{WRONG}{PAIR}")
    written = repr((line.told(channel), line.audit))
    assert not any(secret in written for secret in ("56000123", "02112026", "56-000123"))


# --- by SNILS --------------------------------------------------------------------------------------


async def test_a_snils_goes_to_an_operator_who_asks_the_name() -> None:
    line = a_line()
    channel = await line.call(f"12{SNILS}")
    card = line.card(channel)
    assert SNILS in card.comment and "фамилию" in card.comment
    assert card.level is Level.NONE and in_general(channel)
    assert SNILS not in repr(line.told(channel))


async def test_a_snils_that_cannot_be_written_down_still_leads_to_an_operator() -> None:
    line = a_line()
    line.store.failing_after = 1
    assert in_general(await line.call(f"12{SNILS}"))
