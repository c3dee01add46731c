"""Lines of Asterisk's journals: bytes in, `JournalLine` out. What cannot be such a line gives None.

arrivals.log: dialplans/inbound.conf.j2; queue_log: app_queue's own text, whole seconds;
cel.csv: columns in asterisk-conf/cel_custom.conf.j2. All three are printable ASCII. A caller's number stands
in arrivals and in ENTERQUEUE; it is handed on beside the line and never in it.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ivr.domain.callback import leg_call
from ivr.ports import JournalLine

ARRIVALS, QUEUE_LOG, CEL = "arrivals", "queue_log", "cel"
ARRIVAL = "ARRIVAL"
"""The event of a line of arrivals.log."""
QUEUESTART = "QUEUESTART"
"""Asterisk has started: whatever call it had before is over."""
LONGEST = 8192
"""Bytes of a line; the longest honest ones have some 600."""

_TEXT = re.compile(r"[\x20-\x7e]{0,160}")
_NODE = re.compile(r"[a-z0-9-]{1,32}")
_CALL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_EVENT = re.compile(r"[A-Z_]{1,40}")
_EPOCH = re.compile(r"(\d{9,10})(?:\.(\d{1,6}))?", re.ASCII)
_ISO = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", re.ASCII)
_IN_TALK = frozenset({"HOLD", "UNHOLD"})
"""Lines of ours about a talk: of a callback they belong to the whole of it, of whichever half they speak. Its
lines about a place in a queue do not, for no citizen waits there."""
_NO_CALL = frozenset({"", "NONE", "CLI", "MANAGER", "REALTIME"})
_STARTS = {
    ARRIVALS: re.compile(rb"20\d\d-\d\d-\d\dT"),
    QUEUE_LOG: re.compile(rb"1\d{9}\|(?=[A-Za-z])"),
    CEL: re.compile(rb'"[A-Z_]{1,40}","\d{10}\.'),
}
"""How a line begins: behind a line that was cut off, a whole one may follow without a line's end."""
_PROBE = re.compile(rb'"[A-Z_]{1,40}"(?:,"[^"]*"){5},"probe[0-9a-f]{32}",')
"""Of CEL: the seventh field is what was dialled, and no caller knows this extension."""
_QUEUE_DATA: dict[str, tuple[str, ...]] = {
    "ENTERQUEUE": ("", "", "position"),  # url, the caller's number, position
    "CONNECT": ("held", "leg", "rang_ms"),
    "ABANDON": ("position", "original_position", "waited"),
    "EXITWITHTIMEOUT": ("position", "original_position", "waited"),
    "EXITEMPTY": ("position", "original_position", "waited"),
    "EXITWITHKEY": ("", "position", "original_position", "waited"),  # the key is nobody's business
    "COMPLETECALLER": ("held", "talked", "original_position"),
    "COMPLETEAGENT": ("held", "talked", "original_position"),
    "WITHDRAW": ("position", "original_position", "waited", "info"),
    "NOTJOINED": ("status",),  # of ours: dialplans/queues.conf
    "RINGNOANSWER": ("rang_ms",),
    "RINGCANCELED": ("rang_ms",),
}
"""What is kept of an event's own fields; of an event that is not here, none."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a line stands: its identity."""

    node: str
    journal: str
    generation: str
    offset: int


@dataclass(frozen=True, kw_only=True)
class Read:
    """A line that was understood."""

    line: JournalLine
    node: str = ""
    """Of an arrival: the node it names."""
    number: str = ""
    """Of an arrival: the caller's number as the trunk sent it."""


def boots(node: str) -> str:
    """What the starts of a node's Asterisk are linked by; no uniqueid looks like it."""
    return f"boots/{node}"


def is_probe(raw: bytes) -> bool:
    """Whether the line tells of a call by which the supervisor tries the line (services/probe_call.py)."""
    return _PROBE.match(raw) is not None


