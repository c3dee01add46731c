"""`ekc report`: day, week, queue, operator."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, with_site
from ivr.commands.output import Output, as_csv
from ivr.commands.values import day as to_day
from ivr.domain.figures import Limits
from ivr.domain.periods import Period, days
from ivr.services import reports as service

if TYPE_CHECKING:
    from ivr.commands.site import Site

CSV = click.option("--csv", "csv_", is_flag=True, help="CSV, the total last.")
DAY = click.argument("day", metavar="DATE", required=False)
FROM = click.option("--from", "first", metavar="DATE", help="The first day; today unless told otherwise.")
TO = click.option("--to", "last", metavar="DATE", help="The last day; the first unless told otherwise.")
_FIGURES = ("offered", "answered", "abandoned", "service_level", "asa_s", "aht_s")
CALLS = ("period", "calls", "served", *_FIGURES)
QUEUES = ("queue", *_FIGURES)
OPERATORS = ("extension", "name", "answered", "missed", "talking_s", "hold_s", "aht_s", "occupancy")
"""What fits on a screen; JSON and CSV have all of it."""


@click.group(cls=EkcGroup)
def report() -> None:
    """Figures of a time; what each means stands in docs/metrics.md."""


@report.command()
@DAY
@CSV
@with_site
def day(site: Site, out: Output, day: str | None, csv_: bool) -> None:
    """One day, hour by hour; without DATE today."""
    with site.store.transaction() as uow:
        found = service.by_hour(uow, _day(site, day), zone=site.settings.zone, limits=_limits(site))
    _print(out, found, CALLS, csv_)


@report.command()
@DAY
@CSV
@with_site
def week(site: Site, out: Output, day: str | None, csv_: bool) -> None:
    """The week in which DATE is, day by day; without DATE this week."""
    with site.store.transaction() as uow:
        found = service.by_day(uow, _day(site, day), zone=site.settings.zone, limits=_limits(site))
    _print(out, found, CALLS, csv_)


@report.command()
@FROM
@TO
@CSV
@with_site
def queue(site: Site, out: Output, first: str | None, last: str | None, csv_: bool) -> None:
    """Queue by queue."""
    period = _period(site, first, last)
    with site.store.transaction() as uow:
        found = service.by_queue(uow, period, limits=_limits(site))
    _print(out, found, QUEUES, csv_)


@report.command()
@FROM
@TO
@CSV
@with_site
def operator(site: Site, out: Output, first: str | None, last: str | None, csv_: bool) -> None:
    """Operator by operator."""
    period = _period(site, first, last)
    with site.store.transaction() as uow:
        found = service.by_operator(uow, period, now=site.clock.now())
    _print(out, found, OPERATORS, csv_)


def _print(out: Output, report: service.Report, columns: tuple[str, ...], csv_: bool) -> None:
    if csv_ and out.as_json:
        raise click.UsageError("choose one of --csv and --json")
    rows = [*report.rows, report.total]
    if csv_:
        click.echo(as_csv(rows, tuple(report.total), out.zone), nl=False)
    elif out.as_json:
        out.document(
            {
                "kind": report.kind,
                "from": report.since,
                "to": report.until,
                "rows": report.rows,
                "total": report.total,
            }
        )
    else:
        out.rows(rows, columns, empty="")


def _limits(site: Site) -> Limits:
    return Limits(answer=site.settings.answer_seconds, short=site.settings.short_abandon_seconds)


def _day(site: Site, text: str | None) -> date:
    """A day of the site's zone, whatever zone the machine is in."""
    return to_day(text) if text else site.clock.now().astimezone(site.settings.zone).date()


def _period(site: Site, first: str | None, last: str | None) -> Period:
    begin = _day(site, first)
    end = to_day(last) if last else begin
    if end < begin:
        raise click.BadParameter("--to is before --from; give the days in their order")
    return days(begin, end, site.settings.zone)
