"""What the journals' lines of one call mean: its waits, its talks and its end. Pure; lines in, values out.

The citizen's leg is the channel whose uniqueid is the call; of a callback it is the one that was dialled by
the trunk, `PJSIP/trunk-…`. An operator's leg is `PJSIP/EXTENSION-…`. Lines come in the order of time, then of
reading (ports.Journal.of_linked). More lines only add to what was told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.domain.callback import leg_of, waiting_call
from ivr.domain.operators import EXTENSION
from ivr.ports import JournalLine, TraceEvent
from ivr.services.journal_lines import CEL, QUEUE_LOG
from ivr.services.lost_entries import completed

QUEUE, BRIDGE = "queue", "bridge"
ENTERED, JOINED, LEFT, REFUSED, ANNOUNCED = "entered", "joined", "left", "refused", "announced"
_OPERATORS_LEG = re.compile(rf"PJSIP/({EXTENSION.pattern})-[0-9a-f]{{8}}")
_CITIZENS_LEG = re.compile(r"PJSIP/trunk-[0-9a-f]{8}")
_AGENT = re.compile(rf"PJSIP/({EXTENSION.pattern})")
_LEAVING = {
    "CONNECT": "connected",
    "ABANDON": "abandoned",
    "EXITWITHTIMEOUT": "timeout",
    "EXITEMPTY": "no_operator",
    "EXITWITHKEY": "callback",
    "WITHDRAW": "withdrawn",
}
"""Why a caller left a queue; the exits as in ports.LeftQueue. A withdrawal says why itself."""
_REFUSALS = {"FULL": "full"}
"""Why a caller was not let in (NOTJOINED, dialplans/queues.conf); else nobody was there."""
_OURS = "dialplan/"
"""Who hung up, if the dialplan did (`hangupsource`); anything else is the caller or the network."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """The citizen's leg and one operator's leg in one bridge, or in those that a callback's halves join."""

    extension: str
    since: datetime
    until: datetime | None
    """None: it goes on, as far as the journals know."""
    leg: str = ""
    """Uniqueid of the operator's leg."""


@dataclass(frozen=True, kw_only=True)
class Wait:
    """A citizen in a queue. Times of queue_log: whole seconds, rounded down."""

    queue: str
    since: datetime
    until: datetime | None
    """None: no line tells of its end."""
    why: str
    """How it ended; empty while it goes on."""
    leg: str = ""
    """Uniqueid of the leg of the operator who took the call."""
    operator: str | None = None
    missed: tuple[str, ...] = ()
    """Extensions that were rung in vain, one entry for each time."""
    refused: bool = False
    """The caller was not let in."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The end of the citizen's leg."""

    at: datetime
    context: str
    """Of the dialplan, where the call was then; empty when its line is lost."""
    ours: bool
    """The dialplan hung up, not the caller."""


def talks(call: str, lines: Iterable[JournalLine]) -> tuple[Talk, ...]:
    """Who talked with the citizen, and when, in the order of beginning; from CEL only."""
    bridges: dict[str, str] = {}
    operators: dict[str, str] = {}
    going: dict[str, Talk] = {}
    over: list[Talk] = []
    lines = completed([line for line in lines if line.journal == CEL])
    citizen = citizens_leg(call, lines)
    for line in lines:
        if (operator := _OPERATORS_LEG.fullmatch(line.data.get("channel", ""))) and line.call != citizen:
            operators[line.call] = operator[1]
        _move(bridges, line)
        there = _around(call, citizen, bridges)
        together = {leg for leg in operators if bridges.get(leg) in there}
        over += [replace(going.pop(leg), until=line.at) for leg in tuple(going) if leg not in together]
        for leg in together - going.keys():
            going[leg] = Talk(extension=operators[leg], since=line.at, until=None, leg=leg)
    return tuple(sorted((*over, *going.values()), key=lambda talk: talk.since))


def citizens_leg(call: str, lines: Iterable[JournalLine]) -> str | None:
    """Uniqueid of the citizen's leg; None: the citizen was not dialled yet."""
    if leg_of(call) is None:
        return call
    legs = (line.call for line in lines if _CITIZENS_LEG.fullmatch(line.data.get("channel", "")))
    return next(legs, None)


def _around(call: str, citizen: str | None, bridges: Mapping[str, str]) -> set[str]:
    """The bridge that the citizen is in; of a callback also the one at the other end of its two halves."""
    if citizen is None or citizen not in bridges:
        return set()
    own = bridges[citizen]
    halves = {bridges.get(call, ""), bridges.get(waiting_call(call), "")}
    return {own, *halves} if own in halves and "" not in halves else {own}


def _move(bridges: dict[str, str], line: JournalLine) -> None:
    """Keep which leg is in which bridge."""
    if line.event == "BRIDGE_ENTER" and "bridge" in line.data:
        bridges[line.call] = line.data["bridge"]
    elif line.event in ("BRIDGE_EXIT", "CHAN_END"):
        bridges.pop(line.call, None)
    elif line.event == "LINKEDID_END":
        bridges.clear()


def waits(lines: Iterable[JournalLine]) -> tuple[Wait, ...]:
    """The citizen's turns in queues, in their order; from queue_log only."""
    found: list[Wait] = []
    for line in (line for line in lines if line.journal == QUEUE_LOG):
        last = found[-1] if found and found[-1].until is None else None
        if line.event in ("ENTERQUEUE", "NOTJOINED"):
            if last is not None:
                found[-1] = replace(last, until=line.at, why="unknown")
            found.append(_begun(line))
        elif last is not None and line.event == "RINGNOANSWER" and (missed := extension_of(line)) is not None:
            found[-1] = replace(last, missed=(*last.missed, missed))
        elif last is not None and line.event in _LEAVING:
            found[-1] = _left(last, line)
    return tuple(found)


