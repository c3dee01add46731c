"""What the rounds of the dead air bench come to: no sockets, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.calls_report import ENGINE, PLAIN
from bench.figures import percentile
from bench.report import Report, Table, Target, at_most

IDLE, HALF, CODES = "idle", "half of the highest rate", "fifty enter codes"
AFTER_CODE = "engine, after the code itself"
SUMMARY = (
    "From the end of a digit (RFC 4733) to the first packet of the next prompt that is not silence, ms. "
    "Packets come every 20 ms. To plain: p99 less the plain dialplan's at the same load, ms."
)
HEADINGS = {"to_plain": "to plain", "p50_ms": "p50", "p99_ms": "p99", "most_ms": "most"}
FIGURES = ("p50_ms", "p99_ms", "most_ms")
SLACK = 60.0
"""Milliseconds that the engine may take beyond the plain dialplan."""


@dataclass(frozen=True, kw_only=True)
class Probed:
    """One contestant under one load in one round."""

    seconds: tuple[float, ...]
    """Of each digit that was followed by a prompt."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Digits, and calls of the load, by what went wrong."""

    @property
    def told(self) -> str:
        return f"{len(self.seconds)} prompts" + (f", {dict(self.failures)}" if self.failures else "")


Outcomes = dict[tuple[str, str], list[Probed]]
"""By contestant and load."""


def report(found: Outcomes, *, half: float) -> Report:
    rows = [row(name, load, found) for name, load in found]
    title = f"{SUMMARY} Half: {half:g} calls/s."
    table = Table(title=title, rows=rows, headings=HEADINGS, names=("what", "load"))
    return Report(tables=[table], targets=targets(rows))


def row(name: str, load: str, found: Outcomes) -> dict[str, Any]:
    """All rounds together; one digit without a prompt is enough to fail."""
    head: dict[str, Any] = {"what": name, "load": load}
    reason = failure(found[name, load])
    ordered = sorted(second * 1000 for probed in found[name, load] for second in probed.seconds)
    head["digits"] = len(ordered)
    if reason:
        return head | dict.fromkeys(FIGURES) | {"to_plain": None, "failed": True, "note": f"failed: {reason}"}
    plain = _p99(found.get((PLAIN, load), ()))
    p99 = percentile(ordered, 0.99)
    return head | {
        "p50_ms": round(percentile(ordered, 0.5), 1),
        "p99_ms": round(p99, 1),
        "most_ms": round(ordered[-1], 1),
        "to_plain": round(p99 - plain, 1) if plain is not None and name == ENGINE else None,
        "failed": False,
        "note": "",
    }


def failure(rounds: Sequence[Probed]) -> str:
    reasons: dict[str, int] = {}
    for probed in rounds:
        for reason, count in probed.failures.items():
            reasons[reason] = reasons.get(reason, 0) + count
    if reasons:
        return ", ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))
    return "" if all(probed.seconds for probed in rounds) else "no prompt at all"


def _p99(rounds: Sequence[Probed]) -> float | None:
    if not rounds or failure(rounds):
        return None
    return percentile(sorted(second * 1000 for probed in rounds for second in probed.seconds), 0.99)


def targets(rows: Sequence[Mapping[str, Any]]) -> list[Target]:
    found = {(row["what"], row["load"]): row for row in rows}
    return [
        at_most(
            f"dead air p99 over the plain dialplan's, {load}",
            SLACK,
            found.get((ENGINE, load), {}).get("to_plain"),
            " ms",
        )
        for load in (IDLE, HALF)
    ]
