"""`ekc calendar`: show, set, clear, check: own exceptions to the production calendar (§12)."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output
from ivr.commands.values import day, hours
from ivr.domain.errors import NotFound
from ivr.ports import DayException

if TYPE_CHECKING:
    from ivr.commands.site import Site

COLUMNS = ("date", "open", "closes", "source")
DATE = click.argument("date", metavar="DATE")


@click.group(cls=EkcGroup)
def calendar() -> None:
    """When the line is open: the production calendar and our own exceptions to it."""


@calendar.command("set")
@DATE
@click.option("--open", "open_", metavar="HOURS", help="Open at these hours: 09:00-18:00, 00:00-24:00.")
@click.option("--closed", is_flag=True, help="Closed all day.")
@with_site
def set_(site: Site, out: Output, date: str, open_: str | None, closed: bool) -> None:
    """An exception for one day, in force with the next call."""
    if (open_ is None) == (not closed):
        raise click.UsageError("give one of --open HOURS and --closed")
    opens, closes = hours(open_) if open_ is not None else (None, None)
    exception = DayException(day=day(date), opens=opens, closes=closes)
    with site.store.transaction() as uow:
        uow.calendar.set(exception)
        acting(site).note(uow, "calendar.set", exception.day.isoformat())
        uow.commit()
    out.done(_view(exception), f"{exception.day}: {_words(exception)}.")


@calendar.command()
@DATE
@with_site
def clear(site: Site, out: Output, date: str) -> None:
    """Take an exception back: the production calendar is in force again."""
    which = day(date)
    with site.store.transaction() as uow:
        if not uow.calendar.clear(which):
            raise NotFound(f"there is no exception for {which}; `ekc calendar show` lists them")
        acting(site).note(uow, "calendar.clear", which.isoformat())
        uow.commit()
    out.done({"date": which, "cleared": True}, f"{which}: the production calendar is in force.")


def _words(exception: DayException) -> str:
    if exception.opens is None:
        return "closed"
    return f"open {exception.opens:%H:%M}-{_clock(exception.closes)}"


def _view(exception: DayException) -> dict[str, object]:
    closed = exception.opens is None
    return {
        "date": exception.day,
        "open": not closed,
        "opens": None if exception.opens is None else f"{exception.opens:%H:%M}",
        "closes": None if closed else _clock(exception.closes),
        "source": "own",
    }


def _clock(closes: time | None) -> str:
    return "24:00" if closes is None else f"{closes:%H:%M}"
