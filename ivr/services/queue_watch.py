"""Looks after callers who wait: tells them the wait anew, and takes them out where a rule says so.

A caller who is taken out is in the flow `after_queue` (flows/queueing.py), which knows what comes instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.domain.callback import leg_call
from ivr.domain.estimate import AT_ONCE, Outlook, Told
from ivr.domain.queue_rules import Priority, QueueRules
from ivr.observe import get_logger
from ivr.ports import (
    Clock,
    FloorEvent,
    FloorKind,
    LeftQueue,
    Member,
    MemberStatus,
    Store,
    Switchboard,
    UnitOfWork,
    Waiting,
    WaitSounds,
)
from ivr.services import passing
from ivr.services.calendar import calendar_of
from ivr.services.floor import Floor
from ivr.services.telling import Key, Telling, key_of
from ivr.services.waits import HANDLING_FROM, Waits, rules_of, works
from ivr.settings import Settings

_RINGS_NO_MORE = frozenset({FloorKind.NO_ANSWER, FloorKind.CONNECTED, FloorKind.LEFT, FloorKind.HUNG_UP})
HURRY_SECONDS = 0.5
"""app_queue looks at once when it is told to; if that was in vain, it is told again."""
_log = get_logger("ivr.queues")


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the database says of the queues in which somebody waits."""

    rules: Mapping[str, QueueRules]
    handled: Mapping[str, Sequence[int]]
    limits: passing.Limits
    closing: bool
    """The line has closed, and the time for those who still waited is over (§12)."""


