"""`ekc journal`: status and replay; `ekc reconcile`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from ivr.commands.common import FAILED, EkcCommand, EkcGroup, acting, fail, with_site
from ivr.commands.output import Output
from ivr.commands.values import REVEAL, shown
from ivr.domain.reconciliation import Account, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ivr.commands.site import Site

COLUMNS = ("journal", "generation", "offset", "behind", "file")
FINDINGS = ("what", "why", "call", "at", "number", "card")


@click.group(cls=EkcGroup)
def journal() -> None:
    """Asterisk's journals: how far they are read, and reading them anew."""


@journal.command("status")
@with_site
def journal_status(site: Site, out: Output) -> None:
    """How far each journal is read; `behind` is in bytes."""
    out.rows(site.journals().status(), COLUMNS, empty="There are no journals.")


@journal.command()
@with_site
def replay(site: Site, out: Output) -> None:
    """Read all journals again from the beginning: what is known stays, what is missing is added.

    Without a running engine, calls that have ended are settled, too.
    """
    done = asyncio.run(site.journals().replay())
    by = acting(site)
    with site.store.transaction() as uow:
        by.note(uow, "journal.replay", site.settings.node)
        uow.commit()
    where = "their calls are settled" if done["settled"] else "the engine settles their calls"
    out.done(done, f"{done['lines']} lines of {done['files']} files are read; {where}.")


@click.command(cls=EkcCommand)
@REVEAL
@with_site
def reconcile(site: Site, out: Output, reveal: bool) -> None:
    """Do arrivals, cards and callbacks agree? Exit code 1 if not. Works without the engine, changes nothing.

    Every arrival must be a closed contact, a call in progress, or have its callback. Who is owed one and
    cannot be dialled is listed as unreachable.
    """
    found = asyncio.run(site.journals().reconcile())
    if reveal:
        by = acting(site)
        with site.store.transaction() as uow:
            for finding in (*found.lost, *found.doubled, *found.unreachable):
                by.note(uow, "reconcile.reveal", finding.card or "-", call=finding.arrival.call)
            uow.commit()
    _print(out, found, reveal=reveal)
    if not found.agrees:
        fail(
            f"{len(found.lost)} arrivals are lost and {len(found.doubled)} doubled; a running engine brings "
            "the lost back within minutes, without one `ekc journal replay` does",
            FAILED,
        )


def _print(out: Output, found: Account, *, reveal: bool) -> None:
    lists = {"lost": found.lost, "doubled": found.doubled, "unreachable": found.unreachable}
    counts = {"arrivals": found.arrivals, "closed": found.closed, "in_progress": found.in_progress}
    rows = {name: _rows(findings, reveal=reveal) for name, findings in lists.items()}
    if out.as_json:
        out.document({**counts, **rows})
        return
    click.echo("  ".join(f"{name} {count}" for name, count in counts.items()))
    told = [{"what": name, **row} for name, part in rows.items() for row in part]
    out.rows(told, FINDINGS, empty="Nobody is lost, doubled or unreachable.")


def _rows(findings: Sequence[Finding], *, reveal: bool) -> list[dict[str, object]]:
    return [
        shown(
            {
                "call": finding.arrival.call,
                "at": finding.arrival.at,
                "number": finding.arrival.number,
                "card": finding.card,
                "why": finding.why.value,
            },
            reveal=reveal,
        )
        for finding in findings
    ]
