"""`ekc db` and `ekc asterisk`: the parts of `ekc up`, for systemd and for repair."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ivr.commands.common import FAILED, EkcGroup, fail, with_site
from ivr.commands.output import Output

if TYPE_CHECKING:
    from ivr.commands.site import Site


@click.group(cls=EkcGroup)
def db() -> None:
    """The database."""


@db.command()
@with_site
def upgrade(site: Site, out: Output) -> None:
    """Bring the database to the newest revision."""
    revision = site.upgrade_database()
    out.done({"revision": revision}, f"The database is at revision {revision}.")


@db.command()
@with_site
def check(site: Site, out: Output) -> None:
    """Does the database answer, and does it agree with the program? Exit code 1 if not."""
    findings = site.check_database()
    rows = [{"what": finding.what, "remedy": finding.remedy} for finding in findings]
    out.rows(rows, ("what", "remedy"), empty="The database is in order.")
    if findings:
        fail("; ".join(f"{row['what']}: {row['remedy']}" for row in rows), FAILED)


@click.group(cls=EkcGroup)
def asterisk() -> None:
    """Asterisk, without the engine."""


@asterisk.command()
@with_site
def install(site: Site, out: Output) -> None:
    """Find the installed Asterisk, or unpack one into the cache."""
    version = site.install_asterisk()
    out.done({"version": version}, f"Asterisk {version} is there.")


@asterisk.command()
@with_site
def render(site: Site, out: Output) -> None:
    """Write its configuration, with accounts and queues as they are in the database."""
    site.render_asterisk()
    folder = site.settings.asterisk_dir
    out.done({"folder": folder}, f"The configuration is in {folder}.")


@asterisk.command()
@with_site
def start(site: Site, out: Output) -> None:
    """Start it in the background; a running one is left alone."""
    pid = site.start_asterisk()
    out.done({"pid": pid}, f"Asterisk runs as process {pid}.")


@asterisk.command()
@with_site
def stop(site: Site, out: Output) -> None:
    """Stop it; calls in progress end. Exit code 3 when it does not run."""
    site.stop_asterisk()
    out.done({"pid": None}, "Asterisk is stopped.")


@asterisk.command()
@click.argument("command", nargs=-1)
@with_site
def console(site: Site, out: Output, command: tuple[str, ...]) -> None:
    """Attach to the running one or, with COMMAND, run one console command. Exit code 3 when there is none."""
    if command:
        answer = site.node.console(" ".join(command))
        out.done({"output": answer}, answer.rstrip("\n"))
        return
    if out.as_json:
        raise click.UsageError("with --json name the COMMAND to run")
    program = site.asterisk_console()
    os.execv(program[0], list(program))  # noqa: S606  # the terminal is Asterisk's from here on
