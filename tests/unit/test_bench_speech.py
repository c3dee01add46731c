"""What the bench of callers who speak calculates."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from bench.report import Report
from bench.speech_errors import MEASURED, OPERATOR, Counts, Question, Taken, questions, taken
from bench.speech_load import OVERDUE_FRAMES, PATIENCE_FRAMES, Caller, Line, Outcome
from bench.speech_report import (
    ALONE,
    BY_KEYS,
    FULL,
    PROCESS,
    Found,
    Streams,
    Waits,
    calls_report,
    memory_rows,
    most_in_time,
    row,
    targets,
)
from bench.voices import Utterance, a_law_codes, end_of, frames_of
from ivr.ports import Grammar, Heard
from tests.harness.rtp import ALAW_TABLE

QUESTIONS = {question.name: question for question in questions()}


def streams(late: float = 0.01, *, words: int = 10, lost: int = 0, cpu_pct: float = 10.0) -> Streams:
    outcome = Outcome(after_word=[0.8 + late] * words, late=[late] * words, lags=[0.001, 0.002], lost=lost)
    return Streams(outcome=outcome, cpu_pct=cpu_pct)


def heard(*texts: str, score: int = 100) -> list[Heard]:
    return [Heard(text=text, score=score) for text in texts]


# --- streams ---


def test_a_row_tells_waits_and_how_many_streams_a_core_carries() -> None:
    told = row(PROCESS, 20, [streams(0.01, cpu_pct=8), streams(0.03, cpu_pct=12)])
    assert (told["words"], told["word_p50_ms"], told["late_p99_ms"]) == (20, 810.0, 30.0)
    assert (told["cpu_pct"], told["by_cpu"], told["failed"]) == (10.0, 200, False)


def test_one_lost_word_fails_a_row_and_nothing_understood_leaves_it_without_figures() -> None:
    assert row(PROCESS, 20, [streams(lost=1)])["failed"]
    nothing = row(PROCESS, 20, [streams(words=0)])
    assert nothing["failed"] and nothing["word_p50_ms"] is None


def test_the_most_streams_are_those_that_were_in_time_in_every_round() -> None:
    found: Found = {
        (PROCESS, 20): [streams(), streams()],
        (PROCESS, 100): [streams(), streams()],
        (PROCESS, 200): [streams(), streams(0.2)],
        (PROCESS, 300): [streams(lost=1)],
    }
    assert most_in_time(found, PROCESS) == 100
    assert [target.met for target in targets(found)] == [True, True]
    assert most_in_time({(PROCESS, 20): [streams(0.5)]}, PROCESS) is None
    assert [target.met for target in targets({})] == [False, False]


@pytest.mark.parametrize(("late", "lost", "words"), [(2.0, 0, 10), (0.0, 1, 10), (0.0, 0, 0)])
def test_more_callers_are_not_tried_when_it_was_far_too_much(late: float, lost: int, words: int) -> None:
    assert streams(late, lost=lost, words=words).too_much
    assert not streams(0.5).too_much


def test_memory_is_told_for_each_stream_beyond_none() -> None:
    rows = memory_rows({0: 40.0, 10: 50.0})
    assert [r["KB a stream"] for r in rows] == [None, 1024]


# --- calls ---


def calls(before: float, full: float) -> Report:
    return calls_report(
        {
            (BY_KEYS, ALONE): Waits(seconds=(before, before), failures={}),
            (BY_KEYS, FULL): Waits(seconds=(full, full), failures={}),
        }
    )


def test_dead_air_with_a_full_pool_is_compared_with_that_before() -> None:
    report = calls(0.3, 0.325)
    assert [row["more_p99_ms"] for row in report.tables[0].rows] == [None, 25.0]
    assert [(target.wanted, target.met) for target in report.targets] == [("≤ 30 ms", True)] * 2


@pytest.mark.parametrize(("full", "met"), [(0.0022, True), (0.0023, False)])
def test_no_more_than_a_tenth_is_allowed_however_little_that_is(full: float, met: bool) -> None:
    assert [target.met for target in calls(0.002, full).targets] == [met, met]


def test_callers_who_heard_nothing_fail_and_miss_the_target() -> None:
    before, full = Waits(seconds=(0.1,), failures={}), Waits(seconds=(), failures={"no prompt": 3})
    report = calls_report({(BY_KEYS, ALONE): before, (BY_KEYS, FULL): full})
    assert report.tables[0].rows[1]["note"] == "failed: no prompt (3)"
    assert [target.met for target in report.targets] == [False, False]


# --- errors ---


def test_every_measured_question_is_one_of_the_lines() -> None:
    assert set(QUESTIONS) == {*MEASURED, OPERATOR}


@pytest.mark.parametrize(
    ("name", "turns", "answer"),
    [
        ("yes/no", ["да"], "1"),
        ("menu", ["консультация"], "3"),
        ("menu", ["[unk]"], None),
        ("menu", ["[unk]", "консультация"], None),
        ("menu", ["соедините с оператором"], OPERATOR),
        (
            "SNILS",
            ["сто двенадцать двести тридцать три", "четыреста сорок пять девяносто пять"],
            "11223344595",
        ),
        ("SNILS", ["сто двенадцать"], None),
        ("receipt's number", ["сорок пять", "ноль семь"], "4507"),
        ("date", ["пятого марта"], "05032026"),
    ],
)
def test_turns_are_taken_as_in_a_call(name: str, turns: list[str], answer: str | None) -> None:
    assert taken(QUESTIONS[name].spoken, heard(*turns)).answer == answer


def test_the_least_sure_turn_counts() -> None:
    turns = [*heard("сорок пять", score=90), *heard("ноль семь", score=40)]
    assert taken(QUESTIONS["receipt's number"].spoken, turns) == Taken(answer="4507", score=40)


def counted(question: Question, text: str, turns: list[Heard]) -> dict[str, object]:
    counts = Counts(confidence=50)
    counts.add(question, text, turns)
    return counts.percent()


def test_an_answer_is_right_or_asked_again_or_wrong() -> None:
    menu = QUESTIONS["menu"]
    assert counted(menu, "консультация", heard("консультация"))["right"] == 100
    assert counted(menu, "консультация", heard("[unk]"))["again"] == 100
    wrong = counted(menu, "консультация", heard("выплаты"))
    assert (wrong["wrong"], wrong["words_wrong"], wrong["said_back"]) == (100, 100, 0)


def test_a_doubtful_wrong_answer_is_said_back_and_asked_again() -> None:
    told = counted(QUESTIONS["menu"], "консультация", heard("выплаты", score=49))
    assert (told["wrong"], told["again"], told["said_back"]) == (0, 100, 100)


def test_check_digits_reject_a_misheard_snils() -> None:
    said = "сто двенадцать, двести тридцать три, четыреста сорок пять, девяносто пять"
    told = counted(QUESTIONS["SNILS"], said, heard(said.replace(",", "").replace("сорок", "тридцать")))
    assert (told["again"], told["said_back"]) == (100, 0)


def test_other_words_count_when_they_are_taken_for_an_answer_and_nobody_asks() -> None:
    counts = Counts(confidence=50)
    menu = QUESTIONS["menu"]
    for turns in (heard("[unk]"), heard("выплаты", score=49), heard("выплаты"), heard("оператор")):
        counts.add_other(menu, turns)
    assert counts.percent()["others"] == 25


def test_every_question_has_something_to_say_to_it() -> None:
    chance = Random(1)
    for question in QUESTIONS.values():
        for _ in range(20):
            text = question.text(chance).replace(",", "")
            assert taken(question.spoken, heard(text)).answer is not None, (question.name, text)


# --- who speaks ---


class Slow:
    """A recogniser that says nothing until it is asked to."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def open(self, on_heard: Callable[[Heard], None]) -> None:
        self.answer = on_heard

    def listen(self, _stream: object, grammar: str) -> bool:
        self.heard = []
        return grammar == "menu"

    def feed(self, _stream: object, sound: bytes) -> None:
        self.heard.append(sound)

    def close(self, _stream: object) -> None: ...


