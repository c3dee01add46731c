"""Prompts, keys typed ahead of them, offers, and work while keys are read."""

from __future__ import annotations

import asyncio

import pytest

from ivr.domain.errors import CallerHungUp, CallerSilent, OperatorWanted, StorageDown, Unavailable
from ivr.ports import Prompt
from ivr.testing import Talk
from tests.unit.talking import (
    CODE,
    READBACK,
    SNILS,
    after,
    date,
    menu,
    number,
    offer,
    outcome,
)


@pytest.fixture
def talk() -> Talk:
    return Talk.begin()


# --- prompts and keys ----------------------------------------------------------------------------


async def test_a_key_stops_the_prompt_and_is_the_answer(talk: Talk) -> None:
    talk.caller.presses("1", at=0.5)
    assert await menu(talk) == "1"
    assert talk.clock.monotonic() == 0.5
    assert ("prompt", "status.menu", "interrupted") in talk.told


async def test_a_key_typed_ahead_skips_the_next_prompt(talk: Talk) -> None:
    talk.caller.presses("12", at=0.1)
    await talk.call.say(Prompt.of("greeting", recording=False))
    assert await menu(talk) == "1"
    assert await menu(talk) == "2"
    assert talk.channel.heard == ["greeting", "status.menu"]
    assert ("prompt", "status.menu", "skipped") in talk.told


async def test_a_whole_script_is_typed_ahead_in_the_greeting(talk: Talk) -> None:
    talk.caller.presses("11" + "56000123#" + "05032026", at=0.2, gap=0.05)
    await talk.call.say(Prompt.of("greeting", recording=False))
    answers = [await menu(talk), await menu(talk), await number(talk), await date(talk)]
    assert answers == ["1", "1", "56000123", "05032026"]
    assert talk.clock.monotonic() < 2


async def test_a_sentence_to_be_heard_whole_is_not_stopped_and_drops_what_was_typed(talk: Talk) -> None:
    talk.caller.presses("12", at=0.1, gap=0.1)
    talk.caller.presses("9", on="callback.greeting")
    await talk.call.say(Prompt.of("greeting", recording=False))
    await talk.call.say(Prompt.of("goodbye", reason="callback"), whole=True)
    assert talk.channel.heard == ["greeting", "goodbye"]
    assert talk.told[-1] == ("prompt", "goodbye", "played")
    assert await outcome(talk, menu) is CallerSilent


PERSONAL = [Prompt.of("snils.readback", snils=snils) for snils in ("11223344595", "08765430300")]


@pytest.fixture
def slow(talk: Talk) -> Talk:
    """Personal prompts take longer to make than anybody likes to wait, and less than one of them lasts."""
    talk.prompts.seconds = 1.5
    return talk


async def test_what_is_said_next_is_made_while_the_first_is_heard(slow: Talk) -> None:
    """Between the two there is no pause and no «проверяем»; both are erased in the end."""
    first, second = PERSONAL
    await slow.call.say(first, then=second)
    ended = slow.clock.monotonic()
    slow.channel.heard.clear()
    await slow.call.say(second)
    assert slow.channel.heard == ["snils.readback"]
    assert slow.clock.monotonic() - ended <= slow.channel.lasting + 0.1
    assert not slow.prompts.private


async def test_what_was_made_ahead_and_skipped_by_a_key_is_erased(slow: Talk) -> None:
    first, second = PERSONAL
    slow.caller.presses("1", on="snils.readback", after=1.9)
    await slow.call.say(first, then=second)
    await slow.call.say(second)
    await after(slow, 5)
    assert slow.told[-1] == ("prompt", "snils.readback", "skipped")
    assert not slow.prompts.private


async def test_what_was_made_ahead_for_a_caller_who_hangs_up_is_erased(slow: Talk) -> None:
    first, second = PERSONAL
    slow.caller.leaves(at=3)
    with pytest.raises(CallerHungUp):
        await slow.call.say(first, then=second)
    await after(slow, 5)
    assert not slow.prompts.private


async def test_something_else_said_next_takes_the_place_of_what_was_made_ahead(slow: Talk) -> None:
    first, second = PERSONAL
    await slow.call.say(first, then=second)
    await slow.call.say(first)
    await after(slow, 5)
    assert not slow.prompts.private


async def test_a_hash_after_an_answer_that_ended_by_itself_is_no_answer_to_the_next_question(
    talk: Talk,
) -> None:
    talk.caller.presses("05032026", at=0)
    talk.caller.presses("#", at=2)
    talk.caller.presses("1", at=4)
    assert await date(talk) == "05032026"
    assert await menu(talk) == "1"
    assert talk.channel.heard == ["status.date", "status.menu"]
    assert ("prompt", "status.menu", "played") in talk.told


@pytest.mark.parametrize("gap", [0.05, 1.0, 3.0])
async def test_a_second_hash_belongs_to_the_answer_before_it(gap: float) -> None:
    talk = Talk.begin()
    talk.caller.presses("12##1", gap=gap)
    assert await number(talk) == "12"
    assert await menu(talk) == "1"
    assert "no_match" not in talk.channel.heard


async def test_a_hash_long_after_the_answer_is_a_wrong_key(talk: Talk) -> None:
    talk.caller.presses("12#", at=0)
    talk.caller.presses("#1", at=7)
    assert await number(talk) == "12"
    assert await menu(talk) == "1"
    assert ("key", "status.menu", "wrong") in talk.told


