"""When what is done to the system: by the seed alone, so that a run can be had again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

SPACING = (5.5, 9.5)
"""Seconds from one blow to the next, at least and at most: most parts need about as long to come back, so
some blows meet a system that has not yet recovered from the last one."""


class Kind(StrEnum):
    """What can be done."""

    ENGINE_KILL = "engine_kill"  # SIGKILL
    ENGINE_STOP = "engine_stop"  # SIGSTOP for some seconds
    ASTERISK_KILL = "asterisk_kill"
    ASTERISK_STOP = "asterisk_stop"
    SUPERVISOR_KILL = "supervisor_kill"  # SIGKILL to `ekc up`, which takes all parts along
    AMI_CUT = "ami_cut"  # the TCP connection between engine and Asterisk
    DATABASE_LOCK = "database_lock"  # SQLite: another process holds it
    DATABASE_KILL = "database_kill"  # PostgreSQL: SIGKILL to all its processes
    DATABASE_STOP = "database_stop"  # PostgreSQL: SIGSTOP to all its processes
    DISK_FULL = "disk_full"  # of the state directory, a small tmpfs


LASTS = {
    Kind.ENGINE_STOP: (1.0, 9.0),
    Kind.ASTERISK_STOP: (1.0, 7.0),
    Kind.DATABASE_LOCK: (2.0, 12.0),
    Kind.DATABASE_KILL: (0.5, 8.0),
    Kind.DATABASE_STOP: (2.0, 12.0),
    Kind.DISK_FULL: (2.0, 8.0),
}
"""Seconds, at least and at most, until it is undone; what is not here is over at once."""
_ALWAYS = (
    Kind.ENGINE_KILL,
    Kind.ENGINE_STOP,
    Kind.ASTERISK_KILL,
    Kind.ASTERISK_STOP,
    Kind.SUPERVISOR_KILL,
    Kind.AMI_CUT,
)


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """One blow that is to be dealt."""

    kind: Kind
    at: float
    """Seconds after the beginning; a little later when fewer than five calls are in progress then."""
    lasts: float
    """Seconds."""


def kinds_of(*, postgresql: bool, disk: bool) -> tuple[Kind, ...]:
    """disk: a file system of our own may be mounted."""
    database = (Kind.DATABASE_KILL, Kind.DATABASE_STOP) if postgresql else (Kind.DATABASE_LOCK,)
    return (*_ALWAYS, *database, *((Kind.DISK_FULL,) if disk else ()))


def strokes(seed: int, seconds: float, kinds: Sequence[Kind]) -> list[Stroke]:
    """All kinds equally often, as seconds allow, and each at least once; in no order that repeats."""
    random = Random(seed)
    found: list[Stroke] = []
    at = random.uniform(*SPACING)
    for kind in _bags(random, kinds):
        if at > seconds and len(found) >= len(kinds):
            return found
        lasts = random.uniform(*LASTS[kind]) if kind in LASTS else 0.0
        found.append(Stroke(kind=kind, at=at, lasts=lasts))
        at += lasts + random.uniform(*SPACING)
    raise AssertionError("the bags have no end")


def _bags(random: Random, kinds: Sequence[Kind]) -> Iterator[Kind]:
    """Every kind once, shuffled; then again."""
    while True:
        yield from random.sample(kinds, len(kinds))
