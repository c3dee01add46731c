"""Deferred enquiries and agreements: what every store promises of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest

from db.store import SqlStore
from ivr.domain.callback import Source, State
from ivr.domain.deferred import Deferred
from ivr.domain.deferred import State as Owed
from ivr.domain.errors import NotFound
from ivr.ports import Store, Typed, UnitOfWork
from tests.integration.conftest import Database
from tests.integration.storing import AT, NUMBER, a_callback, a_card, do

HOUR = timedelta(hours=1)
OTHERS = ("+79120000001", "+79120000002", "+79120000003")


def deferred(card: str) -> Deferred:
    return Deferred(card=card, registered_at=AT, deadline=AT + 8 * HOUR, marked_at=AT, marked_by="201")


def put(store: Store, one: Deferred) -> None:
    do(store, lambda uow: uow.deferred.put(one))


# --- deferred enquiries ---


def test_a_deferred_enquiry_comes_back_as_it_was_put(store: Store) -> None:
    one = deferred(a_card(store).id)
    assert do(store, lambda uow: uow.deferred.of_card(one.card)) is None
    put(store, one)
    assert do(store, lambda uow: uow.deferred.of_card(one.card)) == one
    full = replace(
        one,
        state=Owed.ANSWERED,
        operator="202",
        assigned_at=AT + HOUR,
        callback="01ABC",
        finished_at=AT + 2 * HOUR,
        deadline=AT + 9 * HOUR,
    )
    put(store, full)
    assert do(store, lambda uow: uow.deferred.list()) == [full]


def test_the_time_of_registration_is_the_cards(store: Store) -> None:
    one = deferred(a_card(store, at=AT + HOUR).id)
    put(store, one)
    assert do(store, lambda uow: uow.deferred.of_card(one.card)) == replace(one, registered_at=AT + HOUR)


def test_deferred_enquiries_are_listed_by_registration_open_ones_alone_or_all(store: Store) -> None:
    late = deferred(a_card(store, "1.2", at=AT + HOUR).id)
    early = deferred(a_card(store, "1.1").id)
    over = replace(deferred(a_card(store, "1.3", at=AT - HOUR).id), state=Owed.WITHDRAWN, finished_at=AT)
    for one in (late, early, over):
        put(store, one)
    ids = [one.card for one in do(store, lambda uow: uow.deferred.list())]
    assert ids == [over.card, early.card, late.card]
    assert [one.card for one in do(store, lambda uow: uow.deferred.list(open_only=True))] == ids[1:]
    within = do(store, lambda uow: uow.deferred.registered(AT - HOUR, AT + HOUR))
    assert [one.card for one in within] == ids[:2]


def test_there_is_no_deferred_enquiry_without_a_card(store: Store) -> None:
    with pytest.raises(NotFound):
        put(store, deferred("nocard"))


# --- agreements ---


def agree(uow: UnitOfWork, card: str, number: str, hours: float, **more: object) -> str:
    due = AT + timedelta(hours=hours)
    asked = a_callback(card, number=number, due=due, source=Source.AGREED, **more)
    return uow.callbacks.request(asked).id


def test_places_are_taken_by_open_agreed_calls_of_the_time_and_not_by_the_one_that_is_moved(
    store: Store,
) -> None:
    card = a_card(store).id
    first = do(store, lambda uow: agree(uow, card, OTHERS[0], 1))
    do(store, lambda uow: agree(uow, card, OTHERS[1], 2))
    do(store, lambda uow: agree(uow, card, OTHERS[2], 1.5, state=State.CANCELLED))
    do(store, lambda uow: uow.callbacks.request(a_callback(card, due=AT + HOUR)))
    assert do(store, lambda uow: uow.agreements.taken(AT, AT + 3 * HOUR)) == [AT + HOUR, AT + 2 * HOUR]
    assert do(store, lambda uow: uow.agreements.taken(AT, AT + 2 * HOUR)) == [AT + HOUR]
    others = do(store, lambda uow: uow.agreements.taken(AT, AT + 3 * HOUR, besides=first))
    assert others == [AT + 2 * HOUR]


def test_numbers_that_a_caller_has_typed_are_counted_with_whether_they_are_still_open(store: Store) -> None:
    mine, other = a_card(store, "1.1").id, a_card(store, "1.2", number=OTHERS[2]).id
    for card, number, more in (
        (mine, NUMBER, {"state": State.DONE}),  # the caller's own
        (mine, OTHERS[0], {"state": State.DONE, "arrived_at": AT - HOUR}),
        (mine, OTHERS[1], {}),
        (other, "+79120000009", {}),
    ):
        asked = a_callback(card, number=number, **more)
        do(store, lambda uow, asked=asked: uow.callbacks.request(asked))
    found = do(store, lambda uow: uow.agreements.typed(NUMBER, since=AT - 2 * HOUR))
    assert found == [Typed(AT - HOUR, False), Typed(AT, True)]
    assert do(store, lambda uow: uow.agreements.typed(NUMBER, since=AT)) == [Typed(AT, True)]


def test_the_last_place_of_a_slot_is_given_once_however_many_ask_at_once(database: Database) -> None:
    stores = [database.open(node=f"node{n}") for n in range(3)]
    cards = [a_card(store, f"{n}.1", number=OTHERS[n]).id for n, store in enumerate(stores)]
    got: list[str] = []

    def ask(store: SqlStore, card: str, number: str) -> None:
        with store.transaction() as uow:
            if not uow.agreements.taken(AT, AT + 2 * HOUR):
                got.append(agree(uow, card, number, 1))
                uow.commit()

    asking = [
        Thread(target=ask, args=(store, card, number))
        for store, card, number in zip(stores, cards, OTHERS, strict=True)
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert len(got) == 1
    assert len(do(stores[0], lambda uow: uow.callbacks.list())) == 1
