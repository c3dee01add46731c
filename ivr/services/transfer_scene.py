"""Who is in a transfer (§23): the legs around an operator who pressed *2, and those of one in progress."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.domain.errors import Unavailable
from ivr.domain.transfer import Transfer
from ivr.ports import Leg, Snapshot


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What an operator who pressed *2 is in."""

    me: Leg
    citizen: Leg | None
    """In the same bridge, and nobody else."""
    transfer: Transfer | None
    """Which this operator has begun and whose second operator is on the line."""


@dataclass(kw_only=True)
class Line:
    """A transfer and the names of its legs."""

    transfer: Transfer
    citizen: str
    first: str
    first_left: bool = False


def leg_of(snapshot: Snapshot, call: str) -> Leg:
    """Raises Unavailable: the leg has gone meanwhile."""
    for leg in snapshot.legs:
        if leg.call == call:
            return leg
    raise Unavailable("the leg has hung up")
