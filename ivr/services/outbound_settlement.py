"""How an attempt to call a citizen ended, decided from the journals (interface.md "Card").

The call is the callback's leg, the citizen's leg the one that was dialled by the trunk. In this order:

0. It was answered and the operator said that the citizen was not reached (`*9`): what that recorded, whatever
   was talked.
1. Citizen and operator talked for `served_seconds`, by the journals or, where these have lost it, as the
   engine has seen (services/legs.py): served.
2. Asterisk was started anew and no line tells of the call's end: unknown.
3. The citizen's telephone was answered: too_short. That something answers proves no human being.
4. It was not answered: by the cause of the hang-up (Q.850, as the trunk has told it by SIP, RFC 3398).
5. Nothing was dialled though it was promised: unknown, for the line that tells of it may be what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ivr.domain.enquiry import ContactOutcome
from ivr.ports import JournalLine
from ivr.services import call_story, hold_story
from ivr.services.call_story import Talk
from ivr.services.journal_lines import CEL
from ivr.services.settlement import NOT_REACHED, Facts, Rules, Settlement, seconds

_BUSY = frozenset({"17", "21"})
"""Busy, and refused by hand."""
_NO_ANSWER = frozenset({"0", "16", "18", "19", "20", "26", "127"})
"""It rang and nobody came, it was switched off, or we have given up: a CANCEL has no cause of its own."""
_INVALID = frozenset({"1", "2", "3", "22", "28"})
"""No such number, no way to it, changed, incomplete."""


def settle(call: str, lines: Sequence[JournalLine], facts: Facts, rules: Rules) -> Settlement | None:
    """How the attempt ended; None while it goes on. lines: all of the call and its legs, in order."""
    end = ended(lines)
    if end is None and not facts.restarts:
        return None
    at = end if end is not None else min(facts.restarts)
    known = at if end is not None else max((line.at for line in lines), default=at)
    talks = call_story.talks(call, lines)
    asked = hold_story.consultations(talks, hold_story.holds(lines), known)
    last = talks[-1] if talks else None
    return Settlement(
        at=at,
        outcome=_outcome(call, lines, talks, facts.recorded, end, rules),
        waiting_s=call_story.waited(call_story.waits(lines), talks, known),
        talking_s=call_story.talked(talks, known, ((hold.since, hold.until or known) for hold in asked)),
        operator=last.extension if last is not None else None,
        talked_until=max((talk.until or known for talk in talks), default=None),
        known_until=known,
    )


def ended(lines: Sequence[JournalLine]) -> datetime | None:
    """When the last leg was gone, and with it all that can be told; None: not yet."""
    ends = [line.at for line in lines if line.journal == CEL and line.event == "LINKEDID_END"]
    return max(ends, default=None)


def _outcome(
    call: str,
    lines: Sequence[JournalLine],
    talks: Sequence[Talk],
    recorded: ContactOutcome | None,
    end: datetime | None,
    rules: Rules,
) -> ContactOutcome:
    leg = call_story.citizens_leg(call, lines)
    own = [line for line in lines if line.call == leg and line.journal == CEL]
    answered = bool(talks) or any(line.event == "ANSWER" for line in own)
    if answered and recorded in NOT_REACHED:
        return recorded
    if any(talk.until is not None and seconds(talk) >= rules.served for talk in talks):
        return ContactOutcome.SERVED
    if recorded is ContactOutcome.SERVED:
        return recorded
    if end is None:
        return ContactOutcome.UNKNOWN
    if answered:
        return ContactOutcome.TOO_SHORT
    causes = [line.data.get("cause", "") for line in own if line.event == "HANGUP"]
    return _by_cause(causes[-1]) if causes else ContactOutcome.UNKNOWN


def _by_cause(cause: str) -> ContactOutcome:
    """Of a telephone that was not answered. What the network could not do at all is unknown."""
    if cause in _BUSY:
        return ContactOutcome.BUSY
    if cause in _INVALID:
        return ContactOutcome.INVALID
    return ContactOutcome.NO_ANSWER if cause in _NO_ANSWER else ContactOutcome.UNKNOWN