@pytest.fixture
async def caller() -> tuple[Caller, Slow, Outcome]:
    utterance = Utterance(text="да", samples=np.full(480, 7, np.int16), end=480)
    line = Line(utterance=utterance, grammar=Grammar(name="menu", phrases=("да",)), frames=30)
    ears, outcome = Slow(), Outcome()
    return Caller(ears, [line], outcome, Random(1)), ears, outcome


def step(caller: Caller, ears: Slow, packets: int) -> None:
    """Until so many packets of the next line have been said."""
    while not (ears.heard and len(ears.heard) >= packets):
        caller.step(0.0)


async def test_a_caller_says_a_line_and_then_is_quiet(caller: tuple[Caller, Slow, Outcome]) -> None:
    one, ears, outcome = caller
    step(one, ears, 10)
    assert [len(set(frame)) for frame in ears.heard] == [2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    ears.answer(Heard(text=Heard.BEGUN, score=0))
    assert not outcome.after_word
    ears.answer(Heard(text="да", score=100))
    assert (len(outcome.after_word), len(outcome.late), outcome.lost) == (1, 1, 0)


async def test_what_is_not_understood_is_lost(caller: tuple[Caller, Slow, Outcome]) -> None:
    one, ears, outcome = caller
    step(one, ears, 10)
    ears.answer(Heard(text="[unk]", score=0))
    assert (outcome.late, outcome.lost) == ([], 1)


async def test_a_recogniser_that_is_a_second_late_is_overdue(caller: tuple[Caller, Slow, Outcome]) -> None:
    one, ears, outcome = caller
    step(one, ears, 30 + OVERDUE_FRAMES)
    assert not one.overdue
    one.step(0.0)
    assert one.overdue
    step(one, ears, 3 + PATIENCE_FRAMES)
    one.step(0.0)
    assert outcome.lost == 1


# --- sound ---


def test_a_law_keeps_what_it_can_say() -> None:
    values = np.array([*ALAW_TABLE], np.int16)
    assert [ALAW_TABLE[code] for code in a_law_codes(values)] == [*ALAW_TABLE]


def test_the_end_of_a_word_is_its_last_loud_sample_and_frames_are_whole() -> None:
    samples = np.array([0, 0, 1000, -900, 3, 0], np.int16)
    assert end_of(samples) == 4
    assert frames_of(samples) == (samples.tobytes() + bytes(2 * 154),)
    with pytest.raises(ValueError, match="nothing to hear"):
        end_of(np.zeros(3, np.int16))
