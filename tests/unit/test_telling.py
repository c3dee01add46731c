"""What waiting callers are told, when there are many of them."""

from __future__ import annotations

import asyncio

import pytest

from ivr.domain.errors import Unavailable
from ivr.domain.estimate import AT_ONCE, Told
from ivr.ports import Waiting
from ivr.services import telling as module
from ivr.services.telling import Telling, key_of
from ivr.testing import MemoryStore, VirtualClock
from ivr.testing.switchboard import FakeSwitchboard

QUEUE = "soc-1"
SECONDS = 15.0


class Sounds:
    """`ivr.ports.WaitSounds`; a sentence is made once it may be."""

    def __init__(self) -> None:
        self.laid: list[Told] = []
        self.may = asyncio.Event()
        self.may.set()
        self.broken = False

    async def lay(self, told: Told) -> None:
        await self.may.wait()
        if self.broken:
            raise Unavailable("no room")
        self.laid.append(told)


class Hall:
    def __init__(self) -> None:
        self.store, self.clock, self.sounds = MemoryStore(), VirtualClock(), Sounds()
        self.switchboard = FakeSwitchboard([QUEUE])
        self.telling = Telling(
            self.switchboard, self.store, self.clock, sounds=self.sounds, change_seconds=SECONDS
        )

    def caller(self, number: int) -> Waiting:
        call, leg = f"call{number}", f"leg{number}"
        return Waiting(queue=QUEUE, call=call, position=number, since=self.clock.now(), leg=leg)

    async def tell(self, *places: int, minutes: int = 4) -> list[str]:
        """The callers at these places; who was told."""
        wanted = [(self.caller(place), Told(place=place, minutes=minutes)) for place in places]
        return [one.call for one, _ in await self.telling.tell(wanted)]

    @property
    def trace(self) -> list[str]:
        events = [event for _, event in self.store.rows.traces.of_call("call1")]
        return [event.outcome for event in events]


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Hall:
    monkeypatch.setattr(module, "MAKING_SECONDS", 0.01)
    return Hall()


async def test_a_sentence_that_takes_long_keeps_nobody_else_from_being_told(hall: Hall) -> None:
    assert await hall.tell(1) == ["call1"]
    hall.sounds.may.clear()
    assert await hall.tell(1, 2) == [], "the first has been told already, the second's is being made"
    other = (hall.caller(3), Told(place=1, minutes=4))
    told = await hall.telling.tell([other, (hall.caller(2), Told(place=2, minutes=4))])
    assert told == [other]
    hall.sounds.may.set()
    await asyncio.sleep(0)
    assert await hall.tell(2) == ["call2"]


async def test_the_next_callers_sentence_is_made_first_and_each_only_once(hall: Hall) -> None:
    await hall.tell(3, 1, 2)
    await hall.tell(3, 1, 2, minutes=5)
    assert [told.place for told in hall.sounds.laid] == [1, 2, 3, 1, 2, 3]
    assert await hall.tell(3, 1, 2) == ["call3", "call1", "call2"]
    assert len(hall.sounds.laid) == 6


async def test_a_sentence_that_cannot_be_made_is_told_of_and_tried_again(hall: Hall) -> None:
    hall.sounds.broken = True
    with pytest.raises(Unavailable):
        await hall.tell(1)
    hall.sounds.broken = False
    assert await hall.tell(1) == ["call1"]


async def test_the_trace_has_no_more_than_can_have_been_heard(hall: Hall) -> None:
    for minutes in (9, 8, 7):
        await hall.tell(1, minutes=minutes)
        hall.clock.forward(SECONDS / 3)
    assert hall.trace == ["announced:1:9"]
    await hall.tell(1, minutes=7)
    await hall.tell(1, minutes=7)
    assert hall.trace == ["announced:1:9", "announced:1:7"]


async def test_who_is_silenced_while_others_are_told_stays_silenced(hall: Hall) -> None:
    one, silence = hall.caller(1), Told(place=1, minutes=AT_ONCE)
    hall.sounds.may.clear()
    telling = asyncio.create_task(hall.tell(1))
    await asyncio.sleep(0)
    await hall.telling.silence(one, silence)
    hall.sounds.may.set()
    assert await telling == []
    assert hall.switchboard.told["leg1"] == silence


async def test_who_is_gone_is_forgotten(hall: Hall) -> None:
    await hall.tell(1, 2)
    hall.telling.forget({key_of(hall.caller(2))})
    assert await hall.tell(1, 2) == ["call1"]