class QueueWatch:
    """One engine's watch over the waiting; `work` about once a second."""

    def __init__(
        self,
        floor: Floor,
        switchboard: Switchboard,
        store: Store,
        clock: Clock,
        settings: Settings,
        *,
        waits: Waits,
        sounds: WaitSounds,
        on_estimate: Callable[[float], None] = lambda _error: None,
    ) -> None:
        """on_estimate: told, of each caller who was connected, the actual wait less the first one announced,
        in seconds."""
        self._floor = floor
        self._switchboard = switchboard
        self._store = store
        self._clock = clock
        self._settings = settings
        self._waits = waits
        self._telling = Telling(
            switchboard, store, clock, sounds=sounds, change_seconds=settings.announce_change_seconds
        )
        self._on_estimate = on_estimate
        self._announced: dict[Key, int] = {}
        """The first minutes that the caller was told."""
        self._paused_since: dict[str, float] = {}
        self._taken_out: set[Key] = set()
        self._hurried: dict[Key, float] = {}
        """When (monotonic seconds)."""
        self._rung_for: set[str] = set()
        """Calls for which an operator's telephone rings."""
        self._limits: passing.Limits = {}

    async def work(self) -> None:
        """Look once. Raises Unavailable, StorageDown; what is undone is done the next time."""
        waiting = self._floor.view.citizens()
        self._forget({(one.queue, one.call) for one in waiting})
        queues = {one.queue for one in waiting}
        self._note_pauses({member.queue for member in self._floor.view.members.values()} | queues)
        if not queues or self._floor.rebuilt_at is None:
            return
        known = await self._store.run(lambda uow: self._read(uow, queues))
        self._limits = known.limits
        staying = []
        for one in waiting:
            if (why := self._out(one, known)) is not None:
                await self._take_out(one, why)
            elif one.call not in self._rung_for and one.leg and leg_call(one.call) is None:
                staying.append(one)
        for queue in queues:
            await self._let_pass(queue)
            await self._hurry(queue)
        await self._tell(staying, known)

    async def listen(self, event: FloorEvent) -> None:
        """How true the first estimate was, and who is free now. Raises Unavailable."""
        if event.kind is FloorKind.RINGING:
            self._rung_for.add(event.call)
        elif event.kind in _RINGS_NO_MORE:
            self._rung_for.discard(event.call)
        elif event.kind is FloorKind.MEMBER and event.member is not None and _free(event.member):
            await self._hurry(event.queue)
        if event.kind is FloorKind.HUNG_UP:
            for key in [key for key in self._announced if key[1] == event.call]:
                del self._announced[key]
        if event.kind is FloorKind.CONNECTED:
            minutes = self._announced.pop((event.queue, event.call), None)
            if minutes is not None:
                self._on_estimate(event.seconds - 60.0 * minutes)

    # --- what is known ---

    def _read(self, uow: UnitOfWork, queues: set[str]) -> _Known:
        now = self._clock.now()
        calendar = calendar_of(self._settings, uow.calendar.list())
        latest = now - timedelta(seconds=self._settings.closing_seconds)
        return _Known(
            rules={queue: rules_of(uow, queue) for queue in queues},
            limits=self._limited(uow, now),
            handled={queue: uow.queues.handling(queue, since=now - HANDLING_FROM) for queue in queues},
            closing=not calendar.is_open(now) and not calendar.is_open(latest),
        )

    def _limited(self, uow: UnitOfWork, now: datetime) -> passing.Limits:
        rules = uow.queues.rules()
        waiting = [one for one in self._floor.view.citizens() if one.queue in rules]
        if not any(rules[one.queue].topics for one in waiting):
            return {}
        return passing.limits(waiting, uow.queues.turns(one.call for one in waiting), rules, now)

    def _note_pauses(self, queues: set[str]) -> None:
        """Since when everybody who is logged in has been on a pause."""
        now = self._clock.monotonic()
        for queue in queues:
            members = self._waits.members(queue)
            if members and not any(map(works, members)):
                self._paused_since.setdefault(queue, now)
            else:
                self._paused_since.pop(queue, None)

    def _forget(self, there: set[Key]) -> None:
        self._telling.forget(there)
        self._taken_out &= there
        self._rung_for &= {call for _, call in there}
        self._hurried = {key: at for key, at in self._hurried.items() if key in there}

    # --- what is done ---

    def _out(self, one: Waiting, known: _Known) -> LeftQueue | None:
        if known.closing:
            return LeftQueue.CLOSING
        since = self._paused_since.get(one.queue)
        limit = known.rules[one.queue].paused_seconds
        if since is not None and self._clock.monotonic() - since >= limit:
            return LeftQueue.PAUSED
        return None

    async def _take_out(self, one: Waiting, why: LeftQueue) -> None:
        """Once: the queue lets the caller go as soon as it looks."""
        if (key := key_of(one)) in self._taken_out or not one.leg:
            return
        await self._switchboard.withdraw(one.queue, one.leg, why=why)
        await self._switchboard.hurry(one.leg)  # the queue looks when its sentence is over
        self._taken_out.add(key)
        _log.info("caller_taken_out", call=one.call, queue=one.queue, why=why.value)

    async def _let_pass(self, queue: str) -> None:
        view = self._floor.view
        waiting = [one for one in view.queue(queue) if one.call not in self._rung_for]
        one = passing.who_passes(waiting, passing.free(view.of(queue)), self._limits)
        if one is not None and one.leg:
            await self._switchboard.promote(queue, one.leg, Priority.PASSING)
            await self._floor.rebuild()

    async def _hurry(self, queue: str) -> None:
        """Let the next callers be told nothing for as long as operators are free: app_queue rings nobody for
        whoever is first until the sentence that this caller hears has ended.

        Who is rung for already takes none of the operators who are free now."""
        view, now = self._floor.view, self._clock.monotonic()
        waiting = [one for one in view.queue(queue) if one.call not in self._rung_for]
        for one in passing.who_may(waiting, passing.free(view.of(queue)), self._limits):
            key = key_of(one)
            if one.extension or not one.leg or leg_call(one.call) or key in self._taken_out:
                continue
            if now - self._hurried.get(key, -HURRY_SECONDS) < HURRY_SECONDS:
                continue
            self._hurried[key] = now
            await self._telling.silence(one, Told(place=one.position, minutes=AT_ONCE))
            await self._switchboard.hurry(one.leg)

    async def _tell(self, waiting: Sequence[Waiting], known: _Known) -> None:
        outlooks: dict[tuple[str, int | None], Outlook] = {}
        wanted = []
        for one in waiting:
            which = one.queue, self._limits.get(one.call)
            if which not in outlooks:
                outlooks[which] = self._waits.outlook(
                    one.queue, handled=known.handled[one.queue], place=one.position, limit=which[1]
                )
            wanted.append((one, replace(outlooks[which], place=one.position).told))
        for one, told in await self._telling.tell(wanted):
            if told.minutes:
                self._announced.setdefault(key_of(one), told.minutes)


def _free(member: Member) -> bool:
    return member.status is MemberStatus.FREE and not member.paused
