"""Questions that may be answered by voice: what is listened for, understood, said back, and given up."""

from __future__ import annotations

from datetime import date

import pytest

from ivr import grammars
from ivr.domain.errors import CallerHungUp, CallerSilent, NotUnderstood, OperatorWanted
from ivr.domain.snils import GROUP_SIZES, is_valid
from ivr.hearing import Hearing
from ivr.patience import Patience
from ivr.ports import Keyed, Prompt, Question, Said, Spoken
from ivr.testing import FakeRecogniser, Talk
from tests.unit.talking import CODE, READBACK, outcome

STATUS = Prompt.of("menu")
SNILS, NUMBER, DATE = Prompt.of("snils"), Prompt.of("status.number"), Prompt.of("status.date")
MENU = Question(
    prompt=STATUS,
    keys="123",
    spoken=grammars.choice("menu", STATUS.voiced, {"1": ("статус",), "2": ("выплаты",), "3": ()}),
)
SNILS_SAID = "сто двенадцать двести тридцать три четыреста сорок пять девяносто пять"


class Counted:
    """Hearing whose counts are seen."""

    def __init__(self, **how: int) -> None:
        self.recogniser = FakeRecogniser(**how)
        self.turns: list[tuple[str, str]] = []
        self.hearing = Hearing(
            recogniser=self.recogniser, count=lambda grammar, result: self.turns.append((grammar, result))
        )


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def talk(counted: Counted) -> Talk:
    return Talk.begin(hearing=counted.hearing)


async def menu(talk: Talk) -> object:
    answer = await talk.call.ask(MENU)
    return answer.key if isinstance(answer, Keyed) else answer.answer


async def snils(talk: Talk) -> object:
    spoken = grammars.number(SNILS.voiced, length=11, told_back=False, sizes=GROUP_SIZES, fits=is_valid)
    return await talk.call.ask_digits(SNILS, length=11, spoken=spoken)


async def number(talk: Talk) -> object:
    return await talk.call.ask_digits(NUMBER, spoken=grammars.number(NUMBER.voiced))


async def day(talk: Talk) -> object:
    spoken = grammars.day(DATE.voiced, today=date(2026, 11, 24))
    return await talk.call.ask_digits(DATE, length=8, spoken=spoken)


def speech(talk: Talk) -> list[tuple[str, str]]:
    return [(id_, how) for kind, id_, how in talk.told if kind == "speech"]


# --- a menu ---


@pytest.mark.parametrize(
    ("words", "key"),
    [("статус", "1"), ("узнать статус", "1"), ("выплаты", "2"), ("один", "1"), ("три", "3")],
)
async def test_words_are_answers_as_keys_are(talk: Talk, words: str, key: str) -> None:
    talk.caller.says(words, on="menu.voice", after=1)
    assert await menu(talk) == key
    assert talk.channel.expected == ["menu"]
    assert speech(talk) == [("menu", "recognised")]


async def test_a_voice_cuts_the_prompt_short_when_it_begins(talk: Talk) -> None:
    talk.channel.durations["menu.voice"] = 20
    talk.caller.says("статус", at=3, lasting=1)
    assert await menu(talk) == "1"
    assert talk.clock.monotonic() == pytest.approx(4, abs=0.1)
    assert ("prompt", "menu.voice", "interrupted") in talk.told


async def test_a_key_in_the_middle_of_a_word_wins(talk: Talk) -> None:
    talk.caller.says("статус", at=3, lasting=2)
    talk.caller.presses("2", at=4)
    assert await menu(talk) == "2"
    assert speech(talk) == []


async def test_without_a_free_stream_keys_alone_are_asked_for(counted: Counted) -> None:
    counted.recogniser.free = 0
    talk = Talk.begin(hearing=counted.hearing)
    talk.caller.presses("1", at=3)
    await talk.call.answer()
    assert await menu(talk) == "1"
    assert talk.channel.heard == ["menu"] and talk.channel.expected == []


async def test_a_stream_is_given_back_once(counted: Counted) -> None:
    talk = Talk.begin(hearing=counted.hearing)
    await talk.call.answer()
    assert counted.recogniser.free == 1
    for _ in range(2):
        talk.call.close()
    assert counted.recogniser.free == 2


async def test_a_recogniser_that_refuses_leaves_keys(talk: Talk, counted: Counted) -> None:
    talk.channel.ears = False
    talk.caller.presses("1", at=3)
    await talk.call.answer()
    assert await menu(talk) == "1"
    assert talk.channel.heard == ["menu"] and counted.recogniser.free == 2


