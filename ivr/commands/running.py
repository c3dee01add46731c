"""`ekc up`, `serve`, `status`, `doctor`: the system as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from ivr.commands.common import FAILED, NOT_RUNNING, EkcCommand, fail, with_site
from ivr.commands.output import Output, cell

if TYPE_CHECKING:
    from ivr.commands.site import Site


@click.command(cls=EkcCommand)
@with_site
def up(site: Site, _out: Output) -> None:
    """Everything in the foreground: Asterisk, the engine, the web pages. Ctrl-C stops it all."""
    raise click.exceptions.Exit(site.run_up())


@click.command(cls=EkcCommand)
@with_site
def serve(site: Site, _out: Output) -> None:
    """The engine alone, for systemd: Asterisk is started by `ekc asterisk start`."""
    raise click.exceptions.Exit(site.run_engine())


@click.command(cls=EkcCommand)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long to become ready.",
)
@with_site
def status(site: Site, out: Output, wait: float) -> None:
    """Can the line take a call? Exit code 0 when it can, else 3."""
    found = site.status(wait)
    if out.as_json:
        out.document(found)
    else:
        _print_status(out, found)
    if not found["ready"]:
        fail("the line cannot take a call; see `ekc doctor`, start it with `ekc up`", NOT_RUNNING)


def _print_status(out: Output, found: Mapping[str, object]) -> None:
    width = max(len(name) for name in found)
    for name, value in found.items():
        if name != "alarms":
            click.echo(f"{name:<{width}}  {cell(value, out.zone)}")
    alarms = found.get("alarms")
    for alarm in alarms if isinstance(alarms, list | tuple) else ():
        click.echo(
            f"ALARM since {cell(alarm['since'], out.zone)}: {cell(alarm['what'], out.zone)} "
            f"— {cell(alarm['remedy'], out.zone)}"
        )


@click.command(cls=EkcCommand)
@with_site
def doctor(site: Site, out: Output) -> None:
    """What is wrong with this installation, each finding with its remedy. Exit code 1 if anything is."""
    findings = site.doctor()
    rows = [{"what": finding.what, "remedy": finding.remedy} for finding in findings]
    out.rows(rows, ("what", "remedy"), empty="All is well.")
    if findings:
        fail(f"{len(findings)} to mend; each stands with its remedy", FAILED)
