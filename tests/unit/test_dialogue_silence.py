"""The silence clock (§19) and pauses between digits, on a virtual clock."""

from __future__ import annotations

import pytest

from ivr.domain.errors import CallerSilent, OperatorWanted
from ivr.patience import Patience
from ivr.testing import Talk
from tests.unit.talking import (
    Asks,
    confirm,
    date,
    menu,
    number,
    outcome,
)


@pytest.fixture
def talk() -> Talk:
    return Talk.begin()


# --- silence (§19) -------------------------------------------------------------------------------


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


# --- pauses between digits -----------------------------------------------------------------------


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
