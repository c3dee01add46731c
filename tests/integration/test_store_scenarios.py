"""Versions of dialogue scenarios: what every store promises of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest

from db.store import SqlStore
from ivr.domain.errors import NotFound
from ivr.domain.versions import State, Version
from ivr.ports import Store
from tests.integration.conftest import Database
from tests.integration.storing import AT, do

HOUR = timedelta(hours=1)


def version(number: int, scenario: str = "consultation") -> Version:
    return Version(
        scenario=scenario,
        number=number,
        text=f"title: «Ёлка» {number}\r\n\ufeff",
        sha256="ab" * 32,
        saved_at=AT,
        saved_by="cli:anna",
    )


def add(store: Store, *versions: Version) -> None:
    for one in versions:
        do(store, lambda uow, one=one: uow.scenarios.add(one))


def test_a_version_comes_back_as_it_was_saved_and_a_draft_is_not_in_force(store: Store) -> None:
    add(store, version(1))
    assert do(store, lambda uow: uow.scenarios.list()) == [version(1)]
    assert do(store, lambda uow: uow.scenarios.in_force("consultation")) is None


def test_a_new_state_is_stored_and_the_text_stays(store: Store) -> None:
    add(store, version(1))
    published = version(1).published(at=AT + HOUR, by="cli:boris")
    do(store, lambda uow: uow.scenarios.save(replace(published, text="другой")))
    assert do(store, lambda uow: uow.scenarios.in_force("consultation")) == published
    assert published.state is State.PUBLISHED


def test_versions_are_listed_by_name_the_newest_first(store: Store) -> None:
    add(store, version(1), version(10), version(2), version(1, "benefits"))
    listed = [(v.scenario, v.number) for v in do(store, lambda uow: uow.scenarios.list())]
    assert listed == [("benefits", 1), ("consultation", 10), ("consultation", 2), ("consultation", 1)]
    assert do(store, lambda uow: uow.scenarios.list("benefits")) == [version(1, "benefits")]
    assert do(store, lambda uow: uow.scenarios.in_force("benefits")) is None


def test_a_version_that_is_not_there_cannot_be_changed(store: Store) -> None:
    with pytest.raises(NotFound):
        do(store, lambda uow: uow.scenarios.save(version(1)))


def test_two_who_publish_at_once_leave_one_version_in_force(database: Database) -> None:
    stores = [database.open(node=f"node{n}") for n in range(3)]
    add(stores[0], *map(version, (1, 2, 3)))

    def publish(store: SqlStore, number: int) -> None:
        with store.transaction() as uow:
            uow.scenarios.hold()
            if (old := uow.scenarios.in_force("consultation")) is not None:
                uow.scenarios.save(old.superseded())
            uow.scenarios.save(version(number).published(at=AT, by="cli:anna"))
            uow.commit()

    publishing = [Thread(target=publish, args=(store, n)) for n, store in enumerate(stores, start=1)]
    for one in publishing:
        one.start()
    for one in publishing:
        one.join()
    states = sorted(v.state for v in do(stores[0], lambda uow: uow.scenarios.list()))
    assert states == [State.PUBLISHED, State.SUPERSEDED, State.SUPERSEDED]
