"""Wrap-up behind talks that go from one bridge to another (§23), and talks that no queue has led to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.domain.operators import OperatorState
from ivr.ports import FloorEvent, FloorKind
from ivr.services import working_day
from ivr.services.duty_rules import WRAPUP
from tests.unit.shift import ANNA, BORIS, LIMITS, Shift

READY, WRAPPING = OperatorState.READY, OperatorState.WRAPUP
FREE = {"soc-2": (False, "", 0)}
RESTS = {"soc-2": (True, WRAPUP, 0)}
CITIZEN, ANNAS, BORISS = "c1", "o1", "o2"
EXTENSIONS = {CITIZEN: "", ANNAS: ANNA, BORISS: BORIS}


class Bridges:
    """A citizen whom Anna has by a queue, and Boris, whom she asks."""

    def __init__(self, shift: Shift) -> None:
        self.shift = shift

    async def tells(self, kind: FloorKind, leg: str, bridge: str = "") -> None:
        event = FloorEvent(kind=kind, call=leg, extension=EXTENSIONS[leg], leg=leg, detail=bridge)
        self.shift.board.emit(event)
        await self.shift.heard()

    async def meet(self, bridge: str, *legs: str) -> None:
        for leg in legs:
            await self.tells(FloorKind.BRIDGED, leg, bridge)

    async def part(self, bridge: str, *legs: str) -> None:
        for leg in legs:
            await self.tells(FloorKind.UNBRIDGED, leg, bridge)

    async def gone(self, *legs: str) -> None:
        for leg in legs:
            await self.tells(FloorKind.HUNG_UP, leg)

    async def consult(self) -> None:
        """Anna talks with the citizen, then with Boris while the citizen hears music."""
        await self.shift.connects(CITIZEN, ANNA)
        await self.meet("b1", CITIZEN, ANNAS)
        await self.part("b1", CITIZEN, ANNAS)
        await self.shift.completes(CITIZEN, ANNA)
        await self.shift.connects(ANNAS, BORIS, "soc-2")
        await self.meet("b2", ANNAS, BORISS)

    async def connect(self) -> None:
        """The citizen comes to Boris, and Anna is free."""
        await self.part("b2", BORISS)
        await self.meet("b3", CITIZEN, BORISS)
        self.shift.do(lambda uow: uow.cards.change(uow.cards.list()[0].id, operator=BORIS))  # by the journal
        await self.part("b2", ANNAS)
        await self.shift.completes(ANNAS, BORIS, "soc-2")
        await self.gone(ANNAS)


@pytest.fixture
async def bridges(tmp_path: Path) -> AsyncIterator[Bridges]:
    async with Shift(tmp_path) as shift:
        shift.a_card(CITIZEN)
        await shift.comes(ANNA)
        await shift.comes(BORIS)
        yield Bridges(shift)


def wrapup_s(shift: Shift) -> int:
    contact = shift.do(lambda uow: uow.cards.contact(CITIZEN))
    assert contact is not None
    return contact.wrapup_s


async def test_a_consultation_ends_neither_talk(bridges: Bridges) -> None:
    """The queue tells of the end of its own part; Anna talks on."""
    shift = bridges.shift
    await bridges.consult()
    await shift.passes(5)
    assert (shift.state(ANNA)[0], shift.state(BORIS)[0]) == (READY, READY)
    assert shift.members(BORIS) == RESTS


async def test_each_operator_rests_after_the_own_talk(bridges: Bridges) -> None:
    """Boris talks with the citizen for longer than wrap-up may last, and then has all of it."""
    shift = bridges.shift
    await bridges.consult()
    await bridges.connect()
    assert (shift.state(ANNA)[0], shift.state(BORIS)[0]) == (WRAPPING, READY)
    await shift.passes(LIMITS.wrapup + 10)
    assert (shift.state(ANNA)[0], shift.members(BORIS)) == (READY, RESTS)
    await bridges.part("b3", BORISS, CITIZEN)
    await bridges.gone(BORISS, CITIZEN)
    shift.board.phone(BORIS, shift.board.phones[ANNA])
    await shift.passes(LIMITS.wrapup - 1)
    assert (shift.state(BORIS)[0], shift.members(BORIS)) == (WRAPPING, RESTS)
    await shift.passes(1)
    assert (shift.state(BORIS)[0], shift.members(BORIS)) == (READY, FREE)
    assert shift.mended == []


async def test_the_wrap_up_of_the_call_is_that_of_who_talked_last(bridges: Bridges) -> None:
    """Anna ends hers while Boris talks: that is not the call's (docs/metrics.md)."""
    shift = bridges.shift
    await bridges.consult()
    await bridges.connect()
    shift.clock.forward(3)
    shift.do(lambda uow: working_day.ready(uow, shift.by(ANNA), ANNA, LIMITS))
    assert wrapup_s(shift) == 0
    await bridges.gone(BORISS)
    shift.clock.forward(7)
    shift.do(lambda uow: working_day.ready(uow, shift.by(BORIS), BORIS, LIMITS))
    assert wrapup_s(shift) == 7


