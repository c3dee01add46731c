"""An Asterisk as `ekc up` configures it; beside it, by turns, the engine or somebody else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any, Self

from bench.cpu import seconds_of
from ivr.asterisk.node import Node
from ivr.settings import Settings
from tests.harness.commands import PROJECT
from tests.harness.kept_prompts import PROMPTS, copy_prompts
from tests.harness.processes import Group, free_ports, release_ports, wait_for
from tests.harness.system import MARK, READY_SECONDS, System

CALLS_PER_BLOCK = 5
"""Ten ports, two for each call."""
QUIET = 0.05
"""Of a core: who takes less has nothing left to do."""
ENGINE_STOP_SECONDS = 20.0


class Stand(System):
    """A system whose Asterisk stands all the time; `with stand.engine() as pid` for the rest of it."""

    def __init__(self, *, calls: int, **settings: Any) -> None:
        """calls: at once, at most. settings: as for System."""
        self._blocks = ceil(calls / CALLS_PER_BLOCK)
        self._rtp = free_ports(self._blocks)
        last = self._rtp + 10 * self._blocks - 1
        rtp = f"{self._rtp}-{last}"
        super().__init__(rtp_ports=rtp, max_calls=calls, agi_connections=2 * calls, **settings)
        self.command_env = {**self.command_env, MARK: self._mark}

    @property
    def node(self) -> Node:
        return Node(Settings(state=self.state))

    @property
    def agi_port(self) -> int:
        return self.ports["agi_port"]

    def start(self, timeout: float = READY_SECONDS) -> Self:
        copy_prompts(PROMPTS, self.state / "prompts")
        self.ekc("asterisk", "start", timeout=timeout)
        return self

    def stop(self) -> None:
        self.ekc("asterisk", "stop")

    def close(self) -> None:
        for process in self.processes():
            process.kill()
        super().close()
        release_ports(self._rtp, self._blocks)

    @contextmanager
    def engine(self, module: str) -> Iterator[int]:
        """The engine's process id, once the line is ready; it is gone after the block.

        module: `python -m MODULE`, which runs the engine of the state in EKC_STATE.
        """
        group = Group([sys.executable, "-m", module], output=self.output, env=self.command_env, cwd=PROJECT)
        try:
            said = self.ekc("status", "--wait", "60", "--json", check=False, timeout=90)
            assert said.code == 0, f"the line is not ready: {said.out}{said.err}\n{self.log_tail()}"
            yield group.pid
        finally:
            group.kill(ENGINE_STOP_SECONDS)

    def add_extensions(self, context: str, lines: dict[str, list[str]]) -> None:
        """Dialplan that only this running Asterisk has: applications by extension, from priority 1 on."""
        for extension, applications in lines.items():
            for priority, application in enumerate(applications, 1):
                command = f"dialplan add extension {extension},{priority},{application} into {context}"
                said = self.node.console(command)
                assert "added" in said, f"{command}: {said}"

    def wait_no_calls(self, seconds: float = 20.0) -> None:
        """Until every call is over; those that hang are ended."""
        node = self.node
        end = time.monotonic() + seconds / 2
        while node.calls() and time.monotonic() < end:
            time.sleep(0.2)
        if node.calls():
            node.console("channel request hangup all")
        wait_for(lambda: node.calls() == 0, seconds, "the calls to end")


def wait_quiet(pid: int, seconds: float = 30.0, *, window: float = 0.5) -> float:
    """Until the process does little; the seconds of CPU it takes in one second then.

    window: seconds that it is looked at. What it does every few seconds wants a longer one.
    """
    end = time.monotonic() + seconds
    while True:
        before, begin = seconds_of(pid), time.monotonic()
        time.sleep(window)
        share = (seconds_of(pid) - before) / (time.monotonic() - begin)
        if share < QUIET or time.monotonic() > end:
            return share
