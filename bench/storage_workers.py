"""Callbacks taken and settled by several workers at once, each a process with a connection of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from bench.storage_fill import NODE, NOW, ZONE, Database
from db.store import SqlStore, open_store
from ivr.domain.callback import PENDING_STATES, Callback, Source, State
from ivr.domain.errors import StorageDown
from ivr.domain.ids import new_id
from ivr.ports import UnitOfWork

START_SECONDS = 4.0
"""For the workers to stand, before all of them begin."""
AT_ONCE = 10
"""Taken in one transaction, as the dialler does."""


def add(database: Database, many: int) -> None:
    """Callbacks that are due, one card each."""
    store = open_store(database.url, database.vault(), timezone=ZONE, node=NODE)
    try:
        for first in range(0, many, 500):
            with store.transaction() as uow:
                for place in range(first, min(first + 500, many)):
                    _request(uow, place)
                uow.commit()
    finally:
        store.close()


def _request(uow: UnitOfWork, place: int) -> None:
    number = f"+7914{place:07d}"
    card = uow.cards.register(number=number, at=NOW)
    uow.callbacks.request(
        Callback(
            id=new_id(NOW),
            card=card.id,
            number=number,
            source=Source.CLOSED,
            state=State.WAITING,
            queue="general",
            arrived_at=NOW,
            due=NOW,
        )
    )


@dataclass(frozen=True, kw_only=True)
class Worked:
    """What workers have done."""

    settled: int
    locked: int
    """Times that others held the database for so long that it counted as down; tried again."""
    until: float
    """time.time"""


def work(begin: float, number: int, database: Database) -> Worked:
    """Take and settle until there is nothing left. begin: not before this moment (time.time)."""
    store = open_store(database.url, database.vault(), timezone=ZONE, node=f"{NODE}{number}")
    settled, locked = 0, 0
    try:
        time.sleep(max(begin - time.time(), 0))
        taken: list[Callback] = []
        while True:
            try:
                taken = taken or _take(store)
                if not taken:
                    return Worked(settled=settled, locked=locked, until=time.time())
                _settle(store, taken)
            except StorageDown:
                locked += 1
                continue
            settled, taken = settled + len(taken), []
    finally:
        store.close()


def _take(store: SqlStore) -> list[Callback]:
    """Held by one worker alone from here on."""
    with store.transaction() as uow:
        found = uow.callbacks.take(PENDING_STATES, due_by=NOW + timedelta(days=1), limit=AT_ONCE)
        taken = [replace(callback, state=State.DIALLING_OPERATOR) for callback in found]
        for callback in taken:
            uow.callbacks.save(callback)
        uow.commit()
    return taken


def _settle(store: SqlStore, taken: Sequence[Callback]) -> None:
    with store.transaction() as uow:
        for callback in taken:
            uow.callbacks.save(replace(uow.callbacks.get(callback.id), state=State.DONE))
        uow.commit()


def measure(database: Database, *, workers: int, many: int) -> tuple[float, Worked]:
    """Callbacks a second, and what all workers have done together."""
    add(database, many)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])  # or each would load everything by itself
    begin = time.time() + START_SECONDS
    with ProcessPoolExecutor(workers, mp_context=processes) as pool:
        made = list(pool.map(partial(work, begin, database=database), range(workers)))
    settled, until = sum(one.settled for one in made), max(one.until for one in made)
    together = Worked(settled=settled, locked=sum(one.locked for one in made), until=until)
    return settled / (until - begin), together
