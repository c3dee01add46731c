"""What the rounds of the flow bench come to: no sockets, no clock."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import spread
from bench.report import Report, Table, Target, at_most

SUMMARY = (
    "The whole incoming flow, from the arrivals line to an answer at level personal. CPU in ms a call. "
    "Engine: without argon2. Share: engine to Asterisk. Synthesis: programs it runs. Server: PostgreSQL."
)
HEADINGS = {
    "asterisk_ms": "Asterisk",
    "engine_ms": "engine",
    "engine_spread_pct": "spread",
    "argon2_ms": "argon2",
    "synthesis_ms": "synthesis",
    "server_ms": "server",
}
FIGURES = ("asterisk_ms", "engine_ms", "engine_spread_pct", "share", "argon2_ms", "synthesis_ms", "server_ms")
GOOD_SHARE = 0.999


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One database in one round."""

    calls: int
    failures: Mapping[str, int]
    asterisk_ms: float
    engine_ms: float
    """All of it, argon2 too."""
    argon2_ms: float
    """One comparison of a code; each call makes one."""
    synthesis_ms: float
    server_ms: float | None
    """None: there is no server."""

    @property
    def sound(self) -> bool:
        return sum(self.failures.values()) <= (1 - GOOD_SHARE) * self.calls

    @property
    def flow_ms(self) -> float:
        return max(self.engine_ms - self.argon2_ms, 0.0)

    @property
    def share(self) -> float:
        return self.flow_ms / self.asterisk_ms if self.asterisk_ms else 0.0


def report(found: Mapping[str, Sequence[Measured]], *, rate: float) -> Report:
    rows = [row(name, rounds, rate) for name, rounds in found.items()]
    return Report(tables=[Table(title=SUMMARY, rows=rows, headings=HEADINGS)], targets=targets(rows))


def row(name: str, rounds: Sequence[Measured], rate: float) -> dict[str, Any]:
    head: dict[str, Any] = {"what": name, "rate": rate, "calls": sum(m.calls for m in rounds)}
    if not all(measured.sound for measured in rounds):
        counted: Counter[str] = sum((Counter(m.failures) for m in rounds), Counter())
        why = ", ".join(f"{reason} ({count})" for reason, count in sorted(counted.items()))
        return head | dict.fromkeys(FIGURES) | {"failed": True, "note": f"failed: {why}"}
    server = [m.server_ms for m in rounds if m.server_ms is not None]
    return head | {
        "asterisk_ms": round(statistics.median(m.asterisk_ms for m in rounds), 1),
        "engine_ms": round(statistics.median(m.flow_ms for m in rounds), 1),
        "engine_spread_pct": round(spread([m.flow_ms for m in rounds])),
        "share": round(statistics.median(m.share for m in rounds), 2),
        "argon2_ms": round(statistics.median(m.argon2_ms for m in rounds), 1),
        "synthesis_ms": round(statistics.median(m.synthesis_ms for m in rounds), 1),
        "server_ms": round(statistics.median(server), 1) if server else None,
        "failed": False,
        "note": "",
    }


def targets(rows: Sequence[Mapping[str, Any]]) -> list[Target]:
    return [
        at_most(f"engine's CPU a call with SQL, to Asterisk's, {r['what']}", 0.35, r["share"]) for r in rows
    ]
