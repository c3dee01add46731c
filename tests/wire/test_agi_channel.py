"""AgiChannel over a real socket: the test plays Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ivr.asterisk.agi import AgiChannel
from ivr.domain.errors import BadInput, CallerHungUp, EkcError, Unavailable
from tests.wire.asterisk import Asterisk, serving, until_idle

PROMPT = Path("/prompts/menu.v2.wav")
STREAM = 'STREAM FILE "/prompts/menu.v2" "0123456789*#"'
ALIVE = 'WAIT FOR DIGIT "0"'
LONG = 'WAIT FOR DIGIT "3010"'
FIRST = ('WAIT FOR DIGIT "110"', "200 result=0")
"""What follows an answer."""
Step = Callable[[AgiChannel], Awaitable[object]]


async def play(channel: AgiChannel) -> object:
    return await channel.play(PROMPT)


async def answer(channel: AgiChannel) -> object:
    await channel.answer()
    return None


async def wait_key(channel: AgiChannel) -> object:
    return await channel.wait_key(0)


async def wait_long(channel: AgiChannel) -> object:
    channel._loop = FrozenClock()  # type: ignore[assignment]
    return await channel.wait_key(3)


async def get_variable(channel: AgiChannel) -> object:
    return await channel.get_variable("X")


async def set_variable(channel: AgiChannel) -> object:
    await channel.set_variable("X", 'a "b"')
    return None


async def execute(channel: AgiChannel) -> object:
    return await channel.execute("Queue", "general", "", "60")


async def listen_in(channel: AgiChannel) -> object:
    await channel.listen_in("PJSIP/201-00000001", whisper=False)
    return None


async def whisper(channel: AgiChannel) -> object:
    await channel.listen_in("PJSIP/201-00000001", whisper=True)
    return None


async def hang_up(channel: AgiChannel) -> object:
    await channel.hang_up()
    return None


async def outcome(step: Step, *dialogue: tuple[str, str], close: bool = False) -> object:
    """What a step of a handler returned or raised while Asterisk spoke its part."""
    outcomes: list[object] = []

    async def handler(channel: AgiChannel) -> None:
        try:
            outcomes.append(await step(channel))
        except EkcError as error:
            outcomes.append(type(error))

    async with serving({"line": handler}) as server:
        asterisk = await Asterisk.call(server.port)
        await asterisk.answers(dialogue)
        if close:
            assert await asterisk.hears()
            await asterisk.close()
        else:
            assert await asterisk.hears() == ""
            await asterisk.close()
        await until_idle(server)
    (result,) = outcomes
    return result


@pytest.mark.parametrize(
    ("step", "dialogue", "expected"),
    [
        (answer, [("ANSWER", "200 result=0"), FIRST], None),
        (answer, [("ANSWER", "200 result=-1"), (ALIVE, "200 result=-1")], CallerHungUp),
        (answer, [("ANSWER", "200 result=-1"), (ALIVE, "200 result=0")], Unavailable),
        (play, [(STREAM, "200 result=0 endpos=8000")], None),
        (play, [(STREAM, "200 result=53 endpos=800")], "5"),
        (play, [(STREAM, "200 result=35 endpos=800")], "#"),
        (play, [(STREAM, "200 result=-1 endpos=0"), (ALIVE, "200 result=0")], Unavailable),
        (play, [(STREAM, "200 result=-1 endpos=0\nHANGUP")], CallerHungUp),
        (play, [(STREAM, "200 result=-1 endpos=0"), (ALIVE, "HANGUP\n511 dead")], CallerHungUp),
        (play, [(STREAM, "511 Command Not Permitted on a dead channel")], CallerHungUp),
        (play, [(STREAM, "520-Invalid\nUsage: x\n520 End of proper usage.")], BadInput),
        (play, [(STREAM, "510 Invalid or unknown command")], BadInput),
        (wait_key, [(ALIVE, "200 result=0")], None),
        (wait_key, [(ALIVE, "200 result=42")], "*"),
        (wait_key, [(ALIVE, "200 result=65"), (ALIVE, "200 result=49")], "1"),
        (wait_key, [(ALIVE, "200 result=-1")], CallerHungUp),
        (get_variable, [('GET VARIABLE "X"', "200 result=0")], None),
        (get_variable, [('GET VARIABLE "X"', "200 result=1 ()")], ""),
        (get_variable, [('GET VARIABLE "X"', "200 result=1 (a (b))")], "a (b)"),
        (get_variable, [('GET VARIABLE "X"', "HANGUP\n200 result=1 (a)")], CallerHungUp),
        (set_variable, [('SET VARIABLE "X" "a \\"b\\""', "200 result=1")], None),
        (set_variable, [('SET VARIABLE "X" "a \\"b\\""', "HANGUP\n200 result=1")], None),
        (execute, [('EXEC "Queue" "general,,60"', "200 result=0")], "0"),
        (execute, [('EXEC "Queue" "general,,60"', "200 result=-2")], BadInput),
        (execute, [('EXEC "Queue" "general,,60"', "200 result=-1"), (ALIVE, "200 result=0")], "-1"),
        (execute, [('EXEC "Queue" "general,,60"', "200 result=-1\nHANGUP")], CallerHungUp),
        (listen_in, [('EXEC "ChanSpy" "PJSIP/201-00000001,qbES"', "200 result=0")], None),
        (listen_in, [('EXEC "ChanSpy" "PJSIP/201-00000001,qbES"', "200 result=-1\nHANGUP")], CallerHungUp),
        (whisper, [('EXEC "ChanSpy" "PJSIP/201-00000001,qbESw"', "200 result=0")], None),
        (hang_up, [("HANGUP", "200 result=1")], None),
    ],
)
async def test_each_answer_of_asterisk_has_its_meaning(
    step: Step, dialogue: list[tuple[str, str]], expected: object
) -> None:
    assert await outcome(step, *dialogue) == expected


@pytest.mark.parametrize("step", [answer, play, wait_key, get_variable, set_variable, execute, hang_up])
async def test_a_connection_closed_in_mid_command_is_a_hang_up(step: Step) -> None:
    assert await outcome(step, close=True) is CallerHungUp


PRESSED = ('WAIT FOR DIGIT "110"', "200 result=53")


@pytest.mark.parametrize(
    ("further", "dialogue", "expected"),
    [
        pytest.param(play, [PRESSED], ["5"], id="a prompt is not begun"),
        pytest.param(wait_key, [PRESSED], ["5"], id="a wait has it"),
        pytest.param(wait_key, [FIRST], [None], id="no key, and the time is over"),
        pytest.param(wait_long, [FIRST, (LONG, "200 result=49")], ["1"], id="no key, the rest of a wait"),
        pytest.param(play, [FIRST, (STREAM, "200 result=0 endpos=800")], [None], id="no key, the prompt"),
        pytest.param(
            get_variable,
            [PRESSED, ('GET VARIABLE "X"', "200 result=1 (a)")],
            ["a", "5"],
            id="kept while something else is asked",
        ),
        pytest.param(play, [('WAIT FOR DIGIT "110"', "HANGUP\n200 result=-1")], [CallerHungUp], id="gone"),
        pytest.param(wait_key, [('WAIT FOR DIGIT "110"', "511 dead")], [CallerHungUp], id="dead"),
    ],
)
async def test_a_key_right_after_the_answer_is_the_first_one(
    further: Step, dialogue: list[tuple[str, str]], expected: list[object]
) -> None:
    async def step(channel: AgiChannel) -> object:
        await channel.answer()
        found = [await further(channel)]
        return found + ([await channel.wait_key(0)] if len(expected) > 1 else [])

    found = await outcome(step, ("ANSWER", "200 result=0"), *dialogue)
    assert found == (expected if expected != [CallerHungUp] else CallerHungUp)


async def test_the_wait_after_the_answer_leaves_before_the_handler_has_its_turn() -> None:
    """However many others' turns come between."""
    under_way: list[bool] = []

    async def step(channel: AgiChannel) -> object:
        feed = channel.feed

        def fed(event: object) -> None:
            feed(event)  # type: ignore[arg-type]
            under_way.append(channel._first_wait.under_way)

        channel.feed = fed  # type: ignore[method-assign]
        await channel.answer()
        return under_way[0]

    assert await outcome(step, ("ANSWER", "200 result=0"), FIRST) is True


