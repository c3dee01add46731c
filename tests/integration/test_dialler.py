"""The scheduler over real databases: two engines, and a great many callbacks at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

import psutil
import pytest

from db.repositories.callbacks import SqlCallbacks
from db.tables import callbacks
from ivr.domain.callback import Callback, Source, State, call_of
from ivr.domain.ids import new_id
from ivr.ports import UnitOfWork
from ivr.services import attempts
from ivr.testing import START, FakeOutbound, VirtualClock
from tests.integration.conftest import Database
from tests.unit.calling import Centre

MANY = 10_000
MEGABYTE = 2**20


def fill(centre: Centre, count: int, *, state: State = State.REQUESTED) -> list[str]:
    """So many callbacks of one card, the first to arrive first, all due; stored like `request` does it."""

    def work(uow: UnitOfWork) -> list[str]:
        card = uow.cards.register(number="+73432000000", at=START)
        made = [
            Callback(
                id=new_id(START),
                card=card.id,
                number=f"+7343{2000000 + n}",
                source=Source.CLOSED,
                state=state,
                queue="general",
                arrived_at=START - timedelta(seconds=count - n),
                due=START,
            )
            for n in range(count)
        ]
        repository = cast(SqlCallbacks, uow.callbacks)
        repository._db.insert(callbacks, [repository._row(callback) for callback in made])
        return [callback.id for callback in made]

    return centre.do(work)


def two_engines(database: Database) -> tuple[Centre, Centre]:
    """Of one node: they see the same Asterisk, and each has its own connection to the database."""
    clock, outbound = VirtualClock(), FakeOutbound()
    first, second = (Centre(store=database.open(), clock=clock, outbound=outbound) for _ in range(2))
    return first, second


async def test_two_engines_never_begin_one_leg_twice_nor_more_than_there_may_be(database: Database) -> None:
    first, second = two_engines(database)
    for engine in (first, second):
        engine.operators(3)
    ids = fill(first, 12, state=State.WAITING)
    for _ in range(5):
        await asyncio.gather(first.turn(), second.turn())
    assert [leg.callback for leg in first.outbound.made] == ids[:4]
    assert {leg.leg for leg in first.outbound.made} == {1}
    assert [first.callback(id_).state for id_ in ids[:5]] == [State.QUEUED] * 4 + [State.WAITING]


async def test_of_two_engines_that_ask_for_one_leg_only_one_may_dial(database: Database) -> None:
    first, second = two_engines(database)
    first.operators(1)
    [id_] = fill(first, 1, state=State.WAITING)
    await first.turn()

    def begin(engine: Centre) -> object:
        with engine.store.transaction() as uow:
            begun = attempts.begin(uow, id_, 1, engine.clock.now(), engine.rules, node="node1")
            uow.commit()
        return begun

    found = await asyncio.gather(*(asyncio.to_thread(begin, engine) for engine in (first, second)))
    assert sum(begun is not None for begun in found) == 1
    after = first.callback(id_)
    assert (after.state, len(after.attempts)) == (State.DIALLING_CITIZEN, 1)
    contacts = first.do(lambda uow: uow.cards.get(after.card)).contacts
    assert [contact.call for contact in contacts] == [call_of(id_, 1)]


async def test_an_engine_that_starts_anew_goes_on_with_the_legs_that_run(database: Database) -> None:
    first, second = two_engines(database)
    for engine in (first, second):
        engine.operators(0, talking=1)
    ids = fill(first, 3, state=State.WAITING)
    await first.turn()
    for _ in range(4):  # the first engine is gone; its leg runs on in Asterisk
        await second.legs.look()
        await second.turn(20)
    assert [(leg.callback, leg.leg) for leg in first.outbound.made] == [(ids[0], 1)]
    assert second.callback(ids[0]).state is State.QUEUED


@pytest.mark.parametrize("state", [State.REQUESTED, State.WAITING])
async def test_ten_thousand_due_at_once_are_no_flood_and_take_little_memory(
    database: Database, state: State
) -> None:
    """Requested: while there was no engine. Waiting: all of them late."""
    centre = Centre(store=database.open())
    centre.operators(3, talking=5)
    ids = fill(centre, MANY, state=state)
    await centre.turn()
    before = psutil.Process().memory_info().rss
    peak = 0
    for _ in range(12):
        await centre.turn(1)
        peak = max(peak, psutil.Process().memory_info().rss)
    assert peak - before < 30 * MEGABYTE  # an engine that has nothing to do takes about 100
    if state is State.WAITING:
        assert [leg.callback for leg in centre.outbound.made] == ids[:4]
    counts = centre.do(lambda uow: uow.callbacks.counts(centre.clock.now()))
    assert sum(counts.by_state.values()) == MANY
    assert counts.by_state.get("queued", 0) == len(centre.outbound.made) <= 4
