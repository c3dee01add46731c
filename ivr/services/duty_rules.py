"""What has to be done so that the queues are as the database says: pure, for one operator at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ivr.domain.operators import ON_DUTY, Operator, OperatorState, Place
from ivr.ports import Member, MemberStatus

WRAPUP = "wrapup"
"""The reason of the pause that dialplans/operators.conf sets before a talk."""
BUSY = frozenset({MemberStatus.RINGING, MemberStatus.TALKING, MemberStatus.HOLDING})
_PAUSED = frozenset({OperatorState.PAUSED, OperatorState.WRAPUP})


class Deed(StrEnum):
    """What is to be done about one membership."""

    ADD = "add"
    REMOVE = "remove"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    PENALTY = "penalty"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command."""

    deed: Deed
    queue: str
    penalty: int = 0
    paused: bool = False
    reason: str = ""
    """Of the pause: `wrapup` or `paused`; the queues need not know more."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the database says of one operator."""

    operator: Operator
    places: tuple[Place, ...]

    @property
    def paused(self) -> bool:
        return self.operator.state in _PAUSED

    @property
    def asks(self) -> tuple[object, ...]:
        """All that the queues must know."""
        return self.operator.state, self.places

    @property
    def reason(self) -> str:
        """Of the pause, as the queues are told."""
        return self.operator.state.value if self.paused else ""


def steps(wanted: Wanted, members: Sequence[Member], *, wrapping_up: bool) -> Sequence[Step]:
    """What is missing. members: the operator's own, in any queue.

    wrapping_up: the pause that was set before a talk stays, whatever the state: the talk goes on, or nobody
    has seen to its end yet.
    """
    if wanted.operator.state not in ON_DUTY:
        return [Step(deed=Deed.REMOVE, queue=member.queue) for member in members]
    keeps = wrapping_up and not wanted.paused and has_wrapup(members)
    paused = wanted.paused or keeps
    reason = WRAPUP if keeps else wanted.reason
    found = {member.queue: member for member in members}
    served = {place.queue: place for place in wanted.places}
    return [
        *(Step(deed=Deed.REMOVE, queue=queue) for queue in found.keys() - served.keys()),
        *(
            Step(deed=Deed.ADD, queue=place.queue, penalty=place.penalty, paused=paused, reason=reason)
            for place in served.values()
            if place.queue not in found
        ),
        *(
            step
            for place in served.values()
            if (member := found.get(place.queue)) is not None
            for step in _changes(place, member, paused=paused, reason=reason)
        ),
    ]


def has_wrapup(members: Iterable[Member]) -> bool:
    """Whether a pause for wrap-up is in force."""
    return any(member.paused and member.reason == WRAPUP for member in members)


def is_busy(members: Iterable[Member]) -> bool:
    """Whether the telephone rings or talks."""
    return any(member.status in BUSY for member in members)


def is_away(members: Sequence[Member]) -> bool:
    """Whether the telephone cannot be rung at all."""
    return bool(members) and all(member.status is MemberStatus.AWAY for member in members)


def _changes(place: Place, member: Member, *, paused: bool, reason: str) -> Iterable[Step]:
    if place.penalty != member.penalty:
        yield Step(deed=Deed.PENALTY, queue=place.queue, penalty=place.penalty)
    if paused and (not member.paused or member.reason != reason):
        yield Step(deed=Deed.PAUSE, queue=place.queue, paused=True, reason=reason)
    elif member.paused and not paused:
        yield Step(deed=Deed.UNPAUSE, queue=place.queue)
