"""An agreed time (§13) is a callback: refused in words, moved as long as it has not begun."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ivr.domain.callback import Callback, Source, State
from ivr.domain.enquiry import Card, ContactOutcome
from ivr.domain.errors import BadInput
from ivr.domain.ids import new_id
from ivr.domain.operators import Operator
from ivr.domain.waiting import Turn
from ivr.services import agreed
from ivr.services.audit import By
from ivr.settings import AgreedSettings, Settings
from tests.unit.memory import START, Rows

SETTINGS = Settings(agreed=AgreedSettings(per_slot=1))
BY = By(actor="201", at=START)
NUMBER, OTHER = "+79123456789", "+79123450000"
TOMORROW = START + timedelta(hours=20)
"""Wednesday 25 November, 11:00 by the site's clock."""


def a_card(rows: Rows, call: str = "1.1", *, number: str | None = NUMBER) -> Card:
    card = rows.cards.open(call=call, node="node1", number=number, at=START - timedelta(minutes=5))
    rows.cards.change_contact(call, talking_s=40, outcome=ContactOutcome.SERVED)
    rows.cards.change(card.id, operator="201")
    return rows.cards.get(card.id)


def agree(rows: Rows, card: Card, at: datetime = TOMORROW) -> Callback:
    return agreed.agree(rows, BY, card, at, SETTINGS)


def asked(rows: Rows, card: Card, **more: object) -> Callback:
    callback = Callback(
        id=new_id(START),
        card=card.id,
        number=NUMBER,
        source=Source.ABANDONED,
        queue="szn-1",
        arrived_at=START - timedelta(hours=1),
        due=START,
    )
    return rows.callbacks.request(replace(callback, **more))  # type: ignore[arg-type]


def test_the_agreement_is_a_callback_to_the_citizen_and_stands_on_the_card() -> None:
    rows = Rows()
    card = a_card(rows)
    callback = agree(rows, card)
    assert (callback.source, callback.due, callback.operator) == (Source.AGREED, TOMORROW, "201")
    assert (callback.card, callback.number, callback.arrived_at) == (card.id, NUMBER, card.registered_at)
    assert rows.cards.get(card.id).callback_at == TOMORROW
    assert rows.callbacks.list(open_only=True) == [callback]
    assert [(row.action, row.subject) for row in rows.audit.rows] == [("callbacks.agree", callback.id)]


def test_the_citizen_is_called_by_the_queue_that_he_was_in() -> None:
    rows = Rows()
    card = a_card(rows)
    turn = Turn(call="1.1", card=card.id, queue="szn-2", first_arrived_at=START, priority=0)
    rows.queues.take_turn(turn)
    assert agree(rows, card).queue == "szn-2"


def test_without_a_queue_it_is_the_agencys_first_line_or_the_general_one() -> None:
    rows = Rows()
    one, two = a_card(rows), a_card(rows, "1.2", number=OTHER)
    rows.cards.change(one.id, agency="szn")
    assert agree(rows, rows.cards.get(one.id)).queue == "szn-1"
    assert agree(rows, two, TOMORROW + timedelta(hours=1)).queue == "general"


def test_the_operator_is_the_one_who_talks_now_before_the_call_is_settled() -> None:
    rows = Rows()
    card = rows.cards.open(call="1.1", node="node1", number=NUMBER, at=START)
    rows.operators.add(Operator(extension="202", name="Анна", agency="szn", line=1, since=START), "x")
    rows.operators.note_talk("202", "1.1")
    assert agree(rows, card).operator == "202"


def test_a_full_slot_is_refused_with_the_next_free_one() -> None:
    rows = Rows()
    agree(rows, a_card(rows, "1.2", number=OTHER))
    with pytest.raises(BadInput, match=r"11:00 is full; the next free slot is 2026-11-25T11:30"):
        agree(rows, a_card(rows), TOMORROW + timedelta(minutes=5))


def test_the_last_slot_before_a_time_too_far_away_is_no_answer_so_the_first_one_is() -> None:
    rows = Rows()
    with pytest.raises(BadInput, match=r"14 days away; the next free slot is 2026-12-08T15:00"):
        agree(rows, a_card(rows), START + timedelta(days=40))


def test_another_time_moves_the_call_and_frees_the_slot() -> None:
    rows = Rows()
    card = a_card(rows)
    before = agree(rows, card)
    later = agree(rows, card, TOMORROW + timedelta(minutes=10))
    assert later.id == before.id
    assert agree(rows, card, TOMORROW + timedelta(hours=2)).due == TOMORROW + timedelta(hours=2)
    assert agree(rows, a_card(rows, "1.2", number=OTHER)).due == TOMORROW
    assert rows.audit.rows[1].result == "moved"


def test_a_callback_that_is_owed_already_becomes_the_agreed_one_and_keeps_its_place() -> None:
    rows = Rows()
    earlier = asked(rows, a_card(rows))
    card = a_card(rows, "1.2")
    moved = agree(rows, card)
    assert moved == replace(earlier, card=card.id, source=Source.AGREED, due=TOMORROW, operator="201")
    assert rows.callbacks.list() == [moved]


@pytest.mark.parametrize("state", [State.QUEUED, State.DIALLING_CITIZEN, State.TALKING])
def test_a_call_that_has_begun_is_not_moved(state: State) -> None:
    rows = Rows()
    card = a_card(rows)
    asked(rows, card, state=state)
    with pytest.raises(BadInput, match=f"is {state.value}; wait for its end"):
        agree(rows, card)
    assert rows.cards.get(card.id).callback_at is None


def test_the_call_about_another_deferred_enquiry_is_not_taken_for_this_one() -> None:
    rows = Rows()
    asked(rows, a_card(rows), source=Source.DEFERRED)
    with pytest.raises(BadInput, match="another, deferred enquiry"):
        agree(rows, a_card(rows, "1.2"))


@pytest.mark.parametrize(
    ("number", "why"),
    [(None, "no telephone number"), ("+78091234567", "cost extra"), ("+78006000000", "our own")],
)
def test_who_cannot_be_called_is_promised_nothing(number: str | None, why: str) -> None:
    rows = Rows()
    with pytest.raises(BadInput, match=why):
        agree(rows, a_card(rows, number=number))
    assert rows.callbacks.list() == []


def test_offered_slots_are_free_and_in_order() -> None:
    rows = Rows()
    callback = agree(rows, a_card(rows, "1.2", number=OTHER), START + timedelta(hours=1))
    found = agreed.free_slots(rows, NUMBER, START, SETTINGS, count=3)
    minutes = [(at - START).total_seconds() / 60 for at in found]
    assert minutes == [30, 90, 120]
    own = agreed.free_slots(rows, NUMBER, START, SETTINGS, besides=callback.id, count=2)
    assert own[1] == callback.due
    assert not agreed.is_free(rows, NUMBER, callback.due, START, SETTINGS, besides="")
