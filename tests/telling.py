"""What the demo prints: its story with the seconds, and what is left of the call in the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.harness.following import Event


class Story:
    """Tells what happens, with the seconds since the beginning."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self._start = time.monotonic()

    def step(self, words: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self._start:5.1f} s[/] [bold]{words}[/]")

    def hears(self, words: str) -> None:
        self.console.print(f"          [cyan]«{escape(words)}»[/]")

    def presses(self, keys: str) -> None:
        self.console.print(f"          presses [yellow]{keys}[/]")

    def done(self) -> None:
        took = time.monotonic() - self._start
        self.console.print(f"[bold green]A citizen was served, from nothing, in {took:.0f} seconds.[/]")


def show_trace(story: Story, events: Sequence[Event]) -> None:
    table = Table(
        title="What the caller lived through (ekc calls trace last)", title_justify="left", box=None
    )
    for column in ("at", "kind", "id", "outcome"):
        table.add_column(column)
    for event in events:
        table.add_row(event["at"][11:19], event["kind"], event["id"], str(event["outcome"] or ""))
    story.console.print(table)


def show_card(story: Story, card: Mapping[str, Any]) -> None:
    table = Table(title="The card (ekc cards show last)", title_justify="left", box=None, show_header=False)
    for name, value in card.items():
        if value not in (None, [], ""):
            table.add_row(name, str(value))
    story.console.print(table)
