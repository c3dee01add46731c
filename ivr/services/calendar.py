"""The calendar of the line (§12): the site's opening hours, the production calendar, our own exceptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time

from ivr.domain.worktime import DayException, DayHours, Source, WorkCalendar, parse_hours
from ivr.settings import Settings


def calendar_of(settings: Settings, days: Iterable[DayException]) -> WorkCalendar:
    """days: our own exceptions. Raises BadInput for opening hours in the settings that are none."""
    opens, closes = parse_hours(f"{settings.opens}-{settings.closes}")
    return WorkCalendar(
        zone=settings.zone,
        opens=opens,
        closes=closes,
        exceptions={day.day: day for day in days},
        confirmed=settings.confirmed_years,
    )


def unconfirmed_years(calendar: WorkCalendar, today: date) -> Sequence[int]:
    """Of this and the coming year, those whose calendar was not compared with the decree."""
    return [year for year in (today.year, today.year + 1) if calendar.unconfirmed(year)]


def hours_in_words(calendar: WorkCalendar) -> tuple[time, time]:
    """Opening and closing of an ordinary working day, as prompts say them: the day's end is midnight."""
    return calendar.opens, calendar.closes or time()


def view(hours: DayHours) -> dict[str, object]:
    """A day with the keys of the outer interface."""
    return {
        "date": hours.day,
        "open": hours.opens is not None,
        "opens": None if hours.opens is None else f"{hours.opens:%H:%M}",
        "closes": None if hours.opens is None else clock(hours.closes),
        "source": hours.source.value,
        "name": hours.name,
    }


def exception_view(calendar: WorkCalendar, day: DayException) -> dict[str, object]:
    """One of our own exceptions with the same keys."""
    name = calendar.production.name(day.day)
    return view(DayHours(day=day.day, opens=day.opens, closes=day.closes, source=Source.OWN, name=name))


def words(hours: DayHours | DayException) -> str:
    """`open 09:00-18:00` or `closed`."""
    return "closed" if hours.opens is None else f"open {hours.opens:%H:%M}-{clock(hours.closes)}"


def clock(closes: time | None) -> str:
    """A closing time, where None is the end of the day."""
    return "24:00" if closes is None else f"{closes:%H:%M}"
