"""Keeps one part alive: starts it, watches it, starts it again with backoff, stops it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ivr.domain.errors import EkcError
from ivr.files import write_whole
from ivr.notify import Notification
from ivr.supervisor.decisions import Backoff, Verdict, Watch, tick_of
from ivr.supervisor.part import Child, Part, describe_end

READY_POLL = 0.1
"""Seconds between two questions whether a part is ready."""
KILL_SECONDS = 10.0
"""For the kernel to take away a killed process."""
_NOTIFY_NAMES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class StartFailed(EkcError):
    """A part did not start."""


class Reports(Protocol):
    """Where a keeper tells what happens."""

    def trouble(self, part: Part, reason: str, delay: float) -> None:
        """The part is down; it will be started again in `delay` seconds."""
        ...

    def back(self, part: Part) -> None:
        """It is ready again."""
        ...

    def healthy(self, part: Part) -> None:
        """It has been ready for so long that the trouble is over."""
        ...

    def unwritten(self, path: Path, error: OSError) -> None:
        """A state file could not be written; the part runs all the same."""
        ...


class Keeper:
    """One part and its present process."""

    def __init__(
        self,
        part: Part,
        reports: Reports,
        *,
        notify_path: Path,
        drain: Callable[[], None],
        backoff: Backoff,
    ) -> None:
        """drain: hands on what has been heard so far, before a part's silence is judged."""
        self.part = part
        self.child: Child | None = None
        self._reports = reports
        self._notify_path = notify_path
        self._drain = drain
        self._backoff = backoff
        self._clock = asyncio.get_running_loop().time
        self._announced = asyncio.Event()
        self._ready_at: float | None = None
        self._watch: Watch | None = None

    def heard(self, message: Notification) -> None:
        """Take a notification if it comes from this part's present process."""
        if self.child is None or message.pid != self.child.pid:
            return
        if message.fields.get("READY") == "1":
            self._announced.set()
        if message.fields.get("WATCHDOG") == "1" and self._watch is not None:
            self._watch = self._watch.beat(self._clock())

    async def start(self) -> None:
        """From nothing to ready. Raises StartFailed with one sentence; then no process is left."""
        self._ready_at = self._watch = None
        self._announced.clear()
        try:
            if self.part.before_start is not None:
                self.part.before_start()
            self.child = Child(self.part, self._environment())
        except OSError as error:
            raise StartFailed(
                f"{self.part.name} cannot be started ({error.strerror}: "
                f"{error.filename or self.part.argv[0]}): {self.part.remedy}"
            ) from error
        except EkcError as error:
            raise StartFailed(f"{self.part.name} is not started: {error}") from error
        self._write_pid(self.child.pid)
        await self._until_ready(self.child)

    def _environment(self) -> Mapping[str, str]:
        environment = {k: v for k, v in os.environ.items() if k not in _NOTIFY_NAMES} | dict(self.part.env)
        if self.part.notifies:
            environment["NOTIFY_SOCKET"] = str(self._notify_path)
        if self.part.watchdog_seconds is not None:
            environment["WATCHDOG_USEC"] = str(int(self.part.watchdog_seconds * 1e6))
        return environment

    async def _until_ready(self, child: Child) -> None:
        asking = asyncio.ensure_future(self._becomes_ready())
        try:
            either: set[asyncio.Future[Any]] = {asking, child.ended}
            await asyncio.wait(either, timeout=self.part.start_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
        if child.ended.done():
            await self._give_up(child, f"ended with {describe_end(child.ended.result())} before it was ready")
        if not asking.done() or asking.cancelled():
            await self._give_up(child, f"was not ready within {self.part.start_seconds:g} s")
        asking.result()
        now = self._clock()
        self._ready_at = now
        if self.part.watchdog_seconds is not None:
            self._watch = Watch.start(period=self.part.watchdog_seconds, now=now)

    async def _becomes_ready(self) -> None:
        if self.part.ready is not None:
            while not await self._asked(self.part.ready):  # noqa: ASYNC110 - another process sets no Event of ours
                await asyncio.sleep(READY_POLL)
        elif self.part.notifies:
            await self._announced.wait()

    @staticmethod
    async def _asked(ready: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await ready()
        except (EkcError, OSError):  # not there yet; the time limit of the start ends this
            return False

    async def _give_up(self, child: Child, why: str) -> None:
        await self._kill(child)
        raise StartFailed(f"{self.part.name} {why}: {self.part.remedy}")

    async def keep(self) -> None:
        """For ever: wait for trouble, then start again with backoff. Wants a part that has been started."""
        while True:
            reason = await self._trouble()
            self._remove_pid()
            while True:
                self._backoff = self._backoff.died(ready_at=self._ready_at, now=self._clock())
                self._reports.trouble(self.part, reason, self._backoff.delay)
                await asyncio.sleep(self._backoff.delay)
                try:
                    await self.start()
                except StartFailed as error:
                    reason = str(error)
                    continue
                self._reports.back(self.part)
                break

    async def _trouble(self) -> str:
        """Why the part is down, once it is."""
        child = self.child
        assert child is not None, "keep() follows start()"  # noqa: S101 - a mistake of ours, not an event
        probes = [asyncio.ensure_future(probe.fails()) for probe in self.part.probes]
        try:
            return await self._watched(child, probes)
        finally:
            for probe in probes:
                probe.cancel()
            await asyncio.gather(*probes, return_exceptions=True)

    async def _watched(self, child: Child, probes: Sequence[asyncio.Future[str]]) -> str:
        while True:
            either: set[asyncio.Future[Any]] = {child.ended, *probes}
            await asyncio.wait(either, timeout=self._tick(), return_when=asyncio.FIRST_COMPLETED)
            if child.ended.done():
                return f"{self.part.name} ended with {describe_end(child.ended.result())}"
            if (fault := self._fault(probes)) is not None:
                await self._kill(child)
                return f"{self.part.name} {fault}, killed"
            if self._backoff.deaths and self._backoff.recovered(ready_at=self._ready_at, now=self._clock()):
                self._backoff = self._backoff.forgiven()
                self._reports.healthy(self.part)

    def _fault(self, probes: Sequence[asyncio.Future[str]]) -> str | None:
        """What is wrong with a part whose process runs."""
        if self._is_hung():
            return f"hung: no heartbeat for {self.part.watchdog_seconds:g} s"
        return next((probe.result() for probe in probes if probe.done()), None)

    def _tick(self) -> float:
        return tick_of(self.part.watchdog_seconds or 5.0)

    def _is_hung(self) -> bool:
        self._drain()
        if self._watch is None:
            return False
        self._watch, verdict = self._watch.look(self._clock())
        return verdict is Verdict.HUNG

    async def stop(self, hurry: asyncio.Event) -> None:
        """The stop signal, its time limit (ended by `hurry`), SIGKILL. Afterwards no process is left."""
        child = self.child
        if child is not None and not child.ended.done():
            child.terminate(self.part.stop_signal)
            hurried = asyncio.ensure_future(hurry.wait())
            either: set[asyncio.Future[Any]] = {child.ended, hurried}
            await asyncio.wait(either, timeout=self.part.stop_seconds, return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
            await self._kill(child)
        self._remove_pid()

    async def _kill(self, child: Child) -> None:
        child.kill()
        await asyncio.wait({child.ended}, timeout=KILL_SECONDS)

    def _write_pid(self, pid: int) -> None:
        if self.part.pid_file is not None:
            try:
                write_whole(self.part.pid_file, f"{pid}\n")
            except OSError as error:
                self._reports.unwritten(self.part.pid_file, error)

    def _remove_pid(self) -> None:
        if self.part.pid_file is not None:
            self.part.pid_file.unlink(missing_ok=True)
