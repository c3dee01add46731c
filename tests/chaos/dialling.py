"""Callbacks, counted on the citizen's side: the sipp behind the trunk has seen every INVITE."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from tests.chaos.evidence import Dialled, Evidence, Talk, grouped
from tests.chaos.findings import Fault, Finding

SERVED_SECONDS = 5.0
GREETING_SECONDS = 12.0
"""At most, with the short sounds of a run (run.SHORTENED) and a wait for a key, on a busy machine."""
ENDED = frozenset({"done", "given_up", "cancelled", "superseded"})
"""States of a callback that nothing follows."""
UNDER_WAY = frozenset({"queued", "dialling_operator", "dialling_citizen", "talking"})
"""States that want a channel."""


def audit(evidence: Evidence) -> list[Finding]:
    return [
        *_at_once(evidence),
        *_after_a_talk(evidence),
        *_unpromised(evidence),
        *_states(evidence),
    ]


def _by_number(evidence: Evidence) -> Mapping[str, Sequence[Dialled]]:
    in_order = sorted(evidence.dialled, key=lambda call: call.invited_at)
    return grouped(in_order, lambda call: call.number[-10:])


def _at_once(evidence: Evidence) -> Iterator[Finding]:
    """Never two INVITEs at once to one number."""
    for number, calls in _by_number(evidence).items():
        for first, second in pairwise(calls):
            if first.ended_at is None or second.invited_at < first.ended_at:
                why = "was dialled while its telephone rang or talked"
                yield Finding(fault=Fault.DOUBLE_DIALLED, subject=number, why=why)


def talked(call: Dialled) -> bool:
    """Long enough to be served (interface.md), and ended as talks end: one that a crash cut off is none."""
    if call.answered_at is None or call.ended_at is None or call.cut:
        return False
    return call.ended_at - call.answered_at >= SERVED_SECONDS


def _surely_talked(call: Dialled, talks: Sequence[Talk], joined: Sequence[float]) -> bool:
    """Both telephones were in the call for long enough, and the operator ended it: what is shorter, or was
    cut off, the line may rightly repeat. joined: when the citizen had heard who calls, as Asterisk's journal
    has it; where it does not tell, the longest greeting is taken off."""
    if not talked(call) or call.answered_at is None or call.ended_at is None:
        return False
    known = [at for at in joined if call.answered_at <= at <= call.ended_at]
    begun = min(known, default=call.answered_at + GREETING_SECONDS)
    both = ((max(t.since, begun), t.until) for t in talks if t.until is not None and t.hung_up)
    return any(min(until, call.ended_at) - since >= SERVED_SECONDS for since, until in both)


def _after_a_talk(evidence: Evidence) -> Iterator[Finding]:
    """None after one that was talked on, unless the citizen has called in between."""
    arrivals = grouped(evidence.arrivals, lambda arrival: arrival.number[-10:])
    talks = grouped(evidence.talks, lambda talk: talk.number[-10:])
    joined = _joined(evidence)
    for number, calls in _by_number(evidence).items():
        for first, second in pairwise(calls):
            end = first.ended_at or first.invited_at
            between = any(end < came.at < second.invited_at for came in arrivals.get(number, ()))
            surely = _surely_talked(first, talks.get(number, ()), joined.get(number, ()))
            if surely and second.invited_at >= end and not between:
                why = "was dialled again after it had been talked on"
                yield Finding(fault=Fault.DOUBLE_DIALLED, subject=number, why=why)


def _joined(evidence: Evidence) -> Mapping[str, Sequence[float]]:
    """By number."""
    numbers, found = _numbers(evidence), defaultdict[str, list[float]](list)
    for callback in evidence.callbacks:
        found[numbers.get(callback.card, "")] += evidence.joined.get(callback.id, ())
    return found


def _numbers(evidence: Evidence) -> Mapping[str, str]:
    """Card → the number that called in on it."""
    number_of = {a.call: a.number[-10:] for a in evidence.arrivals}
    return {c.card: number_of.get(c.call, "") for c in evidence.contacts if c.direction == "inbound"}


def _unpromised(evidence: Evidence) -> Iterator[Finding]:
    """Each INVITE has an attempt that was written down before it."""
    numbers, promised = _numbers(evidence), Counter[str]()
    for callback in evidence.callbacks:
        promised[numbers.get(callback.card, "")] += callback.attempts
    for number, calls in _by_number(evidence).items():
        if len(calls) > promised[number]:
            why = f"was dialled {len(calls)} times on {promised[number]} attempts"
            yield Finding(fault=Fault.DOUBLE_DIALLED, subject=number, why=why)


def _states(evidence: Evidence) -> Iterator[Finding]:
    """Nothing is under way when nobody calls; done is what was talked on."""
    numbers, dialled = _numbers(evidence), _by_number(evidence)
    for callback in evidence.callbacks:
        calls = dialled.get(numbers.get(callback.card, ""), ())
        if callback.state in UNDER_WAY and not evidence.channels:
            why = f"callback is {callback.state}, but there is no channel"
            yield Finding(fault=Fault.WRONG_STATES, subject=callback.id, why=why)
        if callback.state == "done" and not any(talked(call) for call in calls):
            why = "callback is done, but nobody was talked with"
            yield Finding(fault=Fault.WRONG_STATES, subject=callback.id, why=why)
