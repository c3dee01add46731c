"""Many calls hear a prompt at once: do packets come in time, and what does it cost?

The engine plays it (STREAM FILE), Asterisk sends it; a few more callers keep what they hear, by packets.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from bench.calls import stand, turn
from bench.calls_report import ENGINE
from bench.cpu import seconds_of, seconds_of_tree
from bench.engine import PROMPT_ROUTE
from bench.figures import percentile
from bench.keypad import KeypadCaller, Sound
from bench.options import Options
from bench.report import Report, Table, Target, at_most
from bench.script import by_agi
from bench.showing import say
from bench.stand import Stand
from tests.harness.processes import TooLate
from tests.harness.scenario import HangUp, Scenario
from tests.harness.sipp import Sipp

ROUNDS = 1
NUMBER = "benchprompt"
PROBES = 4
RAMP = 100.0
"""New calls a second until all are there."""
LISTEN_SECONDS = 6.0
SETTLE_SECONDS = 1.0
CALLS = 600
"""That the target is about."""
GAP_MS = 22.0
SUMMARY = (
    "Calls that hear a prompt at once, and what four more callers get of it. Gaps in ms between neighbouring "
    "packets; CPU in percent of a core."
)
HEADINGS = {"p50_ms": "gap p50", "p99_ms": "p99", "most_ms": "most"}
FIGURES = ("lost", "p50_ms", "p99_ms", "most_ms", "asterisk_pct", "engine_pct")


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What one caller got."""

    lost: int
    gaps_ms: tuple[float, ...]


def run(options: Options) -> Report:
    steps = options.by_effort((50,), (200, 600), (50, 100, 200, 400, 600, 800))
    rows = []
    with stand() as system, turn(system, ENGINE) as contestant:
        assert contestant.pid is not None
        system.add_extensions("from-trunk", {NUMBER: by_agi(system.agi_port, PROMPT_ROUTE)})
        for calls in steps:
            rows.append(measure(system, contestant.pid, calls))
            say(f"media, {calls} calls: {'failed' if rows[-1]['failed'] else 'measured'}")
    table = Table(title=SUMMARY, rows=rows, headings=HEADINGS, names=("what", "calls"))
    return Report(tables=[table], targets=targets(rows) if CALLS in steps else ())


def measure(system: Stand, engine: int, calls: int) -> dict[str, Any]:
    ramp = calls / RAMP
    stays = ramp + 2 * SETTLE_SECONDS + LISTEN_SECONDS + 2
    scenario = Scenario(to=NUMBER, steps=[HangUp(after=stays)])
    sipp = Sipp(system.line, scenario, numbers=[f"7916{n:07d}" for n in range(calls)], rate=RAMP)
    time.sleep(ramp + SETTLE_SECONDS)
    with ExitStack() as stack:
        probes = [
            stack.enter_context(KeypadCaller(system.line_port, f"7917{n:07d}", to=NUMBER))
            for n in range(PROBES)
        ]
        time.sleep(SETTLE_SECONDS)
        begin, before = time.time(), _cpu(system, engine)
        time.sleep(LISTEN_SECONDS)
        took, after = time.time() - begin, _cpu(system, engine)
        heard = [what_came([s for s in probe.heard if s.at >= begin]) for probe in probes]
    try:
        made = sipp.finish(stays + 30)
        bad = calls - sum(call.status == 200 and call.ended_by == "us" for call in made)
    except TooLate:
        bad = calls
    system.wait_no_calls()
    cost = [100 * (late - early) / took for late, early in zip(after, before, strict=True)]
    return row(calls, bad, heard, asterisk_pct=cost[0], engine_pct=cost[1])


def row(
    calls: int, bad: int, heard: Sequence[Heard], *, asterisk_pct: float, engine_pct: float
) -> dict[str, Any]:
    """One call that was not answered, or ended early, leaves no figures."""
    head: dict[str, Any] = {"what": ENGINE, "calls": calls}
    gaps = sorted(gap for one in heard for gap in one.gaps_ms)
    why = f"{bad} of {calls} calls went wrong" if bad else "" if gaps else "the other callers heard nothing"
    if why:
        return head | dict.fromkeys(FIGURES) | {"failed": True, "note": f"failed: {why}"}
    return head | {
        "lost": sum(one.lost for one in heard),
        "p50_ms": round(percentile(gaps, 0.5), 1),
        "p99_ms": round(percentile(gaps, 0.99), 1),
        "most_ms": round(gaps[-1], 1),
        "asterisk_pct": round(asterisk_pct),
        "engine_pct": round(engine_pct),
        "failed": False,
        "note": "",
    }


def what_came(packets: Sequence[Sound]) -> Heard:
    """packets: in the order of their arrival."""
    if not packets:
        return Heard(lost=0, gaps_ms=())
    numbers = [(packet.sequence - packets[0].sequence) % 2**16 for packet in packets]
    gaps = tuple(1000 * (later.at - earlier.at) for earlier, later in pairwise(packets))
    return Heard(lost=max(numbers) + 1 - len(set(numbers)), gaps_ms=gaps)


def targets(rows: Sequence[dict[str, Any]]) -> list[Target]:
    (found,) = (row for row in rows if row["calls"] == CALLS)
    return [
        at_most(f"lost packets, {CALLS} calls", 0, found["lost"]),
        at_most(f"gap p99, {CALLS} calls", GAP_MS, found["p99_ms"], " ms"),
    ]


def _cpu(system: Stand, engine: int) -> tuple[float, float]:
    return seconds_of(system.pid("asterisk")), seconds_of_tree(engine)
