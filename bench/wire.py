"""Commands per second on the wire, with the bench playing Asterisk: our server beside others and a bare echo.

All contestants stand the whole time, each a process of its own; one at a time is under load, in an order that
changes from round to round.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.progress import track

from bench.contestant import PROJECT, LoadFailed, served
from bench.figures import ratio, spread
from bench.options import Options
from bench.report import Report, Table, Target, at_least, at_most
from bench.wire_load import Outcome
from bench.wire_servers import ECHO, ENGINE, PANORAMISK, SERVERS

SUMMARY = (
    f"FastAGI on the wire. Ratios: commands to those of “{PANORAMISK}”, round trips to those of “{ECHO}”; "
    "each the median of the ratios within a round. Spread: highest less lowest, in % of the median. "
    "Load: CPU of the bench itself, in % of a core."
)
ROUNDS = 3
CONNECTIONS = (1, 20, 200)
HEADINGS = {
    "connections": "lines",
    "per_second": "per s",
    "spread_pct": "spread",
    "to_panoramisk": "ratio",
    "p50_us": "p50 µs",
    "p50_to_echo": "ratio",
    "p99_us": "p99 µs",
    "p99_to_echo": "ratio",
    "load_cpu_pct": "load",
}
FIGURES = tuple(HEADINGS)[1:]
BUSY_PCT = 90
"""Of a core: from here on the load may be what is slow."""
BUSY = f"the load took ≥ {BUSY_PCT} % of a core: the server can do more"
PATIENCE = 30.0
"""Seconds that a measurement may take beyond its own."""

Cell = tuple[str, int]
"""Contestant and number of connections."""


def run(options: Options) -> Report:
    rows = measure(options)
    return Report(
        tables=[Table(title=SUMMARY, rows=rows, headings=HEADINGS, names=("what", "connections"))],
        targets=targets(rows),
    )


def targets(rows: Sequence[Mapping[str, Any]]) -> list[Target]:
    """Of the issue: commands over 20 connections, and the round trip where it stands alone."""
    mine = {row["connections"]: row for row in rows if row["what"] == ENGINE}
    return [
        at_least("commands a second, 20 connections, to panoramisk's", 1.5, mine[20]["to_panoramisk"]),
        at_most("round trip p50, 1 connection, to the echo's", 1.8, mine[1]["p50_to_echo"]),
    ]


def measure(options: Options, connections: Sequence[int] = CONNECTIONS) -> list[dict[str, Any]]:
    """A row for each number of connections and each contestant."""
    cells = [(name, many) for many in connections for name in SERVERS]
    outcomes: dict[Cell, list[Outcome]] = {cell: [] for cell in cells}
    with ExitStack() as stack:
        ports = {name: stack.enter_context(served("bench.wire_servers", name)).port for name in SERVERS}
        turns = list(_turns(connections, options.rounds))
        for name, many in track(turns, description="wire", console=Console(stderr=True)):
            outcomes[name, many].append(_measure(name, ports[name], many, options.seconds))
    return [row(cell, outcomes) for cell in cells]


def _turns(connections: Sequence[int], rounds: int) -> Iterator[Cell]:
    """Contestants that are compared come one right after the other."""
    chance = random.Random(1)  # noqa: S311 - an order, not a secret
    for _ in range(rounds):
        for many in connections:
            for name in chance.sample(list(SERVERS), len(SERVERS)):
                yield name, many


def _measure(name: str, port: int, connections: int, seconds: float) -> Outcome:
    words = [sys.executable, "-m", "bench.wire_load", *(["--echo"] if name == ECHO else [])]
    words += ["--port", str(port), "--connections", str(connections), "--seconds", str(seconds)]
    done = subprocess.run(
        words, cwd=PROJECT, stdout=subprocess.PIPE, timeout=2 * seconds + PATIENCE, check=False
    )
    if done.returncode:
        raise LoadFailed("the load broke off; its words are above")
    return Outcome(**json.loads(done.stdout))


def row(cell: Cell, outcomes: Mapping[Cell, Sequence[Outcome]]) -> dict[str, Any]:
    """One line of the table; a contestant that failed once has no figures, only the reason."""
    name, connections = cell
    head: dict[str, object] = {"what": name, "connections": connections}
    mine = outcomes[cell]
    reason = failure(mine)
    if reason:
        return head | dict.fromkeys(FIGURES) | {"failed": True, "note": f"failed: {reason}"}
    figures = _figures(mine, *(_sound(outcomes[other, connections]) for other in (PANORAMISK, ECHO)))
    busy = figures["load_cpu_pct"] >= BUSY_PCT
    return head | figures | {"failed": False, "note": BUSY if busy else ""}


def _figures(
    mine: Sequence[Outcome], panoramisk: Sequence[Outcome], echo: Sequence[Outcome]
) -> dict[str, Any]:
    """By the names of FIGURES; all of the same rounds, or without a reference that has failed."""
    rates, p50, p99 = ([getattr(o, name) for o in mine] for name in ("per_second", "p50_us", "p99_us"))
    return {
        "per_second": round(statistics.median(rates)),
        "spread_pct": round(spread(rates)),
        "to_panoramisk": _ratio(rates, [o.per_second for o in panoramisk]),
        "p50_us": round(statistics.median(p50)),
        "p50_to_echo": _ratio(p50, [o.p50_us for o in echo]),
        "p99_us": round(statistics.median(p99)),
        "p99_to_echo": _ratio(p99, [o.p99_us for o in echo]),
        "load_cpu_pct": round(statistics.median(o.cpu_pct for o in mine)),
    }


def failure(outcomes: Sequence[Outcome]) -> str:
    """Why this contestant counts as failed; empty when every call of every round went well."""
    reasons = Counter[str]()
    for outcome in outcomes:
        reasons.update(outcome.failures)
    if reasons:
        return ", ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))
    return "" if all(outcome.commands for outcome in outcomes) else "no command at all"


def _sound(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Nothing is compared with one that has failed."""
    return () if failure(outcomes) else outcomes


def _ratio(values: Sequence[float], reference: Sequence[float]) -> float | None:
    found = ratio(values, reference)
    return None if found is None else round(found, 2)