async def test_an_answer_that_failed_is_followed_by_no_wait() -> None:
    assert await outcome(answer, ("ANSWER", "511 dead")) is CallerHungUp


async def test_the_environment_and_the_id_are_those_of_the_call() -> None:
    async def step(channel: AgiChannel) -> object:
        return channel.id, channel.environment["network_script"], channel.environment["rdnis"]

    assert await outcome(step) == ("1700000000.1", "line", "")


async def test_after_a_hang_up_nothing_is_sent_but_variables() -> None:
    async def step(channel: AgiChannel) -> object:
        with pytest.raises(CallerHungUp):
            await channel.play(PROMPT)
        for further in (answer, play, wait_key, get_variable, execute, hang_up):
            with pytest.raises(CallerHungUp):
                await further(channel)
        return await set_variable(channel)

    dialogue = (
        (STREAM, "200 result=-1 endpos=800\nHANGUP"),
        ('SET VARIABLE "X" "a \\"b\\""', "200 result=1"),
    )
    assert await outcome(step, *dialogue) is None


async def test_a_hangup_line_between_replies_ends_the_next_command_unsent() -> None:
    heard = asyncio.Event()

    async def step(channel: AgiChannel) -> object:
        assert await channel.get_variable("X") is None
        await heard.wait()
        return await channel.play(PROMPT)

    async def handler(channel: AgiChannel) -> None:
        with pytest.raises(CallerHungUp):
            await step(channel)
        outcomes.append("hung up")

    outcomes: list[str] = []
    async with serving({"line": handler}) as server:
        asterisk = await Asterisk.call(server.port)
        assert await asterisk.hears() == 'GET VARIABLE "X"'
        asterisk.say("200 result=0", "HANGUP")
        await asyncio.sleep(0.01)
        heard.set()
        assert await asterisk.hears() == ""
        await asterisk.close()
    assert outcomes == ["hung up"]


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(0, 0), (-1, 0), (0.02, 30), (0.1, 110), (0.11, 110), (9999, 3600010)]
)
async def test_a_wait_is_never_a_whole_number_of_rtp_packets(seconds: float, milliseconds: int) -> None:
    async def step(channel: AgiChannel) -> object:
        channel._loop = FrozenClock()  # type: ignore[assignment]
        return await channel.wait_key(seconds)

    assert await outcome(step, (f'WAIT FOR DIGIT "{milliseconds}"', "200 result=0")) is None


