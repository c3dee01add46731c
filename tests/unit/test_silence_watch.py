"""Silence in conversation as the engine sees it (§19): from the floor to tone, trace and card."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from ivr.domain.errors import StorageDown
from ivr.ports import FloorEvent, FloorKind, Leg, TraceEvent
from ivr.services.floor import Floor
from ivr.services.silence import SilenceWatch, remark
from ivr.testing import START, FakeSwitchboard, MemoryStore, VirtualClock

CALL, OPERATOR, SECOND, CARDLESS = "node1-1.1", "node1-1.2", "node1-1.3", "node1-9.1"
NAMES = {CALL: "PJSIP/line-1", CARDLESS: "PJSIP/line-9", OPERATOR: "PJSIP/201-1", SECOND: "PJSIP/202-1"}
EXTENSIONS = {CALL: "", CARDLESS: "", OPERATOR: "201", SECOND: "202"}
LIMIT = 60.0


class Talks:
    """A floor on which the test lets things happen; `told` is the trace."""

    def __init__(self) -> None:
        self.clock, self.store, self.board = VirtualClock(START), MemoryStore(), FakeSwitchboard()
        self.floor = Floor(self.board, self.clock)
        self.told: list[TraceEvent] = []
        self.transferring: set[str] = set()
        """Calls whose citizens hear music because of a transfer."""
        self.watch = SilenceWatch(
            self.floor,
            self.board,
            self.store,
            self.clock,
            limit=LIMIT,
            teller=self._teller,
            on_hold=self.transferring.__contains__,
        )
        self.floor.listen(self.watch.hear)
        self.floor.on_rebuilt(self.watch.rebuilt)
        with self.store.transaction() as uow:
            self.card = uow.cards.open(call=CALL, node="node1", number=None, at=START).id
            uow.commit()

    @staticmethod
    async def _settled() -> None:
        """Whatever was told has been handled."""
        for _ in range(10):
            await asyncio.sleep(0)

    def _teller(self, call: str) -> Callable[[str, str, str], None]:
        def tell(kind: str, id_: str, outcome: str) -> None:
            at = self.clock.now()
            self.told.append(TraceEvent(call=call, at=at, kind=kind, id=id_, outcome=outcome))

        return tell

    async def happens(self, kind: FloorKind, leg: str, *, detail: str = "", seconds: float = 0.0) -> None:
        event = FloorEvent(
            kind=kind,
            call=leg,
            linked=CALL,
            extension=EXTENSIONS[leg],
            leg=NAMES[leg],
            detail=detail,
            seconds=seconds,
        )
        self.floor.take(event)
        await self._settled()

    async def meet(self, *legs: str, bridge: str = "b1") -> None:
        for leg in legs:
            await self.happens(FloorKind.BRIDGED, leg, detail=bridge)

    async def asks(self, leg: str = OPERATOR) -> None:
        """A question of an operator ends now."""
        await self.happens(FloorKind.TALKING, leg)
        await self.happens(FloorKind.SILENT, leg)

    async def after(self, seconds: float) -> list[str]:
        """The legs that have heard a tone when so much time has passed."""
        self.clock.forward(seconds)
        await self.watch.look()
        return self.board.tones

    @property
    def comment(self) -> str:
        return self.store.rows.cards.get(self.card).comment or ""


@pytest.fixture
async def talks() -> AsyncIterator[Talks]:
    made = Talks()
    running = asyncio.create_task(made.floor.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_both_legs_of_a_talk_are_heard_out_once(talks: Talks) -> None:
    await talks.meet(CALL, OPERATOR)
    await talks.after(0.5)
    await talks.after(0.5)
    assert sorted(talks.board.heard_out) == sorted([NAMES[CALL], NAMES[OPERATOR]])


async def test_a_bridge_without_a_citizen_is_no_talk(talks: Talks) -> None:
    """Operators who ask each other are not listened to."""
    await talks.meet(OPERATOR, SECOND)
    await talks.after(0.5)
    assert talks.board.heard_out == []


async def test_the_operators_leg_hears_a_tone_and_card_and_trace_tell_of_it(talks: Talks) -> None:
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    assert await talks.after(60.0) == []
    assert await talks.after(0.5) == [NAMES[OPERATOR]]
    assert await talks.after(100.0) == [NAMES[OPERATOR]]
    assert talks.comment == "Молчание гражданина более минуты"
    assert [(e.call, e.kind, e.id, e.outcome) for e in talks.told] == [(CALL, "bridge", "201", "silence")]
    [row] = talks.store.rows.audit.rows
    assert (row.actor, row.action, row.subject, row.result) == ("ivr", "cards.edit", talks.card, "comment")


async def test_the_mark_is_one_more_line_of_the_comment(talks: Talks) -> None:
    with talks.store.transaction() as uow:
        uow.cards.change(talks.card, comment="Передано: жильё")
        uow.commit()
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    await talks.after(61.0)
    assert talks.comment == "Передано: жильё\nМолчание гражданина более минуты"


async def test_a_voice_has_ended_when_it_ended_not_when_that_was_noticed(talks: Talks) -> None:
    await talks.meet(CALL, OPERATOR)
    await talks.happens(FloorKind.TALKING, OPERATOR)
    await talks.happens(FloorKind.SILENT, OPERATOR, seconds=1.0)
    assert await talks.after(59.5) == [NAMES[OPERATOR]]


@pytest.mark.parametrize("answer", [FloorKind.TALKING, FloorKind.SILENT, FloorKind.KEY])
async def test_the_citizens_voice_or_key_ends_a_silence(talks: Talks, answer: FloorKind) -> None:
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    await talks.after(59.0)
    await talks.happens(answer, CALL)
    assert await talks.after(1000.0) == []


@pytest.mark.parametrize("holder", [OPERATOR, CALL])
async def test_the_clock_stands_still_while_either_side_is_on_hold(talks: Talks, holder: str) -> None:
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    await talks.after(30.0)
    await talks.happens(FloorKind.HELD, holder)
    assert await talks.after(1000.0) == []
    await talks.happens(FloorKind.RESUMED, holder)
    assert await talks.after(30.0) == []
    assert await talks.after(0.5) == [NAMES[OPERATOR]]


async def test_a_voice_that_hold_cuts_off_has_ended(talks: Talks) -> None:
    """The telephone sends nothing more, so no end of the voice is ever heard."""
    await talks.meet(CALL, OPERATOR)
    await talks.happens(FloorKind.TALKING, OPERATOR)
    await talks.happens(FloorKind.HELD, OPERATOR)
    await talks.after(10.0)
    await talks.happens(FloorKind.RESUMED, OPERATOR)
    assert await talks.after(60.5) == [NAMES[OPERATOR]]


async def test_the_clock_stands_still_while_the_citizen_is_being_transferred(talks: Talks) -> None:
    """Until the second operator's bridge, whose leg hears the tone then."""
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    await talks.after(30.0)
    for leg in (CALL, OPERATOR):
        await talks.happens(FloorKind.UNBRIDGED, leg, detail="b1")
    assert await talks.after(1000.0) == []
    await talks.meet(CALL, SECOND, bridge="b2")
    assert await talks.after(30.0) == []
    assert await talks.after(0.5) == [NAMES[SECOND]]


