"""What callers live through, written down in the background: a conversation never waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from ivr.domain.callback import leg_call
from ivr.domain.errors import StorageDown
from ivr.observe import get_logger
from ivr.ports import Clock, Store, TraceEvent
from ivr.speaking import Tell

FLUSH_SECONDS = 0.5
"""A transaction costs the same for one event as for many. What a crash takes with it, the journals tell."""
MOST_KEPT = 20_000
"""Events kept while the database is down; then the oldest go."""
_BATCH = 500
_log = get_logger("ivr.traces")


class TraceLog:
    """Collects events of all calls and stores them in batches, each event once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[TraceEvent] = deque(maxlen=MOST_KEPT)
        self._storing: asyncio.Task[bool] | None = None
        self._failing = False
        self._turn = asyncio.Lock()

    def teller(self, call: str) -> Tell:
        """What a conversation tells its events to: kind, id, outcome; never anything personal.

        Of a callback either half tells of the same call.
        """
        own = leg_call(call) or call

        def tell(kind: str, id_: str, outcome: str) -> None:
            event = TraceEvent(call=own, at=self._clock.now(), kind=kind, id=id_, outcome=outcome)
            self._waiting.append(event)

        return tell

    async def run(self) -> None:
        """For ever: store what has come."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Store everything that waits; a database that is down leaves it waiting.

        Cancelled, it leaves the batch under way to be stored; the next `flush` begins by awaiting it. So no
        event is stored twice, and none is lost because its batch's fate was unknown. Of two who flush at once
        one waits for the other: afterwards all is stored that either found.
        """
        async with self._turn:
            await self._empty()

    async def written(self) -> None:
        """Everything that was told until now is stored. Raises StorageDown: some of it is not.

        Who is settled without what the conversation told would lose the wish for an operator with it.
        """
        async with self._turn:
            if not await self._empty():
                raise StorageDown

    async def _empty(self) -> bool:
        """Whether everything is stored."""
        while self._waiting or self._storing is not None:
            if self._storing is None:
                self._storing = asyncio.create_task(self._store_batch(), name="traces.batch")
            try:
                stored = await asyncio.shield(self._storing)
            except Exception:  # a mistake of ours: this batch cannot be stored, the next ones may
                self._storing = None
                raise
            self._storing = None
            if not stored:
                return False
        return True

    async def _store_batch(self) -> bool:
        """Whether the oldest events are stored now; if not, they wait again in their old place."""
        batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
        try:
            await self._store.run(lambda uow: uow.traces.add(batch))
        except StorageDown as error:
            if not self._failing:
                _log.error("traces_unwritten", reason=str(error))
            self._failing = True
            self._put_back(batch)
            return False
        self._failing = False
        return True

    def _put_back(self, batch: Sequence[TraceEvent]) -> None:
        """As many of the newest as there is still room for: a full deque would let go of its other end."""
        room = MOST_KEPT - len(self._waiting)
        self._waiting.extendleft(reversed(batch[max(len(batch) - room, 0) :]))
