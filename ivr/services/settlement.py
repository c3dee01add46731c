"""How a call ended, decided from the journals and what the engine has recorded (§13, interface.md "Card").

The engine knows the conversation with the machine, the journals know everything after it. Of the two:

0. The operator said that the citizen was not reached (`*9`): what that recorded, whatever was talked.
1. In one bridge with an operator for `served_seconds`: served. For less: too_short. Whatever was recorded.
   A talk whose end CEL has lost, on a full disk, lasted as long as the queue says.
2. Asterisk was started anew and no line tells of the call's end: lost_by_crash, unless the engine had
   recorded how it ended. (Only a talk whose end is known counts: rather called back than forgotten.)
3. What the engine recorded. Only its `abandoned_ivr` is doubted: a flow that broke says so, too. If the call
   then reached a queue or the emergency path, it was not abandoned in the IVR.
4. It reached a queue (ENTERQUEUE, or its end in the contexts `wait` or `enter`: nobody was logged in, or the
   queue was full): abandoned_queue, also when it waited to the limit or was given up by the queue.
5. The caller hung up, and not on the emergency path: abandoned_ivr.
6. lost_by_crash: the dialplan ended the call or the caller left the emergency path, and no engine has
   recorded why. Either no flow ran, or it broke, or its record was lost with the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.domain.enquiry import ContactOutcome
from ivr.ports import JournalLine
from ivr.services import call_story
from ivr.services.call_story import Ending, Talk
from ivr.services.hold_story import consultations, holds
from ivr.services.queue_talks import mended

_QUEUEING = frozenset({"wait", "enter", "given-back", "queue-keys"})
"""Contexts of a caller who was given to a queue (dialplans/queues.conf)."""
_EMERGENCY = frozenset({"emergency", "sentence"})
"""Contexts that are entered because no engine answered or its flow broke (dialplans/emergency.conf)."""

NOT_REACHED = frozenset({ContactOutcome.TOO_SHORT, ContactOutcome.NO_ANSWER, ContactOutcome.MACHINE})
"""What `*9` records (working_day.not_reached); nothing else records these before a call is settled."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The site's limits, seconds."""

    served: float = 5.0
    """In one bridge with an operator for so long is served."""
    wrapup: float = 30.0
    """After so long a served card completes itself."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What else is known of a call."""

    recorded: ContactOutcome | None
    """By the engine."""
    restarts: Sequence[datetime] = ()
    """When the node's Asterisk was started since the call arrived."""


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """The end of a contact."""

    at: datetime
    outcome: ContactOutcome
    waiting_s: int
    talking_s: int
    operator: str | None
    """Extension of the one who talked last."""
    talked_until: datetime | None
    """The end of the last talk: wrap-up begins (§13)."""
    known_until: datetime
    """The end of what the journals tell: `at`, or for a call that a crash cut off its last line."""


def settle(call: str, lines: Sequence[JournalLine], facts: Facts, rules: Rules) -> Settlement | None:
    """How the call ended; None while it goes on. lines: all of the call and its legs, in order."""
    end = call_story.ending(call, lines)
    if end is None and not facts.restarts:
        return None
    at = end.at if end is not None else min(facts.restarts)
    known = at if end is not None else max((line.at for line in lines), default=at)
    talks = mended(call_story.talks(call, lines), lines)
    asked = consultations(talks, holds(lines), known)
    last = talks[-1] if talks else None
    return Settlement(
        at=at,
        outcome=_outcome(lines, talks, end, facts.recorded, rules),
        waiting_s=call_story.waited(call_story.waits(lines), talks, known),
        talking_s=call_story.talked(talks, known, ((hold.since, hold.until or known) for hold in asked)),
        operator=last.extension if last is not None else None,
        talked_until=max((talk.until or known for talk in talks), default=None),
        known_until=known,
    )


def _outcome(
    lines: Sequence[JournalLine],
    talks: Sequence[Talk],
    end: Ending | None,
    recorded: ContactOutcome | None,
    rules: Rules,
) -> ContactOutcome:
    ended = [talk for talk in talks if talk.until is not None]
    if talks and recorded in NOT_REACHED:
        return recorded
    if any(seconds(talk) >= rules.served for talk in ended):
        return ContactOutcome.SERVED
    if end is None:
        if recorded is None or recorded is ContactOutcome.ABANDONED_IVR:
            return ContactOutcome.LOST_BY_CRASH
        return recorded
    if talks:
        return ContactOutcome.TOO_SHORT
    return _without_talk(lines, end, recorded)


def _without_talk(
    lines: Sequence[JournalLine], end: Ending, recorded: ContactOutcome | None
) -> ContactOutcome:
    queued = end.context in _QUEUEING or any(not wait.refused for wait in call_story.waits(lines))
    emergency = end.context in _EMERGENCY
    doubted = recorded is ContactOutcome.ABANDONED_IVR and (queued or emergency)
    if recorded is not None and not doubted:
        return recorded
    if queued:
        return ContactOutcome.ABANDONED_QUEUE
    if end.ours or emergency:
        return ContactOutcome.LOST_BY_CRASH
    return ContactOutcome.ABANDONED_IVR


def seconds(talk: Talk) -> float:
    """Of a talk that is over; else 0."""
    return (talk.until - talk.since).total_seconds() if talk.until is not None else 0.0
