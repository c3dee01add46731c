"""FastAgiServer over a real socket: the test plays Asterisk, well-behaved or not."""

from __future__ import annotations

import asyncio
import resource

import pytest
from structlog.testing import capture_logs

from ivr.asterisk.agi import AgiChannel, FastAgiServer
from ivr.domain.errors import CallerSilent
from tests.wire.asterisk import PATIENCE, Asterisk, serving, until_idle

ASK = 'GET VARIABLE "X"'


async def ask(channel: AgiChannel) -> None:
    await channel.get_variable("X")


async def nothing(channel: AgiChannel) -> None:
    return None


async def test_a_call_runs_its_handler_and_ends_with_a_closed_connection() -> None:
    async with serving({"line": ask}) as server:
        asterisk = await Asterisk.call(server.port)
        await asterisk.answers([(ASK, "200 result=0")])
        assert await asterisk.hears() == ""
        await asterisk.close()
        await until_idle(server)
        assert (server.accepted, server.refused, server.failed, server.timed_out) == (1, 0, 0, 0)


@pytest.mark.parametrize("script", ["after-queue", "/after-queue", "after-queue?x=1"])
async def test_the_path_of_the_url_chooses_the_handler(script: str) -> None:
    async with serving({"line": nothing, "after-queue": ask}) as server:
        asterisk = await Asterisk.call(server.port, script)
        await asterisk.answers([(ASK, "200 result=0")])
        await asterisk.close()


async def test_an_unknown_route_is_logged_and_closed() -> None:
    with capture_logs() as logs:
        async with serving({"line": ask}) as server:
            asterisk = await Asterisk.call(server.port, "nowhere")
            assert await asterisk.hears() == ""
            await asterisk.close()
            await until_idle(server)
            assert server.failed == 1
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["agi.unknown_route"]


async def test_a_hang_up_that_reaches_the_edge_is_an_event_and_no_error() -> None:
    with capture_logs() as logs:
        async with serving({"line": ask}) as server:
            asterisk = await Asterisk.call(server.port)
            assert await asterisk.hears() == ASK
            await asterisk.close()
            await until_idle(server)
            assert server.failed == 0
    assert [(e["event"], e["log_level"]) for e in logs if "call" in e] == [("agi.caller_hung_up", "info")]


async def test_a_failed_handler_closes_the_connection_and_its_log_quotes_nobody() -> None:
    async def broken(channel: AgiChannel) -> None:
        try:
            raise KeyError("Иванова")
        except KeyError as error:
            raise RuntimeError("79123456789") from error

    with capture_logs() as logs:
        async with serving({"line": broken}) as server:
            asterisk = await Asterisk.call(server.port)
            assert await asterisk.hears() == ""
            await asterisk.close()
            await until_idle(server)
            assert server.failed == 1
    (entry,) = [e for e in logs if e["event"] == "agi.handler_failed"]
    assert entry["call"] == "1700000000.1"
    assert entry["error"] == "RuntimeError < KeyError"
    assert "in broken" in entry["traceback"]
    del entry["traceback"]  # shows the lines of this file, names and all
    assert "Иванова" not in repr(logs)
    assert "79123456789" not in repr(logs)


async def test_a_failure_is_told_with_its_route() -> None:
    async def silent(channel: AgiChannel) -> None:
        raise CallerSilent

    told: list[tuple[str, type]] = []
    server = FastAgiServer(
        {"line": silent}, limit=1, idle_seconds=PATIENCE, on_error=lambda r, e: told.append((r, type(e)))
    )
    await server.start("127.0.0.1", 0)
    asterisk = await Asterisk.call(server.port)
    assert await asterisk.hears() == ""
    await asterisk.close()
    await server.drain(0)
    assert told == [("line", CallerSilent)]


@pytest.mark.parametrize("said", [[], ["agi_network: yes", "agi_network_script: line"]])
async def test_a_client_that_never_finishes_its_environment_is_cut_off(said: list[str]) -> None:
    async with serving({"line": ask}, idle_seconds=0.05) as server:
        asterisk = await Asterisk.connect(server.port)
        asterisk.say(*said)
        assert await asterisk.hears() == ""
        await asterisk.close()
        await until_idle(server)
        assert (server.timed_out, server.failed) == (1, 0)


async def test_a_client_that_speaks_no_agi_is_cut_off() -> None:
    async with serving({"line": ask}) as server:
        asterisk = await Asterisk.connect(server.port)
        asterisk.say("GET / HTTP/1.1", "Host: x", "")
        assert await asterisk.hears() == ""
        await asterisk.close()
        await until_idle(server)
        assert server.failed == 1


