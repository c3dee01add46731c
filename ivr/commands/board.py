"""`ekc board`: the live board in the terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ivr.commands.common import EkcCommand, with_site
from ivr.commands.output import Output
from ivr.domain.errors import NotRunning
from ivr.services import board as service

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ivr.commands.site import Site

LOOK_SECONDS = 1.0


@click.command(cls=EkcCommand)
@with_site
def board(site: Site, out: Output) -> None:
    """Queues, operators and callbacks now, each second until Ctrl-C; with --json once. Exit code 3 when the
    engine does not run.
    """
    found = _read(site)
    if out.as_json:
        out.document(found)
    elif sys.stdout.isatty():
        _live(site)
    else:
        _print(found)


def _read(site: Site) -> service.Document:
    return service.read(site.settings.run_dir, site.clock.now())


def _live(site: Site) -> None:
    from rich.live import Live

    try:
        with Live(_drawn(_read(site)), screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(LOOK_SECONDS)
                live.update(_or_why_not(site), refresh=True)
    except KeyboardInterrupt:  # the way to stop looking
        raise click.exceptions.Exit(0) from None


def _or_why_not(site: Site) -> RenderableType:
    try:
        return _drawn(_read(site))
    except NotRunning as gone:  # it may come back
        return str(gone)


def _print(found: service.Document) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    with console.capture() as captured:
        console.print(_drawn(found))
    click.echo(captured.get(), nl=False)


def _drawn(found: service.Document) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    callbacks = found["callbacks"]
    state = "" if found["live"] else "   NOT LIVE: no connection to Asterisk"
    head = f"{found['at'][:19].replace('T', ' ')}   callbacks {callbacks['open']}, due {callbacks['due']}"
    return Group(Text(head + state), _queues(found["queues"]), _operators(found["operators"]))


def _queues(rows: list[dict[str, Any]]) -> RenderableType:
    table = _table(
        "queue", "waiting", "longest", "operators", "offered", "answered", "abandoned", "level", "ASA"
    )
    for row in rows:
        today, operators = row["today"], row["operators"]
        table.add_row(
            row["queue"],
            str(row["waiting"]),
            _clock(row["longest_s"]),
            ", ".join(f"{count} {doing}" for doing, count in operators.items()) or "-",
            *(str(today[name]) for name in ("offered", "answered", "abandoned")),
            "-" if today["service_level"] is None else f"{today['service_level']:.0%}",
            "-" if today["asa_s"] is None else f"{today['asa_s']:.0f} s",
        )
    return table


def _operators(rows: list[dict[str, Any]]) -> RenderableType:
    table = _table("extension", "name", "agency", "doing", "reason", "since", "queue", "talk")
    for row in rows:
        table.add_row(
            row["extension"],
            row["name"],
            row["agency"],
            row["doing"],
            row["reason"] or "-",
            row["since"][11:16],
            row["queue"] or "-",
            _clock(row["talking_s"]) if row["talking_s"] else "-",
        )
    return table


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"
