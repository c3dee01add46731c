"""A conversation waits for the database for a few seconds, and goes on without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from ivr.domain.errors import StorageDown
from ivr.ports import UnitOfWork
from ivr.services.impatience import ImpatientStore
from ivr.testing import MemoryStore

T = TypeVar("T")


class HeldStore(MemoryStore):
    """Another program holds it until `free`."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.given_up = 0

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        return await super().run(work)


async def test_what_is_answered_in_time_is_answered_as_ever() -> None:
    store = HeldStore()
    store.free.set()
    assert await ImpatientStore(store, seconds=60).run(lambda uow: uow.agencies.codes()) == []


async def test_what_takes_too_long_is_given_up_and_counts_as_down() -> None:
    store = HeldStore()
    with pytest.raises(StorageDown, match=r"within 0\.01 s"):
        await ImpatientStore(store, seconds=0.01).run(lambda uow: uow.agencies.codes())
    assert store.given_up == 1


async def test_a_database_that_is_down_says_so_itself() -> None:
    store = MemoryStore()
    store.down = True
    with pytest.raises(StorageDown, match=r"^(?!.*within)"):
        await ImpatientStore(store, seconds=60).run(lambda uow: uow.agencies.codes())


async def test_a_caller_who_is_gone_is_not_told_that_the_database_is_down() -> None:
    asked = asyncio.create_task(ImpatientStore(HeldStore(), seconds=60).run(lambda uow: None))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
