"""What a run tells: one table, or one JSON document of the same keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos.audit import cut_at_arrival
from tests.chaos.evidence import Evidence
from tests.chaos.findings import Fault, Finding

TOLD_AT_MOST = 40
"""Findings that the table lists; JSON has them all."""
_MUST_BE_NONE = tuple(fault for fault in Fault if fault is not Fault.NO_BLOW)


def figures(evidence: Evidence, findings: Sequence[Finding], *, seed: int, seconds: float) -> dict[str, Any]:
    """Keys of docs/chaos.md; `findings` says which call, card or process each fault is about."""
    counts = Counter(finding.fault for finding in findings)
    kills = Counter(blow.kind for blow in evidence.blows)
    ours = {c.call_id for c in evidence.citizens}
    offered = [c for c in evidence.citizens if c.trying]
    return {
        "seed": seed,
        "seconds": seconds,
        "called": len(evidence.citizens),
        "not_reached": len(evidence.citizens) - len(offered),
        "offered": len(offered),
        "arrivals": sum(a.call_id in ours for a in evidence.arrivals),
        "cut_at_arrival": sum(cut_at_arrival(c, evidence) for c in offered),
        "answered_by_line": sum(c.status == 200 for c in offered),
        "served": sum(c.outcome == "served" for c in evidence.contacts if c.direction == "inbound"),
        "callbacks": len(evidence.callbacks),
        "callbacks_by_source": dict(sorted(Counter(c.source for c in evidence.callbacks).items())),
        "callbacks_by_state": dict(sorted(Counter(c.state for c in evidence.callbacks).items())),
        "dialled": len(evidence.dialled),
        **{fault.value: counts[fault] for fault in _MUST_BE_NONE},
        "kills": {kind: kills[kind] for kind in evidence.kinds},
        "fewest_calls_at_a_kill": min((blow.calls for blow in evidence.blows), default=0),
        "clean": not findings,
        "findings": [{"fault": f.fault.value, "subject": f.subject, "why": f.why} for f in findings],
    }


def table(told: Mapping[str, Any]) -> str:
    """For a terminal."""
    lines = [f"{name:>24}  {_cell(value)}" for name, value in told.items() if name != "findings"]
    found = told["findings"]
    lines += [f"  {f['fault']}: {f['subject']}: {f['why']}" for f in found[:TOLD_AT_MOST]]
    lines += [f"  … and {len(found) - TOLD_AT_MOST} more"] if len(found) > TOLD_AT_MOST else []
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    return {True: "yes", False: "NO"}.get(value, str(value)) if isinstance(value, bool) else str(value)