def _begun(line: JournalLine) -> Wait:
    queue = line.data.get("queue", "")
    if line.event == "ENTERQUEUE":
        return Wait(queue=queue, since=line.at, until=None, why="")
    why = _REFUSALS.get(line.data.get("status", ""), "no_operator")
    return Wait(queue=queue, since=line.at, until=line.at, why=why, refused=True)


def _left(wait: Wait, line: JournalLine) -> Wait:
    why = _LEAVING[line.event]
    if line.event == "WITHDRAW":
        why = line.data.get("info", why)
    taken = line.event == "CONNECT"
    leg, operator = (line.data.get("leg", ""), extension_of(line)) if taken else ("", None)
    return replace(wait, until=line.at, why=why, leg=leg, operator=operator)


def extension_of(line: JournalLine) -> str | None:
    """Whom a line of queue_log speaks of."""
    found = _AGENT.fullmatch(line.data.get("agent", ""))
    return found[1] if found else None


def overlap(since: datetime, until: datetime, talk: Talk) -> float:
    """Seconds of this time that belong to a talk that is over."""
    end = min(until, talk.until) if talk.until is not None else since
    return max(0.0, (end - max(since, talk.since)).total_seconds())


def ending(call: str, lines: Sequence[JournalLine]) -> Ending | None:
    """The end of the citizen's leg; None while it is up."""
    cel = [line for line in lines if line.journal == CEL]
    gone = ("CHAN_END", call)
    ends = [line for line in cel if line.event == "LINKEDID_END" or (line.event, line.call) == gone]
    if not ends:
        return None
    own = [line for line in cel if line.call == call and line.event in ("HANGUP", "CHAN_END")]
    source = next((line.data.get("source", "") for line in own if line.event == "HANGUP"), "")
    context = next((line.data.get("context", "") for line in own), "")
    return Ending(at=min(line.at for line in ends), context=context, ours=source.startswith(_OURS))


def waited(waits_: Iterable[Wait], talks_: Sequence[Talk], end: datetime) -> int:
    """Whole seconds in queues (§13). end: of the call, for a wait whose end no line tells.

    An answered wait ends when the bridge begins (CEL); every time is rounded down, as queue_log does it, so
    that differences are true on the average.
    """
    total = timedelta()
    for wait in waits_:
        until = wait.until or end
        if wait.why in ("connected", ""):
            until = next((talk.since for talk in talks_ if talk.since >= wait.since), until)
        total += max(timedelta(), _whole(until) - _whole(wait.since))
    return int(total.total_seconds())


def talked(talks_: Iterable[Talk], end: datetime, asked: Iterable[tuple[datetime, datetime]] = ()) -> int:
    """Whole seconds with an operator (§13), rounded down; with two operators at once they count once.

    asked: while the operator asked a colleague and the citizen heard music; that is part of answering.
    """
    spans = [*((talk.since, talk.until or end) for talk in talks_), *asked]
    total, reached = timedelta(), None
    for begin, until in sorted(spans):
        since = begin if reached is None else max(begin, reached)
        total += max(timedelta(), until - since)
        reached = until if reached is None else max(reached, until)
    return int(total.total_seconds())


def lived(call: str, lines: Sequence[JournalLine]) -> tuple[TraceEvent, ...]:
    """The events of a trace that these lines tell: queues entered and left, operators joined and left."""
    return tuple(sorted((*_queues(call, lines), *_bridges(call, lines)), key=lambda event: event.at))


def _queues(call: str, lines: Sequence[JournalLine]) -> Iterator[TraceEvent]:
    for wait in waits(lines):
        if wait.refused:
            yield TraceEvent(
                call=call, at=wait.since, kind=QUEUE, id=wait.queue, outcome=f"{REFUSED}:{wait.why}"
            )
            continue
        yield TraceEvent(call=call, at=wait.since, kind=QUEUE, id=wait.queue, outcome=ENTERED)
        if wait.until is not None:
            outcome = f"{LEFT}:{wait.why}"
            yield TraceEvent(call=call, at=wait.until, kind=QUEUE, id=wait.queue, outcome=outcome)


def _bridges(call: str, lines: Sequence[JournalLine]) -> Iterator[TraceEvent]:
    for talk in talks(call, lines):
        yield TraceEvent(call=call, at=talk.since, kind=BRIDGE, id=talk.extension, outcome=JOINED)
        if talk.until is not None:
            yield TraceEvent(call=call, at=talk.until, kind=BRIDGE, id=talk.extension, outcome=LEFT)


def untold(events: Iterable[TraceEvent], told: Sequence[TraceEvent]) -> tuple[TraceEvent, ...]:
    """Those events that the trace does not have yet, however often their lines are read.

    queue_log knows whole seconds only: an event of it is put behind what the trace already has of that
    second, or the caller would enter the queue before the menu.
    """
    known = {_key(event) for event in told}
    new: list[TraceEvent] = []
    for event in events:
        if _key(event) not in known:
            new.append(_behind(event, (*told, *new)) if event.kind == QUEUE else event)
    return tuple(new)


def _key(event: TraceEvent) -> tuple[str, str, str, datetime]:
    return event.kind, event.id, event.outcome, _whole(event.at) if event.kind == QUEUE else event.at


def _behind(event: TraceEvent, told: Iterable[TraceEvent]) -> TraceEvent:
    """Not behind what can only come after it: talks, and what is told to callers once they are in a queue."""
    same = [other for other in told if _whole(other.at) == event.at and other.kind != BRIDGE]
    if event.outcome == ENTERED:
        same = [other for other in same if not (other.id == event.id and other.outcome.startswith(ANNOUNCED))]
    return replace(event, at=max([event.at, *(other.at for other in same)]))


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)
