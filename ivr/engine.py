"""The engine: everything of one process that talks with callers, from the first port to the last card.

It builds nothing: bootstrap hands it its parts.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivr.asterisk.agi import FastAgiServer
from ivr.asterisk.ami import Ami
from ivr.domain.errors import BadInput, Unavailable
from ivr.files import write_whole
from ivr.metrics import Metrics
from ivr.notify import Notifier, heartbeat, watchdog_interval
from ivr.observe import get_logger
from ivr.ports import Clock
from ivr.services.alarms import Alarms
from ivr.services.traces import TraceLog
from ivr.speech.prompts import PromptStore
from ivr.tending import Routine, Tending
from ivr.web.server import WebServer

__all__ = ["LOOPBACK", "Engine", "Routine", "go_before_calls"]

LOOPBACK = "127.0.0.1"
GAUGE_SECONDS = 1.0
PROMPTS_SECONDS = 60.0
"""Between attempts to make prompts that could not be made."""
PID_SECONDS = 5.0
CLOSING_SECONDS = 5.0
"""For what is still to be written down when the engine stops."""
SWITCH_SECONDS = 0.0005
"""How long a thread of the database may keep the interpreter from the event loop. Python's own 5 ms at each
of a key's system calls are more than a typed key leaves."""
NICENESS = -10
"""Of the engine. Asterisk has a thread for each call: at an equal share of the processor the one thread that
answers all of them would wait for its turn behind a thousand."""
_log = get_logger("ivr.engine")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One engine, made by bootstrap and run once."""

    agi: FastAgiServer
    agi_port: int
    ami: Ami
    prompts: PromptStore
    traces: TraceLog
    routines: Sequence[Routine]
    tasks: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]
    """What runs for ever, by name."""
    serve_web: Callable[[], Awaitable[WebServer]]
    calls: Callable[[], int]
    """In the hands of the engine now."""
    close_parts: Callable[[], Awaitable[None]]
    """Of what flows have asked; when the last of them is over."""
    metrics: Metrics
    alarms: Alarms
    clock: Clock
    pid_file: Path
    drain_seconds: float
    heartbeat_seconds: float
    environment: Mapping[str, str]

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; then calls in progress finish, new ones take the dialplan's way. 0.

        Raises BadInput when a port is taken. Nothing else ends it: what fails meanwhile is tried again.
        """
        let_the_loop_go_first()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        notifier = Notifier.from_environment(self.environment)
        beating = asyncio.create_task(self._beat(notifier))
        try:
            tending = Tending(self.alarms, self.clock, on_mistake=self._count)
            routines = [*self.routines, *await self._prepare_prompts(tending)]
            await self._listen()
            web = await self.serve_web()
            try:
                routines += await self._write_pid(tending)
                await self._work(tending, routines, stop, notifier)
            finally:
                await web.shutdown()
        finally:
            if not self.agi.draining:
                await self.agi.drain(0)
            await self.close_parts()
            beating.cancel()
            notifier.close()
            self.pid_file.unlink(missing_ok=True)
            self.alarms.close()
        return 0

    async def _beat(self, notifier: Notifier) -> None:
        interval = watchdog_interval(self.environment, self.heartbeat_seconds / 5)
        await heartbeat(notifier, interval, last=self.metrics.heartbeat, lag=self.metrics.loop_lag)

    def _count(self, routine: str) -> None:
        self.metrics.routines_broken.labels(routine=routine).inc()

    async def _prepare_prompts(self, tending: Tending) -> Sequence[Routine]:
        """Without them callers still reach an operator: the dialplan has a sentence of its own.

        What could not be made is tried again: a routine, or none.
        """
        again = Routine(
            name="prompts",
            seconds=PROMPTS_SECONDS,
            work=self.prompts.prepare,
            remedy="see EKC_SYNTHESIS_COMMAND in docs/prompts.md",
        )
        try:
            self.prompts.wipe()
            await again.work()
        except (Unavailable, OSError) as error:
            tending.trouble(again.name, error, again.remedy)
            return [again]
        except Exception as error:  # noqa: BLE001 - told by log, alarm and metric, and tried again
            tending.mistake(again.name, error)
            return [again]
        return []

    async def _write_pid(self, tending: Tending) -> Sequence[Routine]:
        """A full disk must not keep the engine from its callers: a routine that tries again, or none."""

        async def write() -> None:
            write_whole(self.pid_file, f"{os.getpid()}\n")

        again = Routine(name="pid", seconds=PID_SECONDS, work=write, remedy="make room; see `ekc doctor`")
        try:
            await write()
        except OSError as error:
            tending.trouble(again.name, error, again.remedy)
            return [again]
        return []

    async def _listen(self) -> None:
        try:
            await self.agi.start(LOOPBACK, self.agi_port)
        except OSError as error:
            raise BadInput(
                f"port {self.agi_port}/tcp of FastAGI cannot be had ({error.strerror}): stop the program "
                "that holds it or set EKC_AGI_PORT to a free port"
            ) from error

    async def _work(
        self, tending: Tending, routines: Sequence[Routine], stop: asyncio.Event, notifier: Notifier
    ) -> None:
        for_ever = {**self.tasks, "traces": self.traces.run, "gauges": self._gauges, "ami": self._connect}
        tasks = [asyncio.create_task(tending.again(routine), name=routine.name) for routine in routines]
        tasks += [
            asyncio.create_task(tending.for_ever(name, run), name=name) for name, run in for_ever.items()
        ]
        notifier.ready()
        _log.info("engine_ready", pid=os.getpid(), agi_port=self.agi.port)
        await stop.wait()
        notifier.stopping()
        await self.agi.drain(self.drain_seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._close(tending)

    async def _close(self, tending: Tending) -> None:
        """Write down what is left; a database that is down must not hold up the end."""
        await self.ami.close()
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await tending.last("traces", self.traces.flush)
                for routine in self.routines:
                    await tending.last(routine.name, routine.work)
        except TimeoutError:
            _log.error("closed_unfinished", seconds=CLOSING_SECONDS)

    async def _connect(self) -> None:
        """Keep the connection; it comes back by itself however long Asterisk is away."""
        with suppress(Unavailable):  # status tells; the attempts go on
            await self.ami.connect()
        await asyncio.Event().wait()

    async def _gauges(self) -> None:
        while True:
            self.metrics.calls_active.set(self.calls())
            self.metrics.agi_connections.set(self.agi.active)
            self.metrics.ami_connected.set(self.ami.connected)
            await asyncio.sleep(GAUGE_SECONDS)


def let_the_loop_go_first() -> None:
    """Keys are lost while the loop does not turn: no long wait for other threads, no look at old objects."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()


def go_before_calls() -> None:
    """Prefer this process to Asterisk's, where the system allows it: setpriority(2)."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    except PermissionError:
        advice = "LimitNICE=-10 in its unit lets the engine go before the threads of calls"
        _log.info("engine_not_preferred", advice=advice)
