"""Transfers at work (§23): what the floor tells, which legs move, and what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from ivr.domain.enquiry import Card
from ivr.domain.errors import Unavailable
from ivr.domain.operators import Operator
from ivr.domain.transfer import Happening, Stage, Target, Way
from ivr.ports import FloorEvent, FloorKind, LeftQueue, Leg, Member, MemberStatus
from ivr.services.floor import Floor
from ivr.services.traces import TraceLog
from ivr.services.transfer_notes import TransferNotes
from ivr.services.transfers import Transfers
from ivr.services.whispers import Whispers
from ivr.testing import START, MemoryStore, VirtualClock
from ivr.testing.patchboard import FakePatchboard
from ivr.testing.speech import FakePrompts
from ivr.testing.switchboard import FakeSwitchboard

QUEUE = "szn-2"
TARGET = Target(agency="szn", line=2, topic="Обучение")
CITIZEN = Leg(name="citizen", call="n-1", linked="n-1", extension=None, bridge="b1")
FIRST = Leg(name="first", call="n-2", linked="n-1", extension="211", bridge="b1")
SECOND = Leg(name="second", call="n-3", linked="n-1", extension="212", bridge="b2")


class Room:
    """One citizen, two operators, everything in memory."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.switchboard = FakeSwitchboard([QUEUE])
        self.patchboard = FakePatchboard()
        self.store = MemoryStore()
        self.floor = Floor(self.switchboard, self.clock)
        self.traces = TraceLog(self.store, self.clock)
        self.transfers = Transfers(
            switchboard=self.switchboard,
            patchboard=self.patchboard,
            floor=self.floor,
            notes=TransferNotes(self.store, self.traces, Whispers(FakePrompts(self.clock)), self.clock),
            clock=self.clock,
            back_seconds=20,
        )
        self.place(CITIZEN, FIRST)
        with self.store.transaction() as uow:
            for extension in ("211", "212"):
                uow.operators.add(
                    Operator(extension=extension, name="A", agency="szn", line=2, since=START), "0" * 32
                )
            uow.cards.open(call="n-1", node="n", number=None, at=START)
            uow.commit()

    def place(self, *legs: Leg) -> None:
        self.switchboard.legs = {leg.name: leg for leg in legs}
        self.floor.view.legs = {leg.call: leg for leg in legs}

    def member(
        self, extension: str, status: MemberStatus = MemberStatus.FREE, *, paused: bool = False
    ) -> None:
        self.floor.view.members[QUEUE, extension] = Member(
            queue=QUEUE, extension=extension, paused=paused, reason="", status=status
        )

    async def begin(self, way: Way) -> None:
        scene = await self.transfers.scene(FIRST.call)
        await self.transfers.begin(scene, TARGET, "просьба заявителя", way)

    async def consult(self) -> None:
        """Until the two operators talk."""
        await self.begin(Way.ATTENDED)
        await self.hears(FloorKind.CONNECTED, call=FIRST.call, extension="212", queue=QUEUE)
        held = Leg(name="citizen", call="n-1", linked="n-1", extension=None, bridge="")
        self.place(held, Leg(name="first", call="n-2", linked="n-1", extension="211", bridge="b2"), SECOND)

    async def hears(self, kind: FloorKind, **fields: str) -> None:
        await self.transfers.hear(FloorEvent(kind=kind, **fields))  # type: ignore[arg-type]

    async def decide(self, happening: Happening) -> None:
        transfer = self.transfers.of_first(FIRST.call)
        assert transfer is not None
        await self.transfers.decide(transfer, happening)

    @property
    def stage(self) -> Stage | None:
        transfer = self.transfers.of_first(FIRST.call)
        return transfer.stage if transfer is not None else None

    @property
    def card(self) -> Card:
        with self.store.transaction() as uow:
            card = uow.cards.of_call("n-1")
        assert card is not None
        return card

    async def told(self) -> list[tuple[str, str, str]]:
        await self.traces.flush()
        with self.store.transaction() as uow:
            return [(event.kind, event.id, event.outcome) for _, event in uow.traces.of_call("n-1")]


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    yield Room()


async def test_a_blind_transfer_moves_the_citizen_and_is_on_the_card(room: Room) -> None:
    """Reason, topic and agency (§23), an audit row of the operator, and the second one's last call."""
    room.member("212")
    await room.begin(Way.BLIND)
    await room.hears(FloorKind.CONNECTED, call="n-1", extension="212", queue=QUEUE)
    assert room.patchboard.moves == [("offer", "citizen", QUEUE, "whispered")]
    assert (room.card.agency, room.card.topics) == ("szn", ("Обучение",))
    assert room.card.comment.endswith("Причина: просьба заявителя.")
    assert await room.told() == [("transfer", QUEUE, "blind"), ("transfer", QUEUE, "connected")]
    with room.store.transaction() as uow:
        assert uow.operators.get("212").last_call == "n-1"
        (row,) = uow.audit.list()
    assert (row.actor, row.action, row.call, row.result) == ("211", "transfers.blind", "n-1", QUEUE)