class FrozenClock:
    """A loop whose time stands still."""

    def time(self) -> float:
        return 0.0

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio.get_running_loop(), name)


async def test_a_comma_in_an_argument_of_an_application_is_refused() -> None:
    async def step(channel: AgiChannel) -> object:
        return await channel.execute("Dial", "PJSIP/201,20")

    assert await outcome(step) is BadInput


async def test_a_command_cancelled_by_the_handler_leaves_the_next_one_its_own_reply() -> None:
    async def step(channel: AgiChannel) -> object:
        waiting = asyncio.ensure_future(channel.wait_key(3))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        return waiting.cancelled(), await channel.get_variable("X")

    dialogue = (('WAIT FOR DIGIT "3010"', "200 result=53"), ('GET VARIABLE "X"', "200 result=1 (a)"))
    assert await outcome(step, *dialogue) == (True, "a")


async def test_asterisk_that_does_not_answer_a_quick_command_is_cut_off() -> None:
    results: list[object] = []

    async def handler(channel: AgiChannel) -> None:
        with pytest.raises(Unavailable):
            await channel.get_variable("X")
        results.append("unavailable")

    async with serving({"line": handler}, idle_seconds=0.05) as server:
        asterisk = await Asterisk.call(server.port)
        assert await asterisk.hears() == 'GET VARIABLE "X"'
        assert await asterisk.hears() == ""
        await asterisk.close()
        await until_idle(server)
    assert results == ["unavailable"]


async def test_keys_never_reach_the_log() -> None:
    with capture_logs() as logs:
        await outcome(play, (STREAM, "200 result=53 endpos=481516"))
        await outcome(get_variable, ('GET VARIABLE "X"', "481516"))
    assert logs
    assert "481516" not in repr(logs)


async def test_the_next_command_leaves_in_the_turn_after_its_reply() -> None:
    turns: list[int] = []

    async def step(channel: AgiChannel) -> object:
        loop = asyncio.get_running_loop()
        turn = 0

        def count() -> None:
            nonlocal turn
            turn += 1
            ticking[0] = loop.call_soon(count)

        ticking = [loop.call_soon(count)]
        reply = asyncio.ensure_future(channel.get_variable("X"))
        feed = channel.feed

        def fed(event: object) -> None:
            turns.append(turn)
            feed(event)  # type: ignore[arg-type]

        channel.feed = fed  # type: ignore[method-assign]
        await reply
        turns.append(turn)
        ticking[0].cancel()
        return None

    await outcome(step, ('GET VARIABLE "X"', "200 result=0"))
    replied, resumed = turns
    assert resumed - replied <= 2


# --- a recogniser ---


@pytest.mark.parametrize(("late", "listens"), [(0.0, True), (1.0, False)])
async def test_a_yes_that_comes_a_second_late_says_that_nobody_listens(late: float, listens: bool) -> None:
    """res_speech_aeap.c waits for the recogniser so long, and res_agi.c does not tell what came of it."""
    found: list[bool] = []

    async def handler(channel: AgiChannel) -> None:
        found.append(await channel.expect("menu"))

    async with serving({"line": handler}) as server:
        asterisk = await Asterisk.call(server.port)
        assert await asterisk.hears() == 'SPEECH SET "grammar" "menu"'
        await asyncio.sleep(late)
        asterisk.say("200 result=1")
        assert await asterisk.hears() == ""
        await asterisk.close()
    assert found == [listens]
