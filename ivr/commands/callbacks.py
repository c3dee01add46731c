"""`ekc callbacks`: list, show, schedule, run-now, cancel, stats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output
from ivr.commands.values import REVEAL, coming, shown
from ivr.services import callbacks as service

if TYPE_CHECKING:
    from ivr.commands.site import Site

COLUMNS = ("id", "due", "number", "source", "state", "card")


@click.group(cls=EkcGroup)
def callbacks() -> None:
    """Callbacks promised to citizens."""


@callbacks.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only those that are still to be kept.")
@REVEAL
@with_site
def list_(site: Site, out: Output, open_only: bool, reveal: bool) -> None:
    """Callbacks in the order of due."""
    by = acting(site)
    with site.store.transaction() as uow:
        found = service.listed(uow, open_only=open_only)
        if reveal:
            for callback in found:
                by.note(uow, "callbacks.reveal", callback.id)
            uow.commit()
    out.rows([shown(service.view(c), reveal=reveal) for c in found], COLUMNS, empty="There are no callbacks.")


@callbacks.command()
@click.argument("callback", metavar="ID")
@REVEAL
@with_site
def show(site: Site, out: Output, callback: str, reveal: bool) -> None:
    """One callback with its attempts."""
    by = acting(site)
    with site.store.transaction() as uow:
        found = uow.callbacks.get(callback)
        if reveal:
            by.note(uow, "callbacks.reveal", found.id)
            uow.commit()
    out.thing(shown(service.view(found), reveal=reveal))


@callbacks.command()
@click.argument("callback", metavar="ID")
@with_site
def cancel(site: Site, out: Output, callback: str) -> None:
    """Withdraw a callback; nobody will be called."""
    by = acting(site)
    with site.store.transaction() as uow:
        cancelled = service.cancel(uow, by, callback)
        uow.commit()
    out.done(shown(service.view(cancelled), reveal=False), f"Callback {cancelled.id} is cancelled.")


@callbacks.command()
@click.argument("number", metavar="NUMBER")
@click.option("--at", metavar="TIME", required=True, help="2026-11-24T10:00, in the site's zone.")
@click.option("--agency", metavar="CODE", required=True, help="Whose operators are to talk to the citizen.")
@with_site
def schedule(site: Site, out: Output, number: str, at: str, agency: str) -> None:
    """Call a citizen at an agreed time, about a new enquiry."""
    by, settings = acting(site), site.settings
    with site.store.transaction() as uow:
        time = coming(at, zone=settings.zone)
        made = service.schedule(uow, by, number, at=time, agency=agency, settings=settings)
        uow.commit()
    local = made.due.astimezone(settings.zone).isoformat("T", "minutes")
    out.done(shown(service.view(made), reveal=False), f"Callback {made.id} is due at {local}.")


@callbacks.command("run-now")
@click.argument("callback", metavar="ID")
@with_site
def run_now(site: Site, out: Output, callback: str) -> None:
    """Let a callback be due now; quiet hours and the limits of a day hold all the same."""
    by = acting(site)
    with site.store.transaction() as uow:
        due = service.run_now(uow, by, callback, site.settings)
        uow.commit()
    sentence = f"Callback {due.id} is due now, and begins when it is its turn."
    out.done(shown(service.view(due), reveal=False), sentence)


@callbacks.command()
@with_site
def stats(site: Site, out: Output) -> None:
    """How many there are, how late they are, and what the last hour has cost."""
    with site.store.transaction() as uow:
        found = service.stats(uow, site.clock.now(), site.settings)
    out.thing(found)
