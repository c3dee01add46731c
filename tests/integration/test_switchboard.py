"""The switchboard that ships for tests and the real one over AMI: one contract for both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from ivr.asterisk.layout import Layout
from ivr.asterisk.node import Node
from ivr.asterisk.switchboard import AmiSwitchboard
from ivr.domain.errors import Unavailable
from ivr.ports import FloorEvent, FloorKind, LeftQueue, Leg, Member, Switchboard
from ivr.services.journal_lines import QUEUE_LOG, Place, parse
from ivr.testing import FakeSwitchboard
from tests.integration.nodes import over_ami, running

GENERAL, SOCIAL = "general", "social-1"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("switchboard")
    with running(folder, rtp_ports=(28400, 28500), accounts=("201", "202"), queues=[SOCIAL]) as node:
        yield node


@dataclass(kw_only=True)
class Floor:
    """A switchboard, what it told, and a way to have a leg on it."""

    board: Switchboard
    dial: Callable[[], Awaitable[Leg]]
    """A leg of nobody's that stays up, out of any bridge."""
    journal: Callable[[], list[tuple[str, str, str, str]]]
    """Event, call, queue and extension of each line in the journal of queues that speaks of a call."""
    told: list[FloorEvent] = field(default_factory=list)

    async def hears(self, true: Callable[[FloorEvent], bool]) -> FloorEvent:
        async with asyncio.timeout(5):
            while not any(map(true, self.told)):  # noqa: ASYNC110 -- events come by a callback
                await asyncio.sleep(0.02)
        return next(filter(true, self.told))

    async def member(self, queue: str, extension: str) -> Member | None:
        members = (await self.board.snapshot()).members
        return next((m for m in members if (m.queue, m.extension) == (queue, extension)), None)

    async def leg(self, name: str) -> Leg | None:
        return next((leg for leg in (await self.board.snapshot()).legs if leg.name == name), None)


@asynccontextmanager
async def on_the_fake(_request: pytest.FixtureRequest) -> AsyncIterator[Floor]:
    board = FakeSwitchboard([GENERAL, SOCIAL])
    leg = Leg(name="Local/s@hold-1", call="1.1", linked="1.1", extension=None, bridge="")

    async def dial() -> Leg:
        board.legs[leg.name] = leg
        return leg

    floor = Floor(board=board, dial=dial, journal=lambda: list(board.journaled))
    board.on_event = floor.told.append
    yield floor


@asynccontextmanager
async def on_asterisk(request: pytest.FixtureRequest) -> AsyncIterator[Floor]:
    node: Node = request.getfixturevalue("node")
    told: list[FloorEvent] = []
    ami, board = over_ami(node, told.append)
    floor = Floor(board=board, dial=lambda: _dial(board), journal=lambda: _journal(node), told=told)
    await ami.connect()
    yield floor
    for leg in (await board.snapshot()).legs:
        await board.hang_up(leg.name)
    for queue in (GENERAL, SOCIAL):
        for extension in ("201", "202"):
            await board.remove_member(queue, extension)
    await ami.close()


async def _dial(board: AmiSwitchboard) -> Leg:
    """A leg that is in `sorry` of our dialplan: it plays something for a while."""
    id_ = f"ekc-test-{uuid4().hex}"
    assert await board.originate(
        id_=id_, first="sorry@emergency", context="emergency", exten="sorry", variables={}, seconds=5
    )
    return next(leg for leg in (await board.snapshot()).legs if leg.call == id_)


def _journal(node: Node) -> list[tuple[str, str, str, str]]:
    """As the journal reader understands it."""
    place = Place(node="node1", journal=QUEUE_LOG, generation="1", offset=0)
    lines = Layout.of(node.settings).queue_log.read_bytes().splitlines()
    read = [found.line for raw in lines if (found := parse(raw, place)) is not None]
    return [
        (line.event, line.call, line.data["queue"], line.data["agent"].removeprefix("PJSIP/"))
        for line in read
        if line.call
    ]


@pytest.fixture(
    params=[
        pytest.param(on_the_fake, id="fake"),
        pytest.param(on_asterisk, id="asterisk", marks=pytest.mark.line),
    ]
)
async def floor(request: pytest.FixtureRequest) -> AsyncIterator[Floor]:
    async with request.param(request) as made:
        yield made


async def test_a_member_comes_with_all_that_was_said_of_it_and_is_told(floor: Floor) -> None:
    await floor.board.add_member(GENERAL, "201", penalty=3, paused=True, reason="обед")
    found = await floor.member(GENERAL, "201")
    assert found is not None
    assert (found.penalty, found.paused, found.reason) == (3, True, "обед")
    event = await floor.hears(lambda e: e.kind is FloorKind.MEMBER)
    assert (event.queue, event.extension, event.member and event.member.paused) == (GENERAL, "201", True)


async def test_a_member_that_is_added_again_stays_as_it_is(floor: Floor) -> None:
    await floor.board.add_member(SOCIAL, "201", penalty=1, paused=True, reason="1")
    await floor.board.add_member(SOCIAL, "201", penalty=5)
    found = await floor.member(SOCIAL, "201")
    assert found is not None
    assert (found.penalty, found.paused) == (1, True)


async def test_a_member_that_goes_is_told_and_may_go_twice(floor: Floor) -> None:
    await floor.board.add_member(GENERAL, "201")
    await floor.board.remove_member(GENERAL, "201")
    await floor.board.remove_member(GENERAL, "201")
    assert await floor.member(GENERAL, "201") is None
    event = await floor.hears(lambda e: e.kind is FloorKind.MEMBER and e.member is None)
    assert (event.queue, event.extension) == (GENERAL, "201")


