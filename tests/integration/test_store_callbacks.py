"""What every store must do for whoever dials callbacks, on both databases and in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ivr.domain.callback import PENDING_STATES, Attempt, Callback, Source, State
from ivr.domain.enquiry import ContactOutcome, Direction
from ivr.domain.errors import NotFound
from ivr.domain.ids import new_id
from ivr.ports import CallbackCounts, Store
from tests.integration.storing import AT, NUMBER, a_callback, a_card, do

MINUTE = timedelta(minutes=1)


def some(store: Store, *rows: dict[str, object]) -> list[Callback]:
    """Callbacks of one card with these fields, each to a number of its own."""
    card = a_card(store).id
    made = [a_callback(card, number=f"+7343200{n:04}", **row) for n, row in enumerate(rows)]  # type: ignore[arg-type]
    do(store, lambda uow: [uow.callbacks.request(callback) for callback in made])
    return made


def waiting(arrived: int = 0, due: int = 0, **more: object) -> dict[str, object]:
    """Minutes from AT."""
    times = {"arrived_at": AT + arrived * MINUTE, "due": AT + due * MINUTE}
    return {"state": State.WAITING, **times, **more}


# --- callbacks --------------------------------------------------------------------------------------


def test_legs_operators_and_attempts_come_back_as_they_were_saved(store: Store) -> None:
    [asked] = some(store, {})
    assert (asked.leg, asked.leg_at, asked.node, asked.operator) == (0, None, "", None)
    attempt = Attempt(at=AT, result="unknown", leg=3)
    called = replace(asked, leg=3, leg_at=AT, node="node2", operator="207", attempts=(attempt,))
    do(store, lambda uow: uow.callbacks.save(called))
    assert do(store, lambda uow: uow.callbacks.get(asked.id)) == called


def test_several_are_held_at_once_and_who_is_not_there_is_left_out(store: Store) -> None:
    asked = sorted(some(store, {}, {}, {}), key=lambda callback: callback.id)
    ids = [asked[2].id, "nobody", asked[0].id]
    assert do(store, lambda uow: uow.callbacks.held(ids)) == [asked[0], asked[2]]
    assert do(store, lambda uow: uow.callbacks.held([])) == []


def test_what_is_taken_is_due_in_its_state_and_queue_and_in_the_order_of_arrival(store: Store) -> None:
    late, early, other, future, done = some(
        store,
        waiting(2),
        waiting(1, state=State.RETRY),
        waiting(0, queue="szn-1"),
        waiting(0, 5),
        waiting(0, state=State.DONE),
    )
    assert done.state is State.DONE

    def take(
        states: Collection[State], *, queue: str | None = None, limit: int = 10, by: datetime | None = AT
    ) -> list[Callback]:
        found = do(store, lambda uow: uow.callbacks.take(states, due_by=by, queue=queue, limit=limit))
        return list(found)

    assert take(PENDING_STATES, queue="general") == [early, late]
    assert take(PENDING_STATES) == [other, early, late]
    assert take({State.WAITING}, queue="general") == [late]
    assert take(PENDING_STATES, queue="general", limit=1) == [early]
    assert future in take(PENDING_STATES, by=None)


def test_callbacks_of_few_states_are_listed_by_arrival(store: Store) -> None:
    second, first, _ = some(
        store, waiting(2, state=State.QUEUED), waiting(1, state=State.TALKING), waiting(0)
    )
    found = do(store, lambda uow: uow.callbacks.in_states({State.QUEUED, State.TALKING}))
    assert list(found) == [first, second]


def test_due_ones_are_counted_by_queue(store: Store) -> None:
    some(
        store,
        waiting(),
        waiting(),
        waiting(queue="szn-1", state=State.RETRY),
        waiting(due=1),
        waiting(state=State.QUEUED),
    )
    assert dict(do(store, lambda uow: uow.callbacks.due_queues(AT))) == {"general": 2, "szn-1": 1}


def test_counts_tell_states_open_sources_and_the_oldest_that_is_late(store: Store) -> None:
    nothing = CallbackCounts(by_state={}, by_source={}, oldest_due=None)
    assert do(store, lambda uow: uow.callbacks.counts(AT)) == nothing
    some(
        store,
        waiting(due=-3),
        waiting(due=-9, state=State.TALKING, source=Source.QUEUE),
        waiting(due=-9, state=State.DONE, source=Source.QUEUE),
    )
    counts = do(store, lambda uow: uow.callbacks.counts(AT))
    assert dict(counts.by_state) == {"waiting": 1, "talking": 1, "done": 1}
    assert dict(counts.by_source) == {"closed": 1, "queue": 1}
    assert counts.oldest_due == AT - 3 * MINUTE


def test_the_open_callback_of_a_number_is_found_and_one_that_is_over_is_not(store: Store) -> None:
    [asked] = some(store, {})
    find = lambda: do(store, lambda uow: uow.callbacks.open_for_number(asked.number))  # noqa: E731
    assert find() == asked
    assert do(store, lambda uow: uow.callbacks.open_for_number(NUMBER)) is None
    do(store, lambda uow: uow.callbacks.save(asked.move(State.CANCELLED)))
    assert find() is None


def test_all_callbacks_to_a_number_are_found_the_newest_first(store: Store) -> None:
    card = a_card(store).id
    made = [
        replace(a_callback(card), id=new_id(AT + n * MINUTE), state=state)
        for n, state in enumerate((State.DONE, State.CANCELLED, State.WAITING))
    ]
    do(store, lambda uow: [uow.callbacks.request(callback) for callback in made])
    assert do(store, lambda uow: uow.callbacks.of_number(NUMBER)) == made[::-1]
    assert do(store, lambda uow: uow.callbacks.of_number(NUMBER, limit=1)) == made[2:]
    assert do(store, lambda uow: uow.callbacks.of_number("+73432000001")) == []


# --- cards and contacts -----------------------------------------------------------------------------


def test_an_attempt_is_an_outbound_contact_once(store: Store) -> None:
    card = a_card(store)
    for _ in range(2):
        do(store, lambda uow: uow.cards.dialled(card.id, call="ekc-cb-x-1", node="node1", at=AT + MINUTE))
    [inbound, outbound] = do(store, lambda uow: uow.cards.get(card.id)).contacts
    assert (inbound.direction, outbound.direction) == (Direction.INBOUND, Direction.OUTBOUND)
    assert (outbound.call, outbound.at, outbound.outcome) == ("ekc-cb-x-1", AT + MINUTE, None)
    found = do(store, lambda uow: uow.cards.of_call("ekc-cb-x-1"))
    assert found is not None
    assert found.id == card.id
    assert do(store, lambda uow: uow.cards.outbound(AT + MINUTE)) == [outbound]
    assert do(store, lambda uow: uow.cards.outbound(AT + 2 * MINUTE)) == []
    with pytest.raises(NotFound):
        do(store, lambda uow: uow.cards.dialled("nobody", call="c", node="node1", at=AT))


def test_who_is_on_the_line_is_known_by_number_until_the_call_has_ended(store: Store) -> None:
    a_card(store, "node1-1.1")

    def on_the_line(since: timedelta = timedelta()) -> bool:
        return do(store, lambda uow: uow.cards.on_the_line(NUMBER, since=AT + since))

    assert on_the_line()
    assert not on_the_line(MINUTE)
    do(store, lambda uow: uow.cards.change_contact("node1-1.1", outcome=ContactOutcome.SERVED))
    assert not on_the_line()


def test_who_is_being_called_is_not_on_the_line(store: Store) -> None:
    card = do(store, lambda uow: uow.cards.register(number=NUMBER, at=AT))
    do(store, lambda uow: uow.cards.dialled(card.id, call="ekc-cb-x-1", node="node1", at=AT))
    assert not do(store, lambda uow: uow.cards.on_the_line(NUMBER, since=AT))


def test_a_registered_card_has_a_number_of_its_own_and_no_contact(store: Store) -> None:
    first = a_card(store)
    card = do(store, lambda uow: uow.cards.register(number="+73432000001", at=AT))
    assert (card.number, card.contacts, card.outcome) == ("+73432000001", (), None)
    assert card.registration_number == "2026-000002" != first.registration_number
    assert do(store, lambda uow: uow.cards.get(card.id)) == card
