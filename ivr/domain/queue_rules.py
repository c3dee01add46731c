"""The rules of a queue: who goes first, who may be rung, and what comes instead of waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from ivr.domain.errors import BadInput
from ivr.domain.operators import GENERAL_QUEUE, agency_queue

WIDENINGS = (15, 30, 60, 120, 300)
"""Seconds after which a caller may ring every operator (asterisk-conf/queuerules.conf)."""
MOST_SECONDS = 4 * 3600
MOST_PENALTY = 100


class Priority(IntEnum):
    """Who goes first; among equals the place, which callbacks and callers who were cut off have back."""

    EVERYBODY = 0
    HEAD = 30  # talked already and lost the operator, or has answered a call at an agreed time
    PASSING = 40  # may have a free operator whom those before may not (services/passing.py)


class Instead(StrEnum):
    """What a caller gets instead of waiting on."""

    CALLBACK = "callback"  # is offered a callback
    FIRST_LINE = "first_line"  # the first line of the same agency
    GENERAL = "general"  # any first-line operator


@dataclass(frozen=True, kw_only=True)
class QueueRules:
    """What holds for one queue. Raises BadInput for what cannot be meant."""

    queue: str
    no_operator: Instead = Instead.CALLBACK
    """Nobody is logged in, or no telephone of theirs is there."""
    all_paused: Instead = Instead.CALLBACK
    """Everybody has been on a pause (wrap-up is none) for `paused_seconds`."""
    too_long: Instead = Instead.CALLBACK
    """Somebody has waited for `longest_wait_seconds`."""
    paused_seconds: int = 120
    longest_wait_seconds: int | None = None
    """None: the site's limit."""
    topics: Mapping[str, int] = field(default_factory=dict)
    """By title: only operators up to this penalty are rung for it at first."""
    widen_seconds: int = 60
    """After so long all are."""

    def __post_init__(self) -> None:
        if self.longest_wait_seconds is not None:
            _check_seconds("the longest wait", self.longest_wait_seconds)
        _check_seconds("the longest pause", self.paused_seconds)
        if self.widen_seconds not in WIDENINGS:
            raise BadInput(f"operators are widened after {_listed(WIDENINGS)} seconds")
        if any(not 0 <= penalty <= MOST_PENALTY for penalty in self.topics.values()):
            raise BadInput(f"a penalty is a number from 0 to {MOST_PENALTY}")
        for what in (self.no_operator, self.all_paused, self.too_long):
            if what is not Instead.CALLBACK and self.after(what) is None:
                raise BadInput(f"{what.value} leads from {self.queue} to itself; choose callback")

    def after(self, what: Instead) -> str | None:
        """The queue that a caller goes on to; None: a callback is offered."""
        agency, dash, line = self.queue.rpartition("-")
        if what is Instead.FIRST_LINE and dash and line != "1":
            return agency_queue(agency, 1)
        if what is Instead.GENERAL and self.queue != GENERAL_QUEUE:
            return GENERAL_QUEUE
        return None


def default_rules(queue: str) -> QueueRules:
    """Who wants a second line that is not there is answered by the first; everybody else is called back."""
    if not queue.endswith("-2"):
        return QueueRules(queue=queue)
    return QueueRules(queue=queue, no_operator=Instead.FIRST_LINE, all_paused=Instead.FIRST_LINE)


def _check_seconds(what: str, seconds: int) -> None:
    if not 1 <= seconds <= MOST_SECONDS:
        raise BadInput(f"{what} is from 1 to {MOST_SECONDS} seconds")


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers[:-1])) + f" or {numbers[-1]}"
