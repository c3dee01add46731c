"""Traces are written in the background: in order, once, and never at the cost of a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from ivr.domain.errors import StorageDown
from ivr.ports import UnitOfWork
from ivr.services import traces
from ivr.services.traces import TraceLog
from ivr.testing import MemoryStore, VirtualClock

T = TypeVar("T")
CALL = "node1-1764000000.1"


class SlowStore(MemoryStore):
    """A store whose work waits for `may_go`."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go = asyncio.Event()
        self.works = 0

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        self.works += 1
        await self.may_go.wait()
        return await super().run(work)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "MOST_KEPT", 10)
    monkeypatch.setattr(traces, "_BATCH", 4)


def tell(log: TraceLog, *ids: int) -> None:
    for id_ in ids:
        log.teller(CALL)("prompt", str(id_), "played")


def stored(store: MemoryStore) -> list[int]:
    return [int(event.id) for event in store.rows.traces.rows]


async def test_an_event_has_its_call_and_the_moment_it_was_told() -> None:
    store, clock = MemoryStore(), VirtualClock()
    log = TraceLog(store, clock)
    log.teller(CALL)("ask", "menu", "answered")
    told_at = clock.now()
    clock.forward(5)
    await log.flush()
    [event] = store.rows.traces.rows
    assert (event.call, event.kind, event.id, event.outcome) == (CALL, "ask", "menu", "answered")
    assert event.at == told_at


@pytest.mark.usefixtures("small")
async def test_everything_is_stored_in_order_and_in_batches() -> None:
    store = SlowStore()
    store.may_go.set()
    log = TraceLog(store, VirtualClock())
    tell(log, *range(9))
    await log.flush()
    assert stored(store) == list(range(9)) and store.works == 3


async def test_nothing_told_asks_nothing_of_the_database() -> None:
    store = SlowStore()
    await TraceLog(store, VirtualClock()).flush()
    assert store.works == 0


@pytest.mark.usefixtures("small")
async def test_a_batch_that_meets_a_mistake_of_ours_does_not_hold_up_those_after_it() -> None:
    class Mistaken(MemoryStore):
        async def run(self, work: Callable[[UnitOfWork], T]) -> T:
            if len(log._waiting) == 5:
                raise ZeroDivisionError
            return await super().run(work)

    store = Mistaken()
    log = TraceLog(store, VirtualClock())
    tell(log, *range(9))
    with pytest.raises(ZeroDivisionError):
        await log.flush()
    await log.flush()
    assert stored(store) == list(range(4, 9))


@pytest.mark.usefixtures("small")
async def test_while_the_database_is_down_order_is_kept_and_the_trouble_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    log = TraceLog(store, VirtualClock())
    store.down = True
    for id_ in range(6):
        tell(log, id_)
        await log.flush()
    assert caplog.text.count("traces_unwritten") == len(caplog.records) == 1
    store.down = False
    await log.flush()
    assert stored(store) == list(range(6))


@pytest.mark.usefixtures("small")
async def test_of_too_many_the_oldest_go() -> None:
    store = MemoryStore()
    log = TraceLog(store, VirtualClock())
    store.down = True
    for id_ in range(25):
        tell(log, id_)
        await log.flush()
    store.down = False
    await log.flush()
    assert stored(store) == list(range(15, 25))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("down", [False, True])
async def test_events_that_crowd_in_while_a_batch_is_stored_push_none_out_but_the_oldest(down: bool) -> None:
    store = SlowStore()
    log = TraceLog(store, VirtualClock())
    tell(log, *range(4))
    flushing = asyncio.create_task(log.flush())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tell(log, *range(4, 12))  # 12 in all, with room for 10
    store.down = down
    store.may_go.set()
    await flushing
    store.down = False
    await log.flush()
    assert stored(store) == list(range(2 if down else 0, 12))


@pytest.mark.usefixtures("small")
async def test_a_flush_that_is_cancelled_loses_nothing_and_stores_nothing_twice() -> None:
    store = SlowStore()
    log = TraceLog(store, VirtualClock())
    tell(log, *range(6))
    flushing = asyncio.create_task(log.flush())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    store.may_go.set()
    await log.flush()
    assert stored(store) == list(range(6))


async def test_it_runs_for_ever_and_stores_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "FLUSH_SECONDS", 0)
    store = MemoryStore()
    log = TraceLog(store, VirtualClock())
    running = asyncio.create_task(log.run())
    tell(log, 1)
    async with asyncio.timeout(5):
        while not stored(store):  # noqa: ASYNC110 - nobody sets an event for a test
            await asyncio.sleep(0)
    assert not running.done()
    running.cancel()


async def test_two_who_flush_at_once_store_each_event_once() -> None:
    """The journal reader asks for it while the background task is at it."""
    store = SlowStore()
    log = TraceLog(store, VirtualClock())
    tell(log, 1, 2)
    both = [asyncio.create_task(log.flush()), asyncio.create_task(log.flush())]
    await asyncio.sleep(0)
    tell(log, 3)
    store.may_go.set()
    await asyncio.gather(*both)
    assert stored(store) == [1, 2, 3]


async def test_whoever_needs_all_that_was_told_is_told_when_it_is_not_stored() -> None:
    store = MemoryStore()
    log = TraceLog(store, VirtualClock())
    tell(log, 1)
    store.down = True
    with pytest.raises(StorageDown):
        await log.written()
    store.down = False
    await log.written()
    assert stored(store) == [1]
