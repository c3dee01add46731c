"""Whatever a caller presses, and whenever: every conversation ends, and haste changes no answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.domain.errors import CallerHungUp, CallerSilent, EkcError, OperatorWanted
from ivr.ports import KEYS, Prompt
from ivr.testing import Talk

MENU, NUMBER = Prompt.of("status.menu"), Prompt.of("status.number")
DATE, READBACK = Prompt.of("status.date"), Prompt.of("snils.readback", snils="11223344595")
ENDS = (CallerHungUp, CallerSilent, OperatorWanted)

pauses = st.one_of(st.floats(0, 0.2), st.floats(0, 8), st.floats(0, 90))
presses = st.lists(st.tuples(pauses, st.sampled_from(KEYS)), max_size=60)
questions = st.lists(
    st.sampled_from(["menu", "number", "date", "confirm", "offer", "say", "whole", "work"]), max_size=8
)


async def ask(talk: Talk, question: str) -> object:
    call = talk.call
    match question:
        case "menu":
            return await call.ask_choice(MENU, "12")
        case "number":
            return await call.ask_digits(NUMBER, most=5)
        case "date":
            return await call.ask_digits(DATE, length=8)
        case "confirm":
            return await call.confirm(MENU)
        case "offer":
            return await call.offer(READBACK, seconds=3)
        case "work":
            return await call.during(talk.clock.sleep(1.7), notice=Prompt.of("checking"))
        case _:
            return await call.say(Prompt.of("connecting"), whole=question == "whole")


async def conversation(talk: Talk, asked: list[str]) -> list[object]:
    """The answers, and what ended them early."""
    answers: list[object] = []
    try:
        for question in asked:
            answers.append(await ask(talk, question))
    except EkcError as error:
        answers.append(type(error))
    return answers


def fits(question: str, answer: object) -> bool:
    match question:
        case "menu":
            return answer in ("1", "2")
        case "number":
            return isinstance(answer, str) and answer.isdigit() and len(answer) <= 5
        case "date":
            return isinstance(answer, str) and answer.isdigit() and len(answer) == 8
        case "confirm" | "offer":
            return isinstance(answer, bool)
        case _:
            return answer is None


@settings(deadline=None)
@given(questions, presses, st.none() | st.floats(0, 300))
def test_any_keys_and_pauses_end_in_answers_of_the_right_form_or_one_of_three_ends(
    asked: list[str], pressed: list[tuple[float, str]], leaves: float | None
) -> None:
    talk, at = Talk.begin(), 0.0
    for pause, key in pressed:
        at += pause
        talk.caller.presses(key, at=at)
    if leaves is not None:
        talk.caller.leaves(at=leaves)
    answers = asyncio.run(conversation(talk, asked))
    ended = bool(answers) and answers[-1] in ENDS
    for question, answer in zip(asked, answers[: -1 if ended else None], strict=False):
        assert fits(question, answer)
    assert ended or len(answers) == len(asked)
    assert talk.prompts.private == set()
    assert talk.clock.monotonic() <= at + len(asked) * 130 + 60


ANSWERS = {
    "menu": st.sampled_from(["1", "2", "*1", "71", "*82"]),
    "number": st.from_regex(
        r"[1-9][0-9]{0,4}#|[1-9]\*[1-9][0-9]{2}#|[1-9]{6}#[1-9]#|##[0-9]{2}#", fullmatch=True
    ),
    "date": st.from_regex(r"[0-9]{8}#?|[0-9]{1,7}\*[0-9]{8}|[1-9]{3}#[0-9]{8}", fullmatch=True),
    "confirm": st.sampled_from(["1", "2", "*1", "0"]),
    "offer": st.just(""),
    "work": st.just(""),
    "say": st.just(""),
}


@st.composite
def scripts(draw: st.DrawFn) -> tuple[list[str], str]:
    """Questions, and keys that answer them, mistakes and corrections among them."""
    asked = draw(st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=6))
    return asked, "".join(draw(ANSWERS[question]) for question in asked)


@settings(deadline=None)
@given(scripts(), st.data())
def test_keys_typed_ahead_in_any_timing_give_the_answers_of_keys_typed_slowly(
    script: tuple[list[str], str], data: st.DataObject
) -> None:
    asked, keys = script
    pause = st.floats(0.001, 2.9)
    results = []
    for timing in (st.just(2.5), st.just(0.0), pause):
        talk, at = Talk.begin(), 0.0
        for key in keys:
            at += data.draw(timing)
            talk.caller.presses(key, at=at)
        results.append(asyncio.run(conversation(talk, asked)))
    slow, *hasty = results
    assert all(answers == slow for answers in hasty)


class Counted:
    """A channel that counts the event loop's turns from the end of a command to the next command."""

    def __init__(self, talk: Talk) -> None:
        self._channel = talk.channel
        self.turn = 0
        self.gaps: list[int] = []
        self._ended: int | None = None

    def tick(self) -> None:
        self.turn += 1
        self._next = asyncio.get_running_loop().call_soon(self.tick)

    def stop(self) -> None:
        self._next.cancel()

    @property
    def id(self) -> str:
        return self._channel.id

    async def play(self, audio: Path, *, stop_on: str = KEYS) -> str | None:
        self._begins()
        try:
            return await self._channel.play(audio, stop_on=stop_on)
        finally:
            self._ended = self.turn

    async def wait_key(self, seconds: float) -> str | None:
        self._begins()
        try:
            return await self._channel.wait_key(seconds)
        finally:
            self._ended = self.turn

    def _begins(self) -> None:
        if self._ended is not None:
            self.gaps.append(self.turn - self._ended)


@settings(deadline=None)
@given(questions, presses)
def test_between_two_commands_there_is_never_more_than_a_turn_of_the_event_loop(
    asked: list[str], pressed: list[tuple[float, str]]
) -> None:
    talk, at = Talk.begin(), 0.0
    for pause, key in pressed:
        at += pause
        talk.caller.presses(key, at=at)

    async def run() -> list[int]:
        counted = Counted(talk)
        talk.call = talk.over(counted)  # type: ignore[arg-type]  # only what asking needs
        counted.tick()
        await conversation(talk, asked)
        counted.stop()
        return counted.gaps

    assert max(asyncio.run(run()), default=0) <= 2
