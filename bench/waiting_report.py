"""What the rounds of the waiting bench come to: no sockets, no clock."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bench.calls_report import ENGINE
from bench.figures import percentile
from bench.phones import Rung
from bench.report import Report, Table, Target, at_most
from tests.harness.sipp import SippCall

SUMMARY = (
    "Callers who wait for 50 busy operators. CPU in percent of a core. ring: from the end of a wrap-up, as "
    "it is due, to the telephone's INVITE, in ms."
)
INSIDE = (
    "The engine meanwhile, in ms. lag: age of the manager's events once they are handled. board: from a "
    "change to a board that shows it. ready: from an operator's being ready in the database to INVITE."
)
HEADINGS = {
    "served_per_minute": "served/min",
    "asterisk_pct": "Asterisk %",
    "engine_pct": "engine %",
    "ring_p50_ms": "ring p50",
    "ring_p99_ms": "p99",
}
HEADINGS_INSIDE = {
    "lag_p50_ms": "lag p50 ≤",
    "lag_p99_ms": "p99 ≤",
    "board_p50_ms": "board p50",
    "board_most_ms": "most",
    "ready_p50_ms": "ready p50",
    "ready_p99_ms": "p99",
}
FIGURES, FIGURES_INSIDE = tuple(HEADINGS), tuple(HEADINGS_INSIDE)
IDLE_SECONDS = 10.0
"""An operator who is free for so long while callers wait has been forgotten."""
LAG_MS, BOARD_MS, RING_MS = 1000.0, 3000.0, 3000.0


class Cell(NamedTuple):
    what: str
    waiting: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One contestant with so many waiting in one round."""

    failures: Mapping[str, int]
    served_per_minute: float
    asterisk_pct: float
    ring_s: Sequence[float]
    """From the end of the wrap-up to INVITE, of every telephone that was rung again."""
    engine_pct: float | None = None
    """None, as what follows: there is no engine."""
    lag_s: Sequence[tuple[float, float]] = ()
    """Events of the manager by age: up to so many seconds, how many of them at most so old."""
    board_s: Sequence[float] = ()
    ready_s: Sequence[float] = field(default=())

    @property
    def told(self) -> str:
        if bad := +Counter(self.failures):
            return f"failed: {', '.join(f'{why} ({count})' for why, count in sorted(bad.items()))}"
        return "measured"


def report(found: Mapping[Cell, Sequence[Measured]]) -> Report:
    rows = [row(cell, rounds) for cell, rounds in found.items()]
    inside = [inside_row(cell, rounds) for cell, rounds in found.items() if cell.what == ENGINE]
    names = ("what", "waiting")
    tables = [
        Table(title=SUMMARY, rows=rows, headings=HEADINGS, names=names),
        Table(title=INSIDE, rows=inside, headings=HEADINGS_INSIDE, names=names),
    ]
    return Report(tables=tables, targets=targets(rows, inside))


def row(cell: Cell, rounds: Sequence[Measured]) -> dict[str, Any]:
    if (failed := _failed(cell, rounds, FIGURES)) is not None:
        return failed
    ring = _together(rounds, "ring_s")
    engine = [m.engine_pct for m in rounds if m.engine_pct is not None]
    return {
        "what": cell.what,
        "waiting": cell.waiting,
        "served_per_minute": round(statistics.median(m.served_per_minute for m in rounds)),
        "asterisk_pct": round(statistics.median(m.asterisk_pct for m in rounds)),
        "engine_pct": round(statistics.median(engine)) if engine else None,
        "ring_p50_ms": _ms(percentile(ring, 0.5)),
        "ring_p99_ms": _ms(percentile(ring, 0.99)),
        "failed": False,
        "note": "",
    }


def inside_row(cell: Cell, rounds: Sequence[Measured]) -> dict[str, Any]:
    if (failed := _failed(cell, rounds, FIGURES_INSIDE)) is not None:
        return failed | {"note": ""}
    lag = summed([measured.lag_s for measured in rounds])
    board, ready = _together(rounds, "board_s"), _together(rounds, "ready_s")
    return {
        "what": cell.what,
        "waiting": cell.waiting,
        "lag_p50_ms": _ms(bound(lag, 0.5)),
        "lag_p99_ms": _ms(bound(lag, 0.99)),
        "board_p50_ms": _ms(percentile(board, 0.5)) if board else None,
        "board_most_ms": _ms(board[-1]) if board else None,
        "ready_p50_ms": _ms(percentile(ready, 0.5)) if ready else None,
        "ready_p99_ms": _ms(percentile(ready, 0.99)) if ready else None,
        "failed": False,
        "note": "",
    }


