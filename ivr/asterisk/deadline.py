"""One timer for all commands of a connection.

To make and cancel a timer for each would cost more than the rest of a quick command. So an armed timer stays
when its command is answered; when it rings, it looks whether anything is overdue by now.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class Deadline:
    """The moment by which something must have happened, set anew again and again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[], None]) -> None:
        """expired: called once for each deadline that passes."""
        self._loop = loop
        self._expired = expired
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    def set(self, seconds: float) -> None:
        """It passes in so many seconds, and no other one before."""
        self._at = at = self._loop.time() + seconds
        if at < self._rings_at:
            self._arm(at)

    def clear(self) -> None:
        """What was waited for has happened."""
        self._at = None

    def close(self) -> None:
        """There will be no other one."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = at
        self._timer = self._loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._rings_at = math.inf
        if self._at is None:
            return
        if self._loop.time() < self._at:
            self._arm(self._at)
            return
        self._at = None
        self._expired()
