"""Working time (§12): daily but for weekends and holidays, with Russia's moved days off, shortened days
and own exceptions; and the counting of it (§14: eight working hours).

A day off or a working day comes from a `ProductionCalendar`; `Russia` is the one of the labour code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import holidays

from ivr.domain.errors import BadInput

HORIZON = timedelta(days=400)
"""How far ahead an opening is looked for: past the longest year that could be closed by exceptions."""
SHORTER_BY = timedelta(hours=1)
"""Labour code of Russia, article 95."""
SHORTENED = frozenset(
    {
        *(date(2025, 3, 7), date(2025, 4, 30), date(2025, 6, 11), date(2025, 11, 1)),
        *(date(2026, 4, 30), date(2026, 5, 8), date(2026, 6, 11), date(2026, 11, 3)),
    }
)
"""The working days before holidays that the decreed calendars shorten; `holidays` knows none of them."""
CONFIRMED_YEARS = frozenset({2025, 2026})
"""Years whose days off and shortened days were compared with the decree."""
_HOURS = re.compile(r"(\d{1,2}):(\d\d)\s*[-\u2013]\s*(\d{1,2}):(\d\d)", re.ASCII)


class Source(StrEnum):
    """Why a day has its hours."""

    REGULAR = "regular"  # a working day like any other
    WEEKEND = "weekend"  # Saturday or Sunday
    HOLIDAY = "holiday"  # a holiday, or a day off moved from another day
    MOVED = "moved"  # works although it is a Saturday or Sunday
    SHORTENED = "shortened"  # ends an hour earlier
    OWN = "own"  # our own exception


@dataclass(frozen=True, kw_only=True)
class DayException:
    """Our own exception to the production calendar; `opens` None means closed all day."""

    day: date
    opens: time | None
    closes: time | None
    """None with `opens` set means 24:00."""

    def __post_init__(self) -> None:
        if self.opens is None and self.closes is not None:
            raise BadInput("a day that closes must open first")
        if self.opens is not None:
            _check_hours(self.opens, self.closes)


@dataclass(frozen=True, kw_only=True)
class DayHours:
    """When the line is open on a day, and why; `opens` None means closed all day."""

    day: date
    opens: time | None
    closes: time | None
    """None with `opens` set means 24:00."""
    source: Source
    name: str = ""
    """The holiday's name in Russian."""


class ProductionCalendar(Protocol):
    """Which days are worked, before any exception of ours."""

    def is_working(self, day: date) -> bool: ...

    def name(self, day: date) -> str:
        """The holiday's name in Russian; empty for every other day."""
        ...

    def is_shortened(self, day: date) -> bool: ...

    def is_confirmed(self, year: int) -> bool:
        """Whether this year's calendar was compared with the decree."""
        ...


class Russia:
    """The production calendar of Russia, by the library `holidays` and the table of shortened days."""

    def is_working(self, day: date) -> bool:
        return bool(_russian_year(day.year).is_working_day(day))

    def name(self, day: date) -> str:
        return str(_russian_year(day.year).get(day) or "")

    def is_shortened(self, day: date) -> bool:
        return day in SHORTENED

    def is_confirmed(self, year: int) -> bool:
        return year in CONFIRMED_YEARS


@lru_cache(maxsize=16)
def _russian_year(year: int) -> Any:
    """One year's holidays; each year its own object, for threads share it and it must not grow."""
    return holidays.country_holidays("RU", years=year, expand=False, language="ru")


