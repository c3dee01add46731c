"""A part of the system as the supervisor knows it, and the process it runs as."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ivr.domain.errors import BadInput
from ivr.supervisor.probing import Probe

PR_SET_PDEATHSIG = 1  # prctl(2)
PR_SET_CHILD_SUBREAPER = 36
STDERR = 2
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One program that belongs to the system."""

    name: str
    """For messages and logs: `engine`, `asterisk`."""
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the supervisor's environment."""
    cwd: Path | None = None
    ready: Callable[[], Awaitable[bool]] | None = None
    """Asked again and again until true. None with `notifies`: READY=1; else ready once it runs."""
    notifies: bool = False
    """Speaks the notification protocol (ivr/notify.py)."""
    watchdog_seconds: float | None = None
    """Silence after which the part counts as hung; wants `notifies`."""
    probes: Sequence[Probe] = ()
    """Asked from outside once it is ready; one that fails has the part killed and started again."""
    start_seconds: float = 30.0
    """From start to ready."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    """From the stop signal to SIGKILL."""
    pid_file: Path | None = None
    output: Path | None = None
    """Where stdout and stderr are appended (mode 0600); None: the supervisor's own."""
    before_start: Callable[[], None] | None = None
    """Runs before each start; an EkcError it raises is the one sentence that tells why there is no start."""
    remedy: str = "see `ekc doctor` and the logs in the state directory"
    """What to do when it does not start."""

    def __post_init__(self) -> None:
        if self.watchdog_seconds is not None and not self.notifies:
            raise BadInput(f"{self.name} cannot be watched: it sends no heartbeats")


def adopt_orphans() -> None:
    """Make this process the parent of every orphan below it, so that none escapes a clean stop.

    Raises OSError.
    """
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if _LIBC.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _die_with(parent: int) -> Callable[[], None]:
    """What the child does between fork and exec: it dies when its parent does, even by SIGKILL."""

    def in_child() -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # the parent died before prctl
            os._exit(1)

    return in_child


class Child:
    """A running process in a process group of its own.

    Must be made in the main thread: PR_SET_PDEATHSIG speaks of the parent's thread, not process.
    """

    def __init__(self, part: Part, env: Mapping[str, str]) -> None:
        """env: its whole environment. Raises OSError when the program cannot be started."""
        self._loop = asyncio.get_running_loop()
        self._process = _popen(part, env)
        self.pid = self._process.pid
        self.ended: asyncio.Future[int] = self._loop.create_future()
        """The exit code; negative: the signal."""
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._on_end)

    def _on_end(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.kill()  # what it left in its group, while its own pid is still a zombie and thus not reused
        code = self._process.wait()
        if not self.ended.done():
            self.ended.set_result(code)

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        self._to_group(signal.SIGKILL)

    def terminate(self, number: signal.Signals) -> None:
        """The stop signal to the part itself, which stops its own children."""
        if not self.ended.done():
            self._process.send_signal(number)

    def _to_group(self, number: signal.Signals) -> None:
        if not self.ended.done():
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return  # gone: that is what was wanted


def _popen(part: Part, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    output = None
    if part.output is not None:
        output = os.open(part.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            list(part.argv),
            env=dict(env),
            cwd=part.cwd,
            stdin=subprocess.DEVNULL,
            stdout=STDERR if output is None else output,
            stderr=STDERR if output is None else output,
            process_group=0,
            preexec_fn=_die_with(os.getpid()),
        )
    finally:
        if output is not None:
            os.close(output)


def describe_end(code: int) -> str:
    """`exit code 1` or `signal 9 (SIGKILL)`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"
