"""`ekc deferred`: list, assign, report, done, withdraw (§14)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output, as_csv
from ivr.commands.reports import CSV
from ivr.commands.values import day, moment
from ivr.domain.periods import Period, days
from ivr.services import cards as cards_service
from ivr.services import deferred as service
from ivr.services import deferred_report

if TYPE_CHECKING:
    from ivr.commands.site import Site

COLUMNS = ("registration_number", "deadline", "late", "operator", "state", "registered_at")
CARD = click.argument("card", metavar="CARD")
FROM = click.option("--from", "first", metavar="DATE", help="The first day of registration.")
TO = click.option("--to", "last", metavar="DATE", help="The last one; the first unless told otherwise.")
DAYS = 30
"""Of a report that is told no day: so many, today the last."""


@click.group(cls=EkcGroup)
def deferred() -> None:
    """Enquiries whose answer takes time (§14): list, assign, report.

    CARD is a card's id, its registration number, or `last`. `ekc cards edit CARD --defer` marks one.
    """


@deferred.command("list")
@click.option("--all", "all_", is_flag=True, help="Those that are answered or withdrawn, too.")
@click.option("--operator", metavar="EXTENSION", help="Only those this operator is appointed for.")
@with_site
def list_(site: Site, out: Output, all_: bool, operator: str | None) -> None:
    """Deferred enquiries in the order of work: the nearest deadline first."""
    now = site.clock.now()
    with site.store.transaction() as uow:
        found = service.listed(uow, site.settings, open_only=not all_, operator=operator)
        rows = [service.view(uow, one, now) for one in found]
    out.rows(rows, COLUMNS, empty="There are no deferred enquiries.")


@deferred.command()
@CARD
@click.argument("operator", metavar="EXTENSION")
@click.option("--at", metavar="TIME", help="When the citizen is called; else after the time to prepare.")
@with_site
def assign(site: Site, out: Output, card: str, operator: str, at: str | None) -> None:
    """Appoint the operator who answers it, or another one; the citizen will be called."""
    by, settings = acting(site), site.settings
    when = moment(at, now=by.at, zone=settings.zone) if at else None
    with site.store.transaction() as uow:
        found = cards_service.find(uow, card)
        assigned = service.assign(uow, by, found, operator, settings, at=when)
        view = service.view(uow, assigned, by.at)
        uow.commit()
    words = f"Enquiry {view['registration_number']} is operator {operator}'s"
    if assigned.callback is None:
        words += ", who is called once another callback to this citizen is over"
    out.done(view, f"{words}; the answer is due by {assigned.deadline.astimezone(out.zone):%Y-%m-%dT%H:%M}.")


@deferred.command()
@CARD
@with_site
def done(site: Site, out: Output, card: str) -> None:
    """It was answered in another way than by our call."""
    _finish(site, out, card, answered=True)


@deferred.command()
@CARD
@with_site
def withdraw(site: Site, out: Output, card: str) -> None:
    """It was marked by mistake."""
    _finish(site, out, card, answered=False)


def _finish(site: Site, out: Output, card: str, *, answered: bool) -> None:
    by = acting(site)
    with site.store.transaction() as uow:
        over = service.finish(uow, by, cards_service.find(uow, card), site.settings, answered=answered)
        view = service.view(uow, over, by.at)
        uow.commit()
    words = "is answered" if answered else "is deferred no more"
    out.done(view, f"Enquiry {view['registration_number']} {words}.")


@deferred.command()
@FROM
@TO
@CSV
@with_site
def report(site: Site, out: Output, first: str | None, last: str | None, csv_: bool) -> None:
    """For the content manager: what was deferred, how long the answers took, which came late.

    Without days: of the last thirty.
    """
    if csv_ and out.as_json:
        raise click.UsageError("choose one of --csv and --json")
    now = site.clock.now()
    period = _period(now.astimezone(out.zone).date(), first, last, out)
    with site.store.transaction() as uow:
        made = deferred_report.report(uow, period, site.settings, now)
    rows = [*_rows(made["rows"]), *_rows([made["total"]])]
    if out.as_json:
        out.document(made)
    elif csv_:
        click.echo(as_csv(rows, deferred_report.COLUMNS, out.zone), nl=False)
    else:
        out.rows(rows, deferred_report.COLUMNS, empty="Nothing was deferred.")


def _rows(found: object) -> list[dict[str, object]]:
    return [dict(row) for row in found] if isinstance(found, list) else []


def _period(today: date, first: str | None, last: str | None, out: Output) -> Period:
    end = day(last) if last is not None else (today if first is None else day(first))
    begin = day(first) if first is not None else end - timedelta(days=DAYS - 1)
    try:
        return days(begin, end, out.zone)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