@dataclass(frozen=True, kw_only=True)
class WorkCalendar:
    """When the line is open. Every question takes aware times; answers are in the site's zone."""

    zone: ZoneInfo
    opens: time = time(9)
    closes: time | None = time(18)
    """None means 24:00."""
    exceptions: Mapping[date, DayException] = field(default_factory=dict)
    production: ProductionCalendar = field(default_factory=Russia)
    confirmed: Collection[int] = ()
    """Years that the site has compared with the decree itself."""

    def __post_init__(self) -> None:
        _check_hours(self.opens, self.closes)
        if _minutes(self.closes) - _minutes(self.opens) <= SHORTER_BY.seconds // 60:
            raise BadInput("a working day is longer than an hour, for some are shortened by one")

    def hours_of(self, day: date) -> DayHours:
        """A day's hours and where they come from: an own exception, else the production calendar."""
        own = self.exceptions.get(day)
        name = self.production.name(day)
        if own is not None:
            return DayHours(day=day, opens=own.opens, closes=own.closes, source=Source.OWN, name=name)
        weekend = day.weekday() >= 5
        if not self.production.is_working(day):
            source = Source.WEEKEND if weekend and not name else Source.HOLIDAY
            return DayHours(day=day, opens=None, closes=None, source=source, name=name)
        source = Source.MOVED if weekend else Source.REGULAR
        closes = self.closes
        if self.production.is_shortened(day):
            source, closes = Source.SHORTENED, _earlier(closes)
        return DayHours(day=day, opens=self.opens, closes=closes, source=source, name=name)

    def is_open(self, now: datetime) -> bool:
        """Open from the first second of the hours up to, and not with, their last."""
        return self.closes_at(now) is not None

    def closes_at(self, now: datetime) -> datetime | None:
        """The end of the working time that `now` lies in; None when the line is closed.

        Days that meet at midnight are one working time.
        """
        start, end = next(self._spans(_utc(now)), (None, None))
        inside = start is not None and start <= now
        return end.astimezone(self.zone) if inside and end is not None else None

    def next_opening(self, now: datetime) -> datetime | None:
        """The next time the line opens, after `now`; None when it does not within `HORIZON`."""
        for start, _ in self._spans(_utc(now)):
            if start > now:
                return start.astimezone(self.zone)
        return None

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How long the line is open from `start` to `end`. Raises BadInput when the end comes first."""
        first, last = _utc(start), _utc(end)
        if last < first:
            raise BadInput("working time is counted forwards: the end comes before the start")
        total, day, to = timedelta(), self._day(first), self._day(last)
        while day <= to:
            if (span := self._span(day)) is not None:
                total += max(timedelta(), min(span[1], last) - max(span[0], first))
            day += timedelta(days=1)
        return total

    def add_working(self, now: datetime, duration: timedelta) -> datetime:
        """The earliest moment when `duration` of working time has passed since `now` (§14: eight hours).

        Raises BadInput for a negative duration, and when the line is not open for that long within
        `HORIZON`.
        """
        if duration < timedelta():
            raise BadInput("working time is added, not taken away")
        if not duration:
            return now.astimezone(self.zone)
        for start, end in self._spans(_utc(now)):
            begin = max(start, _utc(now))
            if duration <= end - begin:
                return (begin + duration).astimezone(self.zone)
            duration -= end - begin
        raise BadInput(f"there is not that much working time in the next {HORIZON.days} days")

    def unconfirmed(self, year: int) -> bool:
        """Whether this year's calendar was not yet compared with the decree, by us or by the site."""
        return year not in self.confirmed and not self.production.is_confirmed(year)

    def _spans(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working times that end after `now`, in UTC, joined where they meet at midnight."""
        day = self._day(now)
        last, open_ = day + HORIZON, None
        while day <= last:
            span = self._span(day)
            if open_ is not None and (span is None or span[0] != open_[1]):
                yield open_
                open_ = None
            if span is not None and span[1] > now:
                open_ = (span[0] if open_ is None else open_[0], span[1])
            day += timedelta(days=1)
        if open_ is not None:
            yield open_

    def _span(self, day: date) -> tuple[datetime, datetime] | None:
        hours = self.hours_of(day)
        if hours.opens is None:
            return None
        closing_day = day + timedelta(days=1) if hours.closes is None else day
        start = datetime.combine(day, hours.opens, tzinfo=self.zone)
        end = datetime.combine(closing_day, hours.closes or time(), tzinfo=self.zone)
        return start.astimezone(UTC), end.astimezone(UTC)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def parse_hours(text: str) -> tuple[time, time | None]:
    """`09:00-18:00` as opening and closing; a closing at `24:00` is None. Raises BadInput."""
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise BadInput(f"{text!r} are no hours; write them as 09:00-18:00")
    opens_h, opens_m, closes_h, closes_m = map(int, match.groups())
    opens = _time(opens_h, opens_m, text)
    closes = None if (closes_h, closes_m) == (24, 0) else _time(closes_h, closes_m, text)
    _check_hours(opens, closes)
    return opens, closes


def _time(hour: int, minute: int, text: str) -> time:
    try:
        return time(hour, minute)
    except ValueError:
        raise BadInput(f"{text!r}: there is no such time of day") from None


def _check_hours(opens: time, closes: time | None) -> None:
    if closes is not None and closes <= opens:
        raise BadInput(f"{opens:%H:%M}-{closes:%H:%M}: the line would close before it opens")


def _minutes(at: time | None) -> int:
    return 24 * 60 if at is None else at.hour * 60 + at.minute


def _earlier(closes: time | None) -> time:
    minutes = _minutes(closes) - SHORTER_BY.seconds // 60
    return time(minutes // 60, minutes % 60)


def _utc(moment: datetime) -> datetime:
    """In UTC, where differences are real time. Raises BadInput for a time without a zone."""
    if moment.tzinfo is None:
        raise BadInput("a time without a zone could mean anything")
    return moment.astimezone(UTC)
