"""Starts the parts in order, keeps them alive until SIGINT or SIGTERM, and stops them in reverse order.

The supervisor owns its process: at the end it kills whatever descends from it. If it is itself killed by
SIGKILL, the kernel kills the parts (PR_SET_PDEATHSIG); their own short-lived helpers end by themselves.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from ivr.domain.errors import BadInput
from ivr.files import write_whole
from ivr.notify import Notification, Notifier, NotifyListener
from ivr.observe import get_logger
from ivr.services.alarms import Alarm, Alarms
from ivr.supervisor.decisions import Backoff
from ivr.supervisor.keeper import Keeper, StartFailed
from ivr.supervisor.part import Part, adopt_orphans

REAP_SECONDS = 5.0
"""Between two looks for adopted orphans that have ended."""
SWEEP_SECONDS = 5.0
"""For swept processes to be gone."""
log = get_logger("ivr.supervisor")


def say(text: str) -> None:
    """One line on stderr; a terminal that is gone stops nothing."""
    with suppress(OSError, ValueError):  # the log has the same line
        sys.stderr.write(f"ekc: {text}\n")
        sys.stderr.flush()


@contextmanager
def only_one(run_dir: Path) -> Iterator[None]:
    """Hold the state's lock. Raises BadInput when another supervisor holds it.

    The lock is the kernel's (flock): it ends with its holder, however that dies.
    """
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = run_dir / "supervisor.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise BadInput(
                f"this state is already run by another `ekc up` (pid {holder}): stop that one, "
                "or give this one a state of its own with --state"
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


class _Reports:
    """Tells the terminal, the log and the alarms."""

    def __init__(self, alarms: Alarms, speak: Callable[[str], None], wall: Callable[[], datetime]) -> None:
        self._alarms = alarms
        self._speak = speak
        self._wall = wall

    def trouble(self, part: Part, reason: str, delay: float) -> None:
        self._speak(f"{reason}; starting {part.name} again in {delay:g} s")
        log.error("part_down", part=part.name, reason=reason, delay=delay)
        try:
            self._alarms.set(f"part:{part.name}", reason, part.remedy, self._wall())
        except OSError as error:
            log.error("alarm_unwritten", part=part.name, error=str(error))

    def back(self, part: Part) -> None:
        self._speak(f"{part.name} runs again")
        log.info("part_back", part=part.name)

    def healthy(self, part: Part) -> None:
        log.info("part_healthy", part=part.name)
        try:
            self._alarms.clear(f"part:{part.name}")
        except OSError as error:
            log.error("alarm_unwritten", part=part.name, error=str(error))

    def unwritten(self, path: Path, error: OSError) -> None:
        self._speak(f"{path} cannot be written ({error.strerror}): make room or correct its owner")
        log.error("pid_unwritten", file=path.name, error=str(error))


class Supervisor:
    """Everything `ekc up` runs."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        run_dir: Path,
        backoff: Backoff | None = None,
        on_up: Callable[[], None] | None = None,
        speak: Callable[[str], None] = say,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        tell: Callable[[str, Alarm], None] = lambda _key, _alarm: None,
    ) -> None:
        """parts: in the order of their start; they stop in reverse.

        on_up: called once, when all are ready. tell: called with each new alarm and its key.
        """
        self._tell = tell
        self._parts = parts
        self._run_dir = run_dir
        self._backoff = backoff or Backoff()
        self._on_up = on_up
        self._speak = speak
        self._wall = wall
        self._keepers: list[Keeper] = []
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self) -> int:
        """0 after SIGINT, SIGTERM or SIGHUP; 1 when a part could not start at first: one sentence was said.

        A second signal cuts the time limits of stopping short. Raises BadInput when this state is already
        run by another supervisor.
        """
        with only_one(self._run_dir), self._own_pid_file(), self._signals():
            adopt_orphans()
            alarms = Alarms(self._run_dir, "supervisor", tell=self._tell)
            listener = NotifyListener(self._run_dir, self._heard)
            loop = asyncio.get_running_loop()
            listener.attach(loop)
            self._keepers = self._make_keepers(listener, alarms)
            try:
                return await self._live()
            finally:
                await self._stop_all()
                listener.close(loop)
                alarms.close()

    def _make_keepers(self, listener: NotifyListener, alarms: Alarms) -> list[Keeper]:
        reports = _Reports(alarms, self._speak, self._wall)
        return [
            Keeper(part, reports, notify_path=listener.path, drain=listener.drain, backoff=self._backoff)
            for part in self._parts
        ]

    def _heard(self, message: Notification) -> None:
        for keeper in self._keepers:
            keeper.heard(message)

    async def _live(self) -> int:
        stopping: asyncio.Future[Any] = asyncio.ensure_future(self._stopping.wait())
        try:
            if not await self._start_all(stopping):
                return 0
        except StartFailed as error:
            self._speak(str(error))
            log.error("start_failed", reason=str(error))
            return 1
        own = Notifier.from_environment(os.environ)
        own.ready()
        if self._on_up is not None:
            self._on_up()
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(keeper.keep()) for keeper in self._keepers]
        tasks.append(asyncio.ensure_future(self._reap_orphans()))
        try:
            done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # a keeper never ends but by a mistake of ours: let it be seen
            return 0
        finally:
            own.stopping()
            own.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start_all(self, stopping: asyncio.Future[Any]) -> bool:
        """Start part after part; False when a signal came first."""
        for keeper in self._keepers:
            starting = asyncio.ensure_future(keeper.start())
            either: set[asyncio.Future[Any]] = {starting, stopping}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
                return False
            starting.result()
            log.info("part_ready", part=keeper.part.name)
        return True

    async def _stop_all(self) -> None:
        for keeper in reversed(self._keepers):
            await keeper.stop(self._hurry)
            log.info("part_stopped", part=keeper.part.name)
        await asyncio.to_thread(sweep)

    async def _reap_orphans(self) -> None:
        """Take away the zombies of processes that the parts left behind."""
        while True:
            await asyncio.sleep(REAP_SECONDS)
            ours = {keeper.child.pid for keeper in self._keepers if keeper.child is not None}
            for child in psutil.Process().children():
                with suppress(psutil.Error, ChildProcessError):  # somebody else was quicker
                    if child.pid not in ours and child.status() == psutil.STATUS_ZOMBIE:
                        os.waitpid(child.pid, os.WNOHANG)  # noqa: ASYNC222 - WNOHANG

    @contextmanager
    def _own_pid_file(self) -> Iterator[None]:
        path = self._run_dir / "supervisor.pid"
        write_whole(path, f"{os.getpid()}\n")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        caught = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup stays nohup
            caught.append(signal.SIGHUP)
        for number in caught:
            loop.add_signal_handler(number, self._on_signal)
        try:
            yield
        finally:
            for number in caught:
                loop.remove_signal_handler(number)

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            self._hurry.set()
            self._speak("stopping at once")
            return
        self._stopping.set()
        self._speak("stopping; once more stops at once")


def sweep() -> None:
    """Kill every descendant of this process: what escaped its part's group was adopted by us."""
    descendants = psutil.Process().children(recursive=True)
    for process in descendants:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(descendants, timeout=SWEEP_SECONDS)
