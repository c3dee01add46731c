"""The verbs of a call: what each key means and what is told of it (interface.md, On the telephone)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ivr.domain.errors import CallerHungUp, CallerSilent, NotUnderstood, OperatorWanted
from ivr.ports import Prompt, Question
from ivr.testing import Talk
from tests.unit.talking import (
    CODE,
    MENU,
    Asks,
    confirm,
    date,
    menu,
    number,
    offer,
    outcome,
    question,
    short,
)


@pytest.fixture
def talk() -> Talk:
    return Talk.begin()


# --- the table of keys ---------------------------------------------------------------------------


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
        (question, "1", "1"),
        (question, "*2", "2"),
        (question, "*0", OperatorWanted),
        (question, "9#7", OperatorWanted),
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


async def test_a_question_may_have_its_own_words_and_its_own_number_of_tries(talk: Talk) -> None:
    question = Question(prompt=MENU, keys="12", again=Prompt.of("snils.bad"), tries=2)
    for key, at in (("9", 3), ("*", 6), ("8", 9)):
        talk.caller.presses(key, at=at)
    assert await outcome(talk, lambda talk: talk.call.ask(question)) is NotUnderstood
    assert talk.channel.heard == ["status.menu", "snils.bad", "status.menu"]
    assert talk.told[-1] == ("ask", "status.menu", "unclear")


async def test_an_empty_answer_and_one_too_long_are_wrong(talk: Talk) -> None:
    talk.caller.presses("#", at=3)
    talk.caller.presses("12345#", at=8)
    talk.caller.presses("7#", at=13)
    assert await short(talk) == "7"
    assert talk.channel.heard.count("no_match") == 2


# --- what is told, and the end -------------------------------------------------------------------


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
