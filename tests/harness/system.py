"""One system under test: `ekc up` in a state, on ports and with settings of its own.

with System(silence_seconds=6) as system:
    system.open_today()
    ...
    assert system.trace("last")[-1]["kind"] == "end"
"""

from __future__ import annotations

import csv
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from ivr.ports import TraceEvent
from tests.harness.commands import EKC, PROJECT, Commands
from tests.harness.kept_prompts import PROMPTS, copy_prompts
from tests.harness.processes import (
    HOST,
    Group,
    TooLate,
    alone,
    free_ports,
    marked_processes,
    port_is_free,
    release_ports,
    tail,
    wait_for,
)
from tests.harness.records import Lived, Records, step

T = TypeVar("T")

READY_SECONDS = 180.0
"""Threefold of a first start, which synthesises every prompt, beside others on two cores."""
STOP_SECONDS = 30.0
MARK = "EKC_TEST_MARK"
"""An environment variable by which everything that the system has started is known again."""
RTP_BLOCKS = 20
PORT_BLOCKS = 1 + RTP_BLOCKS
_PLACES = {"sip_port": 0, "operators_port": 2, "web_port": 4, "ami_port": 5, "agi_port": 6}
STARTING = PROJECT / ".run" / "starting.lock"
_KEPT = ("EKC_ASTERISK_ROOT",)
"""Of our own environment, what the system may know."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A line of asterisk/spool/arrivals.log."""

    at: str
    node: str
    call: str
    sip_call_id: str
    number: str


