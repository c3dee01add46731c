"""Periods of reports: days of the site's zone, whatever zone the machine is in. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Period:
    """From `since` on, `until` itself not."""

    name: str
    since: datetime
    until: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day of this zone begins."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def days(first: date, last: date, zone: ZoneInfo) -> Period:
    """From the first day to the end of the last. Raises ValueError when they are the wrong way round."""
    if last < first:
        raise ValueError("a period does not end before it begins")
    name = first.isoformat() if first == last else f"{first.isoformat()}/{last.isoformat()}"
    return Period(name=name, since=midnight(first, zone), until=midnight(last + timedelta(days=1), zone))


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of the day's week (ISO 8601)."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def each_day(first: date, last: date, zone: ZoneInfo) -> Sequence[Period]:
    dates = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [days(day, day, zone) for day in dates]


def each_hour(day: date, zone: ZoneInfo) -> Sequence[Period]:
    """24 of them, or one more or less on the day that clocks are changed; named by the clock on the wall."""
    whole = days(day, day, zone)
    count = round((whole.until - whole.since).total_seconds() / 3600)
    starts = [whole.since + timedelta(hours=n) for n in range(count)]
    return [
        Period(name=start.astimezone(zone).strftime("%H:%M"), since=start, until=start + timedelta(hours=1))
        for start in starts
    ]
