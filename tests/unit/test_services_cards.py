"""Cards, callbacks, calls: reading is audited, editing is all or nothing, wrap-up is measured once (§13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ivr.domain.callback import Callback, Source, State
from ivr.domain.enquiry import ContactOutcome, Outcome
from ivr.domain.errors import BadInput, NotFound
from ivr.ports import CardSearch, JournalLine, TraceEvent
from ivr.services import callbacks, calls, cards
from ivr.services.audit import By, listed
from ivr.settings import Settings
from tests.unit.memory import START, Rows

BY = By(actor="cli:anna", at=START)
SETTINGS = Settings()


def served(rows: Rows, *, talk_ended: datetime) -> str:
    """A card whose talk of 40 s ended then; its id."""
    card = rows.cards.open(call="1.1", node="node1", number="+79123456789", at=START - timedelta(minutes=5))
    rows.cards.change_contact("1.1", talking_s=40, outcome=ContactOutcome.SERVED)
    line = JournalLine(
        node="node1",
        journal="queue_log",
        generation="g",
        offset=0,
        call="1.1",
        linked="1.1",
        at=talk_ended,
        event="COMPLETECALLER",
        data={},
    )
    rows.journal.rows.append(line)
    return card.id


def edit(rows: Rows, id_: str, by: By = BY, **change: object) -> object:
    return cards.edit(rows, by, id_, cards.Edit(**change), SETTINGS)  # type: ignore[arg-type]


def test_showing_a_card_is_audited_under_its_id() -> None:
    rows = Rows()
    card = rows.cards.open(call="1.1", node="node1", number=None, at=START)
    assert cards.show(rows, BY, card.registration_number) == card
    assert [(row.action, row.subject) for row in rows.audit.rows] == [("cards.show", card.id)]


def test_last_is_the_newest_card() -> None:
    rows = Rows()
    rows.cards.open(call="1.1", node="node1", number=None, at=START)
    newest = rows.cards.open(call="1.2", node="node1", number=None, at=START + timedelta(seconds=1))
    assert cards.find(rows, "last") == newest


def test_there_is_no_last_card_before_the_first() -> None:
    with pytest.raises(NotFound):
        cards.find(Rows(), "last")


def test_a_list_with_texts_is_audited_for_the_cards_that_have_any() -> None:
    rows = Rows()
    rows.cards.open(call="1.1", node="node1", number=None, at=START)
    second = rows.cards.open(call="1.2", node="node1", number=None, at=START)
    edit(rows, second.id, comment="перезвонить")
    rows.audit.rows.clear()
    cards.listed(rows, BY, CardSearch(), texts=False)
    assert rows.audit.rows == []
    cards.listed(rows, BY, CardSearch(), texts=True)
    assert [(row.action, row.subject) for row in rows.audit.rows] == [("cards.list", second.id)]


def test_who_looks_for_the_cards_of_a_number_or_a_citizen_is_audited_for_each() -> None:
    rows = Rows()
    card = rows.cards.open(call="1.1", node="node1", number="+79123456789", at=START)
    rows.cards.open(call="1.2", node="node1", number=None, at=START)
    rows.cards.identified(card.id, snils="11223344595")
    for wanted in (CardSearch(number="+79123456789"), CardSearch(snils="11223344595")):
        rows.audit.rows.clear()
        assert [found.id for found in cards.listed(rows, BY, wanted, texts=False)] == [card.id]
        assert [(row.action, row.subject) for row in rows.audit.rows] == [("cards.search", card.id)]


def test_every_exported_card_is_audited() -> None:
    rows = Rows()
    for call in ("1.1", "1.2"):
        rows.cards.open(call=call, node="node1", number=None, at=START)
    cards.exported(rows, BY)
    assert [row.action for row in rows.audit.rows] == ["cards.export"] * 2


def test_a_card_has_the_keys_of_the_interface() -> None:
    card = Rows().cards.open(call="1.1", node="node1", number=None, at=START)
    view = cards.view(card)
    assert " ".join(view) == (
        "id registration_number registered_at closed_at number level agency topics questions comment "
        "callback_at answer_source answer confirmed operator outcome contacts"
    )
    [contact] = view["contacts"]  # type: ignore[misc]
    assert " ".join(contact) == "call direction at waiting_s talking_s wrapup_s outcome"


def test_an_edit_sets_the_fields_and_audits_their_names_only() -> None:
    rows = Rows()
    card = rows.cards.open(call="1.1", node="node1", number=None, at=START)
    edit(rows, card.id, questions="Где пособие?", confirmed=False, topics=(("szn", "Работа"),))
    changed = rows.cards.get(card.id)
    assert (changed.questions, changed.confirmed, changed.topics) == ("Где пособие?", False, ("Работа",))
    assert rows.audit.rows[-1].result == "questions,confirmed,topics"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "nothing to change"),
        ({"comment": "я" * 10_001}, "at most 10000"),
        ({"callback_at": START}, "in the past; the next free slot is 2026-11-24T15:30"),
        ({"callback_at": START + timedelta(hours=3)}, "closed then; the next free slot is 2026-11-25T09:00"),
        ({"topics": (("zags", "Брак"),)}, "no agency"),
        ({"topics": (("szn", "два\nряда"),)}, "one line"),
        ({"complete": True}, "still in progress"),
    ],
)
def test_a_wrong_value_changes_nothing(wrong: dict[str, object], said: str) -> None:
    rows = Rows()
    card = rows.cards.open(call="1.1", node="node1", number="+79123456789", at=START)
    given = {"answer": "Ответ", **wrong} if wrong else wrong
    with pytest.raises(BadInput, match=said):
        edit(rows, card.id, **given)
    assert rows.cards.get(card.id) == card


def test_completing_closes_the_card_and_measures_the_wrap_up() -> None:
    rows = Rows()
    id_ = served(rows, talk_ended=START - timedelta(seconds=12))
    edit(rows, id_, complete=True)
    card = rows.cards.get(id_)
    assert (card.closed_at, card.outcome, card.contacts[0].wrapup_s) == (START, Outcome.SERVED, 12)


def test_wrap_up_counts_at_most_its_limit() -> None:
    rows = Rows()
    id_ = served(rows, talk_ended=START - timedelta(seconds=500))
    edit(rows, id_, complete=True)
    assert rows.cards.get(id_).contacts[0].wrapup_s == 30


def test_completing_again_changes_no_time() -> None:
    rows = Rows()
    id_ = served(rows, talk_ended=START - timedelta(seconds=12))
    edit(rows, id_, complete=True)
    before = rows.cards.get(id_)
    edit(rows, id_, by=replace(BY, at=START + timedelta(minutes=1)), complete=True)
    assert rows.cards.get(id_) == before


def test_without_a_journal_the_talk_ended_with_the_call() -> None:
    rows = Rows()
    id_ = served(rows, talk_ended=START)
    rows.journal.rows.clear()
    ended = START - timedelta(seconds=7)
    rows.traces.add([TraceEvent(call="1.1", at=ended, kind="end", id="", outcome="served")])
    edit(rows, id_, complete=True)
    assert rows.cards.get(id_).contacts[0].wrapup_s == 7


def test_completing_a_card_without_a_talk_closes_it_without_wrap_up() -> None:
    rows = Rows()
    card = rows.cards.open(call="1.1", node="node1", number=None, at=START)
    rows.cards.change_contact("1.1", outcome=ContactOutcome.SELF_SERVICE)
    edit(rows, card.id, complete=True)
    done = rows.cards.get(card.id)
    assert (done.closed_at, done.outcome, done.contacts[0].wrapup_s) == (START, Outcome.SELF_SERVICE, 0)


def promised(rows: Rows, card: str | None = None) -> Callback:
    card = card or rows.cards.open(call="1.1", node="node1", number=None, at=START).id
    return rows.callbacks.request(
        Callback(
            id="cb1",
            card=card,
            number="+79123456789",
            source=Source.CLOSED,
            queue="general",
            arrived_at=START,
            due=START + timedelta(hours=1),
        )
    )


def test_a_completed_card_with_an_open_callback_ends_as_callback() -> None:
    rows = Rows()
    card = rows.cards.open(call="1.1", node="node1", number="+79123456789", at=START)
    rows.cards.change_contact("1.1", outcome=ContactOutcome.CLOSED_HOURS)
    promised(rows, card.id)
    edit(rows, card.id, complete=True)
    assert rows.cards.get(card.id).outcome is Outcome.CALLBACK


def test_cancelling_a_callback_is_stored_and_audited() -> None:
    rows = Rows()
    promised(rows)
    callbacks.cancel(rows, BY, "cb1")
    assert rows.callbacks.get("cb1").state is State.CANCELLED
    assert [(row.action, row.subject) for row in rows.audit.rows] == [("callbacks.cancel", "cb1")]


def test_a_callback_cannot_be_cancelled_twice() -> None:
    rows = Rows()
    promised(rows)
    callbacks.cancel(rows, BY, "cb1")
    with pytest.raises(BadInput, match="is cancelled"):
        callbacks.cancel(rows, BY, "cb1")


def test_a_callback_has_the_keys_of_the_interface() -> None:
    assert list(callbacks.view(promised(Rows()))) == [
        "id",
        "card",
        "number",
        "source",
        "state",
        "due",
        "attempts",
    ]


def test_a_call_is_known_by_its_contact_or_by_what_its_caller_lived_through() -> None:
    rows = Rows()
    rows.cards.open(call="1.1", node="node1", number=None, at=START)
    rows.traces.add([TraceEvent(call="1.2", at=START, kind="prompt", id="greeting", outcome="heard")])
    assert [calls.resolve(rows, call) for call in ("1.1", "1.2", "last")] == ["1.1", "1.2", "1.1"]
    with pytest.raises(NotFound):
        calls.resolve(rows, "1.3")


def test_the_audit_is_listed_newest_first_with_the_keys_of_the_interface() -> None:
    rows = Rows()
    BY.note(rows, "cards.show", "a")
    replace(BY, at=START + timedelta(seconds=1)).note(rows, "cards.edit", "b", call="1.1", result="comment")
    found = listed(rows, limit=5)
    assert [row["subject"] for row in found] == ["b", "a"]
    assert list(found[0]) == ["at", "actor", "action", "subject", "call", "result"]
    assert [row["subject"] for row in listed(rows, since=START + timedelta(seconds=1))] == ["b"]