async def test_what_cannot_be_moved_is_not_begun(room: Room) -> None:
    """Nobody moved, nothing is on the card, and the citizen is not on hold for anybody."""
    room.patchboard.down = True
    with pytest.raises(Unavailable):
        await room.begin(Way.ATTENDED)
    assert (room.stage, room.card.comment, room.transfers.on_hold("n-1")) == (None, "", False)


@pytest.mark.parametrize(
    ("decision", "move"),
    [
        (Happening.CONNECT, ("bridge", "citizen", "second", "212", QUEUE)),
        (Happening.JOIN_ALL, ("join", "citizen", "second", "212", QUEUE)),
    ],
)
async def test_the_first_operator_decides_after_the_consultation(
    room: Room, decision: Happening, move: tuple[str, ...]
) -> None:
    """Until then the citizen is on hold."""
    await room.consult()
    assert room.transfers.on_hold("n-1")
    await room.decide(decision)
    assert room.patchboard.moves[-1] == move
    assert not room.transfers.on_hold("n-1")


async def test_taking_back_ends_the_second_leg_first(room: Room) -> None:
    """Then the first operator's own call ends, and the citizen comes."""
    await room.consult()
    await room.decide(Happening.TAKE_BACK)
    assert "second" not in room.switchboard.legs
    await room.transfers.nobody_came(FIRST.call)
    assert room.patchboard.moves[-1] == ("bridge", "citizen", "first", "211")


async def test_a_decision_that_cannot_be_done_leaves_everybody_where_they_were(room: Room) -> None:
    """The second operator hung up in that moment: the operators' talk is over, the citizen still on hold."""
    await room.consult()
    del room.switchboard.legs["second"]
    with pytest.raises(Unavailable):
        await room.decide(Happening.CONNECT)
    assert (room.stage, room.transfers.on_hold("n-1")) == (Stage.CONSULTING, True)


async def test_the_second_operator_is_found_again_after_a_missed_event(room: Room) -> None:
    """The connection to Asterisk was lost when the call was answered; the next *2 sees who talks."""
    await room.begin(Way.ATTENDED)
    room.place(Leg(name="first", call="n-2", linked="n-1", extension="211", bridge="b2"), SECOND)
    scene = await room.transfers.scene(FIRST.call)
    assert scene.transfer is not None
    assert (scene.transfer.stage, scene.transfer.second) == (Stage.CONSULTING, "212")


@pytest.mark.parametrize(("way", "leg"), [(Way.BLIND, "citizen"), (Way.ATTENDED, "first")])
async def test_refused_by_everybody_is_over_at_once(room: Room, way: Way, leg: str) -> None:
    """Who is left is rung; when nobody is, nobody waits for the limit."""
    room.member("212")
    room.member("213")
    call = {"citizen": "n-1", "first": "n-2"}[leg]
    await room.begin(way)
    await room.hears(FloorKind.NO_ANSWER, call=call, queue=QUEUE, extension="212")
    assert room.switchboard.withdrawn == []
    await room.hears(FloorKind.NO_ANSWER, call=call, queue=QUEUE, extension="213")
    assert room.switchboard.withdrawn == [(QUEUE, leg, LeftQueue.NO_OPERATOR)]


async def test_a_failed_blind_transfer_is_on_the_card(room: Room) -> None:
    """The dialplan rings the first operator; the engine only writes it down."""
    await room.begin(Way.BLIND)
    await room.transfers.given_back("n-1")
    assert room.card.comment.endswith("Перевод не состоялся: szn-2, никто не ответил.")
    assert [move[0] for move in room.patchboard.moves] == ["offer"]


async def test_hanging_up_while_it_rings_is_a_blind_transfer(room: Room) -> None:
    """The citizen does not wait for an operator who has gone."""
    await room.begin(Way.ATTENDED)
    await room.hears(FloorKind.HUNG_UP, call=FIRST.call, extension="211")
    assert room.patchboard.moves[-1] == ("offer", "citizen", QUEUE, "whispered")


async def test_the_second_leg_that_was_left_gets_the_citizen(room: Room) -> None:
    """And any other leg that comes there gets nobody."""
    await room.consult()
    await room.hears(FloorKind.HUNG_UP, call=FIRST.call, extension="211")
    assert await room.transfers.left_with(SECOND.call)
    assert room.patchboard.moves[-1] == ("bridge", "citizen", "second", "212", QUEUE)
    assert not await room.transfers.left_with(SECOND.call)


async def test_a_citizen_who_hangs_up_ends_the_ringing(room: Room) -> None:
    """The first operator, who may hang up then, is told why."""
    await room.begin(Way.ATTENDED)
    await room.hears(FloorKind.HUNG_UP, call="n-1")
    assert room.switchboard.withdrawn == [(QUEUE, "first", LeftQueue.NO_OPERATOR)]
    assert room.stage is Stage.GONE
    await room.hears(FloorKind.HUNG_UP, call=FIRST.call, extension="211")
    assert room.stage is None


