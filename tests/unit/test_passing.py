"""Nobody waits behind a caller who waits for skilled operators, while an operator is idle."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ivr.domain.queue_rules import Priority, QueueRules
from ivr.domain.waiting import Turn
from ivr.ports import Waiting
from ivr.services.passing import limits, who_may, who_passes
from ivr.testing import START
from tests.unit.test_queue_watch import QUEUE, Hall, a_hall

TOPIC = "Жильё"
RULES = {QUEUE: QueueRules(queue=QUEUE, topics={TOPIC: 0}, widen_seconds=60)}


def queue_of(count: int) -> list[Waiting]:
    return [Waiting(queue=QUEUE, call=f"call{n}", position=n, since=START) for n in range(1, count + 1)]


def turn(call: str, topic: str | None = TOPIC) -> Turn:
    return Turn(call=call, card=f"card of {call}", queue=QUEUE, first_arrived_at=START, topic=topic)


@pytest.mark.parametrize(
    ("penalties", "known", "passes"),
    [
        ([1], {"call1": 0}, "call2"),
        ([1], {"call1": 0, "call2": 0}, "call3"),
        ([0], {"call1": 0}, None),
        ([1], {}, None),
        ([], {"call1": 0}, None),
        ([1, 1], {"call1": 0}, None),
        ([1, 2], {"call1": 0, "call2": 0}, "call3"),
        ([0, 5], {"call1": 0}, None),
        ([1], {"call1": 0, "call2": 0, "call3": 0}, None),
    ],
)
def test_the_first_who_may_passes_those_who_may_not(
    penalties: list[int], known: dict[str, int], passes: str | None
) -> None:
    """Asterisk lets as many look as operators are free; whoever is among them needs no passing."""
    found = who_passes(queue_of(3), penalties, known)
    assert (found.call if found else None) == passes


def test_as_many_may_as_operators_are_free() -> None:
    assert [one.call for one in who_may(queue_of(4), [1, 1], {"call1": 0})] == ["call2", "call3"]


@pytest.mark.parametrize(("after", "found"), [(59, {"call1": 0}), (60, {})])
def test_the_limit_ends_when_the_queue_widens(after: float, found: dict[str, int]) -> None:
    """Who has no topic, or no turn that is known, may have anybody."""
    turns = {"call1": turn("call1"), "call2": turn("call2", None)}
    assert limits(queue_of(3), turns, RULES, START + timedelta(seconds=after)) == found


async def two_wait() -> Hall:
    """The first for the skilled 201, who talks; 202 of penalty 1 is free."""
    hall = await a_hall("201")
    hall.rule(topics={TOPIC: 0}, widen_seconds=60)
    hall.waits(1)
    hall.waits(2)
    with hall.store.transaction() as uow:
        uow.queues.take_turn(turn("call1"))
        uow.commit()
    await hall.switchboard.add_member(QUEUE, "202", penalty=1)
    return hall


async def test_the_idle_operator_gets_the_next_one_and_the_first_goes_on_hearing_place_and_wait() -> None:
    hall = await two_wait()
    await hall.look()
    places = {w.call: (w.position, w.priority) for w in hall.floor.view.queue(QUEUE)}
    assert places == {"call2": (1, Priority.PASSING), "call1": (2, 0)}
    assert hall.switchboard.hurried[-1:] == ["leg2"]
    assert not hall.switchboard.told["leg1"].silent


async def test_once_the_queue_has_widened_nobody_passes() -> None:
    hall = await two_wait()
    await hall.hear()
    hall.clock.forward(60)
    await hall.watch.work()
    assert "promote" not in hall.switchboard.commands
    assert hall.switchboard.hurried[-1:] == ["leg1"]
