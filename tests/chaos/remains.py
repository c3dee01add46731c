"""What a run leaves behind, and whether it did what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.chaos.evidence import Evidence
from tests.chaos.findings import Fault, Finding

FEWEST_CALLS = 5
"""In progress at each blow."""


def audit(evidence: Evidence) -> list[Finding]:
    return [*left_behind(evidence), *blows_dealt(evidence)]


def left_behind(evidence: Evidence) -> Iterator[Finding]:
    """No channel, no process, and no more open files than before the first call."""
    for channel in evidence.channels:
        yield Finding(fault=Fault.LEAKED_CHANNELS, subject=channel, why="is up though nobody calls")
    for name, (before, after) in evidence.descriptors.items():
        if after > before:
            why = f"{before} open files before the first call, {after} after the last"
            yield Finding(fault=Fault.LEAKED_FDS, subject=name, why=why)
    for process in evidence.processes:
        yield Finding(fault=Fault.LEAKED_FDS, subject=process, why="a process that belongs to no part")


def blows_dealt(evidence: Evidence) -> Iterator[Finding]:
    """Every kind was dealt, and each blow fell on five calls or more: else the run proves nothing."""
    dealt = Counter(blow.kind for blow in evidence.blows)
    for kind in evidence.kinds:
        if dealt[kind] == 0:
            yield Finding(fault=Fault.NO_BLOW, subject=kind, why="was never dealt")
    for blow in evidence.blows:
        if blow.calls < FEWEST_CALLS:
            why = f"fell on {blow.calls} calls in progress"
            yield Finding(fault=Fault.NO_BLOW, subject=blow.kind, why=why)
