"""What the command line asks of a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Effort(StrEnum):
    """How much time there is."""

    QUICK = "quick"
    """Seconds for each: ratios, so that later work does not slowly spoil what was won."""
    NORMAL = "normal"
    """Minutes for each."""
    FULL = "full"
    """As long as it takes."""


@dataclass(frozen=True, kw_only=True)
class Options:
    rounds: int
    """How often each contestant is measured, at least 1."""
    seconds: float
    """How long each counts in one round; what has a fixed amount of work to do ignores it."""
    effort: Effort = Effort.NORMAL
    size: int | None = None
    """Cards in the store; None: by effort."""
    database: str | None = None
    """`sqlite` or `postgresql`: the only one for “storage”; None: both."""
    half_rate: float | None = None
    """Calls a second that are half of the engine's highest rate on this machine; None: to be measured."""

    def by_effort(self, quick: T, normal: T, full: T) -> T:
        """The one of these sizes that there is time for."""
        return {Effort.QUICK: quick, Effort.NORMAL: normal, Effort.FULL: full}[self.effort]
