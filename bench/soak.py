"""The engine at 70 % of its highest rate for a long time: does anything grow after the warm-up?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from bench.calls import CONTESTANTS, SETTLE_SECONDS, half_of_highest, stand, turn
from bench.calls_report import ENGINE
from bench.figures import percentile
from bench.offered import Offered, offer
from bench.options import Effort, Options
from bench.report import Report, Table, Target, at_most
from bench.showing import say
from bench.stand import Stand

ROUNDS = 1
SHARE = 0.7
"""Of the highest rate."""
RESTS = 10
"""After every tenth part, and the last, of a full soak. The first ten warm up, and the first of a short one:
memory depends on how many calls there were at once at the worst moment, and that takes a while to come."""
REST_SECONDS = 35.0
"""SIP over UDP remembers each transaction for 32 s after its end (RFC 3261 17.2.2, timer J)."""
GROWTH_PCT = 5.0
"""Of memory, from the warm-up to the end: allocators are not exact."""
SUMMARY = (
    "The call script for a long time, by parts. Memory in MB, lateness in ms. Left: "
    "Asterisk's memory when SIP has forgotten the calls and the allocator has given back what is free."
)
HEADINGS = {"asterisk_mb": "Asterisk", "left_mb": "left", "engine_mb": "engine", "late_p99_ms": "late p99"}
FIGURES = ("asterisk_mb", "left_mb", "engine_mb", "descriptors", "threads", "late_p99_ms")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a process holds."""

    mb: float
    descriptors: int
    threads: int

    @classmethod
    def by(cls, pid: int) -> Taken:
        process = psutil.Process(pid)
        memory = process.memory_info().rss / 2**20
        return cls(mb=memory, descriptors=process.num_fds(), threads=process.num_threads())


def run(options: Options) -> Report:
    seconds, parts = options.by_effort((4.0, 2), (10.0, 2), (60.0, 30))
    rows = []
    with stand() as system:
        rate = 2 * SHARE * half_of_highest(system, options)
        with turn(system, ENGINE) as contestant:
            assert contestant.pid is not None
            for part in range(parts):
                rows.append(_part(system, contestant.pid, part, rate, seconds))
                if options.effort is Effort.FULL and (part % RESTS == 0 or part == parts - 1):
                    rows[-1]["left_mb"] = _rest(system)
                say(f"soak, part {part + 1} of {parts}: {told(rows[-1])}")
    title = f"{SUMMARY} {rate:g} calls/s, {seconds:g} s each."
    table = Table(title=title, rows=rows, headings=HEADINGS, names=("what", "part"))
    return Report(tables=[table], targets=targets(rows))


def _part(system: Stand, engine: int, part: int, rate: float, seconds: float) -> dict[str, Any]:
    offered = offer(system.line, CONTESTANTS[ENGINE], rate=rate, seconds=seconds)
    system.wait_no_calls()
    time.sleep(SETTLE_SECONDS)
    return row(part, offered, Taken.by(system.pid("asterisk")), Taken.by(engine))


def _rest(system: Stand) -> float:
    """MB that the calls have left behind in Asterisk."""
    time.sleep(REST_SECONDS)
    system.node.console("malloc trim")
    return round(Taken.by(system.pid("asterisk")).mb, 1)


def row(part: int, offered: Offered, asterisk: Taken, engine: Taken) -> dict[str, Any]:
    head: dict[str, Any] = {"what": ENGINE, "part": part + 1, "calls": offered.calls}
    if not offered.sound:
        why = ", ".join(f"{reason} ({count})" for reason, count in sorted(Counter(offered.failures).items()))
        return head | dict.fromkeys(FIGURES) | {"failed": True, "note": f"failed: {why}"}
    return head | {
        "asterisk_mb": round(asterisk.mb, 1),
        "left_mb": None,
        "engine_mb": round(engine.mb, 1),
        "descriptors": asterisk.descriptors + engine.descriptors,
        "threads": asterisk.threads + engine.threads,
        "late_p99_ms": round(percentile(offered.late_ms, 0.99)),
        "failed": False,
        "note": "",
    }


def told(found: dict[str, Any]) -> str:
    left = "" if found["left_mb"] is None else f" ({found['left_mb']} MB when all is forgotten)"
    return found["note"] or f"Asterisk {found['asterisk_mb']} MB{left}, engine {found['engine_mb']} MB"


def targets(rows: Sequence[dict[str, Any]]) -> list[Target]:
    """From the end of the warm-up to the end. What Asterisk holds at once says nothing of what it keeps."""
    sound = not any(row["failed"] for row in rows)
    first, last = rows[RESTS if len(rows) > RESTS else 0], rows[-1]

    def growth(name: str) -> float | None:
        return round(100 * (last[name] - first[name]) / first[name], 1) if sound else None

    left = (
        []
        if last["left_mb"] is None
        else [at_most("growth of what calls leave in Asterisk's memory", GROWTH_PCT, growth("left_mb"), " %")]
    )
    return [
        *left,
        at_most("growth of the engine's memory", GROWTH_PCT, growth("engine_mb"), " %"),
        at_most("growth of descriptors", 0, growth("descriptors"), " %"),
    ]
