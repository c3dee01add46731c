"""One engine from its first port to its last card: when it is ready, how it ends, what it says of trouble."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from ivr import engine as engines
from ivr import tending
from ivr.asterisk.agi import AgiChannel, FastAgiServer
from ivr.asterisk.ami import Ami
from ivr.domain.errors import BadInput, StorageDown, Unavailable
from ivr.engine import Engine, Routine
from ivr.metrics import Metrics
from ivr.notify import Notification, NotifyListener
from ivr.services.alarms import Alarms
from ivr.services.traces import TraceLog
from ivr.speech.prompts import PromptStore
from ivr.testing import MemoryStore, VirtualClock
from ivr.web.server import WebServer
from tests.wire.asterisk import Asterisk

PATIENCE = 10.0
"""Seconds until a test that waits in vain fails."""


class NoAmi:
    """An Asterisk that is away."""

    connected = False

    def __init__(self) -> None:
        self.closed = False

    async def connect(self) -> None:
        raise Unavailable

    async def close(self) -> None:
        self.closed = True


class Synthesis:
    """`PromptStore` as far as the engine goes: `error` is raised until it is None."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.prepared = 0

    def wipe(self) -> None:
        self.prepared = 0

    async def prepare(self) -> None:
        self.prepared += 1
        if self.error is not None:
            raise self.error


class Web:
    def __init__(self, heard: list[str]) -> None:
        self.heard = heard

    async def shutdown(self) -> None:
        self.heard.append("web closed")


