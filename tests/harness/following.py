"""What a caller lives through, as it happens: `ekc calls trace CALL --follow --json`."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

from tests.harness.closing import Closing
from tests.harness.commands import EKC, PROJECT
from tests.harness.processes import TooLate
from tests.harness.system import System

Event = dict[str, Any]
"""at, kind, id, outcome"""


class Follower(Closing):
    """Follows one call until it ends."""

    def __init__(self, system: System, call: str) -> None:
        """call: its uniqueid; the card must be there already (System.wait_call)."""
        self.call = call
        self.events: list[Event] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [str(EKC), "calls", "trace", call, "--follow", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=system.command_env,
            cwd=PROJECT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"follow-{call}")
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with self._news:
                self.events.append(json.loads(line))
                self._news.notify_all()

    def wait(self, kind: str, id_: str | None = None, *, timeout: float, since: int = 0) -> Event:
        """The first event of this kind, and with this id, at or after the place `since`; raises TooLate."""

        def found() -> Event | None:
            news = self.events[since:]
            return next((e for e in news if e["kind"] == kind and id_ in (None, e["id"])), None)

        with self._news:
            if not self._news.wait_for(found, timeout):
                seen = [f"{e['kind']} {e['id']} {e['outcome']}" for e in self.events[since:]]
                wanted = " ".join(filter(None, (kind, id_)))
                raise TooLate(f"call {self.call}: no {wanted} in {timeout:g} s, but {seen}")
            event = found()
        assert event is not None
        return event

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
