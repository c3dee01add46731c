"""Asks a part for signs of life, from outside and as its users do: a process that runs may still be deaf."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ivr.domain.errors import EkcError
from ivr.supervisor.decisions import Verdict, Watch


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One question, and how long it may stay unanswered."""

    fault: str
    """What is wrong when nobody answers: `does not answer SIP`."""
    ask: Callable[[], Awaitable[bool]]
    """Whether there was a sign of life. It has a time limit of its own, `limit` at most."""
    every: float
    """Seconds between two questions."""
    again: float | None = None
    """The same after one that was not answered; None: as ever."""
    limit: float
    """Seconds of one question."""
    patience: float
    """Seconds without any answer until the part counts as dead; several questions long."""

    async def fails(self) -> str:
        """Wait until the part has been silent for too long; why it is to be started again.

        While this process does not run itself, no silence is held against anybody (decisions.Watch).
        """
        clock = asyncio.get_running_loop().time
        watch = Watch(period=self.patience, tick=self.every + self.limit, beat_at=clock(), looked_at=clock())
        answered = True
        while True:
            await asyncio.sleep(self.every if answered or self.again is None else self.again)
            answered = await self._answered()
            now = clock()
            watch, verdict = (watch.beat(now) if answered else watch).look(now)
            if verdict is Verdict.HUNG:
                return f"{self.fault} for {self.patience:g} s"

    async def _answered(self) -> bool:
        try:
            async with asyncio.timeout(self.limit):
                return await self.ask()
        except (EkcError, OSError):  # TimeoutError is one
            return False
