"""What follows when a queue gives a caller back: a callback is offered, never endless music."""

from __future__ import annotations

from datetime import datetime

import pytest

from ivr.asterisk.channel_vars import MOST_TURNS
from ivr.domain.callback import Source
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import StorageDown
from ivr.ports import LeftQueue
from tests.unit.ringing import EVENING, MINE, MORNING, Line

OFFERED = [LeftQueue.NO_OPERATOR, LeftQueue.FULL, LeftQueue.TIMEOUT]
ASK = "queue.callback"


@pytest.mark.parametrize("left", OFFERED)
async def test_the_reason_is_told_and_one_is_a_callback_from_that_queue(left: LeftQueue) -> None:
    line = Line()
    channel = line.waiting("1", on=ASK, queue="soc-1")
    line.clock.forward(900)
    await line.gives_back(channel, left)
    [callback] = line.callbacks
    assert line.prompts.said(ASK).values["reason"] == left.value
    assert (callback.source, callback.queue, callback.number) == (Source.QUEUE, "soc-1", MINE)
    assert callback.arrived_at == channel.known.arrived_at < callback.due
    assert channel.heard[-3:] == ["callback.confirmed", "callback.choose", "goodbye"] and channel.finished
    assert line.outcome(channel) is None, "the journals tell how it ended"


async def test_one_pressed_while_waiting_is_not_asked_again() -> None:
    line = Line()
    channel = line.waiting()
    await line.gives_back(channel, LeftQueue.CALLBACK)
    assert ASK not in channel.heard and len(line.callbacks) == 1 and channel.finished


@pytest.mark.parametrize("left", [LeftQueue.NO_OPERATOR, LeftQueue.FULL])
async def test_where_nobody_is_to_be_waited_for_another_key_is_a_goodbye(left: LeftQueue) -> None:
    line = Line()
    channel = line.waiting("2", on=ASK)
    await line.gives_back(channel, left)
    assert channel.finished and channel.handed_over is None and line.callbacks == []
    assert line.prompts.said("goodbye").values["reason"] == "served"


async def test_after_a_long_wait_another_key_is_waiting_on_in_the_same_queue() -> None:
    line = Line()
    channel = line.waiting("2", on=ASK, queue="soc-2")
    await line.gives_back(channel, LeftQueue.TIMEOUT)
    assert channel.handed_over == ("soc-2", 0, line.card(channel).id)
    assert channel.heard == [ASK, "connecting"]


async def test_in_the_last_round_nobody_is_sent_back_to_wait() -> None:
    line = Line()
    channel = line.waiting("2", on=ASK, turns=MOST_TURNS)
    await line.gives_back(channel, LeftQueue.TIMEOUT, turns=MOST_TURNS)
    assert channel.finished and channel.handed_over is None


@pytest.mark.parametrize("left", OFFERED)
async def test_who_answers_nothing_is_told_goodbye_by_the_silence_rule(left: LeftQueue) -> None:
    line = Line()
    channel = line.waiting()
    await line.gives_back(channel, left)
    assert channel.finished and channel.heard[-1] == "goodbye"
    assert line.outcome(channel) is ContactOutcome.SILENCE


async def test_who_hangs_up_at_the_offer_is_left_to_the_journals() -> None:
    line = Line()
    channel = line.waiting()
    channel.caller.leaves(on=ASK, after=1)
    await line.gives_back(channel, LeftQueue.TIMEOUT)
    assert line.outcome(channel) is None and not channel.finished and line.callbacks == []


@pytest.mark.parametrize("left", [LeftQueue.TIMEOUT, LeftQueue.CALLBACK])
async def test_a_callback_that_cannot_be_promised_is_a_place_in_the_queue(left: LeftQueue) -> None:
    line = Line()
    channel = line.waiting("1", on=ASK)
    line.store.down = True
    await line.gives_back(channel, left)
    assert channel.handed_over is not None and channel.handed_over[0] == "general"
    assert "callback.confirmed" not in channel.heard


@pytest.mark.parametrize(("left", "turns"), [(LeftQueue.NO_OPERATOR, 1), (LeftQueue.TIMEOUT, MOST_TURNS)])
async def test_with_nothing_to_promise_and_nobody_to_wait_for_the_dialplan_says_sorry(
    left: LeftQueue, turns: int
) -> None:
    line = Line()
    channel = line.waiting("1", on=ASK, turns=turns)
    line.store.down = True
    with pytest.raises(StorageDown):
        await line.gives_back(channel, left, turns=turns)
    assert not channel.finished and channel.handed_over is None
    assert "callback.confirmed" not in channel.heard


async def test_who_waited_beyond_the_end_of_the_day_is_promised_the_next_opening() -> None:
    line = Line(now=EVENING)
    channel = line.waiting("1", on=ASK)
    await line.gives_back(channel, LeftQueue.NO_OPERATOR)
    [callback] = line.callbacks
    assert (callback.due, callback.source) == (MORNING, Source.QUEUE)
    due = line.prompts.said("callback.confirmed").values["due"]
    assert isinstance(due, datetime) and due == MORNING


async def test_who_came_while_the_database_was_down_gets_card_and_callback_once_it_is_back() -> None:
    line = Line()
    channel = line.waiting("1", on=ASK, card=False)
    await line.gives_back(channel, LeftQueue.NO_OPERATOR)
    [callback] = line.callbacks
    assert callback.card == line.card(channel).id


async def test_whose_number_is_unknown_is_told_that_nobody_can_call_back() -> None:
    line = Line()
    channel = line.waiting("1", on=ASK, number=None)
    await line.gives_back(channel, LeftQueue.NO_OPERATOR)
    assert channel.heard == [ASK, "callback.unknown_number"] and channel.finished
    assert line.callbacks == []