async def test_a_reply_without_a_command_is_cut_off() -> None:
    release = asyncio.Event()

    async def wait(channel: AgiChannel) -> None:
        await release.wait()

    async with serving({"line": wait}) as server:
        asterisk = await Asterisk.call(server.port)
        asterisk.say("200 result=1")
        assert await asterisk.hears() == ""
        release.set()
        await asterisk.close()
        await until_idle(server)
        assert server.failed == 1


async def test_clients_that_close_before_the_blank_line_leave_nothing_behind() -> None:
    async with serving({"line": ask}, limit=100) as server:
        before = len(asyncio.all_tasks())
        for _ in range(50):
            asterisk = await Asterisk.connect(server.port)
            asterisk.say("agi_network: yes")
            await asterisk.close()
        await until_idle(server)
        assert len(asyncio.all_tasks()) == before
        assert server.accepted == 50
        cpu = resource.getrusage(resource.RUSAGE_SELF)
        await asyncio.sleep(0.2)
        later = resource.getrusage(resource.RUSAGE_SELF)
        assert (later.ru_utime + later.ru_stime) - (cpu.ru_utime + cpu.ru_stime) < 0.1


async def test_calls_over_the_limit_are_refused_at_once_and_told_once() -> None:
    refusals: list[None] = []
    server = FastAgiServer(
        {"line": ask}, limit=2, idle_seconds=PATIENCE, on_refused=lambda: refusals.append(None)
    )
    await server.start("127.0.0.1", 0)
    with capture_logs() as logs:
        served = [await Asterisk.call(server.port) for _ in range(2)]
        for asterisk in served:
            assert await asterisk.hears() == ASK
        for _ in range(3):
            refused = await Asterisk.call(server.port)
            assert await refused.hears() == ""
            await refused.close()
        for asterisk in served:
            asterisk.say("200 result=0")
            assert await asterisk.hears() == ""
            await asterisk.close()
        await until_idle(server)
        again = await Asterisk.call(server.port)
        assert await again.hears() == ASK
        await again.close()
    await server.drain(0)
    assert (server.accepted, server.refused, len(refusals)) == (3, 3, 3)
    events = [entry["event"] for entry in logs]
    assert events.count("agi.refusing") == 1
    assert [entry["refused"] for entry in logs if entry["event"] == "agi.refusals_over"] == [3]


async def test_a_hundred_calls_at_once_are_all_served() -> None:
    async def script(channel: AgiChannel) -> None:
        for i in range(10):
            assert await channel.get_variable(f"{channel.id}-{i}") == f"{channel.id}-{i}"

    async def citizen(port: int, number: int) -> None:
        asterisk = await Asterisk.call(port, call=str(number))
        for i in range(10):
            command = await asterisk.hears()
            assert command == f'GET VARIABLE "{number}-{i}"'
            asterisk.say(f"200 result=1 ({number}-{i})")
        assert await asterisk.hears() == ""
        await asterisk.close()

    async with serving({"line": script}, limit=100) as server:
        await asyncio.gather(*(citizen(server.port, n) for n in range(100)))
        await until_idle(server)
        assert (server.accepted, server.refused, server.failed) == (100, 0, 0)


async def test_drain_lets_running_calls_finish_and_refuses_new_ones() -> None:
    async with serving({"line": ask}) as server:
        port = server.port
        asterisk = await Asterisk.call(port)
        assert await asterisk.hears() == ASK
        dumb = await Asterisk.connect(port)
        while server.active < 2:  # noqa: ASYNC110 -- the server has counters, no events
            await asyncio.sleep(0)
        draining = asyncio.ensure_future(server.drain(PATIENCE))
        assert await dumb.hears() == ""
        with pytest.raises(ConnectionRefusedError):
            await Asterisk.connect(port)
        assert not draining.done()
        asterisk.say("200 result=0")
        await draining
        assert await asterisk.hears() == ""
        assert (server.active, server.failed) == (0, 0)
        await asterisk.close()
        await dumb.close()


async def test_drain_cancels_what_does_not_finish_in_time() -> None:
    cancelled: list[bool] = []

    async def stubborn(channel: AgiChannel) -> None:
        try:
            await channel.get_variable("X")
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async with serving({"line": stubborn}) as server:
        asterisk = await Asterisk.call(server.port)
        assert await asterisk.hears() == ASK
        await server.drain(0.05)
        assert await asterisk.hears() == ""
        assert (cancelled, server.active, server.failed) == ([True], 0, 0)
        await asterisk.close()
