"""Whose turn it is: callbacks and live callers in one order, by the first arrival.

A callback's leg enters its queue at the place of its arrival, and only once fewer callers precede it than one
more than there are free operators: earlier it would only hold a line. So no callback overtakes a citizen who
has waited longer, and at most one leg more than free operators is under way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """Somebody in the queue: a live caller, or the leg of a callback, perhaps still on its way there."""

    arrived_at: datetime
    """First arrival."""
    priority: int = 0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A callback that is due."""

    id: str
    arrived_at: datetime
    agreed: bool = False
    """Its time was agreed: it goes to the queue's head when the time has come (§13)."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A callback whose leg is made now."""

    id: str
    place: int
    """In the queue, from 1."""


def room(*, free: int, legs: int) -> int:
    """How many legs more a queue takes. free: operators who can be rung now; legs: those under way."""
    return max(0, free + 1 - legs)


def entry(candidate: Candidate, queue: Sequence[Ahead], *, free: int, legs: int) -> Entry | None:
    """Whether the leg of this callback is made now, and its place; None: not yet.

    queue: everybody in it, legs that are on their way included; legs: how many of them are legs.
    """
    if not room(free=free, legs=legs):
        return None
    if candidate.agreed:
        return Entry(id=candidate.id, place=1)
    preceding = sum(one.priority > 0 or one.arrived_at <= candidate.arrived_at for one in queue)
    if preceding >= free + 1:
        return None
    return Entry(id=candidate.id, place=preceding + 1)
