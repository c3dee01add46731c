"""Processes and ports of the tests: each process group is ended by its own id, none is ever left behind."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TypeVar

import psutil

T = TypeVar("T")

HOST = "127.0.0.1"
_DEFAULT_RANGE = "21000-31999"
"""Below Linux's ephemeral ports (ip_local_port_range starts at 32768), which any program may get."""


class TooLate(AssertionError):
    """What was waited for did not come in time."""


class PortsTaken(RuntimeError):
    """No free ports in the range; set EKC_TEST_PORTS to another one, as 21000-31999."""


def wait_for(predicate: Callable[[], T | None], timeout: float, what: str = "", step: float = 0.05) -> T:
    """The first true value of `predicate`; raises TooLate after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        if value := predicate():
            return value
        if time.monotonic() >= end:
            raise TooLate(f"waited {timeout:g} s for {what or predicate}")
        time.sleep(step)


# --- ports -----------------------------------------------------------------------------------------


def _range() -> tuple[int, int]:
    low, _, high = os.environ.get("EKC_TEST_PORTS", _DEFAULT_RANGE).partition("-")
    return int(low), int(high)


def _walk() -> Iterator[int]:
    """Blocks of ten ports, from a place that depends on our process, so that parallel runs rarely meet."""
    low, high = _range()
    blocks = (high - low + 1) // 10
    for n in count(os.getpid() % blocks):
        yield low + (n % blocks) * 10


_blocks = _walk()
_LOCKS = Path(tempfile.gettempdir()) / "ekc-test-ports"
_held: dict[int, int] = {}
"""Blocks in use, each with the descriptor that holds its lock: RTP ports look free until somebody talks, to
another run of the tests on this machine as well."""


def port_is_free(port: int) -> bool:
    """Nobody listens there, on UDP or TCP."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True


def free_ports(blocks: int = 1) -> int:
    """The first port of so many neighbouring blocks of ten that are free; they are held until released."""
    low, high = _range()
    first, run = 0, 0
    for _ in range(2 * (high - low + 1) // 10):
        block = next(_blocks)
        if run and block != first + 10 * run:
            release_ports(first, run)
            run = 0
        if not _hold(block):
            release_ports(first, run)
            run = 0
            continue
        first, run = (first, run + 1) if run else (block, 1)
        if run == blocks:
            return first
    release_ports(first, run)
    raise PortsTaken(PortsTaken.__doc__)


def _hold(block: int) -> bool:
    """Take the block, if nobody has it and nobody listens there; its lock ends with our process."""
    if block in _held:
        return False
    _LOCKS.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(_LOCKS / str(block), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    _held[block] = lock
    if all(port_is_free(port) for port in range(block, block + 10)):
        return True
    release_ports(block)
    return False


def release_ports(first: int, blocks: int = 1) -> None:
    """Give back what `free_ports(blocks)` gave."""
    for block in range(first, first + 10 * blocks, 10):
        if (lock := _held.pop(block, None)) is not None:
            os.close(lock)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until nobody else holds this file's lock, and hold it; it ends with our process."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# --- processes -------------------------------------------------------------------------------------


class Group:
    """A program in a session of its own, its output in a file. `kill` takes the whole group."""

    def __init__(
        self,
        argv: Sequence[str | Path | float],
        *,
        output: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.output = output
        with output.open("ab") as sink:
            self.process = subprocess.Popen(
                [str(a) for a in argv],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: int) -> None:
        """To the program itself."""
        self.process.send_signal(number)

    def wait(self, timeout: float) -> int:
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TooLate(f"{self.process.args!r} did not end in {timeout:g} s") from None

    def kill(self, patience: float = 0.0) -> None:
        """SIGTERM and so many seconds, when `patience` is given; then SIGKILL to all of the group."""
        if patience and self.alive:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(10)

    def tail(self, lines: int = 40) -> str:
        return tail(self.output, lines)


def tail(path: Path, lines: int = 40) -> str:
    """The end of a log, for the message of a failure."""
    if not path.is_file():
        return f"({path} does not exist)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def marked_processes(variable: str, value: str) -> list[psutil.Process]:
    """Processes that inherited this environment variable: children that left our session are among them."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(variable) == value and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return found
