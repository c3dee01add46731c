"""What a measurement hands back: tables, and the targets it was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of the same columns; `note` and `failed` among them where a row may fail."""

    title: str
    rows: Sequence[Row]
    headings: Mapping[str, str] = field(default_factory=dict)
    """Short ones for the terminal, by column."""
    names: tuple[str, ...] = ("what",)
    """Columns that tell rows apart."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A figure that was aimed at, and what was measured this time."""

    what: str
    wanted: str
    measured: float | None
    """None: it could not be measured, and is missed."""
    met: bool


@dataclass(frozen=True, kw_only=True)
class Report:
    tables: Sequence[Table]
    targets: Sequence[Target] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    """More for the JSON document (query plans)."""


def at_most(what: str, limit: float, measured: float | None, unit: str = "") -> Target:
    return Target(
        what=what,
        wanted=f"≤ {limit:g}{unit}",
        measured=measured,
        met=measured is not None and measured <= limit,
    )


def at_least(what: str, limit: float, measured: float | None, unit: str = "") -> Target:
    return Target(
        what=what,
        wanted=f"≥ {limit:g}{unit}",
        measured=measured,
        met=measured is not None and measured >= limit,
    )
