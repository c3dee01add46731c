"""What each waiting caller is told of place and wait, kept up with the queue (docs/queues.md).

Whoever leaves moves everybody behind, so this is work for all of them at once: a sentence that nobody has
needed yet is made beside it, that of the lowest place first, and keeps nobody else from being told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence

from ivr.domain.estimate import Told
from ivr.ports import Clock, Store, Switchboard, TraceEvent, Waiting, WaitSounds
from ivr.services.call_story import ANNOUNCED, QUEUE

MAKING_SECONDS = 0.3
"""That one turn waits for sentences; who has none by then is told a turn later."""
AT_ONCE = 20
"""Commands given to the telephone switch before the first of them is answered."""
Key = tuple[str, str]
"""Queue and call."""


def key_of(one: Waiting) -> Key:
    return one.queue, one.call


class Telling:
    """Of the callers of one engine."""

    def __init__(
        self,
        switchboard: Switchboard,
        store: Store,
        clock: Clock,
        *,
        sounds: WaitSounds,
        change_seconds: float,
    ) -> None:
        """change_seconds: the telephone switch says nothing anew to one caller before that, so the trace has
        no more of it."""
        self._switchboard = switchboard
        self._store = store
        self._clock = clock
        self._sounds = sounds
        self._change_seconds = change_seconds
        self._told: dict[Key, Told] = {}
        self._noted: dict[Key, tuple[Told, float]] = {}
        """What stands in the trace, and since when (monotonic seconds)."""
        self._laid: set[Told] = set()
        self._missing: list[Told] = []
        self._making: asyncio.Task[None] | None = None

    def forget(self, there: Collection[Key]) -> None:
        """Everybody who waits no more."""
        self._told = {key: told for key, told in self._told.items() if key in there}
        self._noted = {key: noted for key, noted in self._noted.items() if key in there}

    async def silence(self, one: Waiting, nothing: Told) -> None:
        """An operator is free: no sentence for this caller from now on. Raises Unavailable."""
        if (told := self._told.get(key_of(one))) is None or not told.silent:
            self._told[key_of(one)] = nothing
            await self._switchboard.tell_wait(one.leg, nothing)

    async def tell(self, wanted: Sequence[tuple[Waiting, Told]]) -> Sequence[tuple[Waiting, Told]]:
        """Those whose sentence has changed and is there; who was told. Raises Unavailable, StorageDown."""
        before = dict(self._told)
        changed = [(one, told) for one, told in wanted if before.get(key_of(one)) != told]
        await self._lay({told for _, told in changed})
        there = [(one, told) for one, told in changed if told.silent or told in self._laid]
        heard: list[tuple[Waiting, Told]] = []
        for first in range(0, len(there), AT_ONCE):
            turn = there[first : first + AT_ONCE]
            done = await asyncio.gather(*(self._tell(one, told, before) for one, told in turn))
            heard += [pair for pair, told_so in zip(turn, done, strict=True) if told_so]
        await self._note(wanted)
        return heard

    async def _tell(self, one: Waiting, told: Told, before: Mapping[Key, Told]) -> bool:
        """Unless this caller was silenced meanwhile."""
        key = key_of(one)
        if self._told.get(key) != before.get(key):
            return False
        await self._switchboard.tell_wait(one.leg, told)
        if self._told.get(key) == before.get(key):
            self._told[key] = told
        return True

    async def _note(self, wanted: Iterable[tuple[Waiting, Told]]) -> None:
        """In the trace, all in one transaction."""
        now, rows, noted = self._clock.monotonic(), [], {}
        for one, _ in wanted:
            told, last = self._told.get(key := key_of(one)), self._noted.get(key)
            if told is None or told.silent or (last is not None and last[0] == told):
                continue
            if last is None or now - last[1] >= self._change_seconds:
                rows.append(self._event(one, told))
                noted[key] = told, now
        if rows:
            await self._store.run(lambda uow: uow.traces.add(rows))
            self._noted |= noted

    def _event(self, one: Waiting, told: Told) -> TraceEvent:
        minutes = "?" if told.minutes is None else told.minutes
        outcome = f"{ANNOUNCED}:{told.place}:{minutes}"
        return TraceEvent(call=one.call, at=self._clock.now(), kind=QUEUE, id=one.queue, outcome=outcome)

    # --- the sentences ---

    async def _lay(self, wanted: Collection[Told]) -> None:
        """Raises Unavailable when one could not be made; the next turn tries again."""
        missing = [told for told in wanted if not told.silent and told not in self._laid]
        self._missing = sorted(missing, key=lambda told: -told.place)
        if self._making is None and self._missing:
            self._making = asyncio.create_task(self._make(), name="queue-sentences")
        if self._making is not None:
            done, _ = await asyncio.wait((self._making,), timeout=MAKING_SECONDS)
            if done:
                made, self._making = self._making, None
                made.result()

    async def _make(self) -> None:
        while self._missing:
            told = self._missing.pop()
            await self._sounds.lay(told)
            self._laid.add(told)