async def test_a_choosing_operators_citizen_is_on_hold_until_the_choice(room: Room) -> None:
    """Silence in the music is nobody's fault (§19)."""
    scene = await room.transfers.scene(FIRST.call)
    await room.transfers.choosing(scene, on=True)
    assert room.transfers.on_hold("n-1")
    await room.transfers.choosing(scene, on=False)
    assert not room.transfers.on_hold("n-1")
    assert room.patchboard.moves == [("choosing", "citizen", "on"), ("choosing", "citizen", "off")]


async def test_three_in_a_bridge_are_no_scene_for_a_transfer(room: Room) -> None:
    """Nobody is left alone with a third."""
    room.place(CITIZEN, FIRST, Leg(name="s", call="n-3", linked="n-1", extension="212", bridge="b1"))
    scene = await room.transfers.scene(FIRST.call)
    assert (scene.citizen, scene.transfer) == (None, None)


@pytest.mark.parametrize(
    ("status", "paused", "there"),
    [
        (MemberStatus.FREE, False, True),
        (MemberStatus.TALKING, False, True),
        (MemberStatus.AWAY, False, False),
        (MemberStatus.FREE, True, False),
    ],
)
async def test_somebody_is_there_who_may_ring_now_or_soon(
    room: Room, status: MemberStatus, paused: bool, there: bool
) -> None:
    """A pause or a telephone that is gone is nobody."""
    room.member("212", status, paused=paused)
    assert room.transfers.somebody_at(QUEUE) is there


async def test_a_telephone_that_is_back_in_time_is_rung_anew(room: Room) -> None:
    """Once, and only while the citizen waits for it."""
    room.place(Leg(name="citizen", call="n-1", linked="n-1", extension=None, bridge=""))
    await room.transfers.lost("n-1", "211")
    await room.hears(FloorKind.PHONE, extension="211", detail="here")
    await room.hears(FloorKind.PHONE, extension="211", detail="here")
    assert room.patchboard.moves == [("ring_again", "citizen", "at once")]
    assert await room.told() == [("transfer", "211", "operator_lost")]


async def test_a_telephone_that_is_back_too_late_is_left_alone(room: Room) -> None:
    """The citizen is in the queue by then, at its head."""
    room.place(Leg(name="citizen", call="n-1", linked="n-1", extension=None, bridge=""))
    await room.transfers.lost("n-1", "211")
    room.clock.forward(timedelta(seconds=20).total_seconds())
    await room.hears(FloorKind.PHONE, extension="211", detail="here")
    assert room.patchboard.moves == []


async def test_a_telephone_that_rings_already_is_not_rung_anew(room: Room) -> None:
    """It only told once more that it is there."""
    room.place(Leg(name="citizen", call="n-1", linked="n-1", extension=None, bridge=""))
    room.member("211", MemberStatus.RINGING)
    await room.transfers.lost("n-1", "211")
    await room.hears(FloorKind.PHONE, extension="211", detail="here")
    assert room.patchboard.moves == []


async def test_after_a_gap_only_citizens_who_are_there_have_transfers(room: Room) -> None:
    """Their hang-up may have been missed."""
    await room.begin(Way.ATTENDED)
    room.place()
    await room.transfers.look_again()
    assert room.stage is None


async def test_the_second_operator_hears_about_the_citizen_before_a_consultation(room: Room) -> None:
    """Topic, level and number, as before any talk."""
    await room.begin(Way.ATTENDED)
    assert room.patchboard.moves == [("consult", "first", "citizen", QUEUE, "whispered")]


@pytest.mark.parametrize("end", [Happening.CONNECT, Happening.JOIN_ALL, Happening.TAKE_BACK])
async def test_a_consultation_is_a_hold_in_the_journal(room: Room, end: Happening) -> None:
    """Of the first operator, from the beginning until somebody talks with the citizen again."""
    await room.consult()
    assert room.switchboard.journaled == [("HOLD", "n-1", "NONE", "211")]
    await room.decide(end)
    if end is Happening.TAKE_BACK:
        await room.transfers.nobody_came(FIRST.call)
    assert room.switchboard.journaled[1:] == [("UNHOLD", "n-1", "NONE", "211")]


async def test_a_blind_transfer_is_no_hold(room: Room) -> None:
    """The citizen waits, in a queue."""
    await room.begin(Way.BLIND)
    await room.hears(FloorKind.CONNECTED, call="n-1", extension="212", queue=QUEUE)
    assert room.switchboard.journaled == []


async def test_a_hold_that_cannot_be_written_keeps_no_citizen_waiting(room: Room) -> None:
    """The figures lack it, the talk does not."""
    room.switchboard.refusing.add("journal")
    await room.consult()
    await room.decide(Happening.CONNECT)
    assert room.stage is Stage.CONNECTED
