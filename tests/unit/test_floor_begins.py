"""The live view begins: Asterisk may not have its queues yet when the connection is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ivr.ports import FloorEvent, FloorKind
from ivr.services import floor as module
from ivr.services.floor import Floor
from ivr.testing import FakeSwitchboard, VirtualClock


@pytest.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Floor, FakeSwitchboard]]:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0)
    switchboard = FakeSwitchboard(["general"])
    floor = Floor(switchboard, VirtualClock())
    task = asyncio.create_task(floor.run())
    yield floor, switchboard
    task.cancel()


async def turns(count: int = 30) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_snapshot_that_is_refused_is_asked_for_again_until_it_comes(
    running: tuple[Floor, FakeSwitchboard],
) -> None:
    floor, switchboard = running
    switchboard.refusing = {"snapshot"}
    floor.connected()
    await turns()
    assert floor.rebuilt_at is None
    assert switchboard.commands.count("snapshot") > 1
    switchboard.refusing = set()
    await turns()
    assert floor.rebuilt_at is not None


async def test_one_that_came_is_asked_for_once(running: tuple[Floor, FakeSwitchboard]) -> None:
    floor, switchboard = running
    floor.connected()
    floor.take(FloorEvent(kind=FloorKind.LEFT, call="1.1", queue="general"))
    await turns()
    assert switchboard.commands == ["snapshot"]


async def test_how_old_an_event_was_is_told_once_it_is_handled() -> None:
    clock, lags = VirtualClock(), list[float]()
    floor = Floor(FakeSwitchboard(["general"]), clock, on_handled=lags.append)
    task = asyncio.create_task(floor.run())
    at = clock.now().timestamp()
    floor.take(FloorEvent(kind=FloorKind.LEFT, call="1.1", queue="general", at=at - 2.5))
    floor.take(FloorEvent(kind=FloorKind.LEFT, call="1.2", queue="general"))
    floor.take(FloorEvent(kind=FloorKind.LEFT, call="1.3", queue="general", at=at + 60))
    await turns()
    task.cancel()
    assert lags == [pytest.approx(2.5), 0], "without a time stamp nothing is known"
