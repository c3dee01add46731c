"""`ekc operators`, continued: what a supervisor does about operators on duty (§9.1).

The database is changed; a running engine acts on it within a second or two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ivr.commands.accounts import changed
from ivr.commands.common import EkcCommand, EkcGroup, acting, with_site
from ivr.commands.output import Output
from ivr.domain.operators import PAUSE, Place
from ivr.services import operators as accounts
from ivr.services import working_day
from ivr.services.working_day import Limits

if TYPE_CHECKING:
    from ivr.commands.site import Site

EXTENSION = click.argument("extension")


@click.command(cls=EkcCommand)
@EXTENSION
@click.option(
    "--reason", default="2", show_default=True, metavar="N", help="See `ekc operators reasons list`."
)
@with_site
def pause(site: Site, out: Output, extension: str, reason: str) -> None:
    """Put an operator on a pause; a talk in progress goes on."""
    limits = Limits.of(site.settings)
    operator = changed(site, extension, lambda uow, by, who: working_day.pause(uow, by, who, reason, limits))
    out.done(accounts.view(operator), f"Operator {extension} is on a pause: {operator.reason}.")


@click.command(cls=EkcCommand)
@EXTENSION
@with_site
def ready(site: Site, out: Output, extension: str) -> None:
    """End an operator's pause or wrap-up."""
    limits = Limits.of(site.settings)
    operator = changed(site, extension, lambda uow, by, who: working_day.ready(uow, by, who, limits))
    out.done(accounts.view(operator), f"Operator {extension} is ready.")


@click.command(cls=EkcCommand)
@EXTENSION
@with_site
def logout(site: Site, out: Output, extension: str) -> None:
    """Log an operator out; a talk in progress goes on."""
    limits = Limits.of(site.settings)
    operator = changed(site, extension, lambda uow, by, who: working_day.log_out(uow, by, who, limits))
    out.done(accounts.view(operator), f"Operator {extension} is logged out.")


@click.command(cls=EkcCommand)
@EXTENSION
@click.option("--agency", metavar="CODE", help="The operator works for another agency from now on.")
@click.option("--line", type=click.Choice(["1", "2"]), help="On another line.")
@click.option(
    "--queue",
    "queues",
    multiple=True,
    metavar="QUEUE[:PENALTY]",
    help="Serve exactly these queues, the lower penalty first; repeatable.",
)
@with_site
def move(
    site: Site, out: Output, extension: str, agency: str | None, line: str | None, queues: tuple[str, ...]
) -> None:
    """Move an operator to other queues; without --queue to the usual ones of the agency and line."""
    with site.store.transaction() as uow:
        operator = accounts.move(
            uow,
            acting(site),
            extension,
            agency=agency,
            line=int(line) if line else None,
            places=tuple(_place(text) for text in queues),
        )
        served = uow.operators.places().get(extension, ())
        uow.commit()
    names = [f"{place.queue}:{place.penalty}" if place.penalty else place.queue for place in served]
    document = {**accounts.view(operator), "queues": names}
    out.done(document, f"Operator {extension} serves {', '.join(names)}.")


@click.group(cls=EkcGroup)
def reasons() -> None:
    """The reasons of pauses: the N of *13N."""


@reasons.command("list")
@with_site
def list_(site: Site, out: Output) -> None:
    """Numbers and titles."""
    with site.store.transaction() as uow:
        found = uow.reasons.list(PAUSE)
    rows = [{"number": key, "reason": title} for key, title in found.items()]
    out.rows(
        rows, ("number", "reason"), empty="There are no reasons; add one with `ekc operators reasons set`."
    )


@reasons.command("set")
@click.argument("number")
@click.argument("title")
@with_site
def set_(site: Site, out: Output, number: str, title: str) -> None:
    """Add a reason, or change its title; operators hear it."""
    with site.store.transaction() as uow:
        accounts.set_reason(uow, acting(site), key=number, title=title)
        uow.commit()
    out.done({"number": number, "reason": title.strip()}, f"*13{number} is a pause: {title.strip()}.")


@reasons.command()
@click.argument("number")
@with_site
def remove(site: Site, out: Output, number: str) -> None:
    """Take a reason away; pauses for it go on."""
    with site.store.transaction() as uow:
        accounts.remove_reason(uow, acting(site), number)
        uow.commit()
    out.done({"number": number, "reason": None}, f"*13{number} is no pause any more.")


COMMANDS = (pause, ready, logout, move, reasons)


def _place(text: str) -> Place:
    queue, colon, penalty = text.partition(":")
    if not queue or (colon and not (penalty.isascii() and penalty.isdigit())):
        raise click.BadParameter(f"{text!r} is no queue; write it as soc-1 or soc-1:5")
    return Place(queue=queue, penalty=int(penalty or 0))