async def test_a_recogniser_that_is_gone_is_noticed_at_the_next_question_or_reminder(talk: Talk) -> None:
    talk.caller.says("выплаты", on="menu.voice", after=1)
    await menu(talk)
    talk.channel.ears = False
    talk.caller.presses("1", on="silence.reminder", after=1)
    assert await menu(talk) == "1"
    assert talk.channel.heard[-2:] == ["menu", "silence.reminder"]


@pytest.mark.parametrize("typed", ["1", "2"])
async def test_keys_typed_ahead_spare_the_question_and_the_recogniser(talk: Talk, typed: str) -> None:
    talk.caller.presses(typed, on="greeting", after=1)
    await talk.call.answer()
    await talk.call.say(Prompt.of("greeting", recording=False))
    assert await menu(talk) == typed
    assert talk.channel.expected == []


# --- what is not understood ---


async def test_unknown_words_are_asked_again_and_after_the_second_time_keys_alone_are_left(
    talk: Talk, counted: Counted
) -> None:
    talk.caller.says("[unk]", on="menu.voice", after=1)
    talk.caller.says("[unk] [unk]", on="menu.voice", after=1, hearing=2)
    talk.caller.presses("1", on="menu", after=3)
    assert await menu(talk) == "1"
    assert talk.channel.heard == ["menu.voice", "speech.again", "menu.voice", "speech.keys_only", "menu"]
    assert counted.turns == [("menu", "failed")] * 2
    talk.caller.presses("2", on="menu", after=1, hearing=2)
    assert await menu(talk) == "2"
    assert talk.channel.heard[-1] == "menu", "said once, and nobody listens to words any more"


async def test_an_operator_is_understood_after_that_and_nothing_else_is(talk: Talk) -> None:
    for n in (1, 2):
        talk.caller.says("[unk]", on="menu.voice", after=1, hearing=n)
    talk.caller.says("статус", on="menu", after=1)
    talk.caller.says("оператор", on="menu", after=1, hearing=2)
    assert await outcome(talk, menu) is OperatorWanted
    assert talk.channel.expected == ["menu", "menu", "operator", "operator"]


async def test_an_answer_forgives_what_was_not_understood_before(talk: Talk) -> None:
    for n in (1, 3):
        talk.caller.says("[unk]", on="menu.voice", after=1, hearing=n)
        talk.caller.says("статус", on="menu.voice", after=1, hearing=n + 1)
        assert await menu(talk) == "1"
    assert "speech.keys_only" not in talk.channel.heard


async def test_an_answer_that_was_lost_is_asked_for_again(talk: Talk, counted: Counted) -> None:
    talk.caller.says("", on="menu.voice", after=1)
    talk.caller.says("статус", on="menu.voice", after=1, hearing=2)
    assert await menu(talk) == "1"
    assert counted.turns == [("menu", "lost"), ("menu", "recognised")]


async def test_a_question_says_its_own_words_to_who_was_not_understood(talk: Talk) -> None:
    spoken = grammars.choice("x", STATUS.voiced, {"1": ("статус",)})
    question = Question(
        prompt=STATUS,
        keys="1",
        tries=2,
        again=Prompt.of("snils.bad"),
        spoken=Spoken(
            grammar=spoken.grammar, understand=spoken.understand, prompt=STATUS.voiced, again=SNILS.voiced
        ),
    )
    talk.caller.says("[unk]", on="menu.voice", after=1)
    talk.caller.says("[unk]", on="snils.voice", after=1)
    assert await outcome(talk, lambda talk: talk.call.ask(question)) is NotUnderstood
    assert talk.channel.heard == ["menu.voice", "snils.voice"]


@pytest.mark.parametrize(("reply", "key"), [("да", "1"), ("верно", "1"), ("нет", None), ("[unk]", None)])
async def test_who_is_hardly_understood_is_asked_once_whether_it_is_right(
    talk: Talk, counted: Counted, reply: str, key: str | None
) -> None:
    talk.caller.says("статус", score=30, on="menu.voice", after=1)
    talk.caller.says(reply, score=10, on="speech.confirm.voice", after=1)
    talk.caller.presses("3", on="menu.voice", after=1, hearing=2)
    assert await menu(talk) == (key or "3")
    assert talk.prompts.said("speech.confirm.voice").values == {"heard": "статус"}
    assert counted.turns == [("menu", "unsure" if key else "failed")]


