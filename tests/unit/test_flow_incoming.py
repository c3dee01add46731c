"""A citizen calls the line: hours, greeting, menu, and every way in which that ends (§2, §12, §19)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ivr.domain.callback import Source
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import StorageDown
from ivr.flows.incoming import closed
from ivr.ports import KEYS, DayException, UnitOfWork
from ivr.services.unasked import asked_operator
from ivr.testing import START, FakeChannel
from tests.unit.ringing import (
    CHILDREN,
    EVENING,
    MINE,
    MORNING,
    PAIR,
    RECEIPT,
    WORK,
    Line,
)
from tests.unit.scripted import ScriptedCall

T = TypeVar("T")
TUESDAY = date(2026, 11, 24)
SUNDAY = datetime.fromisoformat("2026-11-22T12:00:00+05:00")
HOLIDAY = DayException(day=TUESDAY, opens=None, closes=None)
OPEN_SUNDAY = DayException(day=SUNDAY.date(), opens=time(0), closes=None)


def a_line(**settings: object) -> Line:
    return Line(**settings).knows(topics=[WORK, CHILDREN], applications=[RECEIPT])


# --- the door --------------------------------------------------------------------------------------


async def test_the_caller_gets_a_card_with_the_number_before_the_menu() -> None:
    line = a_line()
    channel = await line.call("0", on="menu")
    assert channel.answered
    assert channel.heard == ["greeting", "menu", "connecting"]
    assert line.card(channel).number == MINE


async def test_zero_leads_to_the_general_queue_with_the_card_and_leaves_the_end_to_the_journals() -> None:
    line = a_line()
    channel = await line.call("0")
    assert channel.handed_over == ("general", 0, line.card(channel).id)
    assert line.outcome(channel) is None


async def test_a_call_has_one_card_however_often_the_engine_is_asked() -> None:
    line = a_line()
    channel = line.waiting()
    await line.answers(channel)
    assert len(line.store.rows.cards.list()) == 1


@pytest.mark.parametrize(
    ("now", "days"),
    [(EVENING, ()), (SUNDAY, ()), (START, (HOLIDAY,)), (MORNING - timedelta(microseconds=1), ())],
    ids=["evening", "sunday", "own exception", "just before nine"],
)
async def test_outside_working_hours_the_caller_is_told_and_offered_a_callback(
    now: datetime, days: tuple[DayException, ...]
) -> None:
    line = Line(now=now).knows(days=days)
    channel = await line.call()
    assert channel.heard[:2] == ["closed", "closed.callback"]
    assert "greeting" not in channel.heard
    assert channel.finished and channel.heard[-1] == "goodbye"
    assert line.outcome(channel) is ContactOutcome.CLOSED_HOURS
    assert line.callbacks == []


@pytest.mark.parametrize(("now", "days"), [(MORNING, ()), (SUNDAY, (OPEN_SUNDAY,))])
async def test_at_opening_and_on_days_of_our_own_the_line_is_open(
    now: datetime, days: tuple[DayException, ...]
) -> None:
    line = Line(now=now).knows(days=days)
    assert (await line.call("0")).handed_over is not None


async def test_one_registers_a_callback_for_the_next_opening() -> None:
    line = Line(now=EVENING)
    channel = await line.call("1", on="closed.callback")
    [callback] = line.callbacks
    assert (callback.number, callback.source, callback.queue) == (MINE, Source.CLOSED, "general")
    assert (callback.due, callback.card) == (MORNING, line.card(channel).id)
    assert channel.heard[-3:] == ["callback.confirmed", "callback.choose", "goodbye"]
    assert line.prompts.said("callback.confirmed").values["due"] == MORNING
    assert channel.finished
    assert line.outcome(channel) is ContactOutcome.CLOSED_HOURS


@pytest.mark.parametrize("key", [*"023456789#"])
async def test_any_other_key_at_a_closed_line_is_a_goodbye_without_a_promise(key: str) -> None:
    line = Line(now=EVENING)
    channel = await line.call(key, on="closed.callback")
    assert channel.finished and line.callbacks == []
    assert line.prompts.said("goodbye").values["reason"] == "closed"


async def test_a_database_that_fails_while_a_callback_is_wanted_promises_nothing() -> None:
    line = Line(now=EVENING)
    channel = line.ring("1", on="closed.callback", after=1)
    channel.deeds["closed.callback"] = lambda: setattr(line.store, "down", True)
    await line.answers(channel)
    assert "callback.confirmed" not in channel.heard and channel.finished
    assert line.prompts.said("goodbye").values["reason"] == "closed"
    assert line.callbacks == []


async def test_where_no_opening_is_known_none_is_told_and_no_callback_offered() -> None:
    line, call = Line(now=EVENING), ScriptedCall(number=MINE)
    await closed(call, line.desk, None)
    assert call.said == ["closed", "goodbye"]
    assert call.finished and call.outcome is ContactOutcome.CLOSED_HOURS


# --- without the database --------------------------------------------------------------------------


async def test_a_database_that_is_down_leaves_greeting_truth_and_queue() -> None:
    line = a_line()
    line.store.down = True
    channel = await line.call("1")
    assert channel.heard == ["emergency"]  # the greeting was typed away
    assert channel.handed_over == ("general", 0, "")
    channel = await line.call()
    assert channel.heard == ["greeting", "emergency"]


async def test_a_closed_line_without_its_database_says_so_and_promises_nothing() -> None:
    line = Line(now=EVENING)
    line.store.down = True
    channel = await line.call()
    assert channel.heard == ["closed", "goodbye"] and channel.finished


async def test_a_database_that_is_back_at_the_end_learns_of_the_call() -> None:
    line = Line(now=EVENING)
    line.store.down = True
    channel = line.ring()
    channel.deeds["goodbye"] = lambda: setattr(line.store, "down", False)
    await line.answers(channel)
    assert line.outcome(channel) is ContactOutcome.CLOSED_HOURS


@pytest.mark.parametrize("opened", [(START, ()), (SUNDAY, (OPEN_SUNDAY,))], ids=["tuesday", "own sunday"])
async def test_a_database_that_fails_in_the_middle_leads_to_an_operator(
    opened: tuple[datetime, tuple[DayException, ...]],
) -> None:
    now, days = opened
    line = Line(now=now).knows(days=days)
    channel = line.ring("3", on="menu", after=1)
    channel.deeds["menu"] = lambda: setattr(line.store, "down", True)
    await line.answers(channel)
    assert channel.heard[-2:] == ["resource.down", "connecting"]
    assert channel.handed_over == ("general", 0, line.card(channel).id)


async def test_who_came_in_before_the_end_of_the_day_reaches_the_queue_after_it() -> None:
    line = Line(now=datetime.fromisoformat("2026-11-24T17:59:59+05:00"))
    channel = await line.call("0", on="menu", after=30)
    assert line.clock.now() > datetime.fromisoformat("2026-11-24T18:00:00+05:00")
    assert channel.handed_over is not None


# --- silence ---------------------------------------------------------------------------------------


async def test_silence_ends_the_call_with_a_goodbye() -> None:
    line = a_line()
    channel = await line.call()
    assert channel.finished and line.outcome(channel) is ContactOutcome.SILENCE
    assert channel.heard.count("silence.reminder") == 3
    assert line.prompts.said("goodbye").values["reason"] == "silence"


async def test_a_site_may_give_who_has_never_pressed_a_key_to_an_operator() -> None:
    line = a_line(no_input="operator")
    channel = await line.call()
    assert channel.handed_over == ("general", 0, line.card(channel).id)
    assert line.outcome(channel) is None


async def test_who_has_pressed_a_key_and_falls_silent_is_told_goodbye_there_too() -> None:
    line = a_line(no_input="operator")
    channel = await line.call("3", on="menu")
    assert channel.finished and line.outcome(channel) is ContactOutcome.SILENCE


async def test_who_was_answered_and_falls_silent_was_served_by_the_machine() -> None:
    line = a_line()
    channel = await line.call(f"11{PAIR}")
    assert channel.finished and line.outcome(channel) is ContactOutcome.SELF_SERVICE


# --- hanging up ------------------------------------------------------------------------------------

UNTOLD = ("greeting", "menu", "status.menu", "status.number", "status.date", "status.result")


@pytest.mark.parametrize("prompt", UNTOLD)
async def test_who_hangs_up_before_an_answer_has_abandoned_the_machine(prompt: str) -> None:
    line = a_line()
    channel = line.ring()
    for question, keys in (("menu", "1"), ("status.menu", "1")):
        channel.caller.presses(keys, on=question, after=1.5)
    channel.caller.presses("56000123#", on="status.number", after=1.5)
    channel.caller.presses("02112026", on="status.date", after=1.5)
    channel.caller.leaves(on=prompt, after=1)
    await line.answers(channel)
    assert channel.heard[-1] == prompt
    assert line.outcome(channel) is ContactOutcome.ABANDONED_IVR
    assert channel.handed_over is None and not channel.finished


async def test_who_hangs_up_after_the_answer_was_served_by_the_machine() -> None:
    line = a_line()
    channel = line.ring(f"11{PAIR}")
    channel.caller.leaves(on="status.more", after=1)
    await line.answers(channel)
    assert line.outcome(channel) is ContactOutcome.SELF_SERVICE


@pytest.mark.parametrize("prompt", ["closed", "closed.callback", "callback.confirmed"])
async def test_who_hangs_up_at_a_closed_line_called_outside_hours(prompt: str) -> None:
    line = Line(now=EVENING)
    channel = line.ring("1", on="closed.callback", after=1.5)
    channel.caller.leaves(on=prompt, after=1)
    await line.answers(channel)
    assert line.outcome(channel) is ContactOutcome.CLOSED_HOURS
    assert len(line.callbacks) == (prompt == "callback.confirmed")


async def test_who_hangs_up_while_the_card_is_opened_has_one_and_abandoned() -> None:
    line = a_line()
    channel = line.ring()
    channel.caller.leaves(at=0)
    await line.answers(channel)
    assert channel.heard == []
    assert line.outcome(channel) is ContactOutcome.ABANDONED_IVR


async def before_the_end(line: Line, monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> FakeChannel:
    """A caller who presses 0 while the database is awaited, and hangs up; then it is there again."""
    channel = line.ring()
    channel.caller.presses("0", at=1)
    channel.caller.leaves(at=3)
    run = line.store.run

    async def slow(work: Callable[[UnitOfWork], T]) -> T:
        await line.clock.sleep(5)
        if fails:
            raise StorageDown
        return await run(work)

    with monkeypatch.context() as hanging:
        hanging.setattr(line.store, "run", slow)
        await line.answers(channel)
    await line.traces.flush()
    return channel


@pytest.mark.parametrize("fails", [True, False], ids=["down", "slow"])
async def test_zero_during_a_database_that_hangs_is_a_wish_for_an_operator_although_the_caller_has_gone(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    line = a_line()
    channel = await before_the_end(line, monkeypatch, fails=fails)
    assert channel.handed_over is None
    assert asked_operator(line.told(channel))


async def test_who_presses_nothing_while_the_database_hangs_has_not_asked_for_an_operator() -> None:
    line = a_line()
    line.store.down = True
    channel = line.ring()
    channel.caller.leaves(at=1)
    await line.answers(channel)
    line.store.down = False
    await line.traces.flush()
    assert not asked_operator(line.told(channel))


# --- whatever is pressed ---------------------------------------------------------------------------

TYPED = st.lists(st.tuples(st.sampled_from(KEYS), st.floats(0.05, 20)), max_size=25)
SCRIPT = st.sampled_from(["", "11", "11" + PAIR, "12", "2", "3", "31", "321"])


def dialled(line: Line, script: str, typed: list[tuple[str, float]], leaves: float | None) -> FakeChannel:
    channel = line.ring(script)
    at = 1.0
    for key, pause in typed:
        at += pause
        channel.caller.presses(key, at=at)
    if leaves is not None:
        channel.caller.leaves(at=leaves)
    asyncio.run(_answered(line, channel))
    return channel


async def _answered(line: Line, channel: FakeChannel) -> None:
    await line.answers(channel)


@examples(max_examples=80, deadline=None)
@given(
    script=SCRIPT, typed=TYPED, leaves=st.none() | st.floats(0.5, 120), now=st.sampled_from([START, EVENING])
)
def test_whatever_is_pressed_the_call_ends_in_a_queue_a_goodbye_or_a_hang_up(
    script: str, typed: list[tuple[str, float]], leaves: float | None, now: datetime
) -> None:
    line = a_line(now=now)
    channel = dialled(line, script, typed, leaves)
    ends = [channel.handed_over is not None, channel.finished, channel.caller.gone]
    assert any(ends) and not (ends[0] and ends[1])
    if channel.handed_over is not None:
        assert line.outcome(channel) is None
        assert channel.handed_over[2] == line.card(channel).id
    elif channel.answered:
        assert line.outcome(channel) is not None
    assert line.office.calls == 0 and line.prompts.private == set()
    assert not {PAIR[:8], PAIR[-8:]} & {event.outcome for event in line.told(channel)}


@examples(max_examples=40, deadline=None)
@given(script=SCRIPT, typed=TYPED, after=st.integers(0, 6))
def test_whenever_the_database_fails_the_call_still_ends_in_a_queue_or_a_goodbye(
    script: str, typed: list[tuple[str, float]], after: int
) -> None:
    line = a_line()
    line.store.failing_after = after
    channel = dialled(line, script, typed, None)
    assert (channel.handed_over is not None) != channel.finished
