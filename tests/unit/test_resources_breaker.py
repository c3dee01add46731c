"""The circuit breaker: what leads from where to where."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivr.resources.breaker import Breaker, BreakerState, Permit

FRESH = Breaker(limit=3, pause=30.0)


def leave(breaker: Breaker, now: float = 0.0) -> tuple[Breaker, Permit]:
    """Admitted; fails where the breaker refuses."""
    after, permit = breaker.admit(now)
    assert permit is not None
    return after, permit


def failing(breaker: Breaker, times: int, now: float = 0.0) -> Breaker:
    for _ in range(times):
        breaker, permit = leave(breaker, now)
        breaker = breaker.failed(permit, now)
    return breaker


OPEN = failing(FRESH, 3, 100.0)


def test_it_stays_closed_until_the_limit_of_failures_in_a_row() -> None:
    assert failing(FRESH, 2).state is BreakerState.CLOSED
    assert OPEN.state is BreakerState.OPEN


def test_an_answer_begins_the_count_anew() -> None:
    breaker, permit = leave(failing(FRESH, 2))
    breaker = breaker.answered(permit)

    assert (breaker.failures, failing(breaker, 2).state) == (0, BreakerState.CLOSED)


def test_nobody_is_admitted_before_the_pause_is_over_and_exactly_one_then() -> None:
    assert OPEN.admit(129.9) == (OPEN, None)
    half_open, _ = leave(OPEN, 130.0)
    assert half_open.state is BreakerState.HALF_OPEN
    assert half_open.admit(1_000.0) == (half_open, None)


def test_the_trial_that_is_answered_closes_it() -> None:
    half_open, permit = leave(OPEN, 130.0)
    closed = half_open.answered(permit)

    assert (closed.state, closed.failures) == (BreakerState.CLOSED, 0)


def test_the_trial_that_fails_opens_it_for_another_pause() -> None:
    half_open, permit = leave(OPEN, 130.0)
    opened = half_open.failed(permit, 133.0)

    assert (opened.admit(162.9)[1], opened.failures) == (None, 4)
    assert opened.admit(163.0)[1] is not None


def test_the_trial_that_is_abandoned_leaves_it_to_the_next_question_at_once() -> None:
    half_open, permit = leave(OPEN, 130.0)
    opened = half_open.abandoned(permit)

    assert opened.state is BreakerState.OPEN
    assert leave(opened, 130.0)[0].state is BreakerState.HALF_OPEN


def test_an_abandoned_question_of_a_closed_breaker_changes_nothing() -> None:
    breaker, permit = leave(failing(FRESH, 2))

    assert breaker.abandoned(permit) == breaker


def test_a_question_from_before_the_trial_says_nothing_about_it() -> None:
    _, late = leave(FRESH)
    half_open, _ = leave(OPEN, 130.0)

    assert half_open.failed(late, 131.0) == half_open
    assert half_open.answered(late) == half_open
    assert half_open.abandoned(late) == half_open
    assert OPEN.failed(late, 110.0) == OPEN


EVENTS = st.lists(st.tuples(st.sampled_from(["admit", "answered", "failed", "abandoned"]), st.floats(0, 40)))


@given(EVENTS)
def test_whatever_happens_a_breaker_without_open_questions_admits_one_after_a_pause(
    events: list[tuple[str, float]],
) -> None:
    breaker, out, now = FRESH, list[Permit](), 0.0
    for event, passed in events:
        now += passed
        if event == "admit":
            breaker, permit = breaker.admit(now)
            out += [permit] if permit else []
        elif out:
            permit = out.pop(0)
            breaker = breaker.failed(permit, now) if event == "failed" else getattr(breaker, event)(permit)
    for permit in out:
        breaker = breaker.abandoned(permit)

    assert breaker.state is not BreakerState.HALF_OPEN
    assert breaker.admit(now + breaker.pause)[1] is not None
