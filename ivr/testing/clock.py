"""Time that passes only when a test says so: `ivr.ports.Clock`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
"""A Tuesday, 15:00 in Yekaterinburg: the line is open."""
IDLE_TURNS = 100
"""Turns of the event loop after which a clock that stands still is taken to have been left alone."""


class VirtualClock:
    """Wall clock and monotonic clock in step; both stand still until `forward`.

    Time is kept in whole microseconds, so that sums of waits are exact and 60 s are 60.0 s.
    """

    def __init__(self, now: datetime = START) -> None:
        if now.tzinfo is None:
            raise ValueError("a time without a zone names no moment")
        self._start = now
        self._passed = 0
        self._sleepers: list[int] = []

    def now(self) -> datetime:
        return self._start + timedelta(microseconds=self._passed)

    def monotonic(self) -> float:
        return self._passed / 1_000_000

    def forward(self, seconds: float) -> None:
        """Let time pass. Raises ValueError for a negative time: no clock of ours goes back."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._passed += round(seconds * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        """Work that takes so long. Where nobody else moves the clock any more, it moves by itself."""
        until = self._passed + round(seconds * 1_000_000)
        self._sleepers.append(until)
        idle = 0
        try:
            while self._passed < until:
                before = self._passed
                await asyncio.sleep(0)
                idle = idle + 1 if self._passed == before else 0
                if idle > IDLE_TURNS:
                    self._passed = max(self._passed, min(self._sleepers))
        finally:
            self._sleepers.remove(until)