class Work:
    """A routine's work: raises `error` while there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1
        if self.error is not None:
            raise self.error


@dataclass
class Plant:
    """An engine with everything around it replaced but its server, traces and alarms."""

    run_dir: Path
    handler: Callable[[AgiChannel], Awaitable[None]]
    routines: Sequence[Routine] = ()
    tasks: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    """What happened, in order: notifications and closings."""

    def __post_init__(self) -> None:
        self.ami, self.prompts, self.store = NoAmi(), Synthesis(), MemoryStore()
        self.metrics = Metrics.create()
        self.alarms = Alarms(self.run_dir, "engine")
        self.agi = FastAgiServer({"line": self.handler}, limit=10, idle_seconds=PATIENCE)
        self.calls = 0
        self.traces = TraceLog(self.store, VirtualClock())
        self.listener = NotifyListener(self.run_dir, self._note)
        self.engine = Engine(
            agi=self.agi,
            agi_port=0,
            ami=cast(Ami, self.ami),
            prompts=cast(PromptStore, self.prompts),
            traces=self.traces,
            routines=self.routines,
            tasks=self.tasks,
            serve_web=self._serve_web,
            calls=lambda: self.calls,
            close_parts=self._close_parts,
            metrics=self.metrics,
            alarms=self.alarms,
            clock=VirtualClock(),
            pid_file=self.run_dir / "engine.pid",
            drain_seconds=PATIENCE,
            heartbeat_seconds=PATIENCE,
            environment={"NOTIFY_SOCKET": str(self.listener.path)},
        )

    def _note(self, message: Notification) -> None:
        self.heard += [name for name in message.fields if name in ("READY", "STOPPING")]

    async def _serve_web(self) -> WebServer:
        self.heard.append(f"web, agi {'listens' if self.agi.port else 'does not listen'}")
        return cast(WebServer, Web(self.heard))

    async def _close_parts(self) -> None:
        self.heard.append("parts closed")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[int]]:
        """The engine from ready on; afterwards it is told to stop if it still runs."""
        self.listener.attach(asyncio.get_running_loop())
        task = asyncio.create_task(self.engine.run())
        try:
            await self.until(lambda: "READY" in self.heard or task.done())
            yield task
        finally:
            if not task.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait([task], timeout=PATIENCE)
            self.listener.drain()
            self.listener.close(asyncio.get_running_loop())

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110 - nobody sets an event for a test
                await asyncio.sleep(0)

    @property
    def closed(self) -> list[str]:
        return [what for what in self.heard if what.endswith("closed")]

    def alarms_told(self) -> list[str]:
        path = self.run_dir / "alarms-engine.json"
        return [row["what"] for row in json.loads(path.read_text("utf-8"))] if path.exists() else []

    def gauge(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"ekc_{name}")


async def nothing(channel: AgiChannel) -> None:
    await channel.finish()


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path, nothing)


def routine(work: Work, name: str = "journal") -> Routine:
    return Routine(name=name, seconds=0, work=work, remedy="look")


# --- from start to stop ----------------------------------------------------------------------------


async def test_it_is_ready_when_it_listens_and_its_process_id_is_known(plant: Plant) -> None:
    async with plant.running():
        assert plant.agi.port
        assert plant.engine.pid_file.read_text() == f"{os.getpid()}\n"
        assert plant.heard == ["web, agi listens", "READY"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_closes_everything_and_ends_well(plant: Plant, number: signal.Signals) -> None:
    async with plant.running() as run:
        os.kill(os.getpid(), number)
        assert await asyncio.wait_for(run, PATIENCE) == 0
    assert plant.closed == ["web closed", "parts closed"] and "STOPPING" in plant.heard
    assert plant.ami.closed and plant.agi.port == 0
    assert not plant.engine.pid_file.exists()


async def test_calls_in_progress_finish_and_new_ones_are_not_taken(tmp_path: Path) -> None:
    may_end, ended = asyncio.Event(), asyncio.Event()

    async def talk(channel: AgiChannel) -> None:
        await may_end.wait()
        ended.set()

    plant = Plant(tmp_path, talk)
    async with plant.running() as run:
        port = plant.agi.port
        first = await Asterisk.call(port)
        await plant.until(lambda: plant.agi.active == 1)
        os.kill(os.getpid(), signal.SIGTERM)
        await plant.until(lambda: plant.agi.draining)
        with pytest.raises(OSError):
            await Asterisk.call(port)
        assert not run.done()
        may_end.set()
        assert await asyncio.wait_for(run, PATIENCE) == 0
        assert ended.is_set()
        first.writer.close()


async def test_what_was_told_last_is_stored_before_the_end(plant: Plant) -> None:
    async with plant.running() as run:
        os.kill(os.getpid(), signal.SIGTERM)
        plant.traces.teller("node1-1.1")("end", "call", "silence")
        await run
    assert [event.id for event in plant.store.rows.traces.rows] == ["call"]


async def test_each_routine_works_once_more_at_the_end(tmp_path: Path) -> None:
    work = Work()
    plant = Plant(tmp_path, nothing, [replace(routine(work), seconds=3600)])
    async with plant.running():
        assert work.times == 0
    assert work.times == 1


async def test_a_database_that_hangs_does_not_hold_up_the_end(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(engines, "CLOSING_SECONDS", 0)
    monkeypatch.setattr(plant.store, "run", never)
    async with plant.running() as run:
        plant.traces.teller("node1-1.1")("end", "call", "silence")
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(run, PATIENCE) == 0


async def test_a_port_that_is_taken_is_told_in_one_sentence_and_nothing_is_left_open(plant: Plant) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"{port}.*EKC_AGI_PORT"):
            await replace(plant.engine, agi_port=port).run()
    assert plant.heard == ["parts closed"]
    plant.listener.close()


async def test_a_web_port_that_is_taken_closes_the_calls_port_again(plant: Plant) -> None:
    async def taken() -> WebServer:
        raise BadInput("port 80/tcp of the web is occupied")

    with pytest.raises(BadInput):
        await replace(plant.engine, serve_web=taken).run()
    assert plant.agi.port == 0 and plant.heard == ["parts closed"]
    plant.listener.close()


# --- trouble ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [StorageDown(), OSError("no space")])
async def test_a_routine_that_fails_raises_an_alarm_goes_on_and_clears_it(
    tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(error)
    plant = Plant(tmp_path, nothing, [routine(work)])
    async with plant.running() as run:
        await plant.until(lambda: work.times > 3)
        [what] = plant.alarms_told()
        assert str(error) in what
        assert caplog.text.count("routine_failed") == 1, "told once, however often it fails"
        work.error = None
        await plant.until(lambda: plant.alarms_told() == [])
        assert not run.done()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed by a mistake is tried again without a pause."""
    monkeypatch.setattr(tending, "FIRST_PAUSE", 0.0)


