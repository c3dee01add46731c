"""The product's journals, read without any of its code (arrivals.log, queue_log, cel.csv)."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tests.chaos.evidence import Arrived

_ARRIVAL_FIELDS = 5
_LEG = re.compile(r"ekc-cb-(\w+)-\d+")
"""The call of a callback's leg names the callback."""


def arrivals(spool: Path) -> list[Arrived]:
    """Every whole line of the arrivals file and of those it was rotated to."""
    return [found for line in _lines(spool, "arrivals.log") if (found := _arrival(line)) is not None]


def _arrival(line: str) -> Arrived | None:
    fields = line.split("\t")
    if len(fields) != _ARRIVAL_FIELDS:
        return None
    try:
        at = datetime.fromisoformat(fields[0]).timestamp()
    except ValueError:
        return None
    return Arrived(at=at, call=fields[2], call_id=fields[3], number=fields[4])


def queued(log: Path) -> frozenset[str]:
    """Uniqueids that entered a queue."""
    parts = [line.split("|") for line in _lines(log, "queue_log")]
    return frozenset(p[1] for p in parts if len(p) > 4 and p[4] == "ENTERQUEUE")


def joined(log: Path) -> Mapping[str, Sequence[float]]:
    """When called citizens were let into a bridge, by callback."""
    found: dict[str, list[float]] = defaultdict(list)
    for fields in csv.reader(line.replace("\0", "") for line in _lines(log, "cel.csv")):
        if len(fields) > 4 and fields[0] == "BRIDGE_ENTER" and fields[4].startswith("PJSIP/trunk-"):
            leg = _LEG.fullmatch(fields[3])
            if leg is not None:
                found[leg[1]].append(float(fields[1]))
    return found


def _lines(folder: Path, name: str) -> Iterator[str]:
    for path in sorted(folder.glob(f"{name}*")):
        data = path.read_bytes()
        yield from data[: data.rfind(b"\n") + 1].decode(errors="replace").splitlines()
