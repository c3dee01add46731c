"""What the supervisor decides, as values that take `now` (seconds of a monotonic clock)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """How long to wait before a part that died is started again: doubling, until it stays healthy."""

    first: float = 0.5
    """Seconds."""
    most: float = 30.0
    """Seconds."""
    healthy: float = 60.0
    """Seconds of readiness after which earlier deaths are forgotten."""
    deaths: int = 0
    """In a row."""

    @property
    def delay(self) -> float:
        """Seconds to wait after the latest death; 0 before the first."""
        if not self.deaths:
            return 0.0
        return min(self.first * 2.0 ** min(self.deaths - 1, 32), self.most)

    def died(self, *, ready_at: float | None, now: float) -> Backoff:
        """ready_at: when the part became ready; None when it never did."""
        if ready_at is not None and now - ready_at >= self.healthy:
            return replace(self, deaths=1)
        return replace(self, deaths=self.deaths + 1)

    def forgiven(self) -> Backoff:
        """As new: the part has been healthy."""
        return replace(self, deaths=0)

    def recovered(self, *, ready_at: float | None, now: float) -> bool:
        """Whether a part that is up may be called healthy again."""
        return ready_at is not None and now - ready_at >= self.healthy


class Verdict(StrEnum):
    """What a look at a part tells."""

    FINE = "fine"  # it beat in time
    LATE_LOOK = "late_look"  # we were not running ourselves, so its silence says nothing
    HUNG = "hung"  # silent for longer than its period while we looked on time


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Judges a part by its heartbeats. Exactly `period` seconds of silence is not yet hung."""

    period: float
    """Seconds of silence a part is allowed."""
    tick: float
    """Seconds between two looks."""
    beat_at: float
    looked_at: float

    @classmethod
    def start(cls, *, period: float, now: float) -> Watch:
        return cls(period=period, tick=tick_of(period), beat_at=now, looked_at=now)

    def beat(self, now: float) -> Watch:
        return replace(self, beat_at=max(self.beat_at, now))

    def look(self, now: float) -> tuple[Watch, Verdict]:
        """A look later than twice its tick means that the machine slept or was overloaded: the part gets a
        fresh full period instead of being killed for our own lateness."""
        looked = replace(self, looked_at=now)
        if now - self.looked_at > 2 * self.tick:
            return replace(looked, beat_at=now), Verdict.LATE_LOOK
        return looked, Verdict.HUNG if now - self.beat_at > self.period else Verdict.FINE


def tick_of(period: float) -> float:
    """Seconds between looks at a part with this period."""
    return min(0.5, period / 10)
