"""`ekc report`: day, week, queue, operator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from ivr.commands.common import EkcGroup, with_site
from ivr.commands.output import Output, as_csv
from ivr.commands.values import day as to_day
from ivr.domain.figures import Limits
from ivr.domain.periods import Period, days
from ivr.services import reports as service

if TYPE_CHECKING:
    from ivr.commands.site import Site
    from ivr.ports import UnitOfWork

T = TypeVar("T")
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


def _dated(command: Callable[..., None]) -> Callable[..., None]:
    """A report of a time around one day."""
    return DAY(CSV(with_site(command)))


def _spanned(command: Callable[..., None]) -> Callable[..., None]:
    """A report of the days from one to another."""
    return FROM(TO(CSV(with_site(command))))


@report.command()
@_dated
def day(site: Site, out: Output, day: str | None, csv_: bool) -> None:
    """One day, hour by hour; without DATE today."""
    _of_calls(site, out, service.by_hour, day, csv_)


@report.command()
@_dated
def week(site: Site, out: Output, day: str | None, csv_: bool) -> None:
    """The week in which DATE is, day by day; without DATE this week."""
    _of_calls(site, out, service.by_day, day, csv_)


@report.command()
@_spanned
def queue(site: Site, out: Output, first: str | None, last: str | None, csv_: bool) -> None:
    """Queue by queue."""
    make = partial(service.by_queue, limits=_limits(site))
    _print(out, _made(site, make, _period(site, first, last)), QUEUES, csv_)


@report.command()
@_spanned
def operator(site: Site, out: Output, first: str | None, last: str | None, csv_: bool) -> None:
    """Operator by operator."""
    make = partial(service.by_operator, now=site.clock.now())
    _print(out, _made(site, make, _period(site, first, last)), OPERATORS, csv_)


def _of_calls(
    site: Site, out: Output, report: Callable[..., service.Report], day: str | None, csv_: bool
) -> None:
    make = partial(report, zone=site.settings.zone, limits=_limits(site))
    _print(out, _made(site, make, _day(site, day)), CALLS, csv_)


def _made(site: Site, make: Callable[[UnitOfWork, T], service.Report], time: T) -> service.Report:
    with site.store.transaction() as uow:
        return make(uow, time)


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
