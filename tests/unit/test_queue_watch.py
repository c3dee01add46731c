"""Looking after those who wait: what they are told as it changes, and when a rule takes them out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ivr.domain.estimate import Told
from ivr.domain.operators import OperatorState
from ivr.domain.queue_rules import QueueRules
from ivr.ports import FloorEvent, FloorKind, LeftQueue, MemberStatus, Waiting
from ivr.services.floor import Floor
from ivr.services.queue_watch import QueueWatch
from ivr.services.waits import Waits
from ivr.settings import Settings
from ivr.testing import START, MemoryStore, VirtualClock
from ivr.testing.switchboard import FakeSwitchboard

QUEUE = "soc-1"
WRAPUP = OperatorState.WRAPUP.value


class Sounds:
    """`ivr.ports.WaitSounds`."""

    def __init__(self) -> None:
        self.laid: list[Told] = []

    async def lay(self, told: Told) -> None:
        self.laid.append(told)


class Hall:
    """A floor in memory with its watch; `look` lets the floor hear everything, then looks once."""

    def __init__(self, *, now: datetime = START, **settings: Any) -> None:
        self.clock = VirtualClock(now)
        self.store = MemoryStore()
        self.switchboard = FakeSwitchboard([QUEUE, "soc-2"])
        self.floor = Floor(self.switchboard, self.clock)
        self.switchboard.on_event = self.floor.take
        self.sounds = Sounds()
        self.errors: list[float] = []
        self.watch = QueueWatch(
            self.floor,
            self.switchboard,
            self.store,
            self.clock,
            Settings(**settings),
            waits=Waits(view=self.floor.view),
            sounds=self.sounds,
            on_estimate=self.errors.append,
        )
        self.floor.listen(self.watch.listen)

    def waits(self, number: int, *, queue: str = QUEUE) -> None:
        self.switchboard.join(
            Waiting(
                queue=queue,
                call=f"call{number}",
                position=number,
                since=self.clock.now(),
                leg=f"leg{number}",
            )
        )

    async def hear(self) -> None:
        task = asyncio.create_task(self.floor.run())
        for _ in range(50):
            await asyncio.sleep(0)
        task.cancel()

    async def look(self) -> None:
        await self.hear()
        await self.watch.work()

    def rule(self, **rules: Any) -> None:
        with self.store.transaction() as uow:
            uow.queues.set_rules(QueueRules(queue=QUEUE, **rules))
            uow.commit()


async def a_hall(*busy: str, **more: Any) -> Hall:
    """With these operators on the telephone."""
    hall = Hall(**more)
    await hall.floor.rebuild()
    for extension in busy:
        await hall.switchboard.add_member(QUEUE, extension)
        hall.switchboard.phone(extension, MemberStatus.TALKING)
    return hall


async def test_place_and_wait_are_told_and_told_anew_as_they_change() -> None:
    hall = await a_hall("201")
    hall.waits(1)
    hall.waits(2)
    await hall.look()
    assert hall.switchboard.told == {"leg1": Told(place=1, minutes=4), "leg2": Told(place=2, minutes=8)}
    hall.switchboard.leave("call1")
    await hall.look()
    assert hall.switchboard.told["leg2"] == Told(place=1, minutes=4)
    first, second = Told(place=1, minutes=4), Told(place=2, minutes=8)
    assert hall.sounds.laid == [first, second], "the sound is there before it is pointed to, and made once"


async def test_what_has_not_changed_is_not_told_again() -> None:
    hall = await a_hall("201")
    hall.waits(1)
    await hall.look()
    hall.switchboard.told.clear()
    await hall.look()
    assert hall.switchboard.told == {}


async def test_each_announcement_stands_in_the_trace() -> None:
    hall = await a_hall("201")
    hall.waits(1)
    await hall.look()
    [event] = [event for _, event in hall.store.rows.traces.of_call("call1")]
    assert (event.kind, event.id, event.outcome) == ("queue", QUEUE, "announced:1:4")


async def test_the_first_estimate_is_compared_with_the_wait_that_came() -> None:
    hall = await a_hall("201")
    hall.waits(1)
    await hall.look()
    hall.switchboard.connect(QUEUE, "201", "call1", waited=270)
    await hall.hear()
    assert hall.errors == [30]


async def test_who_gave_up_is_not_an_estimate_that_came_true() -> None:
    hall = await a_hall("201")
    hall.waits(1)
    await hall.look()
    hall.switchboard.leave("call1")
    hall.switchboard.connect(QUEUE, "201", "call2", waited=1)
    await hall.hear()
    assert hall.errors == []


async def test_a_pause_of_everybody_is_borne_for_its_limit_and_then_takes_callers_out_once() -> None:
    hall = await a_hall("201")
    hall.rule(paused_seconds=60)
    hall.waits(1)
    await hall.switchboard.pause("201", paused=True, reason="обед")
    await hall.look()
    hall.clock.forward(59)
    await hall.look()
    assert hall.switchboard.withdrawn == []
    hall.clock.forward(1)
    for _ in range(2):
        await hall.watch.work()
    assert hall.switchboard.withdrawn == [(QUEUE, "leg1", LeftQueue.PAUSED)]
    assert hall.switchboard.hurried == ["leg1"], "no sentence is heard to its end first"


Change = Callable[[Hall], Awaitable[None]]


async def _wraps_up(hall: Hall) -> None:
    await hall.switchboard.pause("201", paused=True, reason=WRAPUP)


async def _somebody_comes(hall: Hall) -> None:
    await hall.switchboard.pause("201", paused=True, reason="обед")
    await hall.look()
    await hall.switchboard.add_member(QUEUE, "202")


@pytest.mark.parametrize("change", [_wraps_up, _somebody_comes])
async def test_wrap_up_is_no_pause_and_one_who_works_ends_it(change: Change) -> None:
    hall = await a_hall("201")
    hall.rule(paused_seconds=60)
    hall.waits(1)
    await change(hall)
    await hall.look()
    hall.clock.forward(600)
    await hall.look()
    assert hall.switchboard.withdrawn == []


async def test_who_waits_at_closing_is_served_for_the_limit_then_taken_out() -> None:
    closed = datetime.fromisoformat("2026-11-24T18:00:00+05:00")
    hall = await a_hall("201", now=closed, closing_seconds=900)
    hall.waits(1)
    hall.clock.forward(899)
    await hall.look()
    assert hall.switchboard.withdrawn == []
    hall.clock.forward(1)
    await hall.look()
    assert hall.switchboard.withdrawn == [(QUEUE, "leg1", LeftQueue.CLOSING)]


async def test_without_a_view_of_the_floor_nobody_is_touched() -> None:
    hall = Hall()
    hall.waits(1)
    await hall.look()
    assert hall.switchboard.told == {} and hall.switchboard.withdrawn == []


async def test_who_enters_by_place_moves_the_others_down() -> None:
    hall = await a_hall("201")
    hall.waits(1)
    hall.waits(2)
    await hall.hear()
    hall.switchboard.join(replace(hall.switchboard.waiting[0], call="call3", leg="leg3", position=1))
    await hall.hear()
    assert [waiting.call for waiting in hall.floor.view.queue(QUEUE)] == ["call3", "call1", "call2"]
    assert [waiting.position for waiting in hall.floor.view.queue(QUEUE)] == [1, 2, 3]


# --- an operator is free -----------------------------------------------------------------------------

SILENCE = Told(place=1, minutes=0)


async def test_who_is_told_place_and_wait_is_told_nothing_more_once_an_operator_is_free() -> None:
    """At once, by the event: the sentence in the caller's ear would keep the operator waiting."""
    hall = await a_hall("201")
    hall.waits(1)
    hall.waits(2)
    await hall.look()
    hall.switchboard.phone("201", MemberStatus.FREE)
    await hall.hear()
    assert hall.switchboard.hurried == ["leg1"], "one operator, one caller"
    assert (hall.switchboard.told["leg1"], hall.switchboard.told["leg2"].silent) == (SILENCE, False)


