"""`ekc calendar`: show, set, clear, check: own exceptions to the production calendar (§12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, fail, with_site
from ivr.commands.output import Output
from ivr.commands.values import day, hours
from ivr.domain.errors import NotFound
from ivr.ports import DayException

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.domain.worktime import WorkCalendar

COLUMNS = ("date", "open", "opens", "closes", "name")
REMEDY = (
    "compare it with the decree, mend it with `ekc calendar set`, then name the year in EKC_CONFIRMED_YEARS"
)
DATE = click.argument("date", metavar="DATE")


@click.group(cls=EkcGroup)
def calendar() -> None:
    """When the line is open: the production calendar and our own exceptions to it."""


@calendar.command()
@click.argument("date", metavar="[DATE]", required=False)
@with_site
def show(site: Site, out: Output, date: str | None) -> None:
    """A day's hours and where they come from; without DATE our own exceptions."""
    from ivr.services.calendar import exception_view, view

    which = None if date is None else day(date)
    known = _calendar(site)
    if which is not None:
        out.thing(view(known.hours_of(which)))
        return
    rows = [exception_view(known, exception) for exception in known.exceptions.values()]
    out.rows(rows, COLUMNS, empty="There are no exceptions; the production calendar is in force.")


@calendar.command()
@with_site
def check(site: Site, out: Output) -> None:
    """Is the calendar of this and the coming year confirmed? Exit code 1 if not."""
    from ivr.services.calendar import unconfirmed_years

    today = site.clock.now().astimezone(out.zone).date()
    years = unconfirmed_years(_calendar(site), today)
    rows = [
        {"what": f"the production calendar of {year} is not confirmed", "remedy": REMEDY} for year in years
    ]
    if out.as_json:
        out.document(rows)
    elif not rows:
        click.echo("The calendar of this and the coming year is confirmed.")
    if rows:
        fail("\nekc: ".join(f"{row['what']}: {row['remedy']}" for row in rows))


def _calendar(site: Site) -> WorkCalendar:
    from ivr.services.calendar import calendar_of

    with site.store.transaction() as uow:
        return calendar_of(site.settings, uow.calendar.list())


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
    from ivr.services.calendar import calendar_of, exception_view, words

    with site.store.transaction() as uow:
        uow.calendar.set(exception)
        acting(site).note(uow, "calendar.set", exception.day.isoformat())
        uow.commit()
    found = exception_view(calendar_of(site.settings, ()), exception)
    out.done(found, f"{exception.day}: {words(exception)}.")


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
