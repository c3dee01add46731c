"""An attempt from its promise to its end: what moves a callback, and what does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ivr.domain.callback import (
    DIALLED_STATES,
    OPEN_STATES,
    TRANSITIONS,
    Source,
    State,
    call_of,
    leg_call,
    leg_of,
    waiting_call,
)
from ivr.domain.enquiry import ContactOutcome, Direction
from ivr.domain.errors import BadInput
from ivr.domain.ids import new_id
from ivr.services import attempts
from tests.unit.calling import START, Centre, settings

ID = new_id(START)


@pytest.fixture
def centre() -> Centre:
    centre = Centre()
    centre.operators(1)
    return centre


# --- the life cycle ---------------------------------------------------------------------------------


def test_a_callback_that_is_over_never_begins_again() -> None:
    ends = {State.DONE, State.GIVEN_UP, State.CANCELLED, State.SUPERSEDED}
    assert {state for state, following in TRANSITIONS.items() if not following} == ends
    assert frozenset(State) - ends == OPEN_STATES


def test_only_who_was_dialled_can_be_done_and_nobody_is_taken_out_of_a_talk() -> None:
    before_done = {state for state, following in TRANSITIONS.items() if State.DONE in following}
    assert before_done == DIALLED_STATES | {State.RETRY}
    assert TRANSITIONS[State.TALKING].isdisjoint({State.CANCELLED, State.SUPERSEDED})


def test_a_legs_uniqueid_names_callback_and_leg_and_nothing_else_does() -> None:
    call = call_of(ID, 12)
    assert leg_of(call) == (ID, 12)
    assert leg_call(call) == leg_call(waiting_call(call)) == call
    for other in ("", "node1-1.1", f"ekc-cb-{ID}-0", f"ekc-cb-{ID}", waiting_call(call), f"{call}\n"):
        assert leg_of(other) is None


# --- the promise ------------------------------------------------------------------------------------


async def test_begin_writes_the_attempt_and_the_outbound_contact_together(centre: Centre) -> None:
    callback = centre.promise()
    call = await centre.until_dialled(callback.id)
    after = centre.callback(callback.id)
    [attempt] = after.attempts
    assert (after.state, attempt.result, attempt.leg) == (State.DIALLING_CITIZEN, "unknown", 1)
    assert attempt.at == centre.clock.now()
    contact = centre.do(lambda uow: uow.cards.contact(call))
    assert contact is not None
    assert (contact.direction, contact.outcome) == (Direction.OUTBOUND, None)


@pytest.mark.parametrize("leg", [0, 2])
async def test_another_leg_than_the_last_one_dials_nobody(centre: Centre, leg: int) -> None:
    callback = centre.promise()
    await centre.turn()
    await centre.turn(30)
    before = centre.callback(callback.id)
    assert ask(centre, callback.id, leg) is None
    assert centre.callback(callback.id) == before


def ask(centre: Centre, id_: str, leg: int = 1) -> attempts.Begun | None:
    now = centre.clock.now()
    return centre.do(lambda uow: attempts.begin(uow, id_, leg, now, centre.rules, node="node1"))


async def test_a_leg_that_asks_twice_dials_once(centre: Centre) -> None:
    callback = centre.promise()
    await centre.until_dialled(callback.id)
    assert ask(centre, callback.id) is None
    assert len(centre.callback(callback.id).attempts) == 1


@pytest.mark.parametrize("state", [State.CANCELLED, State.SUPERSEDED])
async def test_a_callback_that_was_withdrawn_while_the_operator_was_rung_dials_nobody(
    centre: Centre, state: State
) -> None:
    callback = centre.promise()
    await centre.turn()
    await centre.turn(30)
    centre.do(lambda uow: uow.callbacks.save(uow.callbacks.get(callback.id).move(state)))
    assert ask(centre, callback.id) is None
    assert centre.callback(callback.id).state is state


async def test_whose_quiet_hours_have_begun_meanwhile_is_called_in_the_morning() -> None:
    """In Irkutsk it is 18:00 when the site has 15:00, and 21:00 when the line closes."""
    centre = Centre(settings=settings(latest="20:00"))
    centre.operators(1)
    callback = centre.promise(arrived_at=START - timedelta(days=1), number="+73952000001")
    await centre.turn()
    await centre.turn(2 * 3600 - 60)
    assert centre.callback(callback.id).state is State.QUEUED
    centre.clock.forward(60)
    assert ask(centre, callback.id) is None
    after = centre.callback(callback.id)
    assert (after.state, after.attempts) == (State.RETRY, ())
    assert after.due.isoformat() == "2026-11-25T04:00:00+00:00"


def test_an_unknown_callback_is_dialled_by_nobody(centre: Centre) -> None:
    assert ask(centre, ID) is None
    for call in (call_of(ID, 1), "node1-1.1"):
        assert centre.do(lambda uow, c=call: attempts.talking(uow, c)) is None  # type: ignore[misc]
        now = centre.clock.now()
        told = centre.do(
            lambda uow, c=call, at=now: attempts.ended(uow, c, ContactOutcome.BUSY, at, centre.rules)  # type: ignore[misc]
        )
        assert told is None


async def test_who_calls_us_while_the_operator_is_rung_is_not_dialled(centre: Centre) -> None:
    callback = centre.promise()
    await centre.turn()
    await centre.turn(30)
    now = centre.clock.now()
    centre.do(lambda uow: uow.cards.open(call="node1-9.9", node="node1", number=callback.number, at=now))
    assert ask(centre, callback.id) is None
    assert centre.callback(callback.id).state is State.RETRY


async def test_who_is_still_rung_for_a_withdrawn_callback_is_not_dialled_for_the_next_one(
    centre: Centre,
) -> None:
    """Never two INVITEs at once to one citizen."""
    first = centre.promise()
    call = await centre.until_dialled(first.id)
    centre.do(lambda uow: uow.callbacks.save(uow.callbacks.get(first.id).move(State.CANCELLED)))
    second = centre.promise()
    await centre.turn(1)
    await centre.turn(30)
    assert centre.callback(second.id).leg == 0
    centre.end(call, ContactOutcome.NO_ANSWER)
    await centre.turn(30)
    assert ask(centre, second.id) is not None


# --- the end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "minutes"),
    [
        (ContactOutcome.BUSY, 15),
        (ContactOutcome.NO_ANSWER, 60),
        (ContactOutcome.MACHINE, 120),
        (ContactOutcome.TOO_SHORT, 15),
        (ContactOutcome.UNKNOWN, 60),
    ],
)
async def test_who_was_not_reached_is_called_again_by_the_plan(
    centre: Centre, outcome: ContactOutcome, minutes: int
) -> None:
    callback = centre.promise()
    call = await centre.until_dialled(callback.id)
    assert centre.end(call, outcome) is State.RETRY
    after = centre.callback(callback.id)
    assert [attempt.result for attempt in after.attempts] == [outcome.value]
    assert after.due == centre.clock.now() + timedelta(minutes=minutes)


async def test_an_end_that_is_told_twice_is_told_once(centre: Centre) -> None:
    callback = centre.promise()
    call = await centre.until_dialled(callback.id)
    centre.end(call, ContactOutcome.BUSY)
    after = centre.callback(callback.id)
    centre.clock.forward(600)
    centre.end(call, ContactOutcome.BUSY)
    assert centre.callback(callback.id) == after


async def test_a_late_journal_knows_better_than_unknown_and_unknown_than_nothing(centre: Centre) -> None:
    callback = centre.promise()
    call = await centre.until_dialled(callback.id)
    assert centre.end(call, ContactOutcome.UNKNOWN) is State.RETRY
    assert centre.end(call, ContactOutcome.SERVED) is State.DONE
    assert centre.end(call, ContactOutcome.UNKNOWN) is State.DONE
    assert [attempt.result for attempt in centre.callback(callback.id).attempts] == ["served"]


async def test_news_of_a_talk_stops_the_leg_that_is_under_way_already(centre: Centre) -> None:
    """Nobody is called after having been talked with."""
    callback = centre.promise()
    first = await centre.until_dialled(callback.id)
    centre.end(first, ContactOutcome.UNKNOWN)
    await centre.turn(3600)
    assert centre.callback(callback.id).leg == 2
    assert centre.end(first, ContactOutcome.SERVED) is State.SUPERSEDED
    assert ask(centre, callback.id, 2) is None


async def test_a_withdrawn_callback_keeps_its_state_and_its_attempt_gets_its_result(centre: Centre) -> None:
    callback = centre.promise()
    call = await centre.until_dialled(callback.id)
    centre.do(lambda uow: uow.callbacks.save(uow.callbacks.get(callback.id).move(State.CANCELLED)))
    assert centre.end(call, ContactOutcome.NO_ANSWER) is State.CANCELLED
    assert [attempt.result for attempt in centre.callback(callback.id).attempts] == ["no_answer"]


async def test_a_callback_is_given_up_when_its_attempts_are_used_up() -> None:
    centre = Centre(settings=settings(most_attempts=2))
    centre.operators(1)
    callback = centre.promise()
    assert centre.end(await centre.until_dialled(callback.id), ContactOutcome.BUSY) is State.RETRY
    await centre.turn(900)
    assert centre.end(centre.answer(callback.id), ContactOutcome.NO_ANSWER) is State.GIVEN_UP
    assert not centre.callback(callback.id).open


async def test_where_a_time_was_agreed_the_leg_begins_with_the_attempt(centre: Centre) -> None:
    callback = centre.promise(source=Source.AGREED)
    await centre.turn()
    await centre.turn(1)
    after = centre.callback(callback.id)
    assert (after.state, [attempt.leg for attempt in after.attempts]) == (State.DIALLING_CITIZEN, [1])
    assert centre.end(after.call, ContactOutcome.BUSY) is State.RETRY


def test_dialling_what_is_over_is_a_mistake_that_is_refused(centre: Centre) -> None:
    callback = centre.promise(state=State.DONE)
    with pytest.raises(BadInput, match="is done; it cannot become dialling_citizen"):
        centre.do(lambda uow: attempts.dial(uow, callback, START, node="node1"))
