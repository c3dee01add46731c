"""The channel that ships for tests and the real one over a socket: one caller, one contract for both.

On the socket the test plays Asterisk: it answers each AGI command with what the same scripted caller does,
on the same virtual clock.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ivr.domain.errors import BadInput, CallerHungUp, EkcError, Unavailable
from ivr.ports import Channel, Heard, Prompt
from ivr.testing import Talk
from tests.wire.asterisk import Asterisk, serving

MENU, MISSING = Path("/prompts/menu.wav"), Path("/prompts/missing.wav")
Step = Callable[[Channel], Awaitable[object]]
Run = Callable[[Talk, Callable[[Channel], Awaitable[None]]], Awaitable[None]]


class Switch:
    """Asterisk at the other end of a FastAGI connection, with a scripted caller on the line."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self._said_so = False

    async def serve(self, asterisk: Asterisk) -> None:
        """Answer commands until the server has had enough."""
        while command := await asterisk.hears():
            name, *arguments = _split(command)
            try:
                reply = self._alive(name, arguments)
            except CallerHungUp:
                reply = self._gone(name, arguments)
            asterisk.say(*reply)

    def _alive(self, name: str, arguments: list[str]) -> list[str]:
        channel = self.talk.channel
        if self.talk.caller.gone and name != "SET VARIABLE":
            raise CallerHungUp
        match name, arguments:
            case "ANSWER", []:
                return ["200 result=0"]
            case "STREAM FILE", [file, stops]:
                return self._plays(Path(file).name, stops)
            case "WAIT FOR DIGIT", [milliseconds]:
                key = self.talk.caller.next_key(int(milliseconds) / 1000)
                return [f"200 result={ord(key) if key else 0}"]
            case "GET VARIABLE", [variable]:
                value = channel.variables.get(variable)
                return ["200 result=0" if value is None else f"200 result=1 ({value})"]
            case "SET VARIABLE", [variable, value]:
                channel.variables[variable] = value
                return ["200 result=1"]
            case "EXEC", [application, *_]:
                known = application in channel.results
                return [f"200 result={channel.results[application] if known else -2}"]
            case "SPEECH CREATE", ["vosk"]:
                channel.listening = channel.ears
                return [f"200 result={int(channel.ears)}"]
            case "SPEECH SET", ["grammar", grammar]:
                known = channel.listening and channel.ears
                channel.expected += [grammar] * known
                return [f"200 result={int(known)}"]
            case "SPEECH RECOGNIZE", [file, seconds]:
                return [self._recognises(Path(file).name, int(seconds))]
            case "HANGUP", []:
                self.talk.caller.gone = True
                return ["200 result=1"]
        raise AssertionError(f"no such command: {name} {arguments}")

    def _plays(self, sound: str, stops: str) -> list[str]:
        channel = self.talk.channel
        if sound in channel.unplayable:
            return ["200 result=-1 endpos=0"]
        self.talk.caller.hears(sound)
        channel.heard.append(sound)
        ends = self.talk.clock.monotonic() + channel.durations.get(sound, channel.lasting)
        while True:
            key = self.talk.caller.next_key(ends - self.talk.clock.monotonic())
            if key is None or key in stops:
                return [f"200 result={ord(key) if key else 0} endpos=800"]

    def _recognises(self, sound: str, seconds: int) -> str:
        channel = self.talk.channel
        if not channel.listening:
            return "200 result=0"
        lasting = 0.0
        if sound != "silence":
            self.talk.caller.hears(sound)
            channel.heard.append(sound)
            lasting = channel.durations.get(sound, channel.lasting)
        match self.talk.caller.next_deed(lasting + seconds):
            case None:
                return "200 result=1 (timeout) endpos=0"
            case Heard(text=text, score=score):
                words = f'results=1 score0={score} text0="{text}" grammar0=menu'
                return f"200 result=1 (speech) endpos=0 {words}"
            case key:
                return f"200 result=1 (digit) digit={key} endpos=0"

    def _gone(self, name: str, arguments: list[str]) -> list[str]:
        """`HANGUP` comes once, beside the reply; later a dead channel refuses what it cannot do."""
        first, self._said_so = not self._said_so, True
        if first:
            return ["200 result=-1 endpos=0" if name == "STREAM FILE" else "200 result=-1", "HANGUP"]
        return ["511 Command Not Permitted on a dead channel or intercept routine"]


def _split(command: str) -> tuple[str, ...]:
    """`WAIT FOR DIGIT "30"` as (`WAIT FOR DIGIT`, `30`)."""
    name, quote, rest = command.partition(' "')
    return (name, *shlex.split(quote + rest))


