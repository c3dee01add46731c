"""The engine: everything of one process that talks with callers, from the first port to the last card.

It builds nothing: bootstrap hands it its parts.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ivr.asterisk.agi import FastAgiServer
from ivr.asterisk.ami import Ami
from ivr.domain.errors import EkcError, Unavailable
from ivr.notify import Notifier, heartbeat, watchdog_interval
from ivr.observe import Metrics, get_logger
from ivr.ports import Clock
from ivr.services.alarms import Alarms, write_whole
from ivr.services.traces import TraceLog
from ivr.speech.prompts import PromptStore
from ivr.web.server import WebServer

LOOPBACK = "127.0.0.1"
GAUGE_SECONDS = 1.0
CLOSING_SECONDS = 5.0
"""For what is still to be written down when the engine stops."""
_log = get_logger("ivr.engine")


@dataclass(frozen=True, kw_only=True)
class Routine:
    """Something the engine does again and again; what fails is tried again, with an alarm until it works."""

    name: str
    seconds: float
    """Between two times."""
    work: Callable[[], Awaitable[object]]
    remedy: str
    """Of its alarm."""

    async def once(self) -> None:
        await self.work()


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One engine, made by bootstrap and run once."""

    agi: FastAgiServer
    agi_port: int
    ami: Ami
    prompts: PromptStore
    traces: TraceLog
    routines: Sequence[Routine]
    serve_web: Callable[[], Awaitable[WebServer]]
    metrics: Metrics
    alarms: Alarms
    clock: Clock
    pid_file: Path
    drain_seconds: float
    heartbeat_seconds: float
    environment: Mapping[str, str]

    async def run(self) -> int:
        """Until SIGTERM or SIGINT; then calls in progress finish, new ones take the dialplan's way. 0.

        Raises BadInput when a port is taken.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        notifier = Notifier.from_environment(self.environment)
        beating = asyncio.create_task(self._beat(notifier))
        try:
            await self._prepare_prompts()
            await self.agi.start(LOOPBACK, self.agi_port)
            web = await self.serve_web()
            write_whole(self.pid_file, f"{os.getpid()}\n")
            await self._work(stop, notifier)
            await web.shutdown()
        finally:
            beating.cancel()
            notifier.close()
            self.pid_file.unlink(missing_ok=True)
            self.alarms.close()
        return 0

    async def _beat(self, notifier: Notifier) -> None:
        interval = watchdog_interval(self.environment, self.heartbeat_seconds / 5)
        await heartbeat(notifier, interval, last=self.metrics.heartbeat, lag=self.metrics.loop_lag)

    async def _prepare_prompts(self) -> None:
        """Without them callers still reach an operator: the dialplan has a sentence of its own."""
        self.prompts.wipe()
        try:
            await self.prompts.prepare()
        except Unavailable as error:
            self._trouble("prompts", error, "see EKC_SYNTHESIS_COMMAND in docs/prompts.md")

    async def _work(self, stop: asyncio.Event, notifier: Notifier) -> None:
        tasks = [asyncio.create_task(self._again(routine), name=routine.name) for routine in self.routines]
        tasks += [
            asyncio.create_task(self.traces.run(), name="traces"),
            asyncio.create_task(self._gauges(), name="gauges"),
            asyncio.create_task(self._connect(), name="ami"),
        ]
        waiting = asyncio.create_task(stop.wait())
        notifier.ready()
        _log.info("engine_ready", pid=os.getpid(), agi_port=self.agi.port)
        done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        notifier.stopping()
        await self.agi.drain(self.drain_seconds)
        for task in (waiting, *tasks):
            task.cancel()
        await asyncio.gather(waiting, *tasks, return_exceptions=True)
        await self._close()
        for task in done - {waiting}:
            task.result()  # none of them ends but by a mistake of ours: let it be seen

    async def _close(self) -> None:
        """Write down what is left; a database that is down must not hold up the end."""
        await self.ami.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self.traces.flush()
                for routine in self.routines:
                    with suppress(EkcError, OSError):  # told by its own alarm while it ran
                        await routine.once()

    async def _again(self, routine: Routine) -> None:
        """For ever. What fails stands as an alarm until it works again."""
        while True:
            await asyncio.sleep(routine.seconds)
            try:
                await routine.once()
            except (EkcError, OSError) as error:
                self._trouble(routine.name, error, routine.remedy)
            else:
                self.alarms.clear(routine.name)

    async def _connect(self) -> None:
        """Keep the connection; it comes back by itself however long Asterisk is away."""
        with suppress(Unavailable):  # status tells; the attempts go on
            await self.ami.connect()
        await asyncio.Event().wait()

    async def _gauges(self) -> None:
        while True:
            self.metrics.agi_connections.set(self.agi.active)
            self.metrics.ami_connected.set(self.ami.connected)
            await asyncio.sleep(GAUGE_SECONDS)

    def _trouble(self, key: str, error: Exception, remedy: str) -> None:
        _log.error("routine_failed", routine=key, error=type(error).__name__, reason=str(error))
        what = str(error) if isinstance(error, EkcError) else f"{key}: {error}"
        try:
            self.alarms.set(key, what, remedy, self.clock.now())
        except OSError as full:
            _log.error("alarm_unwritten", routine=key, error=str(full))
