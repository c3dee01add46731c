"""Whom a callback may be made to, when, and how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.domain.callback import Attempt, Callback, Source
from ivr.domain.callback_rules import AllowList, Caps, QuietHours, RetryPlan, soonest, zone_of
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.ids import new_id
from ivr.domain.worktime import WorkCalendar

SITE = ZoneInfo("Asia/Yekaterinburg")
QUIET = QuietHours(site=SITE)
CALENDAR = WorkCalendar(zone=SITE)
ALL_DAY = WorkCalendar(zone=SITE, opens=time(0), closes=None)
MOSCOW, URAL, IRKUTSK = "+74951234567", "+73432123456", "+73952123456"
MOBILE = "+79123456789"
NOON = datetime(2026, 11, 24, 12, tzinfo=SITE)
MINUTES = st.integers(0, 14 * 24 * 60)


def a_callback(number: str = URAL, *, source: Source = Source.QUEUE, arrived: datetime = NOON) -> Callback:
    return Callback(
        id=new_id(NOON),
        card="c",
        number=number,
        source=source,
        queue="general",
        arrived_at=arrived,
        due=arrived,
    )


def at(hour: int, minute: int = 0, *, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=SITE)


# --- whom -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [MOSCOW, URAL, "+78121234567", "+78001234567", MOBILE])
def test_national_numbers_are_called(number: str) -> None:
    assert AllowList().refusal(number) is None


@pytest.mark.parametrize(
    ("number", "word"),
    [
        ("+78091234567", "cost extra"),
        ("+78031234567", "cost extra"),
        ("+78041234567", "cost extra"),
        ("+77172000000", "national"),
        ("+75551234567", "national"),
        ("+442071838750", "national"),
        ("+8835100012345", "national"),
        ("+7495123", "complete"),
        ("+791234567890", "complete"),
    ],
)
def test_any_other_number_is_refused_with_a_sentence_that_does_not_name_it(number: str, word: str) -> None:
    refusal = AllowList().refusal(number)
    assert refusal is not None
    assert word in refusal
    assert number not in refusal


def test_our_own_numbers_are_never_called_whatever_the_list_says() -> None:
    assert AllowList(own=("+78006000000",)).refusal("+78006000000") is not None
    assert AllowList(own=("+78006000000",)).refusal("+78006000001") is None


# --- when -------------------------------------------------------------------------------------------


def test_the_zone_of_a_number_is_its_own_and_a_mobile_number_has_none() -> None:
    assert zone_of(URAL, NOON) == SITE
    moscow = zone_of(MOSCOW, NOON)
    assert moscow is not None
    assert NOON.astimezone(moscow).utcoffset() == timedelta(hours=3)
    assert zone_of(MOBILE, NOON) is None


@pytest.mark.parametrize(
    ("number", "now", "then"),
    [
        (URAL, at(8, 59), at(9)),
        (URAL, at(9), at(9)),
        (URAL, at(20, 59), at(20, 59)),
        (URAL, at(21), at(9, day=25)),
        (MOSCOW, at(9), at(11)),  # 7 in Moscow
        (MOSCOW, at(22, 59), at(22, 59)),  # 20:59 in Moscow
        (IRKUTSK, at(17, 59), at(17, 59)),  # 20:59 in Irkutsk
        (IRKUTSK, at(18), at(6, day=25)),
        (MOBILE, at(9), at(12)),
        (MOBILE, at(12), at(12)),
        (MOBILE, at(21), at(12, day=25)),
    ],
)
def test_quiet_hours_are_by_the_clock_where_the_number_is(number: str, now: datetime, then: datetime) -> None:
    assert QUIET.next_time(number, now) == then


def test_who_has_just_called_is_awake_and_so_is_who_was_told_the_time() -> None:
    late = a_callback(MOBILE, source=Source.ABANDONED, arrived=at(9, 30))
    assert soonest(late, at(9, 40), CALENDAR, QUIET) == at(9, 40)
    assert soonest(late, at(11, 31), CALENDAR, QUIET) == at(12)
    for told in (Source.AGREED, Source.CLOSED, Source.QUEUE):
        agreed = a_callback(MOBILE, source=told, arrived=at(19, 30, day=23))
        assert soonest(agreed, at(19, 30, day=23), CALENDAR, QUIET) == at(9)
        assert soonest(replace(agreed, number=MOSCOW), at(9), CALENDAR, QUIET) == at(11)
    deferred = a_callback(MOBILE, source=Source.DEFERRED, arrived=at(9, 30))
    assert soonest(deferred, at(9, 40), CALENDAR, QUIET) == at(12)


def test_nobody_is_called_while_the_line_is_closed() -> None:
    friday = a_callback(MOSCOW, arrived=at(17, 59, day=27))
    assert soonest(friday, at(18, day=27), CALENDAR, QUIET) == at(11, day=30)


def test_where_the_line_is_never_open_while_the_citizen_is_awake_there_is_no_time() -> None:
    """Open from 3 to 5 at night."""
    night = WorkCalendar(zone=SITE, opens=time(3), closes=time(5))
    assert soonest(a_callback(URAL, arrived=at(12, day=20)), NOON, night, QUIET) is None


@settings(deadline=None, max_examples=60)
@given(
    number=st.sampled_from([MOSCOW, URAL, IRKUTSK, MOBILE]), minutes=MINUTES, source=st.sampled_from(Source)
)
def test_the_soonest_time_is_allowed_and_nothing_before_it_is(
    number: str, minutes: int, source: Source
) -> None:
    now = NOON + timedelta(minutes=minutes)
    callback = a_callback(number, source=source, arrived=NOON - timedelta(days=1))
    found = soonest(callback, now, CALENDAR, QUIET)
    assert found is not None
    assert found >= now
    assert CALENDAR.is_open(found)
    local = found.astimezone(zone_of(number, found) or SITE)
    assert time(9) <= local.time() < time(21)
    step = timedelta(minutes=97)
    early = now
    while early < found:
        assert soonest(callback, early, CALENDAR, QUIET) == found
        early += step


# --- how often --------------------------------------------------------------------------------------


def attempts(*times: datetime, result: str = "busy") -> tuple[Attempt, ...]:
    return tuple(Attempt(at=one, result=result, leg=n + 1) for n, one in enumerate(times))


@pytest.mark.parametrize(
    ("result", "minutes"),
    [
        (ContactOutcome.BUSY, 15),
        (ContactOutcome.NO_ANSWER, 60),
        (ContactOutcome.MACHINE, 120),
        (ContactOutcome.TOO_SHORT, 15),
        (ContactOutcome.UNKNOWN, 60),
        (ContactOutcome.INVALID, 60),
        (ContactOutcome.ABANDONED_QUEUE, 60),  # of an outbound call this is as good as unknown
    ],
)
def test_what_follows_depends_on_the_result(result: ContactOutcome, minutes: int) -> None:
    made = attempts(at(12), result=result.value)
    assert RetryPlan().next_try(made, result, at(12, 1), SITE) == at(12, 1) + timedelta(minutes=minutes)


def test_three_attempts_a_day_and_the_fourth_on_the_next_by_the_sites_clock() -> None:
    made = attempts(at(9), at(12), at(15))
    assert RetryPlan().next_try(made, ContactOutcome.BUSY, at(15), SITE) == at(0, day=25)


def test_a_number_that_is_none_is_tried_twice_and_any_other_nine_times() -> None:
    plan = RetryPlan()
    once, twice = attempts(at(9), result="invalid"), attempts(at(9), at(11), result="invalid")
    assert plan.next_try(once, ContactOutcome.INVALID, at(9), SITE) is not None
    assert plan.next_try(twice, ContactOutcome.INVALID, at(11), SITE) is None
    often = attempts(*(at(9, day=day) for day in range(1, 10)))
    assert plan.next_try(often[:8], ContactOutcome.BUSY, at(9, day=8), SITE) is not None
    assert plan.next_try(often, ContactOutcome.BUSY, at(9, day=9), SITE) is None


@given(
    st.lists(st.sampled_from(list(ContactOutcome)), max_size=30), st.lists(st.integers(0, 300), min_size=30)
)
def test_never_more_than_three_a_day_and_always_fifteen_minutes_apart(
    results: list[ContactOutcome], pauses: list[int]
) -> None:
    plan, made, now = RetryPlan(), (), at(9).astimezone(UTC)
    for result, pause in zip(results, pauses, strict=False):
        made = (*made, Attempt(at=now, result=result.value, leg=len(made) + 1))
        following = plan.next_try(made, result, now + timedelta(seconds=pause), SITE)
        if following is None:
            break
        now = following
    assert len(made) <= plan.most
    moments = [attempt.at for attempt in made]
    assert all(later - earlier >= plan.gap for earlier, later in pairwise(moments))
    days = [moment.astimezone(SITE).date() for moment in moments]
    assert all(days.count(day) <= plan.per_day for day in days)


# --- how many in all --------------------------------------------------------------------------------


def test_caps_are_reached_by_either_figure_and_say_which() -> None:
    caps = Caps(attempts=3, minutes=10)
    assert caps.reached(2, 599) is None
    assert "3 callbacks were dialled" in (caps.reached(3, 0) or "")
    assert "talked for 10 minutes" in (caps.reached(0, 600) or "")
