"""What callers live through, written down in the background: a conversation never waits for it."""

from __future__ import annotations

import asyncio
from collections import deque

from ivr.dialogue import Tell
from ivr.domain.errors import StorageDown
from ivr.observe import get_logger
from ivr.ports import Clock, Store, TraceEvent

FLUSH_SECONDS = 0.1
MOST_KEPT = 20_000
"""Events kept while the database is down; then the oldest go."""
_BATCH = 500
_log = get_logger("ivr.traces")


class TraceLog:
    """Collects events of all calls and stores them in batches."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[TraceEvent] = deque(maxlen=MOST_KEPT)
        self._failing = False

    def teller(self, call: str) -> Tell:
        """What a conversation tells its events to: kind, id, outcome; never anything personal."""

        def tell(kind: str, id_: str, outcome: str) -> None:
            event = TraceEvent(call=call, at=self._clock.now(), kind=kind, id=id_, outcome=outcome)
            self._waiting.append(event)

        return tell

    async def run(self) -> None:
        """For ever: store what has come."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Store everything that waits; a database that is down leaves it waiting."""
        while self._waiting:
            batch = [self._waiting[n] for n in range(min(_BATCH, len(self._waiting)))]
            try:
                await self._store.run(lambda uow, batch=batch: uow.traces.add(batch))  # type: ignore[misc]
            except StorageDown as error:
                if not self._failing:
                    _log.error("traces_unwritten", reason=str(error))
                self._failing = True
                return
            self._failing = False
            for _ in batch:
                self._waiting.popleft()
