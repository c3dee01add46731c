"""How long a caller will wait, and how that is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

SPOKEN = (*range(1, 16), 20, 25, 30, 45, 60)
"""Minutes that are told; the next larger one, for who is told too little has been deceived."""
MORE = 61
"""Told as «more than an hour»."""
LAST_PLACE = 9999
"""The last place that is told by its number; whoever stands behind it hears this one."""
AT_ONCE = 0
"""An operator is rung now: nothing is told, for it would keep the operator waiting."""
PRIOR_WEIGHT = 5
"""The assumed handling time counts like so many real ones."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a waiting caller is told."""

    place: int
    minutes: int | None
    """One of SPOKEN, MORE or AT_ONCE; None: nobody knows, so only the place is told."""

    @property
    def silent(self) -> bool:
        return self.minutes == AT_ONCE

    @property
    def name(self) -> str:
        """`p02_w04`, `p02`, or `p00` for silence: by it the telephone switch finds the sound."""
        if self.silent:
            return "p00"
        return f"p{self.place:02}" if self.minutes is None else f"p{self.place:02}_w{self.minutes:02}"


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What awaits a caller at one place of a queue."""

    place: int
    """From 1."""
    operators: int
    """Who work: on the telephone, free, or completing a card; whoever is on a pause does not."""
    free: int
    """Who could be rung now."""
    handling: float
    """Seconds of talk and wrap-up that one caller takes."""

    @property
    def seconds(self) -> float | None:
        """The mean wait; None when nobody works.

        All operators busy: with talks of memoryless length one of `operators` ends each `handling /
        operators` seconds on the average (M/M/c), and the caller at place k waits for k of these ends.
        """
        if self.place <= self.free:
            return 0.0
        if self.operators == 0:
            return None
        return (self.place - self.free) * self.handling / self.operators

    @property
    def told(self) -> Told:
        seconds = self.seconds
        minutes = None if seconds is None else spoken(seconds) if seconds else AT_ONCE
        return Told(place=min(self.place, LAST_PLACE), minutes=minutes)


def spoken(seconds: float) -> int:
    """The next larger number of minutes that is told."""
    wanted = max(1, ceil(seconds / 60))
    return next((minutes for minutes in SPOKEN if minutes >= wanted), MORE)


def handling(served: Sequence[int], assumed: float) -> float:
    """Mean seconds of talk and wrap-up. A few served callers do not outweigh what was assumed before."""
    return (sum(served) + PRIOR_WEIGHT * assumed) / (len(served) + PRIOR_WEIGHT)