async def on_the_fake(talk: Talk, handler: Callable[[Channel], Awaitable[None]]) -> None:
    await handler(talk.channel)


async def on_the_socket(talk: Talk, handler: Callable[[Channel], Awaitable[None]]) -> None:
    async with serving({"line": handler}) as server:
        asterisk = await Asterisk.call(server.port)
        await Switch(talk).serve(asterisk)
        await asterisk.close()


@pytest.fixture(params=[on_the_fake, on_the_socket])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def talk() -> Talk:
    talk = Talk.begin()
    talk.channel.results["AddQueueMember"] = "0"
    talk.channel.unplayable.add("missing")
    return talk


async def outcomes(run: Run, talk: Talk, *steps: Step) -> list[object]:
    """What each step returned or raised."""
    found: list[object] = []

    async def handler(channel: Channel) -> None:
        for step in steps:
            try:
                found.append(await step(channel))
            except EkcError as error:
                found.append(type(error))

    await run(talk, handler)
    return found


def play(channel: Channel) -> Awaitable[object]:
    return channel.play(MENU)


def play_through(channel: Channel) -> Awaitable[object]:
    return channel.play(MENU, stop_on="")


def play_but_hash(channel: Channel) -> Awaitable[object]:
    return channel.play(MENU, stop_on="0123456789*")


def wait(seconds: float) -> Step:
    return lambda channel: channel.wait_key(seconds)


# --- one command after the other --------------------------------------------------------------------


async def test_keys_come_in_order_whether_a_prompt_plays_or_not(run: Run, talk: Talk) -> None:
    talk.caller.presses("12#*0", at=0.5, gap=0.3)
    talk.caller.presses("9", at=30)
    found = await outcomes(run, talk, play, play, wait(1), wait(1), wait(1), wait(3), play, wait(60))
    assert found == ["1", "2", "#", "*", "0", None, None, "9"]


async def test_keys_that_do_not_stop_a_prompt_are_dropped(run: Run, talk: Talk) -> None:
    talk.caller.presses("12", at=0.5)
    talk.caller.presses("#3", at=3)
    assert await outcomes(run, talk, play_through, play_but_hash, wait(1)) == [None, "3", None]


async def test_a_wait_of_nothing_takes_a_key_that_is_there(run: Run, talk: Talk) -> None:
    talk.caller.presses("1", at=0)
    assert await outcomes(run, talk, wait(0), wait(0)) == ["1", None]


async def test_a_wait_is_as_long_as_asked_and_a_bit_at_most(run: Run, talk: Talk) -> None:
    await outcomes(run, talk, wait(6), play)
    assert 8 <= talk.clock.monotonic() <= 8.02


async def test_a_file_that_cannot_be_played_is_not_taken_for_a_hang_up(run: Run, talk: Talk) -> None:
    missing: Step = lambda channel: channel.play(MISSING)  # noqa: E731 -- a step among steps
    assert await outcomes(run, talk, missing, wait(1)) == [Unavailable, None]


async def test_variables_are_kept_and_unset_ones_are_none(run: Run, talk: Talk) -> None:
    found = await outcomes(
        run,
        talk,
        lambda channel: channel.get_variable("EKC_X"),
        lambda channel: channel.set_variable("EKC_X", 'a "b" c'),
        lambda channel: channel.get_variable("EKC_X"),
    )
    assert found == [None, None, 'a "b" c']


async def test_applications_are_run_unknown_ones_and_commas_refused(run: Run, talk: Talk) -> None:
    found = await outcomes(
        run,
        talk,
        lambda channel: channel.execute("AddQueueMember", "general", "PJSIP/201"),
        lambda channel: channel.execute("NoSuchThing"),
        lambda channel: channel.execute("AddQueueMember", "general,PJSIP/201"),
        lambda channel: channel.answer(),
    )
    assert found == ["0", BadInput, BadInput, None]


@pytest.mark.parametrize("during", [play, play_through, wait(5)])
async def test_after_a_hang_up_everything_but_setting_a_variable_says_so(
    run: Run, talk: Talk, during: Step
) -> None:
    talk.caller.leaves(at=1)
    found = await outcomes(
        run,
        talk,
        during,
        play,
        wait(1),
        lambda channel: channel.get_variable("X"),
        lambda channel: channel.execute("AddQueueMember", "general"),
        lambda channel: channel.answer(),
        lambda channel: channel.hang_up(),
        lambda channel: channel.set_variable("EKC_OUTCOME", "x"),
    )
    assert found == [CallerHungUp] * 7 + [None]
    assert talk.channel.variables["EKC_OUTCOME"] == "x"


async def test_hanging_up_ends_the_line_for_us_too(run: Run, talk: Talk) -> None:
    found = await outcomes(run, talk, lambda channel: channel.hang_up(), wait(1))
    assert found == [None, CallerHungUp]


