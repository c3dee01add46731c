"""Working time (§12, §14): which days and hours, and the counting of them, held against a slow oracle."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.domain.errors import BadInput
from ivr.domain.worktime import DayException, Source, WorkCalendar, parse_hours

ZONE = ZoneInfo("Asia/Yekaterinburg")
BERLIN = ZoneInfo("Europe/Berlin")
"""A zone whose clocks are put forward and back."""
EIGHT = timedelta(hours=8)
MONDAY = date(2026, 11, 23)
CALENDAR = WorkCalendar(zone=ZONE)

DAYS = st.dates(date(2025, 1, 1), date(2026, 12, 31))
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 1), timezones=st.just(ZONE))
DURATIONS = st.timedeltas(timedelta(0), timedelta(hours=100))


def at(day: date, hour: int, minute: int = 0, zone: ZoneInfo = ZONE) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=zone)


def own(day: date, hours: str | None) -> DayException:
    opens, closes = (None, None) if hours is None else parse_hours(hours)
    return DayException(day=day, opens=opens, closes=closes)


def calendar(*exceptions: DayException, zone: ZoneInfo = ZONE, hours: str = "09:00-18:00") -> WorkCalendar:
    opens, closes = parse_hours(hours)
    return WorkCalendar(
        zone=zone,
        opens=opens,
        closes=closes,
        exceptions={exception.day: exception for exception in exceptions},
    )


def seconds_open(known: WorkCalendar, start: datetime, end: datetime) -> timedelta:
    """The oracle: minute by minute, is the line open? For times of whole minutes."""
    minute, total = timedelta(minutes=1), timedelta()
    moment = start.astimezone(UTC)
    while moment < end.astimezone(UTC):
        total += minute if known.is_open(moment) else timedelta()
        moment += minute
    return total


# --- days ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "source", "closes"),
    [
        (date(2026, 11, 24), Source.REGULAR, time(18)),
        (date(2026, 11, 21), Source.WEEKEND, None),
        (date(2026, 11, 22), Source.WEEKEND, None),
        (date(2026, 11, 4), Source.HOLIDAY, None),
        (date(2026, 1, 9), Source.HOLIDAY, None),  # a Friday off, moved from a Saturday
        (date(2026, 11, 3), Source.SHORTENED, time(17)),
        (date(2025, 11, 1), Source.SHORTENED, time(17)),  # a working Saturday, and shortened
        (date(2025, 12, 31), Source.HOLIDAY, None),
    ],
)
def test_a_day_has_the_hours_of_the_production_calendar_and_says_why(
    day: date, source: Source, closes: time | None
) -> None:
    found = CALENDAR.hours_of(day)
    assert (found.source, found.closes) == (source, closes)
    assert (found.opens is None) == (closes is None)


def test_a_working_saturday_that_is_not_shortened_says_that_it_was_moved() -> None:
    assert CALENDAR.hours_of(date(2024, 4, 27)).source is Source.MOVED


def test_a_holiday_has_its_name_and_a_working_day_has_none() -> None:
    assert "единства" in CALENDAR.hours_of(date(2026, 11, 4)).name.lower()
    assert CALENDAR.hours_of(date(2026, 11, 24)).name == ""


@pytest.mark.parametrize(
    "day",
    [
        *(date(2025, 3, 7), date(2025, 4, 30), date(2025, 6, 11), date(2025, 11, 1)),
        *(date(2026, 4, 30), date(2026, 5, 8), date(2026, 6, 11), date(2026, 11, 3)),
    ],
)
def test_the_shortened_days_of_the_decrees_end_an_hour_earlier(day: date) -> None:
    assert CALENDAR.hours_of(day).closes == time(17)


@given(DAYS, st.sampled_from([None, "10:00-16:00", "00:00-24:00"]))
def test_an_own_exception_outweighs_every_other_rule(day: date, hours: str | None) -> None:
    exception = own(day, hours)
    found = calendar(exception).hours_of(day)
    assert (found.opens, found.closes, found.source) == (exception.opens, exception.closes, Source.OWN)


@pytest.mark.parametrize(("year", "unconfirmed"), [(2025, False), (2026, False), (2027, True)])
def test_a_year_that_nobody_compared_with_the_decree_is_unconfirmed(year: int, unconfirmed: bool) -> None:
    assert CALENDAR.unconfirmed(year) is unconfirmed


def test_the_site_may_confirm_a_year_itself() -> None:
    assert not WorkCalendar(zone=ZONE, confirmed=(2027,)).unconfirmed(2027)


# --- §14: eight working hours ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registered", "deadline"),
    [
        (at(MONDAY, 10), at(MONDAY, 18)),
        (at(MONDAY, 11), at(date(2026, 11, 24), 10)),
        (at(date(2026, 11, 27), 17), at(date(2026, 11, 30), 16)),
        (at(date(2026, 11, 28), 12), at(date(2026, 11, 30), 17)),
    ],
)
def test_the_deadline_of_the_regulation_is_eight_working_hours_on(
    registered: datetime, deadline: datetime
) -> None:
    assert CALENDAR.add_working(registered, EIGHT) == deadline


def test_a_shortened_day_before_a_friday_holiday_passes_its_rest_to_monday() -> None:
    """11 June 2026 is a Thursday, shortened; 12 June is a holiday."""
    assert CALENDAR.add_working(at(date(2026, 6, 11), 12), EIGHT) == at(date(2026, 6, 15), 12)


@given(MOMENTS, DURATIONS)
@settings(max_examples=60)
def test_what_was_added_is_what_is_counted_between(now: datetime, duration: timedelta) -> None:
    end = CALENDAR.add_working(now, duration)
    assert CALENDAR.working_time_between(now, end) == duration


@given(MOMENTS, DURATIONS)
@settings(max_examples=60)
def test_a_deadline_lies_in_working_time_and_not_a_moment_later_than_needed(
    now: datetime, duration: timedelta
) -> None:
    end = CALENDAR.add_working(now, duration)
    if duration > timedelta(microseconds=1):
        assert CALENDAR.is_open(end - timedelta(microseconds=1))


@given(MOMENTS, DURATIONS, DURATIONS)
@settings(max_examples=60)
def test_adding_twice_is_adding_the_sum(now: datetime, first: timedelta, second: timedelta) -> None:
    twice = CALENDAR.add_working(CALENDAR.add_working(now, first), second)
    assert twice == CALENDAR.add_working(now, first + second)


def test_working_time_is_neither_taken_away_nor_counted_backwards() -> None:
    now = at(MONDAY, 10)
    with pytest.raises(BadInput):
        CALENDAR.add_working(now, timedelta(seconds=-1))
    with pytest.raises(BadInput):
        CALENDAR.working_time_between(now, now - timedelta(seconds=1))


def test_more_working_time_than_a_year_has_is_refused() -> None:
    with pytest.raises(BadInput):
        CALENDAR.add_working(at(MONDAY, 10), timedelta(hours=5000))


@given(st.integers(0, 60 * 72), st.integers(0, 60 * 48), st.sampled_from([ZONE, BERLIN]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_working_time_agrees_with_a_count_minute_by_minute(
    offset: int, length: int, zone: ZoneInfo, round_the_clock: bool
) -> None:
    """Over a weekend on which Berlin puts its clocks back; with own hours round the clock, or none."""
    hours = "00:00-24:00" if round_the_clock else "22:00-23:30"
    known = calendar(own(date(2026, 10, 24), hours), own(date(2026, 10, 25), hours), zone=zone)
    start = at(date(2026, 10, 23), 12, zone=zone).astimezone(UTC) + timedelta(minutes=offset)
    end = start + timedelta(minutes=length)
    assert known.working_time_between(start, end) == seconds_open(known, start, end)


# --- open now, and next ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "open_"),
    [
        (at(MONDAY, 9) - timedelta(microseconds=1), False),
        (at(MONDAY, 9), True),
        (at(MONDAY, 18) - timedelta(microseconds=1), True),
        (at(MONDAY, 18), False),
        (at(date(2026, 11, 22), 12), False),
    ],
)
def test_the_line_is_open_from_the_first_second_and_closed_at_the_last(now: datetime, open_: bool) -> None:
    assert CALENDAR.is_open(now) is open_
    assert CALENDAR.closes_at(now) == (at(MONDAY, 18) if open_ else None)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        (at(MONDAY, 8), at(MONDAY, 9)),
        (at(MONDAY, 9), at(date(2026, 11, 24), 9)),
        (at(date(2026, 11, 27), 18), at(date(2026, 11, 30), 9)),
        (at(date(2026, 12, 30), 18), at(date(2027, 1, 11), 9)),
    ],
)
def test_the_next_opening_skips_what_is_closed(now: datetime, opening: datetime) -> None:
    assert CALENDAR.next_opening(now) == opening


@given(MOMENTS)
@settings(max_examples=60)
def test_the_next_opening_lies_ahead_and_its_first_second_is_open(now: datetime) -> None:
    opening = CALENDAR.next_opening(now)
    assert opening is not None
    assert opening > now
    assert CALENDAR.is_open(opening)
    assert not CALENDAR.is_open(opening - timedelta(microseconds=1))


def test_days_that_meet_at_midnight_are_one_working_time() -> None:
    known = calendar(own(MONDAY, "00:00-24:00"), own(date(2026, 11, 24), "00:00-12:00"))
    assert known.closes_at(at(MONDAY, 23)) == at(date(2026, 11, 24), 12)
    assert known.next_opening(at(MONDAY, 23)) == at(date(2026, 11, 25), 9)


def test_a_line_that_never_opens_has_no_next_opening() -> None:
    closed = [own(MONDAY + timedelta(days=n), None) for n in range(-1, 500)]
    assert calendar(*closed).next_opening(at(MONDAY, 12)) is None


def test_answers_are_in_the_zone_of_the_site_whatever_zone_asks() -> None:
    asked = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    opening = CALENDAR.next_opening(asked)
    assert opening == at(MONDAY, 9)
    assert opening.utcoffset() == timedelta(hours=5)


def test_a_time_without_a_zone_is_refused_everywhere() -> None:
    naive = datetime(2026, 11, 23, 10)
    for ask in (
        CALENDAR.is_open,
        CALENDAR.closes_at,
        CALENDAR.next_opening,
        lambda now: CALENDAR.add_working(now, EIGHT),
        lambda now: CALENDAR.working_time_between(now, now),
    ):
        with pytest.raises(BadInput):
            ask(naive)


# --- hours as they are written ---------------------------------------------------------------------


@given(st.integers(0, 24 * 60 - 1), st.integers(1, 24 * 60))
def test_hours_are_read_as_they_are_written_or_refused_when_they_end_before_they_begin(
    opens: int, closes: int
) -> None:
    text = f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
    if closes <= opens:
        with pytest.raises(BadInput):
            parse_hours(text)
    else:
        expected = None if closes == 24 * 60 else time(closes // 60, closes % 60)
        assert parse_hours(text) == (time(opens // 60, opens % 60), expected)


@given(st.text(max_size=20))
def test_any_text_is_hours_or_one_clear_sentence(text: str) -> None:
    try:
        opens, closes = parse_hours(text)
    except BadInput as error:
        assert str(error)
    else:
        assert closes is None or closes > opens


def test_a_day_that_closes_must_open_and_a_working_day_is_longer_than_an_hour() -> None:
    with pytest.raises(BadInput):
        DayException(day=MONDAY, opens=None, closes=time(18))
    with pytest.raises(BadInput):
        WorkCalendar(zone=ZONE, opens=time(9), closes=time(10))
