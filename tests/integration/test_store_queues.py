"""What every store must do with rules of queues, turns and announcements: both databases, and memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.queue_rules import Instead, QueueRules
from ivr.domain.waiting import Announcement, Turn
from ivr.ports import Store
from tests.integration.storing import AT, NUMBER, a_card, do

RULES = QueueRules(
    queue="soc-2",
    no_operator=Instead.FIRST_LINE,
    longest_wait_seconds=300,
    topics={"Субсидии": 0},
    widen_seconds=15,
)


def a_turn(call: str, card: str, queue: str = "soc-1", **more: object) -> Turn:
    return replace(Turn(call=call, card=card, queue=queue, first_arrived_at=AT), **more)


def test_rules_are_kept_by_queue_and_replaced_as_a_whole(store: Store) -> None:
    assert do(store, lambda uow: uow.queues.rules()) == {}
    do(store, lambda uow: uow.queues.set_rules(RULES))
    do(store, lambda uow: uow.queues.set_rules(replace(RULES, queue="soc-1", no_operator=Instead.CALLBACK)))
    changed = replace(RULES, longest_wait_seconds=None, topics={})
    do(store, lambda uow: uow.queues.set_rules(changed))
    found = do(store, lambda uow: uow.queues.rules())
    assert list(found) == ["soc-1", "soc-2"]
    assert found["soc-2"] == changed


def test_of_one_call_the_last_turn_counts(store: Store) -> None:
    card = a_card(store)
    first = a_turn("node1-1.1", card.id, agency="soc", topic="Субсидии", priority=20)
    do(store, lambda uow: uow.queues.take_turn(first))
    assert do(store, lambda uow: uow.queues.turns(["node1-1.1", "other"])) == {"node1-1.1": first}
    second = replace(first, queue="general")
    do(store, lambda uow: uow.queues.take_turn(second))
    assert do(store, lambda uow: uow.queues.turns(["node1-1.1"])) == {"node1-1.1": second}


def test_earlier_enquiries_of_a_number_come_newest_first_with_their_turns(store: Store) -> None:
    cards = [a_card(store, f"c{n}", at=AT + timedelta(minutes=n)) for n in range(3)]
    a_card(store, "somebody else", number="+79990000000", at=AT + timedelta(minutes=5))
    turn = a_turn("c0", cards[0].id)
    do(store, lambda uow: uow.queues.take_turn(turn))
    found = do(store, lambda uow: uow.queues.earlier(NUMBER, besides=cards[2].id))
    assert found == [(cards[1].id, None), (cards[0].id, turn)]
    assert do(store, lambda uow: uow.queues.earlier("+79111111111", besides="")) == []


def test_handling_times_are_those_of_served_callers_of_that_queue(store: Store) -> None:
    times = [(60, 10, "served"), (90, 5, "served"), (7, 0, "abandoned_queue")]
    for n, (talk, wrapup, outcome) in enumerate(times):
        call, card = f"c{n}", a_card(store, f"c{n}", at=AT + timedelta(minutes=n))
        fields = {"talking_s": talk, "wrapup_s": wrapup, "outcome": ContactOutcome(outcome)}
        do(store, lambda uow, c=call, f=fields: uow.cards.change_contact(c, **f))  # type: ignore[misc]
        turn = a_turn(call, card.id)
        do(store, lambda uow, t=turn: uow.queues.take_turn(t))  # type: ignore[misc]
    assert do(store, lambda uow: uow.queues.handling("soc-1", since=AT)) == [95, 70]
    assert do(store, lambda uow: uow.queues.handling("soc-1", since=AT, limit=1)) == [95]
    assert do(store, lambda uow: uow.queues.handling("soc-1", since=AT + timedelta(minutes=1))) == [95]
    assert do(store, lambda uow: uow.queues.handling("general", since=AT)) == []


def test_the_newest_announcement_is_in_force_until_its_time_or_taken_back(store: Store) -> None:
    first = Announcement(id="1", at=AT, text="Первое.")
    second = Announcement(id="2", at=AT + timedelta(seconds=1), sound="ab" * 32)
    assert do(store, lambda uow: uow.queues.announcement(AT)) is None
    do(store, lambda uow: uow.queues.announce(first, None))
    do(store, lambda uow: uow.queues.announce(second, b"RIFF"))
    later = AT + timedelta(minutes=1)
    assert do(store, lambda uow: uow.queues.announcement(later)) == second
    assert do(store, lambda uow: uow.queues.recording("ab" * 32)) == b"RIFF"
    assert do(store, lambda uow: uow.queues.recording("cd" * 32)) is None
    assert do(store, lambda uow: uow.queues.silence(later))
    assert do(store, lambda uow: uow.queues.announcement(later)) is None
    assert not do(store, lambda uow: uow.queues.silence(later))
