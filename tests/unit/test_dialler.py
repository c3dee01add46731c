"""The scheduler: who is called when, how many legs there are, and what a crash leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.domain.callback import Source, State, call_of, waiting_call
from ivr.domain.enquiry import ContactOutcome, Direction
from ivr.domain.errors import Unavailable
from ivr.ports import FloorKind, MemberStatus
from ivr.services import attempts
from tests.unit.calling import START, Centre, settings

MINUTE = timedelta(minutes=1)


@pytest.fixture
def centre() -> Centre:
    return Centre()


# --- taking up --------------------------------------------------------------------------------------


async def test_a_promise_is_taken_up_and_its_first_leg_waits_a_little(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    await centre.turn()
    assert centre.callback(callback.id).state is State.WAITING
    assert centre.callback(callback.id).due == START + timedelta(seconds=30)
    await centre.turn(29)
    assert centre.outbound.made == []
    await centre.turn(1)
    [leg] = centre.outbound.made
    assert (leg.callback, leg.leg, leg.queue, leg.place, leg.number) == (callback.id, 1, "general", 1, "")
    assert centre.callback(callback.id).state is State.QUEUED
    assert centre.late == [0.0]


async def test_what_is_due_at_a_named_time_is_not_put_off(centre: Centre) -> None:
    callback = centre.promise(source=Source.AGREED, due=START + timedelta(minutes=5))
    await centre.turn()
    assert centre.callback(callback.id).due == START + timedelta(minutes=5)


@pytest.mark.parametrize("number", ["+78091234567", "+77172000000", "+442071838750", "+78006000000"])
async def test_a_number_that_may_not_be_dialled_is_given_up_and_audited_without_it(
    centre: Centre, number: str
) -> None:
    callback = centre.promise(number=number)
    await centre.turn()
    assert centre.callback(callback.id).state is State.GIVEN_UP
    [row] = centre.do(lambda uow: uow.audit.list())
    assert (row.action, row.subject) == ("callbacks.refuse", callback.id)
    assert number not in row.result


async def test_at_night_a_callback_waits_for_the_morning(centre: Centre) -> None:
    centre.operators(1)
    centre.clock.forward(4 * 3600)  # 19:00 in Yekaterinburg, the line has closed at 18:00
    callback = centre.promise()
    await centre.turn()
    assert centre.callback(callback.id).due.isoformat() == "2026-11-25T04:00:00+00:00"
    await centre.turn(3600)
    assert centre.outbound.made == []


# --- how many legs ----------------------------------------------------------------------------------


async def due(centre: Centre, count: int) -> list[str]:
    ids = [
        centre.promise(number=f"+7343{2000000 + n}", arrived_at=START - (count - n) * MINUTE).id
        for n in range(count)
    ]
    await centre.turn()
    centre.clock.forward(30)
    return ids


@pytest.mark.parametrize(("free", "talking", "legs"), [(0, 1, 1), (1, 0, 2), (3, 2, 4)])
async def test_there_is_one_leg_more_than_free_operators_and_the_first_to_arrive_have_them(
    centre: Centre, free: int, talking: int, legs: int
) -> None:
    centre.operators(free, talking=talking)
    ids = await due(centre, 6)
    for _ in range(3):
        await centre.turn(1)
    assert [leg.callback for leg in centre.outbound.made] == ids[:legs]


async def test_a_leg_that_has_reached_the_citizen_makes_room_for_the_next_one(centre: Centre) -> None:
    centre.operators(0, talking=1)
    first, second = await due(centre, 2)
    await centre.turn()
    centre.answer(first)
    await centre.turn(1)
    assert [leg.callback for leg in centre.outbound.made] == [first, second]


async def test_where_nobody_works_no_leg_is_made(centre: Centre) -> None:
    centre.operators(1)
    [key] = centre.view.members
    centre.view.members[key] = replace(centre.view.members[key], status=MemberStatus.AWAY)
    [callback] = await due(centre, 1)
    await centre.turn()
    assert centre.outbound.made == []
    centre.view.members[key] = replace(centre.view.members[key], status=MemberStatus.TALKING)
    await centre.turn(1)
    assert [leg.callback for leg in centre.outbound.made] == [callback]


async def test_a_deferred_enquiry_waits_for_its_operator_and_keeps_nobody_else(centre: Centre) -> None:
    """§14: the appointed operator is on the line; another callback is begun meanwhile."""
    centre.operators(1, talking=1)
    answer = centre.promise(source=Source.DEFERRED, operator="202", arrived_at=START - MINUTE)
    other = centre.promise(number="+73432000002")
    await centre.turn()
    await centre.turn(30)
    assert [leg.callback for leg in centre.outbound.made] == [other.id]
    key = ("general", "202")
    centre.view.members[key] = replace(centre.view.members[key], status=MemberStatus.FREE)
    await centre.turn(1)
    [_, leg] = centre.outbound.made
    assert (leg.callback, leg.operator) == (answer.id, "202")


async def test_an_appointed_operator_who_does_not_come_is_replaced_in_the_end(centre: Centre) -> None:
    centre.operators(1)
    answer = centre.promise(source=Source.DEFERRED, operator="299")
    await centre.turn()
    await centre.turn(centre.settings.deferred.operator_seconds - 1)
    assert centre.outbound.made == []
    await centre.turn(1)
    assert [leg.callback for leg in centre.outbound.made] == [answer.id]


async def test_no_callback_is_begun_before_who_has_waited_longer(centre: Centre) -> None:
    """One more than the free operators may precede; a live caller who came later is passed."""
    centre.operators(1)
    callback = centre.promise(arrived_at=START - 5 * MINUTE)
    await centre.turn()
    centre.clock.forward(30)
    centre.waits(START - 8 * MINUTE, START - 7 * MINUTE, START - MINUTE)
    await centre.turn()
    assert centre.outbound.made == []
    centre.view.waiting.popitem()
    centre.view.waiting.pop(next(iter(centre.view.waiting)))
    centre.waits(START - MINUTE)
    await centre.turn(1)
    [leg] = centre.outbound.made
    assert (leg.callback, leg.place) == (callback.id, 2)


async def test_who_waits_on_the_line_and_is_known_by_a_turn_counts_by_the_first_arrival(
    centre: Centre,
) -> None:
    centre.operators(0, talking=1)
    callback = centre.promise(arrived_at=START - 5 * MINUTE)
    await centre.turn()
    centre.clock.forward(30)
    await centre.turn()
    waiting = waiting_call(call_of(callback.id, 1))
    turns = centre.do(lambda uow: uow.queues.turns([waiting]))
    assert turns[waiting].first_arrived_at == START - 5 * MINUTE
    assert turns[waiting].queue == "general"


async def test_a_cap_on_attempts_in_an_hour_stops_everything_with_a_sentence(centre: Centre) -> None:
    centre.settings = settings(attempts_per_hour=1)
    centre.__post_init__()
    centre.operators(2)
    first, second = await due(centre, 2)
    await centre.turn()
    centre.end(centre.answer(first), ContactOutcome.SERVED)
    leg = centre.callback(second).leg
    refused = centre.do(
        lambda uow: attempts.begin(uow, second, leg, centre.clock.now(), centre.rules, node="node1")
    )
    assert refused is None
    assert centre.callback(second).state is State.RETRY
    centre.clock.forward(60)
    with pytest.raises(Unavailable, match="1 callbacks were dialled within an hour"):
        await centre.turn()
    await centre.turn(3600)
    assert [leg.callback for leg in centre.outbound.made] == [first, second, second]


async def test_without_a_trunk_callbacks_wait_and_it_is_said(centre: Centre) -> None:
    centre.settings = settings(trunk="")
    centre.__post_init__()
    centre.operators(1)
    callback = centre.promise()
    await centre.turn()
    with pytest.raises(Unavailable, match="1 callbacks are due and no trunk is named"):
        await centre.turn(60)
    assert centre.callback(callback.id).state is State.WAITING


async def test_who_is_on_the_line_is_not_dialled_and_is_looked_at_again(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    centre.do(lambda uow: uow.cards.open(call="node1-2.2", node="node1", number=callback.number, at=START))
    await centre.turn()
    await centre.turn(30)
    assert centre.outbound.made == []
    centre.do(lambda uow: uow.cards.change_contact("node1-2.2", outcome=ContactOutcome.SILENCE))
    await centre.turn(30)
    assert [leg.callback for leg in centre.outbound.made] == [callback.id]


# --- the citizen first ------------------------------------------------------------------------------


async def test_at_an_agreed_time_the_attempt_is_a_row_before_the_leg_is_made(centre: Centre) -> None:
    """§13: the citizen is called first, then the operator who agreed it."""
    centre.operators(0, talking=1)
    centre.waits(START - MINUTE)
    callback = centre.promise(source=Source.AGREED, due=START + 5 * MINUTE, operator="207")
    await centre.turn()
    seen: list[tuple[State, int]] = []
    begin = centre.outbound.begin

    async def looking(leg: object) -> None:
        now = centre.callback(callback.id)
        seen.append((now.state, len(now.attempts)))
        await begin(leg)  # type: ignore[arg-type]

    centre.outbound.begin = looking  # type: ignore[method-assign]
    await centre.turn(300)
    [leg] = centre.outbound.made
    assert (leg.place, leg.operator, leg.number) == (1, "207", callback.number)
    assert seen == [(State.DIALLING_CITIZEN, 1)]
    [_, contact] = centre.do(lambda uow: uow.cards.get(callback.card)).contacts
    assert (contact.call, contact.direction) == (call_of(callback.id, 1), Direction.OUTBOUND)


# --- legs and the floor -----------------------------------------------------------------------------


async def test_states_follow_what_happens_on_the_floor(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    await centre.turn()
    await centre.turn(30)
    call = call_of(callback.id, 1)
    await centre.hear(FloorKind.RINGING, waiting_call(call), linked=call)
    assert centre.callback(callback.id).state is State.DIALLING_OPERATOR
    await centre.hear(FloorKind.NO_ANSWER, waiting_call(call), linked=call)
    assert centre.callback(callback.id).state is State.QUEUED
    await centre.hear(FloorKind.RINGING, waiting_call(call), linked=call)
    centre.answer(callback.id)
    await centre.hear(FloorKind.BRIDGED, "node1-5.5", linked=call, extension="201")
    assert centre.callback(callback.id).state is State.DIALLING_CITIZEN
    await centre.hear(FloorKind.BRIDGED, "node1-6.6", linked=call)
    assert centre.callback(callback.id).state is State.TALKING
    assert centre.end(call, ContactOutcome.SERVED) is State.DONE


async def test_an_agreed_callback_talks_when_an_operator_takes_the_citizen(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise(source=Source.AGREED)
    await centre.turn()
    await centre.turn(1)
    call = call_of(callback.id, 1)
    await centre.hear(FloorKind.BRIDGED, "node1-6.6", linked=call)
    assert centre.callback(callback.id).state is State.DIALLING_CITIZEN
    await centre.hear(FloorKind.CONNECTED, call, extension="201")
    assert centre.callback(callback.id).state is State.TALKING


async def test_a_leg_that_ends_before_the_citizen_was_dialled_is_no_attempt(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    await centre.turn()
    await centre.turn(30)
    call = call_of(callback.id, 1)
    centre.outbound.legs.clear()
    await centre.hear(FloorKind.HUNG_UP, call)
    after = centre.callback(callback.id)
    assert (after.state, after.attempts) == (State.RETRY, ())
    await centre.turn(30)
    assert [leg.leg for leg in centre.outbound.made] == [1, 2]


async def test_a_leg_that_asterisk_never_had_is_made_anew_after_the_grace(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    await centre.turn()
    centre.outbound.down = True
    await centre.turn(30)
    centre.outbound.down = False
    await centre.legs.look()
    assert centre.callback(callback.id).state is State.QUEUED
    centre.clock.forward(20)
    await centre.legs.look()
    assert centre.callback(callback.id).state is State.RETRY
    await centre.turn(30)
    assert [leg.leg for leg in centre.outbound.made] == [2]


async def test_a_leg_that_was_made_although_nobody_heard_of_it_is_adopted(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    await centre.turn()
    centre.outbound.deaf = True
    await centre.turn(30)
    for _ in range(10):
        centre.clock.forward(10)
        await centre.legs.look()
    assert centre.callback(callback.id).state is State.QUEUED
    centre.answer(callback.id)


async def test_an_attempt_whose_end_nobody_tells_counts_and_is_retried_by_the_plan(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    call = await centre.until_dialled(callback.id)
    centre.outbound.legs.clear()  # Asterisk was killed, and its journals with it
    await centre.legs.look()
    centre.clock.forward(59)
    await centre.legs.look()
    assert centre.callback(callback.id).state is State.DIALLING_CITIZEN
    centre.clock.forward(1)
    await centre.legs.look()
    after = centre.callback(callback.id)
    assert (after.state, [attempt.result for attempt in after.attempts]) == (State.RETRY, ["unknown"])
    assert after.due >= after.attempts[0].at + timedelta(hours=1)
    contact = centre.do(lambda uow: uow.cards.contact(call))
    assert contact is not None
    assert contact.outcome is ContactOutcome.UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "state", "result"), [(4, State.RETRY, "unknown"), (5, State.DONE, "served")]
)
async def test_a_talk_whose_end_no_journal_has_is_as_long_as_it_was_seen(
    centre: Centre, seconds: int, state: State, result: str
) -> None:
    """A full disk, say, when the operator hung up."""
    centre.operators(1)
    callback = centre.promise()
    call = await centre.until_dialled(callback.id)
    centre.outbound.legs.add(call)
    await centre.hear(FloorKind.CONNECTED, call, extension="201")
    await centre.legs.look()
    centre.clock.forward(seconds)
    await centre.legs.look()
    centre.outbound.legs.clear()
    for _ in range(2):
        centre.clock.forward(60)
        await centre.legs.look()
    after = centre.callback(callback.id)
    assert (after.state, [attempt.result for attempt in after.attempts]) == (state, [result])
    contact = centre.do(lambda uow: uow.cards.contact(call))
    assert contact is not None and (contact.outcome, contact.talking_s) == (result, seconds)


async def test_what_was_withdrawn_is_hung_up_at_once_and_a_stray_leg_when_it_stays(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    await centre.turn()
    await centre.turn(30)
    call, stray = call_of(callback.id, 1), call_of(callback.id, 7)
    centre.outbound.legs.add(stray)
    centre.do(lambda uow: uow.callbacks.save(uow.callbacks.get(callback.id).move(State.CANCELLED)))
    await centre.legs.look()
    assert centre.outbound.legs == set()
    other = centre.promise(number="+73432000009")
    stray = call_of(other.id, 3)
    centre.outbound.legs.add(stray)
    await centre.legs.look()
    assert centre.outbound.legs == {stray}
    await centre.legs.look()
    assert centre.outbound.legs == set()
    assert call not in centre.outbound.legs


async def test_legs_of_another_node_are_left_alone(centre: Centre) -> None:
    centre.operators(1)
    callback = centre.promise()
    await centre.turn()
    await centre.turn(30)
    centre.outbound.legs.clear()
    other = Centre(store=centre.store, clock=centre.clock, node="node2")
    for _ in range(3):
        await other.legs.look()
        centre.clock.forward(100)
    assert centre.callback(callback.id).state is State.QUEUED