@pytest.mark.parametrize(("typed", "expected"), [("1", "1"), ("2", "3"), ("0", OperatorWanted)])
async def test_the_confirmation_may_be_typed(talk: Talk, typed: str, expected: object) -> None:
    talk.caller.says("статус", score=30, on="menu.voice", after=1)
    talk.caller.presses(typed, on="speech.confirm.voice", after=1)
    talk.caller.presses("3", on="menu.voice", after=1, hearing=2)
    assert await outcome(talk, menu) == expected


# --- at every question ---


@pytest.mark.parametrize("asks", [menu, snils, number, day])
async def test_an_operator_is_understood_everywhere(talk: Talk, asks: object) -> None:
    talk.caller.says("позовите оператора", at=1)
    assert await outcome(talk, asks) is OperatorWanted  # type: ignore[arg-type]


async def test_an_operator_is_understood_where_only_keys_are_answers(talk: Talk) -> None:
    talk.caller.says("оператор", on="document", after=1)
    assert await outcome(talk, lambda talk: talk.call.ask_digits(Prompt.of("document"))) is OperatorWanted
    assert talk.channel.expected == ["operator"]


async def test_nobody_listens_to_a_secret(talk: Talk) -> None:
    await menu_first(talk)
    talk.caller.says("оператор", on="code", after=1)
    talk.caller.presses("4815#", on="code", after=5)
    assert await talk.call.ask_digits(CODE, secret=True) == "4815"
    assert talk.channel.expected == ["menu"]


async def menu_first(talk: Talk) -> None:
    """Somebody who has spoken before."""
    talk.caller.says("статус", on="menu.voice", after=1)
    assert await menu(talk) == "1"


async def test_a_repetition_is_no_failure(talk: Talk) -> None:
    for n in (1, 2, 3):
        talk.caller.says("повторите", on="menu.voice", after=1, hearing=n)
    talk.caller.says("статус", on="menu.voice", after=1, hearing=4)
    assert await menu(talk) == "1"
    assert talk.channel.heard == ["menu.voice"] * 4


# --- silence ---


async def test_a_voice_moves_the_silence_clock_and_noise_does_not(counted: Counted) -> None:
    talk = Talk.begin(hearing=counted.hearing, patience=Patience(silence=20, reminders=False))
    talk.caller.says("[unk]", at=15)
    talk.caller.presses("1", at=31)
    assert await menu(talk) == "1"
    silent = Talk.begin(hearing=counted.hearing, patience=Patience(silence=20, reminders=False))
    assert await outcome(silent, menu) is CallerSilent
    assert 22 <= silent.clock.monotonic() <= 24


async def test_who_says_nothing_is_reminded_of_both_ways(talk: Talk) -> None:
    assert await outcome(talk, menu) is CallerSilent
    assert talk.channel.heard == ["menu.voice", *["silence.reminder.voice"] * 3]
    assert 62 <= talk.clock.monotonic() <= 64


async def test_a_hang_up_in_the_middle_of_a_word_is_one(talk: Talk) -> None:
    talk.caller.says("статус", at=1, lasting=3)
    talk.caller.leaves(at=2)
    assert await outcome(talk, menu) is CallerHungUp


# --- numbers and dates ---


async def test_a_snils_is_said_in_groups_with_pauses(talk: Talk) -> None:
    for n, group in enumerate(
        ("сто двенадцать", "двести тридцать три", "четыреста сорок пять", "девяносто пять")
    ):
        talk.caller.says(group, at=1 + 3 * n)
    assert await snils(talk) == "11223344595"
    assert talk.channel.heard == ["snils.voice"]


async def test_a_correction_takes_the_place_of_what_was_said(talk: Talk) -> None:
    talk.caller.says("сто двенадцать двести тридцать три четыреста сорок шесть", at=1)
    talk.caller.says("нет", at=4)
    talk.caller.says("пять девяносто пять", at=6)
    assert await snils(talk) == "11223344595"


async def test_who_stops_in_the_middle_is_asked_to_go_on_and_what_was_said_is_kept(talk: Talk) -> None:
    talk.caller.says("сто двенадцать двести тридцать три", at=1)
    talk.caller.says("четыреста сорок пять девяносто пять", on="no_input", after=1)
    assert await snils(talk) == "11223344595"


