"""The definitions of docs/metrics.md on offers made for them, and as properties of any offers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain import periods
from ivr.domain.figures import Fate, Limits, Offer, figures, occupancy, time_in_states
from ivr.domain.operators import OperatorState, StateChange

LIMITS = Limits(answer=20, short=5)
AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def offers(count: int, fate: Fate, waited: int, **times: int) -> list[Offer]:
    return [Offer(fate=fate, waited_s=waited, **times) for _ in range(count)]


# --- the service level -------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [Fate.ANSWERED, Fate.ABANDONED, Fate.GIVEN_BACK, Fate.CALLBACK, Fate.LOST])
def test_70_answered_in_time_10_abandoned_in_time_and_20_late_are_70_per_cent(late: Fate) -> None:
    """The oracle of the issue, with both variants; however the late ones ended, they were offered."""
    found = figures(
        offers(70, Fate.ANSWERED, 20) + offers(10, Fate.ABANDONED, 20) + offers(20, late, 21), LIMITS
    )
    assert found.offered == 100
    assert found.service_level == pytest.approx(0.70)
    assert found.service_level_without_early == pytest.approx(0.778, abs=0.0005)
    assert found.service_level_with_early == pytest.approx(0.80)


def test_in_time_is_up_to_the_very_second() -> None:
    found = figures(offers(1, Fate.ANSWERED, 20) + offers(1, Fate.ANSWERED, 21), LIMITS)
    assert (found.answered, found.answered_in_time) == (2, 1)


def test_of_nothing_there_is_no_level_and_no_mean() -> None:
    found = figures([], LIMITS)
    assert (found.service_level, found.abandonment, found.asa_s, found.aht_s) == (None, None, None, None)
    assert found.longest_wait_s is None


def test_where_everybody_abandoned_in_time_nothing_is_left_to_be_answered() -> None:
    found = figures(offers(3, Fate.ABANDONED, 6), LIMITS)
    assert (found.service_level, found.service_level_without_early) == (0.0, None)
    assert found.service_level_with_early == 1.0


def test_who_waits_still_is_not_offered_yet_but_may_be_the_longest() -> None:
    found = figures(offers(1, Fate.ANSWERED, 3) + offers(2, Fate.WAITING, 90), LIMITS)
    assert (found.offered, found.waiting, found.service_level, found.longest_wait_s) == (1, 2, 1.0, 90)


# --- the other figures -------------------------------------------------------------------------------


def test_short_abandonments_stand_apart() -> None:
    """8 answered, 2 short, 2 long: 2 of 10 have abandoned."""
    found = figures(
        offers(8, Fate.ANSWERED, 1) + offers(2, Fate.ABANDONED, 5) + offers(2, Fate.ABANDONED, 6), LIMITS
    )
    assert (found.abandoned, found.abandoned_short) == (4, 2)
    assert found.abandonment == pytest.approx(0.2)


def test_means_are_over_the_answered() -> None:
    """ASA of waits, AHT of talk, hold and wrap-up; the service time of §13 adds the wait."""
    answered = offers(1, Fate.ANSWERED, 10, talking_s=100, hold_s=20, wrapup_s=30)
    answered += offers(1, Fate.ANSWERED, 30, talking_s=50)
    found = figures([*answered, *offers(5, Fate.ABANDONED, 500)], LIMITS)
    assert (found.asa_s, found.aht_s, found.service_time_s) == (20, 100, 120)
    assert (found.talking_s, found.hold_s, found.wrapup_s) == (150, 20, 30)


ANY = st.builds(
    Offer,
    fate=st.sampled_from(Fate),
    waited_s=st.integers(0, 4000),
    talking_s=st.integers(0, 4000),
    hold_s=st.integers(0, 4000),
    wrapup_s=st.integers(0, 300),
)


@given(st.lists(ANY))
def test_fates_sum_to_all_who_wanted_an_operator(some: list[Offer]) -> None:
    found = figures(some, LIMITS)
    fates = found.answered + found.abandoned + found.callback + found.given_back + found.lost
    assert fates == found.offered
    assert found.offered + found.waiting == len(some)


@given(st.lists(ANY))
def test_every_ratio_is_one_and_the_variants_never_fall_below_the_level(some: list[Offer]) -> None:
    found = figures(some, LIMITS)
    levels = (found.service_level, found.service_level_without_early, found.service_level_with_early)
    assert all(0 <= ratio <= 1 for ratio in (*levels, found.abandonment) if ratio is not None)
    if found.service_level is not None:
        assert all(found.service_level <= variant for variant in levels if variant is not None)


@given(st.lists(ANY), st.lists(ANY))
def test_counts_of_two_parts_are_the_counts_of_the_whole(one: list[Offer], other: list[Offer]) -> None:
    parts, whole = (figures(one, LIMITS), figures(other, LIMITS)), figures([*one, *other], LIMITS)
    for name in ("offered", "answered", "answered_in_time", "abandoned", "talking_s", "wrapup_s"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)


# --- operators' time ---------------------------------------------------------------------------------


def change(minutes: float, state: OperatorState, extension: str = "201") -> StateChange:
    return StateChange(extension=extension, state=state, reason="", at=AT + timedelta(minutes=minutes))


HOUR = AT + timedelta(hours=1)


def test_time_is_spent_in_the_state_that_began_last() -> None:
    spent = time_in_states(
        [
            change(0, OperatorState.READY),
            change(20, OperatorState.PAUSED),
            change(30, OperatorState.READY),
            change(50, OperatorState.LOGGED_OUT),
        ],
        AT,
        HOUR,
    )["201"]
    assert spent == {
        OperatorState.READY: 40 * 60,
        OperatorState.PAUSED: 10 * 60,
        OperatorState.LOGGED_OUT: 10 * 60,
    }


def test_what_began_before_counts_from_the_beginning_and_what_goes_on_to_the_end() -> None:
    spent = time_in_states([change(-600, OperatorState.READY)], AT, HOUR)
    assert spent["201"] == {OperatorState.READY: 3600}


def test_a_change_after_the_end_changes_nothing() -> None:
    spent = time_in_states([change(0, OperatorState.READY), change(90, OperatorState.PAUSED)], AT, HOUR)
    assert spent["201"] == {OperatorState.READY: 3600}


@given(st.lists(st.tuples(st.integers(0, 90), st.sampled_from(OperatorState)), min_size=1))
def test_the_time_of_one_operator_sums_to_the_time_since_the_first_change(
    some: list[tuple[int, OperatorState]],
) -> None:
    changes = [change(minutes, state) for minutes, state in sorted(some, key=lambda pair: pair[0])]
    spent = time_in_states(changes, AT, HOUR)["201"]
    assert sum(spent.values()) == max(0, (HOUR - changes[0].at).total_seconds())


def test_occupancy_leaves_pauses_out() -> None:
    states = {OperatorState.READY: 3000.0, OperatorState.WRAPUP: 600.0, OperatorState.PAUSED: 900.0}
    assert occupancy(1800, states) == pytest.approx(0.5)
    assert occupancy(0, {OperatorState.PAUSED: 60.0}) is None


# --- periods -----------------------------------------------------------------------------------------

ZONES = ("Asia/Yekaterinburg", "UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland")


def test_a_day_is_a_day_of_the_sites_zone() -> None:
    day = periods.days(date(2026, 11, 24), date(2026, 11, 24), ZoneInfo("Asia/Yekaterinburg"))
    assert day.since == datetime(2026, 11, 23, 19, 0, tzinfo=UTC)
    assert day.until - day.since == timedelta(hours=24)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_on_which_clocks_are_changed_has_an_hour_more_or_less(day: date, hours: int) -> None:
    parts = periods.each_hour(day, ZoneInfo("Europe/Berlin"))
    assert len(parts) == hours
    assert [part.name for part in parts].count("02:00") == hours - 23


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)), st.sampled_from(ZONES))
def test_hours_and_days_follow_each_other_without_a_gap(day: date, zone: str) -> None:
    whole = periods.days(day, day, ZoneInfo(zone))
    hours = periods.each_hour(day, ZoneInfo(zone))
    week = periods.each_day(*periods.week_of(day), ZoneInfo(zone))
    for parts in (hours, week):
        assert all(one.until == other.since for one, other in pairwise(parts))
    assert (hours[0].since, hours[-1].until) == (whole.since, whole.until)
    assert whole in week


def test_a_week_begins_on_monday() -> None:
    assert periods.week_of(date(2026, 11, 29)) == (date(2026, 11, 23), date(2026, 11, 29))


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        periods.days(date(2026, 11, 2), date(2026, 11, 1), ZoneInfo("UTC"))
