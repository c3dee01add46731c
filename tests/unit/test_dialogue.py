"""The verbs of a call: what each key means, when, and what the caller hears (§19, interface.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ivr.dialogue import Patience
from ivr.domain.errors import CallerHungUp, CallerSilent, EkcError, OperatorWanted, StorageDown, Unavailable
from ivr.ports import Prompt
from ivr.testing import Talk

MENU = Prompt.of("status.menu")
NUMBER = Prompt.of("status.number")
DATE = Prompt.of("status.date")
SNILS = Prompt.of("snils")
CODE = Prompt.of("code")
READBACK = Prompt.of("snils.readback", snils="11223344595")
Asks = Callable[[Talk], Awaitable[object]]


async def menu(talk: Talk) -> object:
    return await talk.call.ask_choice(MENU, "12")


async def number(talk: Talk) -> object:
    return await talk.call.ask_digits(NUMBER)


async def short(talk: Talk) -> object:
    return await talk.call.ask_digits(NUMBER, most=4)


async def date(talk: Talk) -> object:
    return await talk.call.ask_digits(DATE, length=8)


async def confirm(talk: Talk) -> object:
    return await talk.call.confirm(Prompt.of("closed.callback"))


async def outcome(talk: Talk, asks: Asks) -> object:
    """What a question was answered with, or what was raised."""
    try:
        return await asks(talk)
    except EkcError as error:
        return type(error)


@pytest.fixture
def talk() -> Talk:
    return Talk.begin()


# --- the table of keys -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asks", "keys", "expected"),
    [
        (menu, "1", "1"),
        (menu, "2", "2"),
        (menu, "*1", "1"),
        (menu, "**2", "2"),
        (menu, "0", OperatorWanted),
        (menu, "*0", OperatorWanted),
        (menu, "91", "1"),
        (menu, "#91", "1"),
        (menu, "9#7", OperatorWanted),
        (menu, "9*#7", OperatorWanted),
        (confirm, "1", True),
        (confirm, "2", False),
        (confirm, "0", False),
        (confirm, "#", False),
        (confirm, "*1", True),
        (number, "123#", "123"),
        (number, "0123#", "0123"),
        (number, "100#", "100"),
        (number, "00#", "00"),
        (number, "12*34#", "34"),
        (number, "*34#", "34"),
        (number, "12*3*4#", "4"),
        (number, "**", OperatorWanted),
        (number, "12**", OperatorWanted),
        (number, "0#", OperatorWanted),
        (number, "5*0#", OperatorWanted),
        (number, "#5#", "5"),
        (number, "###", OperatorWanted),
        (number, "0*7#", "7"),
        (short, "1234#", "1234"),
        (short, "12345#77#", "77"),
        (short, "12345#123456#99999#", OperatorWanted),
        (date, "05032026", "05032026"),
        (date, "0503*06032026", "06032026"),
        (date, "0503#06032026", "06032026"),
        (date, "0#", OperatorWanted),
        (date, "05**", OperatorWanted),
        (date, "1#1#1#", OperatorWanted),
        (date, "*#1#1#", OperatorWanted),
    ],
)
@pytest.mark.parametrize("gap", [0.05, 2.5])
async def test_each_key_has_its_meaning_however_fast_it_is_typed(
    asks: Asks, keys: str, expected: object, gap: float
) -> None:
    talk = Talk.begin()
    talk.caller.presses(keys, gap=gap)
    assert await outcome(talk, asks) == expected


async def test_zero_is_a_choice_where_it_is_offered(talk: Talk) -> None:
    talk.caller.presses("0")
    assert await talk.call.ask_choice(MENU, "01") == "0"


async def test_a_wrong_key_is_told_so_and_the_question_comes_again(talk: Talk) -> None:
    talk.caller.presses("9", at=3)
    talk.caller.presses("1", at=8)
    await menu(talk)
    assert talk.channel.heard == ["status.menu", "no_match", "status.menu"]


async def test_a_star_repeats_the_menu_and_says_nothing_of_a_mistake(talk: Talk) -> None:
    talk.caller.presses("*", at=3)
    talk.caller.presses("1", at=6)
    await menu(talk)
    assert talk.channel.heard == ["status.menu", "status.menu"]


async def test_a_star_asks_for_the_digits_again(talk: Talk) -> None:
    talk.caller.presses("12*", at=3)
    talk.caller.presses("34#", at=7)
    assert await number(talk) == "34"
    assert talk.channel.heard == ["status.number", "status.number"]


async def test_two_stars_far_apart_clear_twice(talk: Talk) -> None:
    talk.caller.presses("*", at=3)
    talk.caller.presses("*7#", at=9.2)
    assert await number(talk) == "7"


async def test_the_third_wrong_answer_brings_an_operator_without_another_question(talk: Talk) -> None:
    for at in (3, 8, 13):
        talk.caller.presses("9", at=at)
    assert await outcome(talk, menu) is OperatorWanted
    assert talk.channel.heard == ["status.menu", "no_match", "status.menu", "no_match", "status.menu"]


async def test_an_empty_answer_and_one_too_long_are_wrong(talk: Talk) -> None:
    talk.caller.presses("#", at=3)
    talk.caller.presses("12345#", at=8)
    talk.caller.presses("7#", at=13)
    assert await short(talk) == "7"
    assert talk.channel.heard.count("no_match") == 2


# --- prompts and keys ------------------------------------------------------------------------------


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


# --- silence (§19) ---------------------------------------------------------------------------------


def moments(talk: Talk, id_: str) -> list[float]:
    return [round(at, 2) for at, sound in talk.times if sound == id_]  # type: ignore[attr-defined]


@pytest.fixture
def timed(talk: Talk) -> Talk:
    """A talk that knows when each prompt began."""
    talk.times = []  # type: ignore[attr-defined]
    hears = talk.caller.hears

    def noted(sound: str) -> None:
        talk.times.append((talk.clock.monotonic(), sound))  # type: ignore[attr-defined]
        hears(sound)

    talk.caller.hears = noted  # type: ignore[method-assign]
    return talk


@pytest.mark.parametrize("asks", [menu, number, date, confirm])
async def test_reminders_come_at_12_25_and_40_seconds_after_the_question_and_goodbye_after_60(
    timed: Talk, asks: Asks
) -> None:
    assert await outcome(timed, asks) is CallerSilent
    assert moments(timed, "silence.reminder") == [14.0, 27.0, 42.0]  # the question lasts 2 s
    assert timed.clock.monotonic() == pytest.approx(62, abs=0.01)
    assert timed.clock.monotonic() > 62


async def test_reminders_scale_with_the_limit(timed: Talk) -> None:
    timed.channel.lasting = 0.1
    short_patience = Talk(timed.clock, timed.channel, timed.prompts, Patience(silence=6.0))
    assert await outcome(short_patience, menu) is CallerSilent
    assert moments(timed, "silence.reminder") == [1.3, 2.6, 4.1]
    assert timed.clock.monotonic() == pytest.approx(6.1, abs=0.01)


@pytest.mark.parametrize(("at", "expected"), [(62.0, "1"), (62.1, CallerSilent)])
async def test_exactly_sixty_seconds_are_not_yet_over(talk: Talk, at: float, expected: object) -> None:
    talk.caller.presses("1", at=at)
    assert await outcome(talk, menu) == expected


async def test_a_key_starts_the_clock_anew_and_so_does_a_wrong_one(timed: Talk) -> None:
    timed.caller.presses("9", at=61)
    assert await outcome(timed, menu) is CallerSilent
    assert timed.clock.monotonic() == pytest.approx(61 + 2 + 2 + 60, abs=0.01)  # no_match, the question


@pytest.mark.parametrize("reminder", [1, 2, 3])
async def test_a_key_during_a_reminder_counts(talk: Talk, reminder: int) -> None:
    talk.caller.presses("1", on="silence.reminder", after=0.5, hearing=reminder)
    assert await menu(talk) == "1"


async def test_reminders_among_digits_offer_the_operator_by_two_stars(talk: Talk) -> None:
    assert await outcome(talk, number) is CallerSilent
    assert talk.prompts.said("silence.reminder").values["digits"] is True


async def test_a_reminder_longer_than_what_is_left_does_not_hold_up_the_end(talk: Talk) -> None:
    talk.channel.durations["silence.reminder"] = 30
    assert await outcome(talk, menu) is CallerSilent
    assert talk.channel.heard.count("silence.reminder") == 2


async def test_who_never_pressed_anything_is_known(talk: Talk) -> None:
    assert await outcome(talk, menu) is CallerSilent
    assert not talk.call.pressed_anything
    talk.caller.presses("9", at=talk.clock.monotonic())
    assert await outcome(talk, menu) is CallerSilent
    assert talk.call.pressed_anything


# --- pauses between digits -------------------------------------------------------------------------


async def test_after_six_seconds_the_caller_is_told_to_go_on_and_the_digits_are_kept(timed: Talk) -> None:
    timed.caller.presses("12", at=3, gap=1)
    timed.caller.presses("34#", at=13)
    assert await number(timed) == "1234"
    assert moments(timed, "no_input") == [10.0]


async def test_a_key_during_the_encouragement_is_the_next_digit(talk: Talk) -> None:
    talk.caller.presses("1", at=3)
    talk.caller.presses("2#", on="no_input", after=0.3)
    assert await number(talk) == "12"


async def test_each_pause_is_encouraged(talk: Talk) -> None:
    talk.caller.presses("123#", at=3, gap=7)
    assert await number(talk) == "123"
    assert talk.channel.heard.count("no_input") == 3


async def test_after_the_encouragement_the_silence_limit_still_ends_the_call(timed: Talk) -> None:
    timed.caller.presses("12", at=3, gap=1)
    assert await outcome(timed, number) is CallerSilent
    assert moments(timed, "no_input") == [10.0]
    assert moments(timed, "silence.reminder") == [16.0, 29.0, 44.0]
    assert timed.clock.monotonic() == pytest.approx(64, abs=0.01)


async def test_with_a_limit_below_the_pause_there_is_no_encouragement(talk: Talk) -> None:
    talk = Talk.begin(patience=Patience(silence=3.0))
    talk.channel.lasting = 0.1
    talk.caller.presses("1", at=0.2)
    assert await outcome(talk, number) is CallerSilent
    assert "no_input" not in talk.channel.heard
    assert talk.clock.monotonic() == pytest.approx(3.2, abs=0.01)


@pytest.mark.parametrize("asks", [number, date])
async def test_a_lone_zero_and_six_seconds_are_the_operator(talk: Talk, asks: Asks) -> None:
    talk.caller.presses("0", at=3)
    assert await outcome(talk, asks) is OperatorWanted
    assert talk.clock.monotonic() == pytest.approx(9, abs=0.01)
    assert "no_input" not in talk.channel.heard


async def test_a_zero_with_a_digit_within_six_seconds_is_a_digit(talk: Talk) -> None:
    talk.caller.presses("05#", at=3, gap=5.9)
    assert await number(talk) == "05"


# --- offers ----------------------------------------------------------------------------------------


async def offer(talk: Talk) -> bool:
    return await talk.call.offer(READBACK, seconds=3)


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


# --- work while keys are read ----------------------------------------------------------------------


async def after(talk: Talk, seconds: float, result: object = "done") -> object:
    await talk.clock.sleep(seconds)
    if isinstance(result, Exception):
        raise result
    return result


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


# --- personal prompts ------------------------------------------------------------------------------


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


# --- what is told, and the end ---------------------------------------------------------------------


async def test_no_digit_of_an_answer_is_ever_told(talk: Talk) -> None:
    talk.caller.presses("4815*16234200#", gap=0.2)
    talk.caller.presses("99", at=10)
    await talk.call.ask_digits(CODE)
    assert await outcome(talk, menu) is CallerSilent
    assert not any(character.isdigit() for event in talk.told for character in "".join(event))
    assert ("key", "code", "cleared") in talk.told
    assert ("key", "code", "answered") in talk.told


async def test_a_menu_key_is_told(talk: Talk) -> None:
    talk.caller.presses("1", at=3)
    await menu(talk)
    assert talk.told == [
        ("prompt", "status.menu", "played"),
        ("key", "status.menu", "1"),
        ("ask", "status.menu", "answered"),
    ]


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda talk: talk.caller.leaves(at=5), "hangup"),
        (lambda talk: talk.caller.presses("0", at=5), "operator"),
        (lambda talk: None, "silence"),
    ],
)
async def test_how_a_question_ended_is_told(
    talk: Talk, prepare: Callable[[Talk], None], expected: str
) -> None:
    prepare(talk)
    await outcome(talk, menu)
    assert talk.told[-1] == ("ask", "status.menu", expected)


@pytest.mark.parametrize("asks", [menu, number, date, confirm, offer])
@pytest.mark.parametrize("at", [0.0, 1.0, 2.0, 3.0])
async def test_hanging_up_ends_every_question(talk: Talk, asks: Asks, at: float) -> None:
    talk.caller.leaves(at=at)
    assert await outcome(talk, asks) is CallerHungUp


async def test_the_card_travels_with_the_caller_into_the_queue(talk: Talk) -> None:
    talk.call.enquiry = "01ABC"
    await talk.call.enqueue("szn-1", priority=2)
    assert talk.channel.handed_over == ("szn-1", 2, "01ABC")
    assert talk.told == [("queue", "szn-1", "asked")]


async def test_finish_gives_the_channel_back_to_the_dialplan(talk: Talk) -> None:
    await talk.call.answer()
    await talk.call.set_variable("EKC_X", "1")
    assert await talk.call.get_variable("EKC_X") == "1"
    await talk.call.finish()
    assert (talk.channel.answered, talk.channel.finished) == (True, True)
