"""Limits of wrong look-ups: how often somebody may guess before the next try has to wait.

Under one key (a calling number, a SNILS) failures are counted in a window that begins with the first of them;
too many lock the key, each lock in a row longer than the last. A rule without locks is for what everybody
shares, the line: it slows look-ups down and raises an alarm, but nobody can lock others out with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.domain.errors import BadInput

_MOST_LOCKS = 64
_MOST_GROWTH = 10
"""Both keep the power finite; the cap is reached long before."""


@dataclass(frozen=True, kw_only=True)
class GuessCounter:
    """Failed attempts under one key in its current window."""

    failures: int
    since: datetime
    locked_until: datetime | None
    """End of the last lock, also when it is over."""
    locks: int
    """How many locks in a row; each is longer than the last."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is tolerated. Raises BadInput for a rule that limits nothing."""

    tries: int
    """Failures in one window that lock the key (or make it alarming)."""
    window_s: float
    lock_s: float
    """Seconds of the first lock; 0: this rule never locks."""
    lock_cap_s: float
    """Seconds of the longest lock. A row of locks is forgotten so long after its end."""
    growth: float = 2.0
    """How many times longer each lock in a row is."""
    success_clears: bool = False
    """Whether a right look-up forgets the wrong ones. Only where success proves who one is: somebody with a
    receipt of his own could otherwise guess at others' for ever, one right look-up after each few wrong."""

    def __post_init__(self) -> None:
        if self.tries < 1 or self.window_s <= 0 or not 1 <= self.growth <= _MOST_GROWTH:
            raise BadInput(
                f"a limit needs at least one try, a window, and locks that grow by 1 to {_MOST_GROWTH} times"
            )
        if not 0 <= self.lock_s <= self.lock_cap_s:
            raise BadInput("the longest lock cannot be shorter than the first")


def after_failure(counter: GuessCounter | None, now: datetime, rule: Rule) -> GuessCounter:
    """The counter after one more failure at `now`.

    A failure during a lock changes nothing: nobody can prolong another's lock by calling.
    """
    _aware(now)
    if counter is not None and is_locked(counter, now):
        return counter
    if counter is None:
        counter = GuessCounter(failures=0, since=now, locked_until=None, locks=0)
    elif not _in_window(counter, now, rule):
        counter = replace(counter, failures=0, since=now)
    counted = replace(counter, failures=counter.failures + 1, locks=_locks_in_a_row(counter, now, rule))
    return _locked(counted, now, rule) if rule.lock_s and counted.failures >= rule.tries else counted


def after_success(counter: GuessCounter | None, rule: Rule) -> GuessCounter | None:
    """The counter after a right look-up; None: forget it."""
    return None if rule.success_clears else counter


def without(
    counter: GuessCounter | None, *, before: GuessCounter | None, after: GuessCounter
) -> GuessCounter | None:
    """The counter without the failure that made `after` of `before`; what others added since stays.

    An attempt is counted as failed before its outcome is known, or as many as there are lines could be made
    at once; this takes the right one back. None: forget the counter.
    """
    if counter is None:  # unlocked meanwhile
        return None
    if counter == after:
        return before
    return replace(counter, failures=max(0, counter.failures - 1))


def is_locked(counter: GuessCounter | None, now: datetime) -> bool:
    """Whether a look-up under this key has to be refused, unheard."""
    _aware(now)
    return counter is not None and counter.locked_until is not None and now < counter.locked_until


def is_alarming(counter: GuessCounter | None, rule: Rule, now: datetime) -> bool:
    """Whether so much is guessed that each look-up should be slow and somebody should know (§10, §11)."""
    _aware(now)
    return counter is not None and _in_window(counter, now, rule) and counter.failures >= rule.tries


def _locked(counter: GuessCounter, now: datetime, rule: Rule) -> GuessCounter:
    seconds = min(rule.lock_cap_s, rule.lock_s * rule.growth ** min(counter.locks, _MOST_LOCKS))
    until = now + timedelta(seconds=seconds)
    return GuessCounter(failures=0, since=until, locked_until=until, locks=counter.locks + 1)


def _in_window(counter: GuessCounter, now: datetime, rule: Rule) -> bool:
    return now < counter.since + timedelta(seconds=rule.window_s)


def _locks_in_a_row(counter: GuessCounter, now: datetime, rule: Rule) -> int:
    if counter.locked_until is None:
        return 0
    quiet = now - counter.locked_until
    return 0 if quiet >= timedelta(seconds=rule.lock_cap_s) else counter.locks


def _aware(now: datetime) -> None:
    if now.tzinfo is None:
        raise BadInput("a time without a zone cannot be compared")
