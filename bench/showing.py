"""Tables and targets on a terminal: stderr, so that stdout stays one JSON document."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as Grid

from bench.report import Report, Table, Target

BELOW = ("failed", "note")
"""Columns that are told below the table."""


def say(text: str) -> None:
    """A line of progress."""
    Console(stderr=True).print(text, markup=False, highlight=False)


def show(report: Report) -> None:
    for table in report.tables:
        _show_table(table)
    if report.targets:
        _show_targets(report.targets)


def _show_table(table: Table) -> None:
    columns = [column for column in table.rows[0] if column not in BELOW]
    grid = Grid(title=table.title, title_justify="left", box=None, pad_edge=False, collapse_padding=True)
    for column in columns:
        name = column == "what"
        heading = table.headings.get(column, column)
        grid.add_column(heading, justify="left" if name else "right", no_wrap=name)
    for row in table.rows:
        missing = "FAILED" if row.get("failed") else "–"
        grid.add_row(*(missing if row[column] is None else str(row[column]) for column in columns))
    Console(stderr=True).print(grid)
    for row in table.rows:
        if row.get("note"):
            say(f"{', '.join(str(row[name]) for name in table.names)}: {row['note']}")


def _show_targets(targets: Sequence[Target]) -> None:
    grid = Grid(title="Targets", title_justify="left", box=None, pad_edge=False, collapse_padding=True)
    for heading in ("", "wanted", "measured", ""):
        grid.add_column(heading)
    for target in targets:
        measured = "–" if target.measured is None else f"{target.measured:g}"
        grid.add_row(target.what, target.wanted, measured, "met" if target.met else "MISSED")
    Console(stderr=True).print(grid)
