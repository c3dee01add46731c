"""`ekc calls`: list and trace; `ekc audit`: list."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output, cell
from ivr.commands.values import LIMIT, REVEAL, SINCE, shown, since_moment
from ivr.ports import TraceEvent
from ivr.services import audit as audit_service
from ivr.services import calls as service

if TYPE_CHECKING:
    from ivr.commands.site import Site

POLL_SECONDS = 0.3
QUIET_POLLS = 10
"""Polls without a new event after which a settled call is over."""
COLUMNS = ("call", "at", "number", "state", "outcome")
AUDIT_COLUMNS = ("at", "actor", "action", "subject", "call", "result")


@click.group(cls=EkcGroup)
def calls() -> None:
    """Calls: list them, and see what one caller lived through."""


@calls.command("list")
@LIMIT
@REVEAL
@with_site
def list_(site: Site, out: Output, limit: int | None, reveal: bool) -> None:
    """Calls, newest first."""
    by = acting(site)
    with site.store.transaction() as uow:
        found = service.listed(uow, limit=limit)
        if reveal:
            for row in found:
                by.note(uow, "calls.reveal", row.card, call=row.call)
            uow.commit()
    out.rows([shown(service.view(row), reveal=reveal) for row in found], COLUMNS, empty="There are no calls.")


@calls.command()
@click.argument("call", metavar="CALL")
@click.option("--follow", is_flag=True, help="Go on until the call ends.")
@with_site
def trace(site: Site, out: Output, call: str, follow: bool) -> None:
    """What a caller lived through. CALL is the uniqueid of the first leg, or `last`."""
    with site.store.transaction() as uow:
        found = service.resolve(uow, call)
    if not out.as_json:
        click.echo(f"Call {found}")
    try:
        for event in _following(site, found) if follow else _so_far(site, found):
            if out.as_json:
                out.line(service.view_event(event))
            else:
                _print(site, out, event)
    except KeyboardInterrupt:  # the way to stop following
        raise click.exceptions.Exit(0) from None


def _so_far(site: Site, call: str) -> Sequence[TraceEvent]:
    with site.store.transaction() as uow:
        return [event for _, event in service.trace(uow, call)]


def _following(site: Site, call: str) -> Iterator[TraceEvent]:
    """Events as they come, until the end of the call.

    A contact is written down a moment before the call's `end`, and a call cut off by a crash may have none:
    following stops when it is settled and nothing new has come for a while.
    """
    after, ended, quiet = 0, False, 0
    while not ended:
        with site.store.transaction() as uow:
            fresh = service.trace(uow, call, after=after)
            quiet = quiet + 1 if service.over(uow, call) and not fresh else 0
        for number, event in fresh:
            after = max(after, number)
            ended = ended or event.kind == service.END
            yield event
        if quiet > QUIET_POLLS:
            return
        if not ended:
            time.sleep(POLL_SECONDS)


def _print(site: Site, out: Output, event: TraceEvent) -> None:
    """One line for people; of a prompt also the words."""
    text = site.prompt_text(event.id) if event.kind in ("prompt", "ask") else ""
    when = event.at.astimezone(out.zone).strftime("%H:%M:%S.%f")[:-3]
    outcome = cell(event.outcome, out.zone) if event.outcome else ""
    click.echo(
        "  ".join(part for part in (when, f"{event.kind:<8}", f"{event.id:<20}", outcome, text) if part)
    )


@click.group(cls=EkcGroup)
def audit() -> None:
    """Who did what to whom."""


@audit.command("list")
@SINCE
@LIMIT
@with_site
def audit_list(site: Site, out: Output, since: str | None, limit: int | None) -> None:
    """Audit rows, newest first."""
    start = since_moment(site, since)
    with site.store.transaction() as uow:
        rows = audit_service.listed(uow, since=start, limit=limit)
    out.rows(rows, AUDIT_COLUMNS, empty="Nothing is in the audit.")