class System(Commands):
    """One system. Its state is erased by `close`, not by `stop`: after `stop` it can be started again."""

    def __init__(self, *, state: Path | None = None, **settings: object) -> None:
        """settings: those of ivr/settings by name (silence_seconds=6), a nested one as trunk__identity."""
        self._own_state = state is None
        self.state = state or Path(tempfile.mkdtemp(prefix="ekc-state-"))
        self.output = self.state.with_name(f"{self.state.name}.out")
        self._first = free_ports(PORT_BLOCKS)
        self.ports = {name: self._first + place for name, place in _PLACES.items()}
        self._mark = secrets.token_hex(8)
        self._group: Group | None = None
        rtp = f"{self._first + 10}-{self._first + 10 * PORT_BLOCKS - 1}"
        given = {"state": self.state, **self.ports, "rtp_ports": rtp, "max_calls": 5 * RTP_BLOCKS, **settings}
        mine = {k: v for k, v in os.environ.items() if not k.startswith("EKC_") or k in _KEPT}
        self.command_env = {**mine, **{f"EKC_{name.upper()}": str(value) for name, value in given.items()}}
        """A command is no part of what `ekc up` has started, so it does not have the mark."""
        kept = {name: value for name, value in settings.items() if name == "database_url"}
        self.records = Records(self.state, **kept)

    # --- where it is ---

    @property
    def line(self) -> str:
        """host:port that citizens call."""
        return f"{HOST}:{self.ports['sip_port']}"

    @property
    def line_port(self) -> int:
        return self.ports["sip_port"]

    @property
    def operators(self) -> str:
        """host:port that operators' phones register at."""
        return f"{HOST}:{self.ports['operators_port']}"

    @property
    def web(self) -> str:
        return f"http://{HOST}:{self.ports['web_port']}"

    # --- life ---

    def launch(self) -> Group:
        """Start `ekc up` and do not wait."""
        assert self._group is None, "it was started already"
        copy_prompts(PROMPTS, self.state / "prompts")
        self._group = Group(
            [EKC, "up"], output=self.output, env={**self.command_env, MARK: self._mark}, cwd=PROJECT
        )
        return self._group

    def start(self, timeout: float = READY_SECONDS) -> Self:
        """Start it and wait until the line can take a call.

        One after the other: that takes no longer, and the calls of other workers suffer less.
        """
        with alone(STARTING):
            group = self.launch()
            status = self.ekc("status", "--wait", f"{timeout:g}", "--json", check=False, timeout=timeout + 30)
        if status.code != 0:
            how = "runs" if group.alive else f"ended {group.process.returncode}"
            said = f"{status.out}{status.err}\nekc up {how}:\n{self.log_tail()}"
            raise AssertionError(f"the line is not ready (status {status.code}): {said}")
        return self

    def stop(self) -> None:
        """Ctrl-C. Fails unless it exits 0 and leaves no process and no port."""
        if (group := self._group) is None:
            return
        self._group = None
        group.signal(signal.SIGINT)
        try:
            code = group.wait(STOP_SECONDS)
            left = [f"{p.pid} {' '.join(p.cmdline())[:120]}" for p in self.processes()]
        finally:
            self._sweep(group)
        assert code == 0, f"ekc up exited {code} after SIGINT:\n{self.log_tail()}"
        assert not left, f"ekc up left processes behind: {left}"
        taken = {n: p for n, p in self.ports.items() if not port_is_free(p)}
        assert not taken, f"ekc up left ports taken: {taken}"

    def close(self) -> None:
        """End everything, however it stands, and erase the state."""
        if (group := self._group) is not None:
            self._group = None
            group.process.terminate()
            try:
                group.wait(STOP_SECONDS)
            except TooLate:
                sys.stderr.write("ekc up did not stop: it is killed\n")
            self._sweep(group)
        release_ports(self._first, PORT_BLOCKS)
        self.records.close()
        copy_prompts(self.state / "prompts", PROMPTS)
        if self._own_state:
            shutil.rmtree(self.state, ignore_errors=True)
            self.output.unlink(missing_ok=True)

    def _sweep(self, group: Group) -> None:
        group.kill()
        for process in self.processes():
            process.kill()

    def processes(self) -> list[Any]:
        """Everything that it has started and that lives (psutil.Process)."""
        return marked_processes(MARK, self._mark)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.stop()
        finally:
            self.close()

    # --- its files ---

    def arrivals(self) -> list[Arrival]:
        """Who came, oldest first."""
        path = self.state / "asterisk" / "spool" / "arrivals.log"
        if not path.is_file():
            return []
        fields = [line.split("\t") for line in path.read_text().splitlines()]
        return [Arrival(at=f[0], node=f[1], call=f[2], sip_call_id=f[3], number=f[4]) for f in fields]

    def cel(self) -> list[list[str]]:
        """The rows of Asterisk's journal of events, oldest first; the last may be half written."""
        path = self.state / "asterisk" / "log" / "cel.csv"
        if not path.is_file():
            return []
        with path.open(newline="") as file:
            return [row for row in csv.reader(file) if len(row) > 4]

    def call_of(self, sip_call_id: str) -> str:
        """The product's name (uniqueid) of a call that sipp made."""
        found = [a.call for a in self.arrivals() if a.sip_call_id == sip_call_id]
        assert len(found) == 1, f"{len(found)} arrivals with Call-ID {sip_call_id}"
        return found[0]

    def pid(self, part: str) -> int:
        """Of `asterisk` or `engine`."""
        return int((self.state / "run" / f"{part}.pid").read_text().split()[0])

    # --- accidents ---

    def kill_engine(self) -> int:
        """SIGKILL; the pid it had."""
        return self.signal_part("engine", signal.SIGKILL)

    def stop_engine_signal(self, number: signal.Signals = signal.SIGSTOP) -> int:
        """Freeze the engine (SIGSTOP), or send it any other signal; its pid."""
        return self.signal_part("engine", number)

    def kill_supervisor(self) -> None:
        """SIGKILL to `ekc up`, and the kernel takes its parts along; `launch` starts it again."""
        group = self._group
        assert group is not None, "it is not running"
        self._group = None
        group.kill()

    def signal_part(self, part: str, number: signal.Signals) -> int:
        pid = self.pid(part)
        os.kill(pid, number)
        return pid

    # --- patience ---

    def wait_for(
        self, predicate: Callable[[], T | None], timeout: float, what: str = "", step: float = 0.3
    ) -> T:
        """As processes.wait_for, and when it fails, with the end of the logs."""
        try:
            return wait_for(predicate, timeout, what, step)
        except TooLate as late:
            raise TooLate(f"{late}\n{self.log_tail()}") from None

    def wait_call(self, number: str, timeout: float = 15.0, *, after: int = 0) -> str:
        """The newest call from this number (as it stands in arrivals.log), once its card is there.

        after: how many calls from this number there were before.
        """

        def arrived() -> str | None:
            found = [a.call for a in self.arrivals() if a.number.endswith(number[-10:])]
            return found[-1] if len(found) > after else None

        call = self.wait_for(arrived, timeout, "the call to arrive", step=0.05)
        self.wait_for(lambda: self.records.has(call), timeout, "its card", step=0.05)
        return call

    def wait_card(self, call: str, timeout: float = 15.0) -> dict[str, Any]:
        """The card of a call, once the call is over and the card has its outcome."""
        return self.wait_lived(call, timeout).card

    def wait_lived(self, call: str, timeout: float = 15.0, *, closed: bool = True) -> Lived:
        """A call once it is over and, unless told otherwise, its card closed."""
        lived = lambda: self.records.lived(call, closed=closed)  # noqa: E731 - shorter than its name
        return self.wait_for(lived, timeout, f"the card of call {call}", step=0.1)

    def wait_step(self, call: str, wanted: str, timeout: float, *, count: int = 1) -> TraceEvent:
        """The event of a call's trace that begins like `wanted` (`kind id outcome`), the `count`-th such."""

        def found() -> TraceEvent | None:
            events = [e for e in self.records.trace(call) if step(e).startswith(wanted)]
            return events[count - 1] if len(events) >= count else None

        try:
            return wait_for(found, timeout, f"{wanted} of call {call}")
        except TooLate as late:
            raise TooLate(f"{late}, but {[step(e) for e in self.records.trace(call)]}") from None

    def log_tail(self, lines: int = 40) -> str:
        logs = [self.output, *sorted((self.state / "log").glob("*.log"))]
        logs.append(self.state / "asterisk" / "log" / "messages.log")
        return "\n".join(f"--- {path.name}\n{tail(path, lines)}" for path in logs)