async def test_a_wrap_up_before_the_last_talk_leaves_the_next_operator_one(bridges: Bridges) -> None:
    """A blind transfer: Anna is ready again before anybody has taken the citizen over."""
    shift = bridges.shift
    await shift.connects(CITIZEN, ANNA)
    await shift.completes(CITIZEN, ANNA)
    shift.clock.forward(4)
    shift.do(lambda uow: working_day.ready(uow, shift.by(ANNA), ANNA, LIMITS))
    assert wrapup_s(shift) == 4
    await shift.connects(CITIZEN, BORIS, "soc-2")
    await shift.completes(CITIZEN, BORIS, "soc-2")
    assert (wrapup_s(shift), shift.state(BORIS)[0]) == (0, WRAPPING)


async def test_a_citizen_who_comes_back_without_a_queue_ends_the_wrap_up_and_brings_a_new_one(
    bridges: Bridges,
) -> None:
    """The dialplan rings the same telephone; the pause is set there."""
    shift = bridges.shift
    await shift.connects(CITIZEN, BORIS, "soc-2")
    await shift.completes(CITIZEN, BORIS, "soc-2")
    await shift.passes(LIMITS.wrapup - 1)
    await shift.board.pause(BORIS, paused=True, reason=WRAPUP)
    await bridges.meet("b9", CITIZEN, BORISS)
    assert shift.state(BORIS)[0] is READY
    await shift.passes(60)
    assert shift.members(BORIS) == RESTS
    await bridges.part("b9", CITIZEN, BORISS)
    await bridges.gone(BORISS)
    await shift.passes(5)
    assert (shift.state(BORIS)[0], shift.operator(BORIS).last_call) == (WRAPPING, CITIZEN)


async def test_a_talk_in_another_bridge_is_the_floors_too(bridges: Bridges) -> None:
    """Who talks with whom is seen by bridges: the board and holds go by it."""
    talks = bridges.shift.floor.view.talks
    await bridges.consult()
    assert {extension: talk.call for extension, talk in talks.items()} == {BORIS: ANNAS}
    await bridges.connect()
    assert {extension: talk.call for extension, talk in talks.items()} == {BORIS: CITIZEN}
    await bridges.part("b3", CITIZEN)
    assert talks == {}


async def test_three_in_one_bridge_are_two_talks(bridges: Bridges) -> None:
    await bridges.consult()
    await bridges.meet("b2", CITIZEN)
    talks = bridges.shift.floor.view.talks
    assert {extension: talk.call for extension, talk in talks.items()} == {ANNA: CITIZEN, BORIS: CITIZEN}
    await bridges.part("b2", ANNAS)
    assert set(talks) == {BORIS}
