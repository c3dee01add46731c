"""Deferred enquiries (§14): the examples of requirements.md, their order, their life."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.deferred import TRANSITIONS, Deferred, Limits, State, Urgency, call_at, in_order
from ivr.domain.errors import BadInput
from ivr.domain.worktime import DayException, WorkCalendar, parse_hours

ZONE = ZoneInfo("Asia/Yekaterinburg")
CALENDAR = WorkCalendar(zone=ZONE)
LIMITS = Limits()
HALF_AN_HOUR = timedelta(minutes=30)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def deferred(registered: str = "2026-11-24T10:00", **more: object) -> Deferred:
    registered_at = at(registered)
    made = Deferred(
        card="c",
        registered_at=registered_at,
        deadline=LIMITS.deadline(registered_at, CALENDAR),
        marked_at=registered_at,
        marked_by="201",
    )
    return replace(made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("registered", "deadline"),
    [
        ("2026-11-23T10:00", "2026-11-23T18:00"),  # Monday
        ("2026-11-23T11:00", "2026-11-24T10:00"),
        ("2026-11-27T17:00", "2026-11-30T16:00"),  # Friday
        ("2026-11-28T12:00", "2026-11-30T17:00"),  # Saturday
        ("2026-06-11T12:00", "2026-06-15T12:00"),  # Thursday, shortened, before a Friday holiday
    ],
)
def test_the_deadline_is_eight_working_hours_after_registration(registered: str, deadline: str) -> None:
    assert LIMITS.deadline(at(registered), CALENDAR) == at(deadline)


def test_a_day_that_the_site_closes_moves_the_deadline() -> None:
    day = date(2026, 11, 24)
    closed = WorkCalendar(zone=ZONE, exceptions={day: DayException(day=day, opens=None, closes=None)})
    assert LIMITS.deadline(at("2026-11-23T11:00"), closed) == at("2026-11-25T10:00")


def test_a_day_that_the_site_shortens_moves_the_deadline() -> None:
    day = date(2026, 11, 23)
    opens, closes = parse_hours("09:00-13:00")
    shorter = WorkCalendar(zone=ZONE, exceptions={day: DayException(day=day, opens=opens, closes=closes)})
    assert LIMITS.deadline(at("2026-11-23T10:00"), shorter) == at("2026-11-24T14:00")


def test_the_reminder_is_due_after_six_of_the_eight_hours() -> None:
    assert LIMITS.remind_at(at("2026-11-23T11:00"), CALENDAR) == at("2026-11-23T17:00")
    assert LIMITS.remind_at(at("2026-11-27T17:00"), CALENDAR) == at("2026-11-30T14:00")


@pytest.mark.parametrize(
    ("now", "urgency"),
    [
        ("2026-11-24T15:59", Urgency.CALM),
        ("2026-11-24T16:00", Urgency.SOON),
        ("2026-11-24T18:00", Urgency.SOON),
        ("2026-11-24T18:01", Urgency.LATE),
    ],
)
def test_it_becomes_urgent_at_three_quarters_and_late_after_the_deadline(now: str, urgency: Urgency) -> None:
    one = deferred()
    assert one.urgency(at(now), LIMITS.remind_at(one.registered_at, CALENDAR)) is urgency


def test_what_was_answered_in_time_is_not_late_a_week_later() -> None:
    answered = deferred().move(State.ANSWERED, at("2026-11-24T18:00"))
    assert not answered.late(at("2026-12-01T12:00"))
    assert deferred().move(State.ANSWERED, at("2026-11-25T09:01")).late(at("2026-12-01T12:00"))


def test_work_is_in_the_order_of_deadlines_then_of_registration_however_it_comes() -> None:
    saturday, sunday = deferred("2026-11-28T12:00", card="sat"), deferred("2026-11-29T12:00", card="sun")
    friday, monday = deferred("2026-11-27T17:00", card="fri"), deferred("2026-11-30T09:30", card="mon")
    assert saturday.deadline == sunday.deadline
    for found in permutations([saturday, sunday, friday, monday]):
        assert [one.card for one in in_order(found)] == ["fri", "sat", "sun", "mon"]


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_nothing_but_the_table_says_what_may_follow(before: State, after: State) -> None:
    one = deferred(state=before)
    if after in TRANSITIONS[before]:
        assert one.move(after, at("2026-11-24T12:00")).state is after
    else:
        with pytest.raises(BadInput, match=f"is {before.value}; it cannot become {after.value}"):
            one.move(after, at("2026-11-24T12:00"))


@pytest.mark.parametrize(
    ("now", "call"),
    [
        ("2026-11-24T11:00", "2026-11-24T11:30"),  # time to prepare
        ("2026-11-24T15:45", "2026-11-24T16:00"),  # the reminder comes first
        ("2026-11-24T17:00", "2026-11-24T17:00"),  # the reminder is past
        ("2026-11-24T20:00", "2026-11-25T09:00"),  # late, and the line is closed
    ],
)
def test_the_operator_has_time_to_prepare_until_the_reminder(now: str, call: str) -> None:
    registered_at = at("2026-11-24T10:00")
    assert call_at(registered_at, at(now), CALENDAR, LIMITS, HALF_AN_HOUR) == at(call)


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 1), timezones=st.just(ZONE)),
    st.timedeltas(timedelta(), timedelta(days=5)),
)
def test_no_call_is_planned_for_the_past_nor_while_the_line_is_closed_nor_for_after_the_deadline(
    registered_at: datetime, passed: timedelta
) -> None:
    now = registered_at + passed
    deadline = LIMITS.deadline(registered_at, CALENDAR)
    call = call_at(registered_at, now, CALENDAR, LIMITS, HALF_AN_HOUR)
    assert call >= now
    assert call <= max(deadline, CALENDAR.next_opening(now) or now)
    ends = CALENDAR.closes_at(call - timedelta(microseconds=1))
    assert CALENDAR.is_open(call) or ends == call
