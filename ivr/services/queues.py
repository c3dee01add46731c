"""Queues as the administrator sees and changes them: rules, operators on duty, announcements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import GENERAL_QUEUE, ON_DUTY, OperatorState, agency_queue
from ivr.domain.queue_rules import Instead, QueueRules
from ivr.ports import UnitOfWork
from ivr.services.audit import By
from ivr.services.waits import rules_of

KEYS = (
    "queue",
    "operators",
    "on_duty",
    "ready",
    "longest_wait_s",
    "no_operator",
    "all_paused",
    "paused_s",
    "too_long",
    "topics",
    "widen_s",
)
"""The keys of a queue in the outer interface, in order."""


def names(uow: UnitOfWork) -> Sequence[str]:
    """Every queue there is: `general`, and two lines of each agency."""
    return [GENERAL_QUEUE, *(agency_queue(code, line) for code in uow.agencies.codes() for line in (1, 2))]


def listed(uow: UnitOfWork, *, longest_wait: float) -> Sequence[Mapping[str, object]]:
    """longest_wait: the site's limit, seconds."""
    return [_view(uow, name, longest_wait) for name in names(uow)]


def show(uow: UnitOfWork, queue: str, *, longest_wait: float) -> Mapping[str, object]:
    """Raises NotFound."""
    _check(uow, queue)
    return _view(uow, queue, longest_wait)


def change(uow: UnitOfWork, by: By, queue: str, **fields: object) -> QueueRules:
    """Set rules by name (fields of QueueRules); in force with the next caller, `all_paused` at once.

    Raises NotFound, and BadInput for what cannot be meant.
    """
    _check(uow, queue)
    if not fields:
        raise BadInput("there is nothing to change; name a rule, for instance --longest-wait 600")
    rules = replace(rules_of(uow, queue), **fields)  # type: ignore[arg-type]  # names and kinds are click's
    uow.queues.set_rules(rules)
    by.note(uow, "queues.set", queue, result=",".join(sorted(fields)))
    return rules


def with_topic(uow: UnitOfWork, queue: str, title: str, penalty: int | None) -> Mapping[str, int]:
    """The queue's penalties with this topic's set, or taken away; raises BadInput for an unknown topic."""
    agency = queue.rpartition("-")[0]
    if not any((topic.agency, topic.title) == (agency, title) for topic in uow.agencies.topics()):
        raise BadInput(
            f"{agency or queue} has no topic «{title}»; `ekc agencies import FILE` brings topics in"
        )
    others = {known: value for known, value in rules_of(uow, queue).topics.items() if known != title}
    return others if penalty is None else {**others, title: penalty}


def _check(uow: UnitOfWork, queue: str) -> None:
    if queue not in names(uow):
        raise NotFound(f"there is no queue {queue}; `ekc queues list` names them")


def _view(uow: UnitOfWork, queue: str, longest_wait: float) -> Mapping[str, object]:
    rules, states = rules_of(uow, queue), _states(uow, queue)
    return {
        "queue": queue,
        "operators": len(states),
        "on_duty": sum(state in ON_DUTY for state in states),
        "ready": states.count(OperatorState.READY),
        "longest_wait_s": rules.longest_wait_seconds or int(longest_wait),
        "no_operator": _way(rules, rules.no_operator),
        "all_paused": _way(rules, rules.all_paused),
        "paused_s": rules.paused_seconds,
        "too_long": _way(rules, rules.too_long),
        "topics": dict(rules.topics),
        "widen_s": rules.widen_seconds,
    }


def _way(rules: QueueRules, instead: Instead) -> str:
    """`callback`, or the queue that comes instead."""
    return rules.after(instead) or Instead.CALLBACK.value


def _states(uow: UnitOfWork, queue: str) -> list[OperatorState]:
    """Of the operators who serve this queue."""
    places = uow.operators.places()
    serving = {extension for extension, served in places.items() if any(p.queue == queue for p in served)}
    return [
        operator.state
        for operator in uow.operators.list()
        if operator.extension in serving and operator.state is not OperatorState.DISABLED
    ]
