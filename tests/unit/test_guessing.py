"""Limits of guessing: counted in windows, locked for longer each time, and never prolonged by others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.errors import BadInput
from ivr.domain.guessing import (
    GuessCounter,
    Rule,
    after_failure,
    after_success,
    is_alarming,
    is_locked,
    without,
)
from ivr.testing import START

RULE = Rule(tries=3, window_s=3600, lock_s=60, lock_cap_s=300)
SLOWING = replace(RULE, lock_s=0)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def failed(*moments: float, rule: Rule = RULE) -> GuessCounter:
    """The counter after failures at these seconds."""
    counter = None
    for moment in moments:
        counter = after_failure(counter, at(moment), rule)
    assert counter is not None
    return counter


def test_the_first_failure_opens_the_window() -> None:
    assert failed(5) == GuessCounter(failures=1, since=at(5), locked_until=None, locks=0)


def test_as_many_failures_as_are_tolerated_lock_the_key() -> None:
    assert not is_locked(failed(0, 1), at(1))
    counter = failed(0, 1, 2)
    assert counter.locked_until == at(62)
    assert is_locked(counter, at(61.9))
    assert not is_locked(counter, at(62))


def test_failures_of_an_older_window_are_forgotten() -> None:
    counter = failed(0, 1, 3600)
    assert (counter.failures, counter.since) == (1, at(3600))
    assert failed(0, 1, 3599.9).locked_until is not None


def test_each_lock_in_a_row_is_twice_as_long_up_to_the_cap() -> None:
    counter, now, lengths = None, 0.0, []
    for _ in range(5):
        for _ in range(3):
            counter = after_failure(counter, at(now), RULE)
        assert counter is not None and counter.locked_until is not None
        lengths.append((counter.locked_until - at(now)).total_seconds())
        now += lengths[-1]
    assert lengths == [60, 120, 240, 300, 300]


@pytest.mark.parametrize(("quiet", "length"), [(299, 120), (300, 60)])
def test_a_row_of_locks_is_forgotten_as_long_after_its_end_as_the_longest_lock_lasts(
    quiet: float, length: float
) -> None:
    begin = 62 + quiet
    counter = failed(0, 1, 2, begin, begin, begin)
    assert counter.locked_until == at(begin + length)


def test_nobody_prolongs_a_lock_by_calling_during_it() -> None:
    locked = failed(0, 1, 2)
    assert after_failure(locked, at(30), RULE) == locked


def test_after_a_lock_the_tries_are_whole_again() -> None:
    assert not is_locked(failed(0, 1, 2, 63, 64), at(64))
    assert is_locked(failed(0, 1, 2, 63, 64, 65), at(65))


def test_a_rule_without_locks_alarms_until_its_window_is_over() -> None:
    counter = failed(0, 1, 2, 3, rule=SLOWING)
    assert (counter.failures, counter.locked_until) == (4, None)
    assert not is_alarming(failed(0, 1, rule=SLOWING), SLOWING, at(1))
    assert is_alarming(counter, SLOWING, at(3599))
    assert not is_alarming(counter, SLOWING, at(3600))
    assert not is_alarming(None, SLOWING, at(0))


def test_success_forgets_only_where_it_proves_who_one_is() -> None:
    counter = failed(0, 1)
    assert after_success(counter, RULE) == counter
    assert after_success(counter, replace(RULE, success_clears=True)) is None
    assert after_success(None, RULE) is None


def test_taking_back_the_attempt_that_was_right_leaves_what_was_before() -> None:
    before = failed(0)
    after = after_failure(before, at(1), RULE)
    assert without(after, before=before, after=after) == before
    assert without(failed(0), before=None, after=failed(0)) is None
    assert without(None, before=before, after=after) is None


def test_taking_back_leaves_what_others_added_since() -> None:
    before = failed(0)
    after = after_failure(before, at(1), RULE)
    others = after_failure(after, at(2), replace(RULE, tries=9))
    assert without(others, before=before, after=after) == replace(others, failures=2)
    emptied = replace(others, failures=0)
    assert without(emptied, before=before, after=after) == emptied


@pytest.mark.parametrize(
    "wrong",
    [
        {"tries": 0},
        {"window_s": 0},
        {"growth": 0.9},
        {"growth": 10.1},
        {"lock_s": -1},
        {"lock_s": 301},
    ],
)
def test_a_rule_that_limits_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        replace(RULE, **wrong)  # type: ignore[arg-type]


def test_a_time_without_a_zone_is_refused() -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(BadInput):
        after_failure(None, naive, RULE)
    with pytest.raises(BadInput):
        is_locked(failed(0), naive)
    with pytest.raises(BadInput):
        is_alarming(failed(0), RULE, naive)


@given(st.lists(st.floats(0, 4000), max_size=60))
def test_no_window_between_locks_ever_lets_more_than_the_tries_through(pauses: list[float]) -> None:
    counter, now = None, 0.0
    since_lock: list[float] = []
    for pause in pauses:
        now += pause
        if is_locked(counter, at(now)):
            since_lock = []
            continue
        counter = after_failure(counter, at(now), RULE)
        since_lock.append(now)
        if counter.locked_until is not None and is_locked(counter, at(now)):
            length = (counter.locked_until - at(now)).total_seconds()
            assert len(since_lock) >= RULE.tries
            assert RULE.lock_s <= length <= RULE.lock_cap_s
            since_lock = []
        assert counter.failures < RULE.tries