def parse(raw: bytes, place: Place) -> Read | None:
    """The line, without its line's end; behind a beginning that was cut off, the whole line that follows."""
    starts = [match.start() for match in _STARTS[place.journal].finditer(raw[:LONGEST])]
    behind = starts[-1] if starts else 0
    if behind and (rest := _parse(raw[behind:], replace(place, offset=place.offset + behind))) is not None:
        return rest
    return _parse(raw, place)


def _parse(raw: bytes, place: Place) -> Read | None:
    if len(raw) > LONGEST or not raw.isascii():
        return None
    return _READERS[place.journal](raw.decode("ascii"), place)


def _arrival(text: str, place: Place) -> Read | None:
    fields = text.split("\t")
    if len(fields) != 5 or not _ISO.fullmatch(fields[0]) or not _NODE.fullmatch(fields[1]):
        return None
    at, node, call, _, number = fields
    if not _CALL.fullmatch(call) or not _TEXT.fullmatch(number) or (moment := _iso(at)) is None:
        return None
    line = _line(place, call=call, linked=call, at=moment, event=ARRIVAL, data={})
    return Read(line=line, node=node, number=number)


def _queue_log(text: str, place: Place) -> Read | None:
    fields = text.split("|")
    if len(fields) < 5 or (at := _epoch(fields[0])) is None or not _plain(fields[2:4]):
        return None
    call, queue, agent, event = fields[1:5]
    if call in _NO_CALL:
        call = ""
    if (call and not _CALL.fullmatch(call)) or not _EVENT.fullmatch(event):
        return None
    named = dict(zip(_QUEUE_DATA.get(event, ()), fields[5:], strict=False))
    data = {"queue": queue, "agent": "" if agent == "NONE" else agent, **named}
    if not _plain(list(data.values())):
        return None
    linked = boots(place.node) if event == QUEUESTART else call
    if event in _IN_TALK:
        linked = leg_call(call) or call
    return Read(line=_line(place, call=call, linked=linked, at=at, event=event, data=data))


def _cel(text: str, place: Place) -> Read | None:
    try:
        [fields] = csv.reader([text], strict=True)
        event, moment, call, linked, channel, context, _, app, _, _, extra, *joined = fields
        more = json.loads(extra) if extra else {}
    except (csv.Error, ValueError, RecursionError):
        return None
    at = _epoch(moment)
    if at is None or not _EVENT.fullmatch(event) or not _CALL.fullmatch(call) or not _CALL.fullmatch(linked):
        return None
    if len(joined) > 1:
        return None
    data = {"channel": channel, "context": context, "app": app, **_extra(more)}
    if event == "BRIDGE_EXIT" and joined and _epoch(joined[0]) is not None:
        data["joined"] = joined[0]
    if not _plain(list(data.values())):
        return None
    return Read(line=_line(place, call=call, linked=linked, at=at, event=event, data=data))


def _extra(more: object) -> dict[str, str]:
    """Bridge, cause and source; a real JSON document may be anything."""
    if not isinstance(more, dict):
        return {}
    names = {"bridge": "bridge_id", "cause": "hangupcause", "source": "hangupsource"}
    return {ours: str(more[theirs]) for ours, theirs in names.items() if theirs in more}


def _line(
    place: Place, *, call: str, linked: str, at: datetime, event: str, data: dict[str, str]
) -> JournalLine:
    kept = {name: value for name, value in data.items() if name and value}
    return JournalLine(
        node=place.node,
        journal=place.journal,
        generation=place.generation,
        offset=place.offset,
        call=call,
        linked=linked,
        at=at,
        event=event,
        data=kept,
    )


def _plain(values: Sequence[str]) -> bool:
    return all(_TEXT.fullmatch(value) for value in values)


def _epoch(text: str) -> datetime | None:
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    microseconds = int((match[2] or "").ljust(6, "0"))
    return datetime.fromtimestamp(int(match[1]), UTC).replace(microsecond=microseconds)


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


_READERS: dict[str, Callable[[str, Place], Read | None]] = {
    ARRIVALS: _arrival,
    QUEUE_LOG: _queue_log,
    CEL: _cel,
}