async def test_the_clock_stands_still_when_the_operator_leaves_the_citizen_alone(talks: Talks) -> None:
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    await talks.happens(FloorKind.UNBRIDGED, OPERATOR, detail="b1")
    assert await talks.after(1000.0) == []


async def test_of_three_in_a_talk_both_operators_must_be_silent_and_both_hear_the_tone(talks: Talks) -> None:
    await talks.meet(CALL, OPERATOR, SECOND)
    await talks.happens(FloorKind.TALKING, SECOND)
    await talks.asks()
    assert await talks.after(100.0) == []
    await talks.happens(FloorKind.SILENT, SECOND)
    assert await talks.after(60.5) == [NAMES[OPERATOR], NAMES[SECOND]]


async def test_who_leaves_three_in_mid_sentence_has_stopped_talking(talks: Talks) -> None:
    await talks.meet(CALL, OPERATOR, SECOND)
    await talks.asks()
    await talks.happens(FloorKind.TALKING, SECOND)
    await talks.happens(FloorKind.UNBRIDGED, SECOND, detail="b1")
    assert await talks.after(60.5) == [NAMES[OPERATOR]]


async def test_a_call_that_is_over_has_no_clock(talks: Talks) -> None:
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    for leg in (CALL, OPERATOR):
        await talks.happens(FloorKind.HUNG_UP, leg)
    assert await talks.after(1000.0) == []
    assert talks.comment == ""


async def test_after_a_gap_in_the_events_nobody_has_been_silent_yet(talks: Talks) -> None:
    """And the legs are heard out anew: the switch may have been restarted."""
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    await talks.after(50.0)
    for leg in (CALL, OPERATOR):
        talks.board.legs[NAMES[leg]] = Leg(
            name=NAMES[leg], call=leg, linked=CALL, extension=EXTENSIONS[leg] or None, bridge="b1"
        )
    await talks.floor.rebuild()
    assert await talks.after(100.0) == []
    assert len(talks.board.heard_out) == 4
    await talks.asks()
    assert await talks.after(60.5) == [NAMES[OPERATOR]]


async def test_a_switch_that_refuses_the_tone_is_not_asked_again_and_the_card_is_marked(talks: Talks) -> None:
    """Nobody knows whether it was heard."""
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    talks.board.refusing.add("tone")
    await talks.after(61.0)
    talks.board.refusing.clear()
    assert await talks.after(1.0) == []
    assert talks.comment


async def test_a_mark_waits_for_a_database_that_is_down(talks: Talks) -> None:
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    talks.store.down = True
    with pytest.raises(StorageDown):
        await talks.after(61.0)
    with suppress(StorageDown):
        await talks.after(1.0)
    talks.store.down = False
    assert await talks.after(1.0) == [NAMES[OPERATOR]]
    assert talks.comment == "Молчание гражданина более минуты"


async def test_a_call_without_a_card_is_not_marked(talks: Talks) -> None:
    """The database was down when it came."""
    await talks.meet(CARDLESS, OPERATOR)
    await talks.asks()
    assert await talks.after(61.0) == [NAMES[OPERATOR]]
    assert talks.store.rows.audit.rows == []


@pytest.mark.parametrize(
    ("limit", "said"), [(60.0, "Молчание гражданина более минуты"), (7.5, "Молчание гражданина более 7.5 с")]
)
def test_the_mark_says_how_long_the_limit_is(limit: float, said: str) -> None:
    assert remark(limit) == said


async def test_the_clock_stands_still_while_the_operator_is_in_the_transfer_menu(talks: Talks) -> None:
    """The citizen is in the same bridge and hears music: that is no silence, and the rest of it counts on."""
    await talks.meet(CALL, OPERATOR)
    await talks.asks()
    await talks.after(40.0)
    talks.transferring.add(CALL)
    await talks.after(0.0)
    assert await talks.after(1000.0) == []
    talks.transferring.clear()
    assert await talks.after(0.0) == []
    assert await talks.after(20.0) == []
    assert await talks.after(0.5) == [NAMES[OPERATOR]]
