"""After the promise: a free slot by key, another number by keys; whatever fails, the promise stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ivr.domain.callback import Callback, Source, State
from ivr.domain.errors import CallerHungUp, CallerSilent, CallOver, OperatorWanted
from ivr.domain.ids import new_id
from ivr.flows.callback import offer_callback
from tests.unit.ringing import EVENING, MINE, MORNING, Line
from tests.unit.scripted import Answer, ScriptedCall, registered

CONFIRMED, CHOOSE, SLOTS = "callback.confirmed", "callback.choose", "callback.slots"
TYPED, NUMBER, IMPOSSIBLE, KEPT = "callback.typed", "callback.number", "callback.impossible", "callback.kept"
GOODBYE = "goodbye"
OTHER, THIRD = "+79123450000", "+73532123456"
HALF_PAST = timedelta(minutes=30)


async def ring(line: Line, *answers: Answer, opening: datetime | None = None) -> ScriptedCall:
    """A caller who is promised a callback and answers so."""
    call = registered(line.desk, ScriptedCall(*answers, number=MINE))
    call.arrived_at = line.clock.now()
    await offer_callback(call, line.desk, opening=opening)
    assert call.unused == [] and call.finished
    return call


def open_ones(line: Line) -> list[Callback]:
    return [callback for callback in line.callbacks if callback.open]


def another_call(line: Line, number: str, **more: object) -> Callback:
    """An open callback to somebody else."""
    with line.store.transaction() as uow:
        card = uow.cards.open(call=f"node1-{number[-4:]}.9", node="node1", number=number, at=line.clock.now())
        callback = Callback(
            id=new_id(line.clock.now()),
            card=card.id,
            number=number,
            source=Source.AGREED,
            queue="general",
            arrived_at=line.clock.now(),
            due=line.clock.now(),
        )
        kept = uow.callbacks.request(replace(callback, **more))  # type: ignore[arg-type]
        uow.commit()
    return kept


# --- the promise comes first ---


async def test_who_says_nothing_is_called_back_as_promised() -> None:
    line = Line()
    call = await ring(line)
    assert call.said == [CONFIRMED, CHOOSE, GOODBYE]
    assert [(one.source, one.due, one.number) for one in line.callbacks] == [
        (Source.QUEUE, line.clock.now(), MINE)
    ]


@pytest.mark.parametrize("question", [SLOTS, TYPED])
@pytest.mark.parametrize("over", [OperatorWanted, CallerSilent])
async def test_whatever_the_choice_comes_to_the_promise_stands(question: str, over: type[CallOver]) -> None:
    line = Line()
    way: list[Answer] = [(SLOTS, "4")] if question == TYPED else []
    call = await ring(line, (CHOOSE, "1"), *way, (question, over))
    assert call.said[-1] == GOODBYE
    assert [(one.source, one.number, one.state) for one in line.callbacks] == [
        (Source.QUEUE, MINE, State.REQUESTED)
    ]


async def test_who_hangs_up_while_choosing_keeps_the_promise() -> None:
    line = Line()
    with pytest.raises(CallerHungUp):
        await ring(line, (CHOOSE, "1"), (SLOTS, CallerHungUp))
    assert [one.source for one in open_ones(line)] == [Source.QUEUE]


async def test_a_database_that_fails_while_somebody_chooses_has_kept_the_promise() -> None:
    line = Line()
    line.store.failing_after = 3  # the card, the promise, what is offered
    call = await ring(line, (CHOOSE, "1"), (SLOTS, "1"))
    assert call.said == [CONFIRMED, CHOOSE, SLOTS, GOODBYE]
    assert [one.source for one in open_ones(line)] == [Source.QUEUE]


async def test_a_site_may_offer_nothing() -> None:
    line = Line(agreed={"offered": 0, "typed_number": False})
    assert (await ring(line)).said == [CONFIRMED, GOODBYE]


async def test_what_an_operator_has_promised_is_not_the_machines_to_change() -> None:
    line = Line()
    another_call(line, MINE, due=line.clock.now() + timedelta(days=1))
    assert (await ring(line)).said == [CONFIRMED, GOODBYE]


# --- a slot ---


async def test_a_slot_is_an_agreed_time_and_confirmed_anew() -> None:
    line = Line()
    now = line.clock.now()
    call = await ring(line, (CHOOSE, "1"), (SLOTS, "2"))
    assert call.said == [CONFIRMED, CHOOSE, SLOTS, CONFIRMED, GOODBYE]
    slots = next(prompt.values for prompt in call.heard if prompt.id == SLOTS)
    assert slots["slots"] == (now + HALF_PAST, now + 2 * HALF_PAST, now + 3 * HALF_PAST)
    [callback] = line.callbacks
    assert (callback.source, callback.due, callback.operator) == (Source.AGREED, now + 2 * HALF_PAST, None)
    assert call.heard[3].values["due"] == callback.due
    assert line.store.rows.cards.get(callback.card).callback_at == callback.due
    assert [row.action for row in line.audit] == ["callbacks.request", "callbacks.agree"]


async def test_a_closed_line_offers_the_slots_of_the_next_opening() -> None:
    line = Line(now=EVENING)
    call = await ring(line, (CHOOSE, "1"), (SLOTS, "1"), opening=MORNING)
    slots = next(prompt.values["slots"] for prompt in call.heard if prompt.id == SLOTS)
    assert slots == (MORNING, MORNING + HALF_PAST, MORNING + 2 * HALF_PAST)
    assert open_ones(line)[0].due == MORNING


async def test_a_slot_that_somebody_takes_meanwhile_is_said_and_others_are_offered() -> None:
    line = Line(agreed={"per_slot": 1})
    call = registered(line.desk, ScriptedCall((CHOOSE, "1"), (SLOTS, "1"), (SLOTS, "1"), number=MINE))
    asked = call.ask_choice
    first = line.clock.now() + HALF_PAST

    async def meanwhile(prompt: object, choices: str) -> str:
        key = await asked(prompt, choices)  # type: ignore[arg-type]
        if len(line.callbacks) == 1:
            another_call(line, OTHER, due=first)
        return key

    call.ask_choice = meanwhile  # type: ignore[method-assign]
    await offer_callback(call, line.desk)
    assert call.said[3:5] == ["callback.slot_taken", SLOTS]
    assert {(one.number, one.due) for one in line.callbacks} == {(OTHER, first), (MINE, first + HALF_PAST)}


# --- another number ---


async def test_another_number_takes_the_place_of_the_callers_own() -> None:
    line = Line()
    call = await ring(line, (CHOOSE, "1"), (SLOTS, "4"), (TYPED, OTHER[1:]), (NUMBER, "1"))
    assert call.said == [CONFIRMED, CHOOSE, SLOTS, TYPED, NUMBER, CONFIRMED, GOODBYE]
    [callback] = open_ones(line)
    before = next(one for one in line.callbacks if not one.open)
    assert (callback.number, callback.source, callback.due) == (OTHER, Source.QUEUE, before.due)
    assert (callback.card, callback.arrived_at) == (call.enquiry, before.arrived_at)
    assert (before.number, before.state) == (MINE, State.CANCELLED)
    assert OTHER not in repr(line.audit)


@pytest.mark.parametrize("digits", ["89123450000", "79123450000", "9123450000"])
async def test_a_number_may_be_typed_in_any_usual_way(digits: str) -> None:
    line = Line()
    await ring(line, (CHOOSE, "1"), (SLOTS, "4"), (TYPED, digits), (NUMBER, "1"))
    assert open_ones(line)[0].number == OTHER


async def test_a_number_that_is_not_right_is_typed_again() -> None:
    line = Line()
    await ring(
        line,
        *((CHOOSE, "1"), (SLOTS, "4"), (TYPED, "89123459999"), (NUMBER, "2")),
        *((TYPED, OTHER[1:]), (NUMBER, "1")),
    )
    assert open_ones(line)[0].number == OTHER


@pytest.mark.parametrize("digits", ["88091234567", "88006000000", "810442071234567", "12", ""])
async def test_numbers_that_cost_extra_are_abroad_our_own_or_none_are_not_called(digits: str) -> None:
    line = Line()
    call = await ring(line, (CHOOSE, "1"), (SLOTS, "4"), *[(TYPED, digits)] * 3)
    assert call.said[-3:] == [IMPOSSIBLE, KEPT, GOODBYE]
    assert [(one.number, one.state) for one in line.callbacks] == [(MINE, State.REQUESTED)]


async def test_one_typed_number_may_be_open_for_each_calling_number() -> None:
    line = Line()
    await ring(line, (CHOOSE, "1"), (SLOTS, "4"), (TYPED, OTHER[1:]), (NUMBER, "1"))
    call = await ring(line, (CHOOSE, "1"), (SLOTS, CallerSilent))
    assert [prompt.values["what"] for prompt in call.heard if prompt.id == CHOOSE] == ["time"]


async def test_so_many_numbers_a_day_and_no_more() -> None:
    line = Line(agreed={"typed_a_day": 2})
    for n in range(2):
        await ring(line, (CHOOSE, "1"), (SLOTS, "4"), (TYPED, f"8912345000{n}"), (NUMBER, "1"))
        with line.store.transaction() as uow:
            [typed] = (one for one in uow.callbacks.list(open_only=True) if one.number != MINE)
            uow.callbacks.save(replace(typed, state=State.DONE))
            uow.commit()
    offers = (await ring(line)).heard
    assert [prompt.values["what"] for prompt in offers if prompt.id == CHOOSE] == ["time"]


async def test_a_number_on_which_somebody_waits_for_a_call_is_not_taken() -> None:
    line = Line()
    another_call(line, OTHER)
    call = await ring(line, (CHOOSE, "1"), (SLOTS, "4"), (TYPED, OTHER[1:]), (NUMBER, "1"))
    assert call.said[-3:] == [IMPOSSIBLE, KEPT, GOODBYE]
    assert {one.number for one in open_ones(line)} == {OTHER, MINE}


async def test_without_slots_only_the_number_is_asked() -> None:
    line = Line(agreed={"offered": 0})
    await ring(line, (CHOOSE, "1"), (TYPED, THIRD[1:]), (NUMBER, "1"))
    assert open_ones(line)[0].number == THIRD