@pytest.mark.usefixtures("at_once")
async def test_a_routine_with_a_mistake_is_an_alarm_and_a_count_and_tried_until_it_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine goes on, and so do its other routines; no word of the exception is told."""
    work, other = Work(ZeroDivisionError("Иванов")), Work()
    plant = Plant(tmp_path, nothing, [routine(work), routine(other, "other")])
    async with plant.running() as run:
        await plant.until(lambda: work.times > 3 and other.times > 3)
        assert plant.alarms_told() == [
            "journal fails by an error of the program (ZeroDivisionError) and is tried again and again"
        ]
        broken = plant.metrics.registry.get_sample_value("ekc_routines_broken_total", {"routine": "journal"})
        assert broken is not None and broken >= 3
        work.error = None
        await plant.until(lambda: plant.alarms_told() == [])
        assert not run.done()
    assert "routine_broken" in caplog.text and "journal" in caplog.text
    assert "Иванов" not in caplog.text


@pytest.mark.usefixtures("at_once")
async def test_a_task_that_ends_by_itself_or_by_a_mistake_is_begun_anew(tmp_path: Path) -> None:
    begun = 0

    async def view() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            return
        if begun < 5:
            raise KeyError("Иванов")
        await asyncio.Event().wait()

    plant = Plant(tmp_path, nothing, tasks={"view": view})
    async with plant.running() as run:
        await plant.until(lambda: begun == 5)
        assert plant.alarms_told() == [
            "view fails by an error of the program (KeyError) and is tried again and again"
        ]
        assert not run.done()


async def test_a_task_that_has_run_long_enough_is_no_alarm_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tending, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(tending, "PROVEN_SECONDS", 0.0)
    begun = 0

    async def view() -> None:
        nonlocal begun
        begun += 1
        if begun > 1:
            await asyncio.Event().wait()
        raise KeyError

    plant = Plant(tmp_path, nothing, tasks={"view": view})
    async with plant.running():
        await plant.until(lambda: begun == 2 and plant.alarms_told() == [])


@pytest.mark.parametrize(
    ("mistakes", "seconds"), [(0, 0), (1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (60, 30), (10_000, 30)]
)
def test_the_pauses_after_mistakes_double_up_to_half_a_minute(mistakes: int, seconds: float) -> None:
    assert tending._pause(mistakes) == seconds


async def test_a_mistake_at_the_end_keeps_no_other_routine_from_its_last_time(tmp_path: Path) -> None:
    broken, other = Work(ZeroDivisionError()), Work()
    routines = [
        replace(routine(work, name), seconds=3600) for name, work in {"a": broken, "b": other}.items()
    ]
    plant = Plant(tmp_path, nothing, routines)
    async with plant.running() as run:
        os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(run, PATIENCE) == 0
    assert (broken.times, other.times) == (1, 1)


async def test_an_engine_that_starts_on_a_full_disk_takes_calls_and_writes_its_pid_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = Plant(tmp_path, nothing)
    full = True

    def write(path: Path, text: str) -> None:
        if full:
            raise OSError("no space left on device")
        path.write_text(text)

    monkeypatch.setattr(engines, "PID_SECONDS", 0.01)
    monkeypatch.setattr(engines, "write_whole", write)
    async with plant.running() as run:
        assert not plant.engine.pid_file.exists() and not run.done()
        full = False
        await plant.until(plant.engine.pid_file.exists)
        assert plant.engine.pid_file.read_text() == f"{os.getpid()}\n"


async def test_an_alarm_that_cannot_be_written_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(StorageDown())
    plant = Plant(tmp_path, nothing, [routine(work)])

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    async with plant.running() as run:
        await plant.until(lambda: plant.alarms_told() != [])
        with monkeypatch.context() as disk:
            disk.setattr("ivr.services.alarms.write_whole", full)
            work.error = None
            seen = work.times
            await plant.until(lambda: work.times > seen + 3)
            assert plant.alarms_told() != [] and not run.done()
        await plant.until(lambda: plant.alarms_told() == [])
    assert "routine_failed" in caplog.text


@pytest.mark.parametrize(
    "error", [Unavailable("3 of 200 prompts not made"), OSError(28, "no space"), KeyError("snils")]
)
async def test_prompts_that_cannot_be_made_leave_an_alarm_and_a_line_that_works(
    plant: Plant, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PROMPTS_SECONDS", 0)
    monkeypatch.setattr(tending, "FIRST_PAUSE", 0.0)
    plant.prompts.error = error
    async with plant.running():
        assert len(plant.alarms_told()) == 1
        asterisk = await Asterisk.call(plant.agi.port)
        assert "EKC_FLOW" in await asterisk.hears()
        asterisk.writer.close()
        plant.prompts.error = None
        await plant.until(lambda: plant.alarms_told() == [])


async def test_prompts_that_were_made_are_not_made_again(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PROMPTS_SECONDS", 0)
    async with plant.running():
        await asyncio.sleep(0)
    assert plant.prompts.prepared == 1


# --- what is shown ---------------------------------------------------------------------------------


async def test_the_gauges_follow_the_calls(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "GAUGE_SECONDS", 0)
    async with plant.running():
        for calls in (2, 0):
            plant.calls = calls
            await plant.until(lambda calls=calls: plant.gauge("calls_active") == calls)  # type: ignore[misc]
        assert plant.gauge("ami_connected") == 0
        plant.ami.connected = True
        await plant.until(lambda: plant.gauge("ami_connected") == 1)
