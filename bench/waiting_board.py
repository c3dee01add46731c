"""How late the live board is: callers enter and leave a queue that nobody else uses, and its file is read.

They enter one after the other, and leave one after the other once all are there. So each number of waiting
callers is reached by one change, however late it is seen.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.waiting_hall import BOARD_NUMBER, WATCHED
from ivr.services.board import FILE
from tests.harness.closing import Closing
from tests.harness.scenario import HangUp, Scenario
from tests.harness.sipp import Sipp, SippCall

GAP = 1.07
"""Seconds between two changes: no whole number of the board's own turns."""
LOOK = 0.01


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A board that was written."""

    at: float
    """Seconds since the epoch."""
    waiting: int
    """In the watched queue."""


class BoardWatch(Closing):
    """Reads each board of a state from when it is entered."""

    def __init__(self, run_dir: Path) -> None:
        self.seen: list[Seen] = []
        self._path = run_dir / FILE
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        last = 0
        while not self._over.wait(LOOK):
            written = self._path.stat().st_mtime_ns if self._path.exists() else 0
            if written != last:
                last = written
                queues = json.loads(self._path.read_text("utf-8"))["queues"]
                counts = {row["queue"]: row["waiting"] for row in queues}
                self.seen.append(Seen(at=written / 1e9, waiting=counts[WATCHED]))


def visitors(line: str, seconds: float) -> Sipp:
    """Callers of the watched queue: the last of them leaves after so many seconds."""
    stay = seconds / 2
    numbers = [f"7917{n:07d}" for n in range(max(1, int(stay / GAP)))]
    scenario = Scenario(to=BOARD_NUMBER, steps=[HangUp(after=stay)])
    return Sipp(line, scenario, numbers=numbers, rate=1 / GAP)


def moments(calls: Sequence[SippCall]) -> tuple[list[float], list[float]]:
    """When they entered and when they left, seconds since the epoch, by sipp's own clock."""
    said = [message for call in calls for message in call.messages]
    entered = [m.at.timestamp() for m in said if m.method == "INVITE" and m.status == 200]
    left = [m.at.timestamp() for m in said if m.method == "BYE" and m.sent]
    return sorted(entered), sorted(left)


def delays(entered: Sequence[float], left: Sequence[float], seen: Sequence[Seen]) -> list[float | None]:
    """Seconds from each change to the first board that shows it; None where none does."""
    came = [_delay(at, [s.at for s in seen if s.waiting >= place]) for place, at in enumerate(entered, 1)]
    here = len(entered)
    went = [_delay(at, [s.at for s in seen if s.waiting <= here - place]) for place, at in enumerate(left, 1)]
    return [*came, *went]


def _delay(at: float, boards: Sequence[float]) -> float | None:
    return next((board - at for board in boards if board >= at), None)
