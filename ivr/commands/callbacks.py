"""`ekc callbacks`: list, show, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output
from ivr.commands.values import REVEAL, shown
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