async def test_a_pause_is_of_one_queue_or_of_all(floor: Floor) -> None:
    for queue in (GENERAL, SOCIAL):
        await floor.board.add_member(queue, "202")
    await floor.board.pause("202", paused=True, reason="2", queue=SOCIAL)
    assert await paused(floor) == [False, True]
    await floor.board.pause("202", paused=True, reason="3")
    assert await paused(floor) == [True, True]
    await floor.board.pause("202", paused=False)
    assert await paused(floor) == [False, False]
    found = await floor.member(SOCIAL, "202")
    assert found is not None
    assert found.reason == ""


async def paused(floor: Floor) -> list[bool]:
    found = [await floor.member(queue, "202") for queue in (GENERAL, SOCIAL)]
    return [member is not None and member.paused for member in found]


async def test_a_members_penalty_changes_in_that_queue_and_is_told(floor: Floor) -> None:
    for queue in (GENERAL, SOCIAL):
        await floor.board.add_member(queue, "201", penalty=1)
    await floor.board.set_penalty(SOCIAL, "201", 7)
    found = [await floor.member(queue, "201") for queue in (GENERAL, SOCIAL)]
    assert [member and member.penalty for member in found] == [1, 7]
    await floor.hears(lambda e: e.member is not None and e.member.penalty == 7)
    with pytest.raises(Unavailable):
        await floor.board.set_penalty(GENERAL, "202", 7)


async def test_nobody_can_pause_who_is_no_member(floor: Floor) -> None:
    with pytest.raises(Unavailable):
        await floor.board.pause("202", paused=True)


async def test_there_is_no_member_of_a_queue_that_does_not_exist(floor: Floor) -> None:
    with pytest.raises(Unavailable):
        await floor.board.add_member("nowhere-1", "201")


async def test_a_leg_that_is_hung_up_is_gone_and_told_and_may_go_twice(floor: Floor) -> None:
    leg = await floor.dial()
    assert await floor.leg(leg.name) is not None
    await floor.board.hang_up(leg.name)
    await floor.hears(lambda e: e.kind is FloorKind.HUNG_UP and e.call == leg.call)
    assert await floor.leg(leg.name) is None
    await floor.board.hang_up(leg.name)


async def test_only_a_leg_that_is_there_can_be_sent_on(floor: Floor) -> None:
    leg = await floor.dial()
    await floor.board.redirect(leg.name, context="emergency", exten="sorry")
    with pytest.raises(Unavailable):
        await floor.board.redirect("Local/none@nowhere-00000001;1", context="emergency")


async def test_a_variable_of_a_leg_that_is_gone_is_no_error(floor: Floor) -> None:
    leg = await floor.dial()
    await floor.board.set_variable(leg.name, "EKC_X", "1")
    await floor.board.hang_up(leg.name)
    await floor.board.set_variable(leg.name, "EKC_X", "2")


async def test_hurrying_a_leg_leaves_it_where_it_is_and_one_that_is_gone_is_no_error(floor: Floor) -> None:
    leg = await floor.dial()
    await floor.board.hurry(leg.name)
    assert await floor.leg(leg.name) is not None
    await floor.board.hang_up(leg.name)
    await floor.board.hurry(leg.name)


async def test_who_waits_no_more_is_left_alone(floor: Floor) -> None:
    leg = await floor.dial()
    await floor.board.promote(SOCIAL, leg.name, 40)
    await floor.board.withdraw(SOCIAL, leg.name, why=LeftQueue.PAUSED)
    assert await floor.leg(leg.name) is not None


async def test_a_voice_can_be_asked_for_again_and_again(floor: Floor) -> None:
    leg = await floor.dial()
    for _ in range(2):
        await floor.board.hear_out(leg.name)


async def test_a_tone_leaves_the_leg_where_it_is(floor: Floor) -> None:
    leg = await floor.dial()
    await floor.board.tone(leg.name)
    assert await floor.leg(leg.name) == leg


async def test_an_originated_call_tells_whether_it_was_answered(floor: Floor) -> None:
    if isinstance(floor.board, FakeSwitchboard):
        floor.board.answers["nobody@engine"] = False
    answered = [
        await originate(floor, "ekc-t-1", "sorry@emergency"),
        await originate(floor, "ekc-t-2", "nobody@engine"),
    ]
    assert answered == [True, False]


async def test_a_line_of_ours_stands_in_the_journal_of_queues_whole_and_in_order(floor: Floor) -> None:
    """Of a call that is not there, too; a talk without a queue names none."""
    call = f"node1-{uuid4().int % 10**9}.1"
    await floor.board.journal("HOLD", call=call, queue=SOCIAL, extension="201")
    await floor.board.journal("UNHOLD", call=call, queue=SOCIAL, extension="201")
    await floor.board.journal("HOLD", call=call, queue="NONE", extension="202")
    async with asyncio.timeout(5):
        while len([line for line in floor.journal() if line[1] == call]) < 3:  # noqa: ASYNC110 -- a file
            await asyncio.sleep(0.02)
    assert [line for line in floor.journal() if line[1] == call] == [
        ("HOLD", call, SOCIAL, "201"),
        ("UNHOLD", call, SOCIAL, "201"),
        ("HOLD", call, "NONE", "202"),
    ]


async def originate(floor: Floor, id_: str, first: str) -> bool:
    return await floor.board.originate(
        id_=id_, first=first, context="emergency", exten="sorry", variables={"EKC_X": "1"}, seconds=2
    )