# --- offers --------------------------------------------------------------------------------------


async def test_silence_accepts_what_was_offered(talk: Talk) -> None:
    assert await offer(talk) is False
    assert talk.clock.monotonic() == pytest.approx(5.3, abs=0.05)  # made in 0.3 s, heard in 2 s


@pytest.mark.parametrize("after", [0.5, 4.5])
async def test_a_star_discards_during_the_prompt_and_after_it(talk: Talk, after: float) -> None:
    talk.caller.presses("*", on="snils.readback", after=after)
    assert await offer(talk) is True
    talk.caller.presses("7#", at=talk.clock.monotonic())
    assert await number(talk) == "7"


@pytest.mark.parametrize("after", [0.5, 4.5])
@pytest.mark.parametrize("keys", ["4815#", "0815#"])
async def test_any_other_key_is_the_first_of_the_next_answer(talk: Talk, after: float, keys: str) -> None:
    talk.caller.presses(keys, on="snils.readback", after=after)
    assert await offer(talk) is False
    assert await talk.call.ask_digits(CODE) == keys[:-1]
    assert "code" not in talk.channel.heard


async def test_two_stars_at_an_offer_are_the_operator(talk: Talk) -> None:
    talk.caller.presses("**", on="snils.readback", after=1)
    assert await offer(talk) is True
    assert await outcome(talk, date) is OperatorWanted


async def test_a_hash_out_of_habit_after_the_snils_does_not_cut_its_reading_back(talk: Talk) -> None:
    talk.caller.presses("11223344595", at=0)
    talk.caller.presses("#", on="snils.readback", after=0.7)
    talk.caller.presses("*", on="snils.readback", after=1.5)
    assert await talk.call.ask_digits(SNILS, length=11) == "11223344595"
    assert await offer(talk) is True


# --- work while keys are read --------------------------------------------------------------------


async def test_keys_pressed_during_work_are_kept_in_order(talk: Talk) -> None:
    talk.caller.presses("12", at=0.3, gap=0.2)
    assert await talk.call.during(after(talk, 2)) == "done"
    assert [await menu(talk), await menu(talk)] == ["1", "2"]


async def test_quick_work_says_nothing(talk: Talk) -> None:
    await talk.call.during(after(talk, 0.3), notice=Prompt.of("checking"))
    assert talk.channel.heard == []


async def test_long_work_is_noticed_once_and_keys_of_the_notice_are_kept(talk: Talk) -> None:
    talk.caller.presses("1", on="checking", after=0.4)
    assert await talk.call.during(after(talk, 30), notice=Prompt.of("checking")) == "done"
    assert talk.channel.heard == ["checking"]
    assert ("prompt", "checking", "interrupted") in talk.told
    assert await menu(talk) == "1"


async def test_who_types_ahead_does_not_hear_the_notice(talk: Talk) -> None:
    talk.caller.presses("1", at=0.1)
    await talk.call.during(after(talk, 5), notice=Prompt.of("checking"))
    assert talk.channel.heard == []


async def test_an_error_of_the_work_comes_through(talk: Talk) -> None:
    with pytest.raises(StorageDown):
        await talk.call.during(after(talk, 1, StorageDown()))


@pytest.mark.parametrize("result", ["done", StorageDown()])
async def test_work_is_finished_although_the_caller_has_gone(talk: Talk, result: object) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await after(talk, 5, result)
        finally:
            ended.append("ended")

    talk.caller.leaves(at=1)
    expected = CallerHungUp if result == "done" else StorageDown
    with pytest.raises(expected):
        await talk.call.during(work())
    assert ended == ["ended"]


async def test_a_cancelled_call_finishes_its_work_too(talk: Talk) -> None:
    started, may_end = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    async def work() -> None:
        started.set()
        await may_end.wait()
        ended.append("ended")

    task = asyncio.ensure_future(talk.call.during(work()))
    await started.wait()
    task.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["ended"]


# --- personal prompts ----------------------------------------------------------------------------


async def test_a_personal_prompt_is_made_while_keys_are_read_and_erased_when_heard(talk: Talk) -> None:
    talk.prompts.seconds = 3
    await talk.call.say(READBACK)
    assert talk.channel.heard == ["checking", "snils.readback"]
    assert talk.prompts.private == set()


async def test_a_key_while_a_personal_prompt_is_made_skips_and_erases_it(talk: Talk) -> None:
    talk.caller.presses("1", at=0.1)
    await talk.call.say(READBACK)
    assert talk.channel.heard == []
    assert talk.prompts.private == set()
    assert await menu(talk) == "1"


@pytest.mark.parametrize("moment", [{"at": 0.1}, {"on": "snils.readback", "after": 0.5}])
async def test_a_personal_prompt_is_erased_when_the_caller_hangs_up(
    talk: Talk, moment: dict[str, object]
) -> None:
    talk.caller.leaves(**moment)  # type: ignore[arg-type]
    with pytest.raises(CallerHungUp):
        await talk.call.say(READBACK)
    assert talk.prompts.private == set()


async def test_a_prompt_that_cannot_be_made_or_played_is_told_and_leaves_nothing(talk: Talk) -> None:
    talk.prompts.failing.add("snils.readback")
    with pytest.raises(Unavailable):
        await talk.call.say(READBACK)
    talk.prompts.failing.clear()
    talk.channel.unplayable.add("snils.readback")
    with pytest.raises(Unavailable):
        await talk.call.say(READBACK)
    assert talk.prompts.private == set()