async def test_too_many_digits_are_no_answer(talk: Talk) -> None:
    talk.caller.says(f"{SNILS_SAID} семь", on="snils.voice", after=1)
    talk.caller.presses("11223344595", on="snils.voice", after=1, hearing=2)
    assert await snils(talk) == "11223344595"
    assert talk.channel.heard == ["snils.voice", "speech.again", "snils.voice"]


@pytest.mark.parametrize("end", ["двести тридцать восемь", "двести | тридцать восемь"])
async def test_a_snils_whose_last_groups_sound_like_one_is_told_by_its_check_digits(
    talk: Talk, end: str
) -> None:
    """156-700-200 38: «двести, тридцать восемь» is 238 as well, and that would be too short."""
    first, *rest = f"сто пятьдесят шесть семьсот {end}".split(" | ")
    talk.caller.says(first, on="snils.voice", after=1)
    for words in rest:
        talk.caller.says(words, at=3)
    assert await snils(talk) == "15670020038"
    assert talk.channel.heard == ["snils.voice"]


async def test_the_first_key_ends_the_listening(talk: Talk) -> None:
    talk.caller.presses("112", at=1)
    talk.caller.says("двести", at=3)
    talk.caller.presses("23344595", at=5)
    assert await snils(talk) == "11223344595"


async def test_a_number_of_any_length_is_said_back_when_nothing_more_is_said(talk: Talk) -> None:
    talk.caller.says("сто двадцать", at=1)
    talk.caller.says("сорок пять", at=2.5)
    talk.caller.says("да", on="speech.confirm.voice", after=1)
    assert await number(talk) == "12045"
    assert talk.prompts.said("speech.confirm.voice").values == {"heard": "12045"}


@pytest.mark.parametrize(
    ("turns", "digits"),
    [
        (["пятое марта две тысячи двадцать шестого года"], "05032026"),
        (["пятого третьего двадцать шестого"], "05032026"),
        (["пятого", "марта"], "05032026"),
        (["двадцать первое декабря"], "21122025"),
        (["пятое марта", "две тысячи двадцать пятого"], "05032025"),
    ],
)
async def test_a_date_is_typed_or_said(talk: Talk, turns: list[str], digits: str) -> None:
    for n, turn in enumerate(turns):
        talk.caller.says(turn, at=1 + 1.5 * n)
    assert await day(talk) == digits


# --- offers, yes and no ---


@pytest.mark.parametrize(("words", "discarded"), [("да", False), ("нет", True), ("неверно", True)])
async def test_an_offer_is_taken_or_discarded_by_voice(talk: Talk, words: str, discarded: bool) -> None:
    talk.caller.says(words, on="snils.readback.voice", after=1)
    assert await talk.call.offer(READBACK, seconds=3, spoken=READBACK.voiced) is discarded


async def test_silence_is_consent_and_a_key_is_the_next_answers(talk: Talk) -> None:
    assert not await talk.call.offer(READBACK, seconds=3, spoken=READBACK.voiced)
    talk.caller.presses("48#", on="snils.readback.voice", after=1, hearing=2)
    assert not await talk.call.offer(READBACK, seconds=3, spoken=READBACK.voiced)
    assert await talk.call.ask_digits(CODE, secret=True) == "48"


@pytest.mark.parametrize(("words", "yes"), [("да", True), ("нет", False), ("оператор", False)])
async def test_a_confirmation_is_said(talk: Talk, words: str, yes: bool) -> None:
    prompt = Prompt.of("closed.callback")
    talk.caller.says(words, on="closed.callback.voice", after=1)
    assert await talk.call.confirm(prompt, prompt.voiced) is yes


# --- what is told ---


async def test_no_word_of_an_answer_is_ever_told_or_counted(talk: Talk, counted: Counted) -> None:
    talk.caller.says(SNILS_SAID, on="snils.voice", after=1)
    talk.caller.says("сто двадцать", on="status.number.voice", after=1)
    talk.caller.says("да", on="speech.confirm.voice", after=1)
    await snils(talk)
    await number(talk)
    told = " ".join(" ".join(event) for event in talk.told) + str(counted.turns)
    assert not set(told) & set("0123456789") and "двенадцать" not in told and "двадцать" not in told


def test_what_is_listened_for_is_spelt_both_ways() -> None:
    spoken = grammars.choice("x", STATUS.voiced, {"1": ("ещё",)})
    assert {"ещё", "еще", "оператор"} <= set(grammars.with_common(spoken.grammar).phrases)
    assert spoken.understand(("еще",)) == Said(answer="1", words="ещё")
