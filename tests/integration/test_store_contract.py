"""What every store must do, on both databases and in memory: cards, contacts, callbacks and their rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.domain.callback import Attempt, State
from ivr.domain.enquiry import ContactOutcome, Direction, Level, Outcome
from ivr.domain.errors import NotFound
from ivr.ports import Store, UnitOfWork
from tests.integration.storing import AT, NUMBER, a_callback, a_card, do

# --- transactions ----------------------------------------------------------------------------------


def test_leaving_without_commit_rolls_back(store: Store) -> None:
    with store.transaction() as uow:
        uow.cards.open(call="c", node="node1", number=None, at=AT)
    assert do(store, lambda uow: uow.cards.list()) == []


def test_an_exception_rolls_back_and_comes_through(store: Store) -> None:
    def work(uow: UnitOfWork) -> None:
        uow.cards.open(call="c", node="node1", number=None, at=AT)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        do(store, work)
    assert do(store, lambda uow: uow.cards.list()) == []


# --- cards -----------------------------------------------------------------------------------------


def test_a_new_card_has_its_inbound_contact_and_is_empty_otherwise(store: Store) -> None:
    card = a_card(store)
    assert (card.registered_at, card.number, card.level) == (AT, NUMBER, Level.NONE)
    assert card.registration_number == "2026-000001"
    assert (card.questions, card.comment, card.answer, card.answer_source, card.topics) == (
        "",
        "",
        "",
        "",
        (),
    )
    assert (card.closed_at, card.outcome, card.confirmed, card.operator, card.agency) == (None,) * 5
    [contact] = card.contacts
    assert (contact.call, contact.direction, contact.at) == ("node1-1.1", Direction.INBOUND, AT)
    assert (contact.waiting_s, contact.talking_s, contact.wrapup_s, contact.outcome) == (0, 0, 0, None)


def test_opening_the_card_of_a_call_again_gives_the_same_card(store: Store) -> None:
    assert a_card(store) == a_card(store, at=AT + timedelta(seconds=3), number="+79990000000")
    assert len(do(store, lambda uow: uow.cards.list())) == 1


def test_the_same_uniqueid_on_another_node_is_another_call(store: Store) -> None:
    first = a_card(store)
    second = do(store, lambda uow: uow.cards.open(call="node1-1.1", node="node2", number=None, at=AT))
    assert first.id != second.id


def test_a_number_that_comes_later_completes_the_card(store: Store) -> None:
    assert a_card(store, number=None).number is None
    assert a_card(store).number == NUMBER
    assert do(store, lambda uow: uow.cards.list())[0].number == NUMBER


def test_registration_numbers_count_by_the_sites_year_without_a_gap(store: Store) -> None:
    """New Year comes to Yekaterinburg five hours before it comes to Greenwich."""
    eve = datetime(2026, 12, 31, 18, 59, tzinfo=UTC)
    assert a_card(store, "a", at=eve).registration_number == "2026-000001"
    with store.transaction() as uow:
        uow.cards.open(call="undone", node="node1", number=None, at=eve)
    assert a_card(store, "b", at=eve).registration_number == "2026-000002"
    assert a_card(store, "c", at=eve + timedelta(minutes=1)).registration_number == "2027-000001"


def test_a_card_is_found_by_id_registration_number_and_call(store: Store) -> None:
    card = a_card(store)
    assert do(store, lambda uow: uow.cards.get(card.id)) == card
    assert do(store, lambda uow: uow.cards.get(card.registration_number)) == card
    assert do(store, lambda uow: uow.cards.of_call("node1-1.1")) == card
    assert do(store, lambda uow: uow.cards.of_call("other")) is None
    with pytest.raises(NotFound, match="2026-000009"):
        do(store, lambda uow: uow.cards.get("2026-000009"))


def test_cards_are_listed_newest_first_since_a_time_and_up_to_a_limit(store: Store) -> None:
    ids = [a_card(store, f"c{n}", at=AT + timedelta(minutes=n)).id for n in range(4)]
    listed = [card.id for card in do(store, lambda uow: uow.cards.list())]
    assert listed == ids[::-1]
    since = do(store, lambda uow: uow.cards.list(since=AT + timedelta(minutes=2)))
    assert [card.id for card in since] == [ids[3], ids[2]]
    assert [card.id for card in do(store, lambda uow: uow.cards.list(limit=1))] == [ids[3]]


def test_every_field_of_a_card_comes_back_as_it_was_set(store: Store) -> None:
    fields = {
        "questions": "Почему отказали? \N{SNOWMAN}",
        "comment": "строка\nдругая",
        "answer_source": "приказ",
        "answer": "Доход выше порога",
        "level": Level.APPLICATION,
        "agency": "soc",
        "operator": "201",
        "confirmed": False,
        "callback_at": AT + timedelta(days=1),
        "closed_at": AT + timedelta(minutes=5),
        "outcome": Outcome.SERVED,
    }
    id_ = a_card(store).id
    do(store, lambda uow: uow.cards.change(id_, **fields))
    changed = do(store, lambda uow: uow.cards.get(id_))
    assert {name: getattr(changed, name) for name in fields} == fields
    do(store, lambda uow: uow.cards.change(id_, answer="", outcome=None, confirmed=None))
    emptied = do(store, lambda uow: uow.cards.get(id_))
    assert (emptied.answer, emptied.outcome, emptied.confirmed) == ("", None, None)
    assert emptied.questions == fields["questions"]


@pytest.mark.parametrize("field", ["id", "registration_number", "registered_at", "number", "contacts", "x"])
def test_what_identifies_a_card_cannot_be_changed(store: Store, field: str) -> None:
    id_ = a_card(store).id
    with pytest.raises(TypeError, match=field):
        do(store, lambda uow: uow.cards.change(id_, **{field: "1"}))


def test_changing_a_card_that_is_not_there_is_told(store: Store) -> None:
    for work in (
        lambda uow: uow.cards.change("nobody", comment="x"),
        lambda uow: uow.cards.add_topic("nobody", agency="soc", topic="x"),
        lambda uow: uow.cards.close("nobody", outcome=Outcome.SERVED, at=AT),
        lambda uow: uow.cards.change_contact("nobody", waiting_s=1),
    ):
        with pytest.raises(NotFound, match="nobody"):
            do(store, work)


def test_topics_stand_in_the_order_they_were_added_each_once_and_the_last_agency_is_the_cards(
    store: Store,
) -> None:
    id_ = a_card(store).id
    for agency, topic in (("soc", "Пособия"), ("szn", "Работа"), ("soc", "Пособия")):
        do(store, lambda uow, a=agency, t=topic: uow.cards.add_topic(id_, agency=a, topic=t))
    card = do(store, lambda uow: uow.cards.get(id_))
    assert (card.topics, card.agency) == (("Пособия", "Работа"), "soc")
    do(store, lambda uow: uow.cards.change(id_, topics=("Работа", "Льготы")))
    assert do(store, lambda uow: uow.cards.get(id_)).topics == ("Работа", "Льготы")


def test_a_closed_card_has_its_outcome_and_time(store: Store) -> None:
    id_ = a_card(store).id
    do(store, lambda uow: uow.cards.close(id_, outcome=Outcome.SILENCE, at=AT))
    card = do(store, lambda uow: uow.cards.get(id_))
    assert (card.outcome, card.closed_at) == (Outcome.SILENCE, AT)


# --- contacts and calls ----------------------------------------------------------------------------


def test_the_three_times_and_the_outcome_of_a_contact_are_kept(store: Store) -> None:
    a_card(store)
    fields = {"waiting_s": 31, "talking_s": 120, "wrapup_s": 7, "outcome": ContactOutcome.SERVED}
    do(store, lambda uow: uow.cards.change_contact("node1-1.1", **fields))
    contact = do(store, lambda uow: uow.cards.contact("node1-1.1"))
    assert contact is not None and {name: getattr(contact, name) for name in fields} == fields
    assert do(store, lambda uow: uow.cards.contact("other")) is None
    assert do(store, lambda uow: uow.cards.known(["other", "node1-1.1", "x"])) == {"node1-1.1"}
    assert do(store, lambda uow: uow.cards.known([])) == set()
    with pytest.raises(TypeError, match="at"):
        do(store, lambda uow: uow.cards.change_contact("node1-1.1", at=AT))


def test_calls_are_listed_newest_first_with_what_became_of_them(store: Store) -> None:
    first, second = a_card(store, "a"), a_card(store, "b", number=None, at=AT + timedelta(seconds=1))
    do(store, lambda uow: uow.cards.change_contact("a", outcome=ContactOutcome.ABANDONED_IVR))
    newest, oldest = do(store, lambda uow: uow.cards.calls())
    assert (newest.call, newest.number, newest.card, newest.state) == ("b", None, second.id, "in_progress")
    assert (oldest.call, oldest.number, oldest.card, oldest.state) == ("a", NUMBER, first.id, "ended")
    assert (newest.outcome, oldest.outcome) == (None, ContactOutcome.ABANDONED_IVR)
    assert [row.call for row in do(store, lambda uow: uow.cards.calls(limit=1))] == ["b"]


def test_unfinished_are_a_nodes_calls_until_card_and_contact_have_an_outcome_oldest_first(
    store: Store,
) -> None:
    for n, call in enumerate(("late", "early", "closed", "ended")):
        a_card(store, call, at=AT - timedelta(minutes=n))
    do(store, lambda uow: uow.cards.open(call="theirs", node="node2", number=None, at=AT))
    for call in ("early", "ended"):
        do(store, lambda uow, call=call: uow.cards.change_contact(call, outcome=ContactOutcome.SERVED))
    for call in ("closed", "ended"):
        card = do(store, lambda uow, call=call: uow.cards.of_call(call))
        assert card is not None
        do(store, lambda uow, card=card: uow.cards.close(card.id, outcome=Outcome.SILENCE, at=AT))
    assert do(store, lambda uow: uow.cards.unfinished("node1")) == ["closed", "early", "late"]
    assert do(store, lambda uow: uow.cards.unfinished("node2")) == ["theirs"]


# --- callbacks -------------------------------------------------------------------------------------


def test_a_callback_comes_back_as_it_was_requested(store: Store) -> None:
    asked = a_callback(a_card(store).id, attempts=(Attempt(at=AT, result="busy"),))
    assert do(store, lambda uow: uow.callbacks.request(asked)) == asked
    assert do(store, lambda uow: uow.callbacks.get(asked.id)) == asked
    assert do(store, lambda uow: uow.callbacks.open_for_card(asked.card)) == asked
    assert do(store, lambda uow: uow.callbacks.open_for_card("other")) is None


def test_a_number_has_one_open_callback_and_another_one_once_that_is_over(store: Store) -> None:
    card = a_card(store).id
    first, second = a_callback(card), a_callback(card)
    do(store, lambda uow: uow.callbacks.request(first))
    assert do(store, lambda uow: uow.callbacks.request(second)) == first
    do(store, lambda uow: uow.callbacks.save(first.move(State.CANCELLED)))
    assert do(store, lambda uow: uow.callbacks.request(second)) == second
    assert len(do(store, lambda uow: uow.callbacks.list())) == 2
    assert do(store, lambda uow: uow.callbacks.list(open_only=True)) == [second]


def test_callbacks_are_listed_in_the_order_of_due(store: Store) -> None:
    card = a_card(store).id
    asked = [
        a_callback(card, number=f"+7912000000{n}", due=AT + timedelta(minutes=minutes))
        for n, minutes in enumerate((5, 1, 3))
    ]
    for callback in asked:
        do(store, lambda uow, c=callback: uow.callbacks.request(c))
    listed = do(store, lambda uow: uow.callbacks.list())
    assert [callback.id for callback in listed] == [asked[1].id, asked[2].id, asked[0].id]


def test_a_saved_callback_has_its_new_state_due_and_attempts(store: Store) -> None:
    asked = a_callback(a_card(store).id)
    do(store, lambda uow: uow.callbacks.request(asked))
    tried = replace(
        asked.move(State.WAITING),
        due=AT + timedelta(hours=1),
        attempts=(Attempt(at=AT, result="no_answer"), Attempt(at=AT, result="unknown")),
    )
    do(store, lambda uow: uow.callbacks.save(tried))
    assert do(store, lambda uow: uow.callbacks.get(asked.id)) == tried


def test_several_are_saved_at_once_and_keep_their_numbers(store: Store) -> None:
    card = a_card(store).id
    asked = [a_callback(card, number=f"+7912000000{n}") for n in range(2)]
    do(store, lambda uow: [uow.callbacks.request(callback) for callback in asked])
    attempts = (Attempt(at=AT, result="busy", leg=1),)
    moved = [replace(one, state=State.RETRY, attempts=attempts, number=NUMBER) for one in asked]
    do(store, lambda uow: uow.callbacks.save(*moved))
    wanted = [replace(one, state=State.RETRY, attempts=attempts) for one in asked]
    assert do(store, lambda uow: [uow.callbacks.get(one.id) for one in asked]) == wanted


def test_a_callback_of_no_card_and_an_unknown_callback_are_told(store: Store) -> None:
    for work in (
        lambda uow: uow.callbacks.request(a_callback("nocard")),
        lambda uow: uow.callbacks.get("nobody"),
        lambda uow: uow.callbacks.save(a_callback("nocard")),
        lambda uow: uow.callbacks.save(*uow.callbacks.list(), a_callback("nocard")),
    ):
        with pytest.raises(NotFound):
            do(store, work)
