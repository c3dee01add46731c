"""Processes and ports of the tests: each process group is ended by its own id, none is ever left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
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
_held: set[int] = set()
"""Blocks in use: RTP ports look free until somebody talks."""


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
        whole = block not in _held and all(port_is_free(p) for p in range(block, block + 10))
        if not whole or (run and block != first + 10 * run):
            first, run = block, int(whole)
        else:
            first, run = (block, 1) if run == 0 else (first, run + 1)
        if run == blocks:
            _held.update(range(first, first + 10 * blocks, 10))
            return first
    raise PortsTaken(PortsTaken.__doc__)


def release_ports(first: int, blocks: int = 1) -> None:
    """Give back what `free_ports(blocks)` gave."""
    _held.difference_update(range(first, first + 10 * blocks, 10))


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
