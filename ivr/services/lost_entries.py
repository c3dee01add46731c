"""Beginnings of talks that CEL has lost on a full disk, from the lines of their ends. Pure.

A leg that was let into a talk carries the time with it (`userfield`, asterisk-conf/cel_custom.conf.j2): its
BRIDGE_EXIT tells when the missing BRIDGE_ENTER was, and when the others came into the same bridge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ivr.ports import JournalLine

_ENTER, _EXIT = "BRIDGE_ENTER", "BRIDGE_EXIT"


def completed(lines: Sequence[JournalLine]) -> Sequence[JournalLine]:
    """lines: of CEL, of one call, in order; given back with the entries that are missing, in order."""
    lost = tuple(_lost(lines, _joined(lines)))
    return sorted([*lost, *lines], key=lambda line: line.at) if lost else lines


def _joined(lines: Sequence[JournalLine]) -> Mapping[str, datetime]:
    """When the last one came into each bridge, as those say who left it."""
    found: dict[str, datetime] = {}
    for line in lines:
        if line.event == _EXIT and (since := _since(line)) is not None:
            bridge = line.data.get("bridge", "")
            found[bridge] = max(since, found.get(bridge, since))
    return found


def _since(line: JournalLine) -> datetime | None:
    text = line.data.get("joined")
    return None if text is None else datetime.fromtimestamp(float(text), UTC)


def _lost(lines: Sequence[JournalLine], joined: Mapping[str, datetime]) -> Iterator[JournalLine]:
    """For each exit of a leg that is in no bridge; not from a time at which it still was in another one."""
    inside: set[str] = set()
    left: dict[str, datetime] = {}
    for line in lines:
        if line.event == _ENTER:
            inside.add(line.call)
        elif line.event == _EXIT:
            since = _since(line) or joined.get(line.data.get("bridge", ""))
            if (
                line.call not in inside
                and since is not None
                and left.get(line.call, since) <= since < line.at
            ):
                yield replace(line, event=_ENTER, at=since)
            inside.discard(line.call)
            left[line.call] = line.at
