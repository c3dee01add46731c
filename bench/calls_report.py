"""What the rounds of the call bench come to: no sockets, no clock."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.call_servers import PANORAMISK
from bench.figures import percentile, spread
from bench.offered import Offered
from bench.report import Report, Table, Target, at_least, at_most

PLAIN, ENGINE = "plain dialplan", "engine"
SUMMARY = (
    "The same call of 12 commands, by new calls a second. CPU in ms a call: Asterisk's and the contestant's "
    "own. Late: from the key to BYE, 100 ms of which are a prompt."
)
HIGHEST = "Highest rate with at least 99.9 % good calls, each round by itself, then the median"
HEADINGS = {
    "rate": "calls/s",
    "asterisk_ms": "Asterisk ms",
    "asterisk_spread_pct": "spread",
    "own_ms": "own ms",
    "own_spread_pct": "spread",
    "share": "own/Asterisk",
    "late_p50_ms": "late p50 ms",
    "late_p99_ms": "p99 ms",
    "idle_pct": "idle %",
    "load_pct": "sipp %",
}
FIGURES = tuple(HEADINGS)[1:]


class Cell(NamedTuple):
    """A contestant at a rate."""

    name: str
    rate: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One cell in one round."""

    round_: int
    """From 0."""
    offered: Offered
    asterisk_ms: float
    own_ms: float | None
    """None: there is nobody but Asterisk."""
    idle_pct: float
    """CPU of the contestant when nobody calls, in percent of a core."""

    @property
    def told(self) -> str:
        bad = sum(self.offered.failures.values())
        return f"{self.offered.calls - bad} of {self.offered.calls} good"


Outcomes = dict[Cell, list[Measured]]


def report(found: Outcomes, *, rates: Sequence[int], rounds: int, names: Sequence[str]) -> Report:
    cells = [Cell(name, rate) for name in names for rate in rates if Cell(name, rate) in found]
    rows = [row(cell, found[cell]) for cell in cells]
    tops = {name: highest(found, name, rates, rounds) for name in names}
    best = [top_row(name, tops[name], tops[PLAIN]) for name in names]
    return Report(
        tables=[
            Table(title=SUMMARY, rows=rows, headings=HEADINGS, names=("what", "rate")),
            Table(title=HIGHEST, rows=best, headings={"highest": "calls/s", "of_plain": "of plain"}),
        ],
        targets=targets(rows, tops),
    )


def row(cell: Cell, rounds: Sequence[Measured]) -> dict[str, Any]:
    """Medians over the rounds; a rate that was too much in one of them has no figures, only the reason."""
    head: dict[str, Any] = {"what": cell.name, "rate": cell.rate}
    if not all(measured.offered.sound for measured in rounds):
        return head | dict.fromkeys(FIGURES) | {"failed": True, "note": f"failed: {reasons(rounds)}"}
    own = [m.own_ms for m in rounds if m.own_ms is not None]
    asterisk = [m.asterisk_ms for m in rounds]
    shares = [o / a for o, a in zip(own, asterisk, strict=False) if a]
    late = [m.offered.late_ms for m in rounds]
    figures = {
        "asterisk_ms": round(statistics.median(asterisk), 2),
        "asterisk_spread_pct": round(spread(asterisk)),
        "own_ms": round(statistics.median(own), 3) if own else None,
        "own_spread_pct": round(spread(own)) if own and statistics.median(own) else None,
        "share": round(statistics.median(shares), 3) if shares else None,
        "late_p50_ms": round(statistics.median(percentile(values, 0.5) for values in late)),
        "late_p99_ms": round(statistics.median(percentile(values, 0.99) for values in late)),
        "idle_pct": round(statistics.median(m.idle_pct for m in rounds), 1),
        "load_pct": round(statistics.median(m.offered.load_pct for m in rounds)),
    }
    return head | figures | {"failed": False, "note": ""}


def reasons(rounds: Sequence[Measured]) -> str:
    """Of all rounds, with the calls they were counted among."""
    counted: Counter[str] = sum((m.offered.failures for m in rounds), Counter())
    calls = sum(m.offered.calls for m in rounds)
    return ", ".join(f"{reason} ({count})" for reason, count in sorted(counted.items())) + f" of {calls}"


def highest(found: Outcomes, name: str, rates: Sequence[int], rounds: int) -> list[int]:
    """Of each round: the last rate before the first that was too much; 0 when the very first was."""
    tops = [0] * rounds
    for rate in rates:
        for measured in found.get(Cell(name, rate), ()):
            if measured.offered.sound:
                tops[measured.round_] = rate
    return tops


def top_row(name: str, mine: Sequence[int], plain: Sequence[int]) -> dict[str, Any]:
    middle, limit = statistics.median(mine), statistics.median(plain)
    return {
        "what": name,
        "highest": middle,
        "rounds": " ".join(map(str, mine)),
        "of_plain": round(middle / limit, 2) if limit else None,
        "failed": middle == 0,
        "note": "" if middle else "failed: calls went wrong at the lowest rate already",
    }


def targets(rows: Sequence[dict[str, Any]], tops: Mapping[str, Sequence[int]]) -> list[Target]:
    """Cost at the highest rate that the engine handled in every round."""
    sound = [r for r in rows if r["what"] == ENGINE and not r["failed"]]
    plain, panoramisk, engine = (statistics.median(tops[n]) for n in (PLAIN, PANORAMISK, ENGINE))
    return [
        at_most("engine's CPU a call, to Asterisk's", 0.25, sound[-1]["share"] if sound else None),
        at_least("highest rate, to the plain dialplan's", 0.75, _over(engine, plain)),
        at_least("highest rate, to panoramisk's", 1.0, _over(engine, panoramisk)),
    ]


def _over(mine: float, other: float) -> float | None:
    return round(mine / other, 2) if other else None
