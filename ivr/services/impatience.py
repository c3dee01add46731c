"""The database as a conversation sees it: what takes too long counts as down (architecture.md, rule 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from ivr.domain.errors import StorageDown
from ivr.ports import Store, UnitOfWork

T = TypeVar("T")


class ImpatientStore:
    """A store that lets nobody wait for longer than so many seconds.

    A database that another program holds, or a server that is stopped, gives no error of its own: without
    this limit a caller would wait as long as the lock lasts, and behind everybody who asked before.
    """

    def __init__(self, store: Store, *, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def transaction(self) -> AbstractContextManager[UnitOfWork]:
        return self._store.transaction()

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """As Store.run. What was given up is rolled back, unless its commit had begun: whoever is told
        StorageDown may still find it written."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._store.run(work)
        except TimeoutError:
            raise StorageDown(
                f"the database did not answer within {self._seconds:g} s; see `ekc doctor`"
            ) from None
