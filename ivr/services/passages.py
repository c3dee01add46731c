"""From the lines of a call to its passages. Pure; lines in, values out.

A wait comes from queue_log; who talked, and how long, from CEL. A CONNECT line names the operator's leg: that
leg's talks belong to the wait. A talk of another leg that begins while a wait has no end known ends it
(its CONNECT line was lost with Asterisk); any other is a passage without a queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.passage import CONNECTED, LOST, UNKNOWN, Passage
from ivr.ports import JournalLine
from ivr.services import call_story, hold_story
from ivr.services.call_story import Talk, Wait
from ivr.services.hold_story import Hold


@dataclass(frozen=True, kw_only=True)
class _Holds:
    """Of a call."""

    all: Sequence[Hold]
    asking: Sequence[Hold]
    """What of them was out of the talk: the operator asked a colleague."""


def passages(
    call: str,
    lines: Sequence[JournalLine],
    *,
    until: datetime | None = None,
    outcome: ContactOutcome | None = None,
) -> tuple[Passage, ...]:
    """Of one call, in the order of entering. lines: all of the call and its legs, in order.

    until, outcome: of a call that is settled; waits whose end no line tells then end with it.
    """
    talks = call_story.talks(call, lines)
    known = hold_story.holds(lines)
    holds = _Holds(all=known, asking=hold_story.consultations(talks, known, until))
    waits = call_story.waits(lines)
    found, taken = [], set[str]()
    for place, wait in enumerate(waits):
        following = waits[place + 1].since if place + 1 < len(waits) else None
        own = _own(wait, talks, following)
        taken.update(talk.leg for talk in own)
        found.append(_waited(call, wait, own, holds, until, outcome))
    legs = dict.fromkeys(talk.leg for talk in talks if talk.leg not in taken)
    found += [_direct(call, [talk for talk in talks if talk.leg == leg], holds, until) for leg in legs]
    return tuple(sorted(found, key=lambda passage: passage.entered))


def _own(wait: Wait, talks: Sequence[Talk], following: datetime | None) -> Sequence[Talk]:
    if wait.leg:
        return [talk for talk in talks if talk.leg == wait.leg]
    if wait.why not in ("", UNKNOWN):
        return []
    after = [t for t in talks if t.since >= wait.since and (following is None or t.since < following)]
    return [talk for talk in after if talk.leg == after[0].leg]


def _waited(
    call: str,
    wait: Wait,
    own: Sequence[Talk],
    holds: _Holds,
    until: datetime | None,
    outcome: ContactOutcome | None,
) -> Passage:
    passage = Passage(
        call=call, queue=wait.queue, entered=wait.since, left=wait.until, why=wait.why, missed=wait.missed
    )
    if own or wait.why == CONNECTED:
        left = own[0].since if own else wait.until
        operator = own[0].extension if own else wait.operator
        passage = replace(passage, left=left, why=CONNECTED, operator=operator)
        return _with_times(passage, own, holds, until)
    if passage.left is None and until is not None:
        passage = replace(passage, left=until, why=_ENDS.get(outcome, UNKNOWN))
    return passage


_ENDS: dict[ContactOutcome | None, str] = {
    ContactOutcome.ABANDONED_QUEUE: "abandoned",
    ContactOutcome.LOST_BY_CRASH: LOST,
}
"""How a wait ended of which only the end of its call is known."""


def _direct(call: str, own: Sequence[Talk], holds: _Holds, until: datetime | None) -> Passage:
    first = own[0]
    passage = Passage(
        call=call,
        queue="",
        entered=first.since,
        left=first.since,
        why=CONNECTED,
        operator=first.extension,
    )
    return _with_times(passage, own, holds, until)


def _with_times(passage: Passage, own: Sequence[Talk], holds: _Holds, until: datetime | None) -> Passage:
    """Talk and hold; a talk that goes on counts when it is over, for nobody knows how long it will last."""
    over = [replace(talk, until=talk.until or until) for talk in own if talk.until or until]
    talked = sum(_seconds(talk.since, talk.until) for talk in over)
    in_talk = sum(
        call_story.overlap(hold.since, hold.until or talk.until or talk.since, talk)
        for hold in holds.all
        for talk in over
        if hold.extension == passage.operator
    )
    ends = {talk.until for talk in over}
    asking = sum(
        _seconds(asked.since, asked.until)
        for asked in holds.asking
        if asked.extension == passage.operator and asked.since in ends
    )
    hold_s = int(in_talk + asking)
    return replace(passage, talking_s=max(0, int(talked + asking) - hold_s), hold_s=hold_s)


def _seconds(since: datetime, until: datetime | None) -> float:
    return (until - since).total_seconds() if until is not None else 0.0
