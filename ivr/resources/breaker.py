"""When a service that does not answer is left in peace, so that callers are not kept waiting for it.

    CLOSED ──limit failures in a row──► OPEN ──pause over, next question──► HALF_OPEN
       ▲                                 ▲  ▲                                  │
       │                                 │  └──────failed, or abandoned────────┤
       └─────────────────────────────────┼─────────────answered────────────────┘

A pure state machine: each event gives a new Breaker. `now` is monotonic seconds, for a pause must not grow
when somebody sets the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class BreakerState(StrEnum):
    """Whether questions are let through."""

    CLOSED = "closed"  # all are
    OPEN = "open"  # none are until the pause is over
    HALF_OPEN = "half_open"  # one is out to see whether the service answers again


@dataclass(frozen=True)
class Permit:
    """Leave to ask one question; its end is told to the breaker."""

    generation: int


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """`admit` before a question, then exactly one of `answered`, `failed`, `abandoned` with its permit."""

    limit: int
    """Failures in a row that open it."""
    pause: float
    """Seconds between opening and the next question."""
    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    """In a row."""
    opened_at: float = 0.0
    generation: int = 0
    """Grows with each change of state: the end of a question from before says nothing of the state after."""

    def admit(self, now: float) -> tuple[Breaker, Permit | None]:
        """The breaker after a question is wanted, and leave to ask it or None."""
        if self.state is BreakerState.CLOSED:
            return self, Permit(self.generation)
        if self.state is BreakerState.OPEN and now - self.opened_at >= self.pause:
            half_open = self._become(BreakerState.HALF_OPEN)
            return half_open, Permit(half_open.generation)
        return self, None

    def answered(self, permit: Permit) -> Breaker:
        if permit.generation != self.generation:
            return self
        closed = self if self.state is BreakerState.CLOSED else self._become(BreakerState.CLOSED)
        return replace(closed, failures=0)

    def failed(self, permit: Permit, now: float) -> Breaker:
        if permit.generation != self.generation:
            return self
        counted = replace(self, failures=self.failures + 1)
        if self.state is BreakerState.CLOSED and counted.failures < self.limit:
            return counted
        return replace(counted._become(BreakerState.OPEN), opened_at=now)

    def abandoned(self, permit: Permit) -> Breaker:
        """The caller hung up meanwhile: nothing was learnt, and the next caller may try."""
        if permit.generation != self.generation or self.state is BreakerState.CLOSED:
            return self
        return self._become(BreakerState.OPEN)

    def _become(self, state: BreakerState) -> Breaker:
        return replace(self, state=state, generation=self.generation + 1)