# --- a caller who speaks ------------------------------------------------------------------------------

SILENCE = Path("/prompts/silence.wav")
EARS: Step = lambda channel: channel.open_ears()  # noqa: E731 -- a step among steps
EXPECT: Step = lambda channel: channel.expect("menu")  # noqa: E731


def listen(audio: Path = SILENCE, seconds: float = 1) -> Step:
    return lambda channel: channel.listen(audio, seconds)


async def test_words_are_told_when_they_begin_and_when_they_are_understood(run: Run, talk: Talk) -> None:
    talk.caller.says("ноль один", score=97, at=1, lasting=2)
    found = await outcomes(run, talk, EARS, EXPECT, listen(MENU), listen(seconds=9), listen(seconds=2.5))
    assert found == [True, True, Heard(text="[begun]", score=0), Heard(text="ноль один", score=97), None]
    assert talk.channel.expected == ["menu"] and talk.clock.monotonic() == 6


async def test_a_key_comes_before_words_that_are_not_understood_yet(run: Run, talk: Talk) -> None:
    talk.caller.says("[unk]", at=1, lasting=2)
    talk.caller.presses("*", at=2)
    found = await outcomes(run, talk, EARS, EXPECT, listen(MENU, 9), listen(seconds=9))
    assert found == [True, True, "*", Heard(text="[unk]", score=100)]


async def test_a_hang_up_while_listening_is_one(run: Run, talk: Talk) -> None:
    talk.caller.leaves(at=1)
    assert await outcomes(run, talk, EARS, listen(MENU), wait(1)) == [True, CallerHungUp, CallerHungUp]


async def test_without_a_recogniser_nobody_listens_and_keys_are_read(run: Run, talk: Talk) -> None:
    talk.channel.ears = False
    talk.caller.presses("1", at=3)
    found = await outcomes(run, talk, EARS, EXPECT, listen(), play, wait(2))
    assert found == [False, False, Unavailable, None, "1"]


# --- whole conversations ----------------------------------------------------------------------------


async def status(talk: Talk, channel: Channel) -> list[object]:
    """A conversation of every kind of question."""
    call = talk.over(channel)
    await call.answer()
    await call.say(Prompt.of("greeting", recording=False))
    answers: list[object] = [await call.ask_choice(Prompt.of("status.menu"), "12")]
    answers.append(await call.ask_digits(Prompt.of("snils"), length=11))
    answers.append(await call.offer(Prompt.of("snils.readback", snils="11223344595"), seconds=3))
    answers.append(await call.during(talk.clock.sleep(1), notice=Prompt.of("checking")))
    answers.append(await call.ask_digits(Prompt.of("code")))
    answers.append(await call.confirm(Prompt.of("closed.callback")))
    return answers


SCRIPTS: dict[str, tuple[Callable[[Talk], None], list[object]]] = {
    "typed ahead": (
        lambda talk: talk.caller.presses("2" + "11223344595" + "4815#" + "1", at=0.5, gap=0.1),
        ["2", "11223344595", False, None, "4815", True],
    ),
    "out of habit": (
        lambda talk: talk.caller.presses("2" + "11223344595#" + "4815##" + "2", at=1, gap=1.3),
        ["2", "11223344595", False, None, "4815", False],
    ),
    "discarded": (
        lambda talk: (
            talk.caller.presses("*2" + "11223344595", at=3),
            talk.caller.presses("*", on="snils.readback", after=1),
            talk.caller.presses("12*34#1", on="code", gap=0.2),
        )[0],
        ["2", "11223344595", True, None, "34", True],
    ),
    "silent": (lambda talk: talk.caller.presses("2", at=1), ["CallerSilent"]),
    "operator": (lambda talk: talk.caller.presses("211**", at=1), ["OperatorWanted"]),
    "wrong": (lambda talk: talk.caller.presses("789", at=1, gap=3), ["OperatorWanted"]),
    "gone": (lambda talk: talk.caller.leaves(at=7), ["CallerHungUp"]),
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_conversation_is_the_same_on_the_fake_and_on_the_socket(name: str) -> None:
    script, expected = SCRIPTS[name]
    histories = []
    for runs in (on_the_fake, on_the_socket):
        talk, answers = Talk.begin(), []
        script(talk)

        async def handler(channel: Channel, talk: Talk = talk, answers: list[object] = answers) -> None:
            try:
                answers.extend(await status(talk, channel))
            except EkcError as error:
                answers.append(type(error).__name__)

        await runs(talk, handler)
        assert answers == expected
        histories.append((talk.told, talk.channel.heard))
    assert histories[0] == histories[1]
