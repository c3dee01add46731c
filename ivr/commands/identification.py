"""`ekc identification`: status, unlock; `ekc citizens set-code`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ivr.commands.common import EkcCommand, EkcGroup, acting, with_site
from ivr.commands.output import Output

if TYPE_CHECKING:
    from ivr.commands.site import Site

COLUMNS = ("what", "locked", "first_until", "last_until")


@click.group(cls=EkcGroup)
def identification() -> None:
    """How callers are identified: locks after wrong codes."""


@identification.command()
@with_site
def status(site: Site, out: Output) -> None:
    """What is locked now, how much of it, and until when; never whose it is."""
    from ivr.services import locks

    with site.store.transaction() as uow:
        rows = locks.listed(uow, site.clock.now())
    out.rows(rows, COLUMNS, empty="")


@identification.command()
@click.argument("snils")
@with_site
def unlock(site: Site, out: Output, snils: str) -> None:
    """Let a citizen try again at once: SNILS as 112-233-445 95."""
    from ivr.domain.snils import mask, parse
    from ivr.services import locks

    digits = parse(snils)
    with site.store.transaction() as uow:
        locks.unlock(uow, acting(site), digits)
        uow.commit()
    out.done({"unlocked": mask(digits)}, f"{mask(digits)} and the number on file may try again.")


@click.command("set-code", cls=EkcCommand)
@click.argument("snils")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the code from standard input.")
@with_site
def set_code(site: Site, out: Output, snils: str, from_stdin: bool) -> None:
    """A citizen's secret code, new or changed; the old one is worth nothing at once."""
    from ivr.domain.snils import mask, parse
    from ivr.services.codes import set_code as set_

    digits = parse(snils)
    hashes = site.code_book().hashes(_code(from_stdin))
    with site.store.transaction() as uow:
        set_(uow, acting(site), digits, hashes)
        uow.commit()
    out.done({"set": mask(digits)}, f"The code of {mask(digits)} is set.")


def _code(from_stdin: bool) -> str:
    """The code: from standard input, else asked on the terminal; never from the command line, which every
    user of the machine can read."""
    if from_stdin:
        return sys.stdin.buffer.read().decode("utf-8", "replace").strip()
    if not sys.stdin.isatty():
        raise click.UsageError("give the code on standard input, with --stdin")
    answer: str = click.prompt("Secret code", hide_input=True, confirmation_prompt=True, err=True)
    return answer