def _failed(cell: Cell, rounds: Sequence[Measured], figures: Sequence[str]) -> dict[str, Any] | None:
    """One failure in one round leaves no figures."""
    bad = "; ".join(measured.told for measured in rounds if any(measured.failures.values()))
    head = {"what": cell.what, "waiting": cell.waiting}
    return head | dict.fromkeys(figures) | {"failed": True, "note": bad} if bad else None


def _together(rounds: Sequence[Measured], name: str) -> list[float]:
    return sorted(value for measured in rounds for value in getattr(measured, name))


def _ms(seconds: float | None) -> int | None:
    """None for what is not known, or is more than the last bound."""
    return None if seconds is None or math.isinf(seconds) else round(1000 * seconds)


def targets(rows: Sequence[Mapping[str, Any]], inside: Sequence[Mapping[str, Any]]) -> list[Target]:
    made = []
    own = (one for one in rows if one["what"] == ENGINE)
    for outer, inner in zip(own, inside, strict=True):
        who = f"{outer['waiting']} waiting"
        made += [
            at_most(f"operator free to ringing p99, {who}", RING_MS, outer["ring_p99_ms"], " ms"),
            at_most(f"lag of the manager's events p99, {who}", LAG_MS, inner["lag_p99_ms"], " ms"),
            at_most(f"delay of the live board, {who}", BOARD_MS, inner["board_most_ms"], " ms"),
        ]
    return made


# --- the manager's events, by a histogram's buckets ---


def summed(rounds: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    """Cumulative buckets of several rounds; ascending."""
    total: Counter[float] = Counter()
    for buckets in rounds:
        total.update(dict(buckets))
    return sorted(total.items())


def bound(buckets: Sequence[tuple[float, float]], share: float) -> float | None:
    """The least bound under which this share lies; None without events."""
    most = buckets[-1][1] if buckets else 0
    return next((limit for limit, count in buckets if count >= share * most), None) if most else None


# --- telephones ---


def rings(rung: Sequence[Rung], *, wrapup: float, since: float, until: float) -> tuple[list[float], int]:
    """Seconds from the end of each wrap-up to the next INVITE, of INVITEs in this time; and how many
    telephones were forgotten.

    rung: of all telephones, by time. Each wrap-up begins with the BYE.
    """
    last: dict[str, Rung] = {}
    found = []
    for call in rung:
        before = last.get(call.extension)
        if before is not None and before.over is not None and since <= call.at < until:
            found.append(call.at - before.over - wrapup)
        last[call.extension] = call
    free = [call.over + wrapup for call in last.values() if call.over is not None]
    return found, sum(until - at > IDLE_SECONDS for at in free)


def after_ready(ready: Sequence[tuple[str, float]], rung: Sequence[Rung], *, until: float) -> list[float]:
    """Seconds from an operator's being ready, by extension and moment, to that telephone's next INVITE."""
    found = []
    for extension, at in ready:
        following = [call.at for call in rung if call.extension == extension and call.at >= at]
        if following and following[0] < until:
            found.append(following[0] - at)
    return found


# --- callers ---


def failures(calls: Sequence[SippCall], talks: int, *, cut: float, grace: float) -> Counter[str]:
    """What went wrong before the moment `cut`, when all are hung up on; talks: that were over by then.

    grace: seconds before it in which a call may still be on its way to the queue.
    """
    found: Counter[str] = Counter()
    gone = 0
    for call in calls:
        begun = call.messages[0].at.timestamp()
        byes = [m.at.timestamp() for m in call.messages if m.method == "BYE" and m.status is None]
        if call.status != 200 and begun < cut - grace:
            found[f"not answered ({call.status or 'no answer'})"] += 1
        elif call.refused_keys:
            found["key refused"] += 1
        gone += bool(byes) and byes[0] < cut
    if gone > talks:
        found["hung up on without an operator"] = gone - talks
    return found
