"""Who need not wait behind a caller who waits for skilled operators (docs/queues.md, “Whom a topic rings”).

app_queue lets as many callers look for an operator as operators are free, in their order, whether or not they
may have one of these. So one whose topic rings skilled operators only would keep an idle one from all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ivr.domain.queue_rules import QueueRules
from ivr.domain.waiting import Turn
from ivr.ports import Member, MemberStatus, Waiting

Limits = Mapping[str, int]
"""By call: the highest penalty of operators who may be rung for it; who is not named may have anybody."""


def limits(
    waiting: Iterable[Waiting], turns: Mapping[str, Turn], rules: Mapping[str, QueueRules], now: datetime
) -> Limits:
    """Of those who wait now. rules: of their queues."""
    found: dict[str, int] = {}
    for one in waiting:
        own, turn = rules[one.queue], turns.get(one.call)
        limit = own.topics.get(turn.topic or "") if turn is not None else None
        if limit is not None and (now - one.since).total_seconds() < own.widen_seconds:
            found[one.call] = limit
    return found


def free(members: Iterable[Member]) -> list[int]:
    """The penalties of those who could be rung now."""
    return [m.penalty for m in members if m.status is MemberStatus.FREE and not m.paused]


def who_may(waiting: Sequence[Waiting], penalties: Sequence[int], known: Limits) -> list[Waiting]:
    """Callers, in their order, who may have one of these free operators; as many as there are operators."""
    if not penalties:
        return []
    best = min(penalties)
    return [one for one in waiting if known.get(one.call, best) >= best][: len(penalties)]


def who_passes(waiting: Sequence[Waiting], penalties: Sequence[int], known: Limits) -> Waiting | None:
    """The first who may have a free operator, where those before whom app_queue lets look may not."""
    may = who_may(waiting, penalties, known)
    looking = waiting[: len(penalties)]
    return may[0] if may and may[0] not in looking else None