async def test_who_is_rung_for_already_is_left_alone_until_the_ringing_was_in_vain() -> None:
    hall = await a_hall()
    await hall.switchboard.add_member(QUEUE, "201")
    hall.waits(1)
    hall.switchboard.emit(FloorEvent(kind=FloorKind.RINGING, queue=QUEUE, call="call1", extension="201"))
    await hall.look()
    assert hall.switchboard.hurried == []
    hall.switchboard.no_answer(QUEUE, "201", "call1", 15.0)
    await hall.look()
    assert hall.switchboard.hurried == ["leg1"]


async def test_nobody_is_told_anew_while_an_operator_is_rung_for_them() -> None:
    hall = await a_hall("201")
    hall.waits(1)
    hall.switchboard.emit(FloorEvent(kind=FloorKind.RINGING, queue=QUEUE, call="call1", extension="201"))
    await hall.look()
    assert hall.switchboard.told == {}


@pytest.mark.parametrize("paused", [True, False])
async def test_an_operator_on_a_pause_or_a_telephone_that_is_gone_hurries_nobody(paused: bool) -> None:
    hall = await a_hall("201")
    hall.waits(1)
    if paused:
        await hall.switchboard.pause("201", paused=True, reason="обед")
    hall.switchboard.phone("201", MemberStatus.FREE if paused else MemberStatus.AWAY)
    await hall.look()
    assert hall.switchboard.hurried == []
