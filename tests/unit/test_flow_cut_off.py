"""Who was cut off in the middle of a talk and calls again; and the key 1 before the queue is reached."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ivr.domain.callback import Source
from ivr.domain.enquiry import ContactOutcome, Level
from ivr.ports import JournalLine, MemberStatus
from ivr.services.journal_lines import CEL
from ivr.testing import FakeChannel
from tests.unit.ringing import HOUSING, MINE, Line
from tests.unit.test_flow_waiting import a_line, waits, works

OPERATOR = "201"
TRUNK = "PJSIP/trunk-00000001"
OURS = "dialplan/builtin"
"""Who hung up, when the operator or a rule ended the call."""


def talked(line: Line, channel: FakeChannel, *, source: str = TRUNK, **card: object) -> None:
    """The journals tell that this caller talked with the operator, and who ended it."""
    now = line.clock.now()
    told = [("HANGUP", {"source": source, "context": "parted"}), ("CHAN_END", {"context": "parted"})]
    with line.store.transaction() as uow:
        uow.cards.change_contact(channel.id, outcome=ContactOutcome.SERVED, talking_s=60)
        uow.cards.change(line.card(channel).id, operator=OPERATOR, **card)
        uow.journal.add(
            JournalLine(
                node="node1",
                journal=CEL,
                generation="1",
                offset=place,
                call=channel.id,
                linked=channel.id,
                at=now,
                event=event,
                data={"channel": TRUNK, **data},
            )
            for place, (event, data) in enumerate(told)
        )
        uow.commit()


async def test_the_talk_goes_on_with_the_same_operator_and_all_that_was_known() -> None:
    """Place, queue, topic and level, also while the card is still open for the wrap-up (§13)."""
    line = a_line()
    first = await line.call("322")
    talked(line, first, level=Level.PERSONAL)
    works(line, "soc-1", OPERATOR, MemberStatus.FREE)
    line.clock.forward(599)
    waits(line, "soc-1", "other")
    again = await line.call("0", on="menu")
    assert "queue.resumed" in again.heard and "queue.returned" not in again.heard
    assert again.handed_over is not None and again.handed_over[0] == "soc-1"
    assert again.boarding is not None
    assert (again.boarding.operator, again.boarding.place) == (OPERATOR, 1)
    assert again.boarding.shown.startswith("с кодом")
    card = line.card(again)
    assert (card.topics, card.level) == ((HOUSING.title,), Level.PERSONAL)
    assert line.card(first).registration_number in card.comment


@pytest.mark.parametrize("status", [MemberStatus.TALKING, MemberStatus.AWAY])
async def test_an_operator_who_is_not_free_is_not_waited_for(status: MemberStatus) -> None:
    """The place in the queue is there all the same."""
    line = a_line()
    talked(line, await line.call("322"))
    works(line, "soc-1", OPERATOR, status)
    again = await line.call("0")
    assert again.boarding is not None
    assert (again.boarding.operator, again.boarding.place) == ("", 1)


async def test_another_topic_is_another_operators() -> None:
    line = a_line()
    talked(line, await line.call("322"))
    works(line, "soc-1", OPERATOR, MemberStatus.FREE)
    again = await line.call("31")
    assert again.handed_over is not None and again.handed_over[0] == "szn-1"
    assert again.boarding is not None and again.boarding.operator == ""


async def test_a_talk_that_the_operator_ended_was_not_cut_off() -> None:
    line = a_line()
    talked(line, await line.call("322"), source=OURS)
    await nothing_comes_back(line)


async def test_what_the_citizen_confirmed_to_be_answered_is_over() -> None:
    """§24."""
    line = a_line()
    talked(line, await line.call("322"), confirmed=True)
    await nothing_comes_back(line)


async def test_after_the_limit_the_talk_is_over() -> None:
    line = a_line()
    talked(line, await line.call("322"))
    line.clock.forward(601)
    await nothing_comes_back(line)


async def test_from_another_number_there_is_no_talk_to_go_on_with() -> None:
    """§21: the level belongs to the number."""
    line = a_line()
    talked(line, await line.call("322"), level=Level.PERSONAL)
    await nothing_comes_back(line, number="+79990000000")


async def nothing_comes_back(line: Line, number: str = MINE) -> None:
    works(line, "soc-1", OPERATOR, MemberStatus.FREE)
    again = await line.call("0", on="menu", number=number)
    assert "queue.resumed" not in again.heard
    assert again.handed_over is not None and again.handed_over[0] == "general"
    assert again.boarding is not None
    assert (again.boarding.operator, again.boarding.place) == ("", None)
    assert line.card(again).level is Level.NONE


# --- 1, before the queue -----------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0.0, 1.0, 1.9])
async def test_one_pressed_while_an_operator_is_being_called_keeps_the_place_by_a_callback(
    after: float,
) -> None:
    """At any moment of the sentence; in no queue yet, and not asked again."""
    line = a_line()
    channel = line.ring("322")
    channel.caller.presses("1", on="connecting", after=after)
    await line.answers(channel)
    assert channel.handed_over is None and channel.finished
    [callback] = line.callbacks
    assert (callback.source, callback.queue) == (Source.QUEUE, "soc-1")
    assert callback.arrived_at == channel.known.arrived_at
    assert "queue.callback" not in channel.heard and channel.heard[-1] == "goodbye"
    assert line.outcome(channel) is ContactOutcome.ABANDONED_QUEUE
    assert ("key", "connecting", "1") in [(e.kind, e.id, e.outcome) for e in line.told(channel)]


async def test_one_typed_ahead_of_the_sentence_is_heard_too() -> None:
    line = a_line()
    channel = await line.call("3221")
    assert len(line.callbacks) == 1 and channel.handed_over is None


async def test_any_other_key_there_leads_into_the_queue() -> None:
    line = a_line()
    channel = line.ring("322")
    channel.caller.presses("5", on="connecting", after=1)
    await line.answers(channel)
    assert channel.handed_over is not None and line.callbacks == []


async def test_one_without_a_number_is_waiting_on() -> None:
    """Nobody can call back; that is said, and the place is the same."""
    line = a_line()
    channel = line.ring("322", number=None)
    channel.caller.presses("1", on="connecting", after=1)
    await line.answers(channel)
    assert channel.handed_over is not None and channel.handed_over[0] == "soc-1"
    assert channel.heard[-3:] == ["connecting", "queue.unknown_number", "connecting"]
    assert line.outcome(channel) is None, "the journals tell how it ends"


async def test_the_wait_is_counted_from_the_first_call() -> None:
    line = a_line()
    first = await line.call("322")
    talked(line, first)
    line.clock.forward(60)
    again = await line.call("0")
    assert again.boarding is not None
    assert again.boarding.arrived_at == first.known.arrived_at
    assert again.known.arrived_at - first.known.arrived_at >= timedelta(seconds=60)
