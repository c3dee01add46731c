"""Slots of agreed calls (§13): which times are refused, and which is the next free one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.domain.callback_rules import QuietHours
from ivr.domain.slots import Slots
from ivr.domain.worktime import DayException, WorkCalendar

ZONE = ZoneInfo("Asia/Yekaterinburg")
MOBILE, MOSCOW, ORENBURG = "+79123456789", "+74951234567", "+73532123456"
CALENDAR = WorkCalendar(zone=ZONE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


NOW = at("2026-11-24T10:10")


def slots(calendar: WorkCalendar = CALENDAR, **more: object) -> Slots:
    return Slots(calendar=calendar, quiet=QuietHours(site=ZONE), **{"per_slot": 2, **more})  # type: ignore[arg-type]


def refused(text: str, *, number: str = MOBILE, taken: Sequence[datetime] = ()) -> str | None:
    return slots().refusal(at(text), number, NOW, taken)


def test_a_time_within_the_hours_is_free_also_for_a_mobile_number_in_the_morning() -> None:
    assert refused("2026-11-25T09:00") is None


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("2026-11-24T10:10", "in the past"),
        ("2026-12-09T10:00", "more than 14 days away"),
        ("2026-11-25T08:59", "line is closed"),
        ("2026-11-25T18:00", "line is closed"),
        ("2026-11-28T12:00", "line is closed"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_why(when: str, why: str) -> None:
    assert why in (refused(when) or "")


def test_it_may_be_too_early_where_the_citizen_is() -> None:
    """Half past ten in Yekaterinburg is half past eight in Moscow."""
    assert "where the citizen is" in (refused("2026-11-25T10:30", number=MOSCOW) or "")
    assert refused("2026-11-25T11:00", number=MOSCOW) is None
    assert refused("2026-11-25T10:30", number=ORENBURG) is None


def test_a_slot_takes_as_many_as_it_may_wherever_in_it_they_are() -> None:
    taken = [at("2026-11-25T11:00"), at("2026-11-25T11:29")]
    assert refused("2026-11-25T11:15", taken=taken) == "the slot of 11:00 is full"
    assert refused("2026-11-25T11:15", taken=taken[1:]) is None
    assert refused("2026-11-25T11:30", taken=taken) is None


def test_free_slots_come_in_order_over_nights_and_days_off() -> None:
    found = slots(length=timedelta(hours=4)).free(MOBILE, at("2026-11-27T13:00"), ())
    assert list(islice(found, 4)) == [
        at("2026-11-27T16:00"),
        *(at("2026-11-30T12:00"), at("2026-11-30T16:00")),
        at("2026-12-01T12:00"),
    ]


def test_full_slots_and_quiet_hours_are_passed_over() -> None:
    taken = [at("2026-11-24T11:00")] * 2 + [at("2026-11-24T11:40")]
    assert next(slots().free(MOSCOW, NOW, taken)) == at("2026-11-24T11:30")


def test_a_slot_that_has_begun_is_not_offered_and_none_before_the_time_that_was_wanted() -> None:
    assert next(slots().free(MOBILE, NOW, ())) == at("2026-11-24T10:30")
    assert next(slots().free(MOBILE, NOW, (), after=at("2026-11-25T12:05"))) == at("2026-11-25T12:30")


def test_a_day_that_begins_within_a_slot_has_its_first_one_after_that() -> None:
    day = date(2026, 11, 25)
    late = WorkCalendar(zone=ZONE, exceptions={day: DayException(day=day, opens=time(9, 10), closes=None)})
    assert next(slots(late).free(MOBILE, at("2026-11-24T18:00"), ())) == at("2026-11-25T09:30")


def test_a_line_that_never_opens_has_no_free_slot() -> None:
    days = [date(2026, 11, 24) + timedelta(days=n) for n in range(30)]
    closed = {day: DayException(day=day, opens=None, closes=None) for day in days}
    assert list(slots(WorkCalendar(zone=ZONE, exceptions=closed)).free(MOBILE, NOW, ())) == []


@settings(max_examples=30, deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(ZONE)),
    st.sampled_from([MOBILE, MOSCOW, ORENBURG, "+79140000000", "+74212123456"]),
    st.sampled_from([900, 1800, 3600, 7200]),
    st.lists(st.integers(0, 60), max_size=20),
)
def test_every_offered_slot_would_be_accepted_and_a_filled_one_is_offered_no_more(
    now: datetime, number: str, length: int, offsets: list[int]
) -> None:
    of = slots(length=timedelta(seconds=length))
    taken = [now + timedelta(hours=offset) for offset in offsets]
    offered = list(islice(of.free(number, now, taken), 5))
    assert offered == sorted(set(offered))
    for one in offered:
        assert of.refusal(one, number, now, taken) is None
        assert one not in islice(of.free(number, now, [*taken, one, one]), 5)
