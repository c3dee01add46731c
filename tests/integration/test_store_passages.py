"""Passages and contacts of a time: what every store promises of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.domain.errors import NotFound
from ivr.domain.passage import Passage
from ivr.ports import Store
from tests.integration.storing import AT, a_card, do

CALL, OTHER = "node1-1.1", "node1-1.2"
TURN = Passage(
    call=CALL,
    queue="soc-1",
    entered=AT,
    left=AT + timedelta(seconds=7, microseconds=5),
    why="connected",
    operator="201",
    talking_s=40,
    hold_s=5,
    missed=("202", "202"),
)
WAIT = Passage(call=OTHER, queue="general", entered=AT + timedelta(minutes=1))
HOUR = timedelta(hours=1)


@pytest.fixture
def filled(store: Store) -> Store:
    for call in (CALL, OTHER):
        a_card(store, call)
    do(store, lambda uow: uow.passages.put(CALL, [TURN]))
    do(store, lambda uow: uow.passages.put(OTHER, [WAIT]))
    return store


def test_a_passage_comes_back_as_it_was_put(filled: Store) -> None:
    assert do(filled, lambda uow: uow.passages.of_calls([CALL])) == [TURN]
    assert do(filled, lambda uow: uow.passages.of_calls([CALL, OTHER])) == [TURN, WAIT]
    assert do(filled, lambda uow: uow.passages.of_calls([])) == []


def test_put_again_they_are_replaced(filled: Store) -> None:
    """As more lines come, a turn goes on and another one begins; the same again changes nothing."""
    ended = replace(WAIT, left=WAIT.entered + timedelta(seconds=9), why="timeout")
    second = replace(WAIT, queue="soc-2", entered=ended.entered + timedelta(seconds=20))
    for _ in range(2):
        do(filled, lambda uow: uow.passages.put(OTHER, [ended, second]))
        assert do(filled, lambda uow: uow.passages.of_calls([OTHER])) == [ended, second]


def test_they_are_found_by_the_time_of_entering(filled: Store) -> None:
    """The beginning belongs to a time, its end does not."""
    found = do(filled, lambda uow: uow.passages.entered(AT, WAIT.entered))
    assert found == [TURN]
    assert do(filled, lambda uow: uow.passages.entered(AT, AT + HOUR)) == [TURN, WAIT]
    assert do(filled, lambda uow: uow.passages.entered(AT - HOUR, AT)) == []


def test_a_call_that_is_not_known_has_none(store: Store) -> None:
    with pytest.raises(NotFound):
        do(store, lambda uow: uow.passages.put("node1-9.9", [TURN]))
    assert do(store, lambda uow: uow.passages.of_calls(["node1-9.9"])) == []


def test_contacts_are_found_by_the_time_of_their_beginning(store: Store) -> None:
    for call, later in ((CALL, 0), (OTHER, 60)):
        a_card(store, call, at=AT + timedelta(minutes=later))
    found = do(store, lambda uow: uow.cards.contacts(AT, AT + HOUR))
    assert [contact.call for contact in found] == [CALL]
    assert len(do(store, lambda uow: uow.cards.contacts(AT, AT + 2 * HOUR))) == 2
