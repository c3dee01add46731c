"""`ekc operators`: add, list, disable, enable, set-password."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from ivr.commands.accounts import changed
from ivr.commands.common import EkcGroup, acting, with_site
from ivr.commands.output import Output
from ivr.commands.values import password_from_stdin
from ivr.services import operators as service

if TYPE_CHECKING:
    from ivr.commands.site import Site

COLUMNS = ("extension", "name", "agency", "line", "state", "reason", "since", "calls_today")
PASSWORD = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group(cls=EkcGroup)
def operators() -> None:
    """Operators and their telephones."""


@operators.command()
@click.argument("name")
@click.option("--extension", required=True, metavar="201", help="The SIP user, 3 to 5 digits.")
@click.option("--agency", required=True, metavar="CODE", help="Whose operator it is.")
@click.option(
    "--line", type=click.Choice(["1", "2"]), default="1", show_default=True, help="First or second line."
)
@click.option("--supervisor", is_flag=True, help="May listen to the talks of the agency's operators.")
@PASSWORD
@with_site
def add(
    site: Site,
    out: Output,
    name: str,
    extension: str,
    agency: str,
    line: str,
    supervisor: bool,
    password_stdin: bool,
) -> None:
    """A new operator; the telephone works at once."""
    password = password_from_stdin(password_stdin)
    with site.store.transaction() as uow:
        operator = service.add(
            uow,
            acting(site),
            name=name,
            extension=extension,
            agency=agency,
            line=int(line),
            password=password,
            supervisor=supervisor,
        )
        uow.commit()
    site.apply_operators()
    out.done(service.view(operator), f"Operator {extension} is added; log in with *11.")


@operators.command("list")
@click.option("--supervisors", is_flag=True, help="Only those who are supervisors.")
@with_site
def list_(site: Site, out: Output, supervisors: bool) -> None:
    """Operators with what they are doing."""
    with site.store.transaction() as uow:
        chosen = {operator.extension for operator in uow.operators.list() if operator.supervisor}
        rows = service.listed(uow, now=site.clock.now(), zone=out.zone)
    rows = [row for row in rows if not supervisors or row["extension"] in chosen]
    out.rows(rows, COLUMNS, empty="There are no operators; add one with `ekc operators add`.")


@operators.command()
@click.argument("extension")
@with_site
def disable(site: Site, out: Output, extension: str) -> None:
    """Switch an account off: no calls, no registration; a talk in progress goes on."""
    operator = changed(site, extension, service.disable)
    site.apply_operators()
    out.done(service.view(operator), f"Operator {extension} is disabled.")


@operators.command()
@click.argument("extension")
@with_site
def enable(site: Site, out: Output, extension: str) -> None:
    """Switch a disabled account on again."""
    operator = changed(site, extension, service.enable)
    site.apply_operators()
    out.done(service.view(operator), f"Operator {extension} is enabled; log in with *11.")


@operators.command()
@click.argument("extension")
@with_site
def appoint(site: Site, out: Output, extension: str) -> None:
    """Make an operator a supervisor: *31 and *32 let them listen to the agency's talks."""
    _appoint(site, out, extension, supervisor=True)


@operators.command()
@click.argument("extension")
@with_site
def dismiss(site: Site, out: Output, extension: str) -> None:
    """Make a supervisor an operator again; a talk that is being listened to goes on."""
    _appoint(site, out, extension, supervisor=False)


def _appoint(site: Site, out: Output, extension: str, *, supervisor: bool) -> None:
    operator = changed(site, extension, partial(service.appoint, supervisor=supervisor))
    now = "a supervisor" if supervisor else "no supervisor any more"
    out.done(service.view(operator), f"Operator {extension} is {now}.")


@operators.command("set-password")
@click.argument("extension")
@PASSWORD
@with_site
def set_password(site: Site, out: Output, extension: str, password_stdin: bool) -> None:
    """A new password for the telephone."""
    password = password_from_stdin(password_stdin)
    with site.store.transaction() as uow:
        service.set_password(uow, acting(site), extension=extension, password=password)
        operator = uow.operators.get(extension)
        uow.commit()
    site.apply_operators()
    out.done(service.view(operator), f"Operator {extension} has a new password.")
