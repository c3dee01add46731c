"""Callbacks taken and settled by several workers at once, each a process with a connection of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from bench import storage_bulk
from bench.storage_fill import NODE, NOW, ZONE, Database, callback_row, opened, processes
from db.crypto import Vault
from db.store import SqlStore, open_store
from db.tables import callbacks, cards
from ivr.domain.callback import PENDING_STATES, Callback, State
from ivr.domain.enquiry import Level
from ivr.domain.errors import StorageDown
from ivr.domain.ids import new_id
from ivr.services.dialler import AT_ONCE

START_SECONDS = 3.0
"""For the workers to stand, before all of them begin."""


def add(database: Database, many: int) -> None:
    """Callbacks that are due, one card each."""
    vault = database.vault()
    with opened(database) as (engine, _), storage_bulk.loading(engine) as connection:
        for first in range(0, many, 5000):
            found = [_request(vault, place) for place in range(first, min(first + 5000, many))]
            storage_bulk.add(connection, {"cards": [c for c, _ in found], "callbacks": [b for _, b in found]})
        storage_bulk.analyse(connection)  # as autovacuum does within a minute


def _request(vault: Vault, place: int) -> tuple[Sequence[object], Sequence[object]]:
    number, id_ = f"+7914{place:07d}", new_id(NOW)
    card = {"id": id_, "registration_number": id_, "registered_at": NOW, "level": Level.NONE.value}
    callback = callback_row(vault, id_, number=number, queue="general", state=State.WAITING, at=NOW)
    return storage_bulk.stored(cards, card), storage_bulk.stored(callbacks, callback)


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
        uow.callbacks.save(*taken)
        uow.commit()
    return taken


def _settle(store: SqlStore, taken: Sequence[Callback]) -> None:
    with store.transaction() as uow:
        found = uow.callbacks.held([callback.id for callback in taken])
        uow.callbacks.save(*(replace(callback, state=State.DONE) for callback in found))
        uow.commit()


def measure(database: Database, *, workers: int, many: int) -> tuple[float, Worked]:
    """Callbacks a second, and what all workers have done together."""
    add(database, many)
    begin = time.time() + START_SECONDS
    with ProcessPoolExecutor(workers, mp_context=processes()) as pool:
        made = list(pool.map(partial(work, begin, database=database), range(workers)))
    settled, until = sum(one.settled for one in made), max(one.until for one in made)
    together = Worked(settled=settled, locked=sum(one.locked for one in made), until=until)
    return settled / (until - begin), together
