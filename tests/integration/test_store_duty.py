"""What every store must do, continued: the queues operators serve, their states, reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.domain.errors import NotFound
from ivr.domain.operators import (
    PAUSE,
    PAUSE_REASONS,
    Operator,
    OperatorState,
    Place,
    StateChange,
)
from ivr.ports import Store, UnitOfWork
from tests.integration.storing import AT, do

FIRST = Operator(extension="201", name="Анна Сергеева", agency="soc", line=1, since=AT)
SECOND = Operator(extension="202", name="Ольга Белова", agency="soc", line=2, since=AT)
HA1 = "0" * 32


@pytest.fixture
def staffed(store: Store) -> Store:
    for operator in (FIRST, SECOND):
        do(store, lambda uow, o=operator: uow.operators.add(o, HA1))
    return store


def test_a_new_operator_serves_the_queues_of_the_own_line(staffed: Store) -> None:
    places = do(staffed, lambda uow: uow.operators.places())
    assert {extension: list(found) for extension, found in places.items()} == {
        "201": [Place(queue="general"), Place(queue="soc-1")],
        "202": [Place(queue="soc-2")],
    }


def test_places_are_replaced_as_a_whole(staffed: Store) -> None:
    do(staffed, lambda uow: uow.operators.set_places("201", [Place(queue="szn-1", penalty=3)]))
    do(staffed, lambda uow: uow.operators.set_places("202", []))
    places = do(staffed, lambda uow: uow.operators.places())
    assert {extension: list(found) for extension, found in places.items()} == {
        "201": [Place(queue="szn-1", penalty=3)]
    }


def test_an_operator_becomes_a_supervisor_and_one_no_more(staffed: Store) -> None:
    do(staffed, lambda uow: uow.operators.add(replace(FIRST, extension="301", supervisor=True), HA1))
    do(staffed, lambda uow: uow.operators.appoint("201", supervisor=True))
    do(staffed, lambda uow: uow.operators.appoint("301", supervisor=False))
    found = {o.extension: o.supervisor for o in do(staffed, lambda uow: uow.operators.list())}
    assert found == {"201": True, "202": False, "301": False}


def test_an_operator_goes_to_another_agency_and_line(staffed: Store) -> None:
    do(staffed, lambda uow: uow.operators.assign("201", agency="szn", line=2))
    moved = do(staffed, lambda uow: uow.operators.get("201"))
    assert (moved.agency, moved.line) == ("szn", 2)


def test_a_talk_is_remembered_and_forgives_rings_in_vain(staffed: Store) -> None:
    do(staffed, lambda uow: uow.operators.note_missed("201", 1))
    assert do(staffed, lambda uow: uow.operators.get("201")).missed == 1
    do(staffed, lambda uow: uow.operators.note_talk("201", "node1-1.1"))
    talked = do(staffed, lambda uow: uow.operators.get("201"))
    assert (talked.last_call, talked.missed) == ("node1-1.1", 0)


@pytest.mark.parametrize(
    "work",
    [
        lambda uow: uow.operators.set_places("999", [Place(queue="general")]),
        lambda uow: uow.operators.assign("999", agency="soc", line=1),
        lambda uow: uow.operators.appoint("999", supervisor=True),
        lambda uow: uow.operators.note_talk("999", "node1-1.1"),
        lambda uow: uow.operators.note_missed("999", 1),
    ],
)
def test_nothing_is_noted_of_an_unknown_operator(store: Store, work: Callable[[UnitOfWork], None]) -> None:
    with pytest.raises(NotFound, match="999"):
        do(store, work)


def test_the_history_has_what_changed_and_the_state_each_began_with(staffed: Store) -> None:
    changes = [
        StateChange(extension=extension, state=state, reason=reason, at=AT + timedelta(hours=hours))
        for extension, state, reason, hours in (
            ("201", OperatorState.READY, "", 0),
            ("202", OperatorState.READY, "", 1),
            ("201", OperatorState.PAUSED, "обед", 2),
            ("201", OperatorState.READY, "", 3),
        )
    ]
    for c in changes:
        do(staffed, lambda u, c=c: u.operators.set_state(c.extension, c.state, reason=c.reason, at=c.at))
    assert do(staffed, lambda uow: uow.operators.history(since=AT)) == changes
    since = AT + timedelta(hours=2, minutes=30)
    assert do(staffed, lambda uow: uow.operators.history(since=since)) == changes[1:]


def test_the_directory_of_reasons_begins_with_what_the_program_brings(store: Store) -> None:
    assert dict(do(store, lambda uow: uow.reasons.list(PAUSE))) == PAUSE_REASONS
    assert dict(do(store, lambda uow: uow.reasons.list("nothing"))) == {}


def test_reasons_are_set_changed_and_removed_by_kind(store: Store) -> None:
    do(store, lambda uow: uow.reasons.set(PAUSE, "1", "обеденный перерыв"))
    do(store, lambda uow: uow.reasons.set("other", "1", "иное"))
    assert do(store, lambda uow: uow.reasons.remove(PAUSE, "5")) is True
    assert do(store, lambda uow: uow.reasons.remove(PAUSE, "5")) is False
    found = do(store, lambda uow: uow.reasons.list(PAUSE))
    assert list(found.items()) == [
        ("1", "обеденный перерыв"),
        ("2", "перерыв"),
        ("3", "обучение"),
        ("4", "совещание"),
    ]
    assert dict(do(store, lambda uow: uow.reasons.list("other"))) == {"1": "иное"}
