"""Figures of a contact centre, by the definitions of docs/metrics.md. Pure: what happened in, figures out.

An offer is a citizen who wanted an operator: one turn in one queue, or the whole call of a citizen who passed
several queues, whose wait is then by the wall clock. Each has one fate, so that fates sum to offers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ivr.domain.operators import OperatorState, StateChange


class Fate(StrEnum):
    """What came of wanting an operator."""

    ANSWERED = "answered"  # an operator and the citizen were in one bridge
    ABANDONED = "abandoned"  # hung up while waiting
    CALLBACK = "callback"  # left the queue for a callback
    GIVEN_BACK = "given_back"  # waited to the limit, nobody was there, the queue was full, sent elsewhere
    LOST = "lost"  # our failure ended the wait
    WAITING = "waiting"  # waits still


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The site's limits, seconds."""

    answer: float = 20.0
    """T of the service level: answered within so long is in time."""
    short: float = 5.0
    """Who hangs up within so long has hardly wanted an operator: a short abandonment, told apart."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One citizen who wanted an operator; all times whole seconds."""

    fate: Fate
    waited_s: int
    """Until the bridge, or until the wait ended otherwise."""
    talking_s: int = 0
    """Without holds."""
    hold_s: int = 0
    wrapup_s: int = 0

    @property
    def handling_s(self) -> int:
        return self.talking_s + self.hold_s + self.wrapup_s


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of a period, a queue or an operator. A ratio or mean of nothing is None."""

    offered: int
    answered: int
    answered_in_time: int
    abandoned: int
    """All of them, short ones included."""
    abandoned_short: int
    callback: int
    given_back: int
    lost: int
    waiting: int
    service_level: float | None
    """Answered in time / offered."""
    service_level_without_early: float | None
    """Answered in time / offered without those who abandoned in time."""
    service_level_with_early: float | None
    """Answered or abandoned in time / offered."""
    abandonment: float | None
    """Abandoned without the short ones / offered without the short ones."""
    asa_s: float | None
    """Average speed of answer: mean wait of the answered."""
    longest_wait_s: int | None
    """Of all offers."""
    aht_s: float | None
    """Average handling time: mean of talk + hold + wrap-up of the answered."""
    service_time_s: float | None
    """§13: mean of wait + talk + hold + wrap-up of the answered."""
    talking_s: int
    hold_s: int
    wrapup_s: int


def figures(offers: Iterable[Offer], limits: Limits) -> Figures:
    """Everything about these offers. Who waits still is in `offered` only once the wait is over."""
    known = list(offers)
    over = [offer for offer in known if offer.fate is not Fate.WAITING]
    answered = _of(over, Fate.ANSWERED)
    abandoned = _of(over, Fate.ABANDONED)
    in_time = [offer for offer in answered if offer.waited_s <= limits.answer]
    early = [offer for offer in abandoned if offer.waited_s <= limits.answer]
    short = [offer for offer in abandoned if offer.waited_s <= limits.short]
    return Figures(
        offered=len(over),
        answered=len(answered),
        answered_in_time=len(in_time),
        abandoned=len(abandoned),
        abandoned_short=len(short),
        callback=len(_of(over, Fate.CALLBACK)),
        given_back=len(_of(over, Fate.GIVEN_BACK)),
        lost=len(_of(over, Fate.LOST)),
        waiting=len(known) - len(over),
        service_level=_ratio(len(in_time), len(over)),
        service_level_without_early=_ratio(len(in_time), len(over) - len(early)),
        service_level_with_early=_ratio(len(in_time) + len(early), len(over)),
        abandonment=_ratio(len(abandoned) - len(short), len(over) - len(short)),
        asa_s=_mean([offer.waited_s for offer in answered]),
        longest_wait_s=max((offer.waited_s for offer in known), default=None),
        aht_s=_mean([offer.handling_s for offer in answered]),
        service_time_s=_mean([offer.waited_s + offer.handling_s for offer in answered]),
        talking_s=sum(offer.talking_s for offer in known),
        hold_s=sum(offer.hold_s for offer in known),
        wrapup_s=sum(offer.wrapup_s for offer in known),
    )


def _of(offers: Sequence[Offer], fate: Fate) -> Sequence[Offer]:
    return [offer for offer in offers if offer.fate is fate]


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _mean(values: Sequence[int]) -> float | None:
    return _ratio(sum(values), len(values))


# --- operators' time ---------------------------------------------------------------------------------


def time_in_states(
    changes: Iterable[StateChange], since: datetime, until: datetime
) -> Mapping[str, Mapping[OperatorState, float]]:
    """Seconds that each operator was in each state between the two moments, by extension.

    changes: in the order of time, with the last one before `since` of everybody who had one. The last state
    goes on to `until`, which for a period that is not over yet is now.
    """
    found: dict[str, dict[OperatorState, float]] = {}
    current: dict[str, StateChange] = {}
    for change in changes:
        if (last := current.get(change.extension)) is not None:
            _spend(found, last, since, min(change.at, until))
        current[change.extension] = change
    for last in current.values():
        _spend(found, last, since, until)
    return found


def _spend(
    found: dict[str, dict[OperatorState, float]], state: StateChange, since: datetime, until: datetime
) -> None:
    seconds = (until - max(state.at, since)).total_seconds()
    spent = found.setdefault(state.extension, {})
    if seconds > 0:
        spent[state.state] = spent.get(state.state, 0.0) + seconds


def occupancy(handling_s: float, states: Mapping[OperatorState, float]) -> float | None:
    """Handling time / time logged in and not on a pause; None for who was not there.

    More than 1 is possible: who logs out in a talk goes on talking.
    """
    there = states.get(OperatorState.READY, 0.0) + states.get(OperatorState.WRAPUP, 0.0)
    return _ratio(handling_s, there)
