"""The scheduler of callbacks: takes up what was promised, and begins legs while there is room for them.

What is under way stands in the database, so an engine that starts anew adopts the legs it finds in Asterisk,
and two engines share the work: a queue is worked on by one at a time, a row is held while it is claimed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.domain.callback import LEG_STATES, PENDING_STATES, Callback, Source, State, leg_call, waiting_call
from ivr.domain.dialling_order import Ahead, Candidate, entry, room
from ivr.domain.errors import Unavailable
from ivr.domain.waiting import Turn
from ivr.observe import get_logger
from ivr.ports import CallbackLeg, Clock, MemberStatus, Outbound, Store, UnitOfWork
from ivr.services import attempts
from ivr.services.audit import By
from ivr.services.calling_rules import CallingRules
from ivr.services.floor import View
from ivr.services.waits import arrival, works

ACTOR = "dialler"
AT_ONCE = 50
"""Callbacks looked at in one transaction: others wait for the database behind it."""
_UNHURRIED = frozenset({Source.AGREED, Source.DEFERRED})
"""Their time was named: no delay is added to it."""
_log = get_logger("ivr.callbacks")


@dataclass(frozen=True, kw_only=True)
class _Begun:
    """A leg that is claimed: committed, and to be made."""

    leg: CallbackLeg
    call: str
    late: float
    """Seconds after due."""


class Dialler:
    """One engine's; `work` about once a second."""

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        view: View,
        clock: Clock,
        rules: CallingRules,
        *,
        node: str,
        trusted: Callable[[], bool] = lambda: True,
        on_begun: Callable[[float], None] = lambda _late: None,
    ) -> None:
        """view: the floor's; trusted: whether it is up to date. on_begun: seconds after due, of each leg."""
        self._store = store
        self._outbound = outbound
        self._view = view
        self._clock = clock
        self._rules = rules
        self._node = node
        self._trusted = trusted
        self._on_begun = on_begun
        self._making: dict[str, asyncio.Task[None]] = {}
        """Legs that Asterisk has not told the end of, by uniqueid."""

    async def work(self) -> None:
        """Once. Raises StorageDown, and Unavailable with what keeps callbacks from being dialled."""
        await self._store.run(self._take_up)
        if not self._trusted():
            return
        waiting = await self._store.run(lambda uow: uow.callbacks.due_queues(self._clock.now()))
        if waiting and not self._rules.settings.trunk.host:
            raise Unavailable(f"{sum(waiting.values())} callbacks are due and no trunk is named")
        if waiting and (why := await self._store.run(self._capped)) is not None:
            raise Unavailable(why)
        for queue in sorted(waiting):
            await self._serve(queue)

    async def handed_over(self) -> None:
        """Until Asterisk has taken over, or ended, every leg that was begun so far."""
        await asyncio.gather(*self._making.values())

    async def _serve(self, queue: str) -> None:
        free, works_there = self._operators(queue)
        if not works_there:
            return
        begun = await self._store.run(lambda uow: self._claim(uow, queue, free))
        for one in begun:
            self._on_begun(one.late)
            task = asyncio.create_task(self._make(one), name=f"leg {one.call}")
            self._making[one.call] = task
            task.add_done_callback(lambda _done, call=one.call: self._making.pop(call, None))  # type: ignore[misc]

    async def _make(self, begun: _Begun) -> None:
        """A leg of which nothing is heard may be there all the same: the tending finds out."""
        _log.info("callback_leg", callback=begun.leg.callback, leg=begun.leg.leg, queue=begun.leg.queue)
        try:
            await self._outbound.begin(begun.leg)
        except Unavailable as error:
            _log.warning("callback_leg_failed", call=begun.call, reason=str(error))

    def _operators(self, queue: str) -> tuple[int, bool]:
        """(who can be rung now, whether anybody works there at all)."""
        members = [member for member in self._view.members.values() if member.queue == queue]
        present = any(works(member) for member in members if member.status is not MemberStatus.AWAY)
        return self._view.free(queue), present

    # --- in the transaction ---

    def _capped(self, uow: UnitOfWork) -> str | None:
        return self._rules.capped(uow, self._clock.now())

    def _take_up(self, uow: UnitOfWork) -> None:
        """Promises get their time: not at once, not at night, and not for a number that is not dialled."""
        now = self._clock.now()
        moved = []
        for callback in uow.callbacks.take({State.REQUESTED}, due_by=None, limit=AT_ONCE):
            if (why := self._rules.numbers.refusal(callback.number)) is not None:
                moved.append(callback.move(State.GIVEN_UP))
                By(actor=ACTOR, at=now).note(uow, "callbacks.refuse", callback.id, result=why)
                continue
            at = callback.due if callback.source in _UNHURRIED else max(callback.due, now + self._first())
            due = self._rules.soonest(uow, callback, at)
            moved.append(replace(callback.move(State.WAITING), due=due))
        uow.callbacks.save(*moved)

    def _first(self) -> timedelta:
        return timedelta(seconds=self._rules.settings.callbacks.first_seconds)

    def _claim(self, uow: UnitOfWork, queue: str, free: int) -> Sequence[_Begun]:
        """Begin a leg for each callback whose turn it is; those that cannot be dialled now are put off."""
        now = self._clock.now()
        due = uow.callbacks.take(PENDING_STATES, due_by=now, queue=queue, limit=AT_ONCE)
        under_way = _under_way(uow, queue)
        there, legs = self._in_queue(uow, queue, under_way), len(under_way)
        begun: list[_Begun] = []
        for callback in sorted(due, key=lambda c: (not c.citizen_first, c.arrived_at, c.id)):
            if not room(free=free, legs=legs):
                break
            if self._for_another_time(callback, now):
                continue
            if attempts.obstacle(uow, callback, now, self._rules) is not None:
                uow.callbacks.save(attempts.postponed(uow, callback, now, self._rules))
                continue
            candidate = Candidate(
                id=callback.id, arrived_at=callback.arrived_at, agreed=callback.citizen_first
            )
            found = entry(candidate, there, free=free, legs=legs)
            if found is None:
                break
            begun.append(self._begin(uow, callback, found.place, now))
            there.append(_ahead(callback))
            legs += 1
        return begun

    def _for_another_time(self, callback: Callback, now: datetime) -> bool:
        """A deferred enquiry is its own operator's (§14): no leg takes room before that one is free.

        After `deferred.operator_seconds` any operator of the queue will do.
        """
        own = timedelta(seconds=self._rules.settings.deferred.operator_seconds)
        if callback.source is not Source.DEFERRED or callback.operator is None or now >= callback.due + own:
            return False
        telephones = [m for m in self._view.members.values() if m.extension == callback.operator]
        return not any(m.status is MemberStatus.FREE and not m.paused for m in telephones)

    def _begin(self, uow: UnitOfWork, callback: Callback, place: int, now: datetime) -> _Begun:
        """Claim the next leg of a callback; where the citizen comes first, the attempt with it."""
        claimed = replace(callback, leg=callback.leg + 1, leg_at=now, node=self._node)
        if callback.citizen_first:
            attempts.dial(uow, claimed, now, node=self._node)
        else:
            uow.callbacks.save(claimed.move(State.QUEUED))
        uow.queues.take_turn(
            Turn(
                call=claimed.call if callback.citizen_first else waiting_call(claimed.call),
                card=callback.card,
                queue=callback.queue,
                first_arrived_at=callback.arrived_at,
            )
        )
        late = (now - callback.due).total_seconds()
        return _Begun(leg=self._leg(claimed, place), call=claimed.call, late=late)

    def _leg(self, claimed: Callback, place: int) -> CallbackLeg:
        own, first = self._rules.settings.callbacks, claimed.citizen_first
        return CallbackLeg(
            callback=claimed.id,
            leg=claimed.leg,
            queue=claimed.queue,
            place=place,
            operator=claimed.operator or "",
            operator_seconds=own.operator_seconds,
            number=claimed.number if first else "",
            seconds=own.ring_seconds if first else own.place_seconds,
        )

    def _in_queue(self, uow: UnitOfWork, queue: str, under_way: Sequence[Callback]) -> list[Ahead]:
        """Live callers as the floor shows them, legs as the database does: some are on their way."""
        live = [one for one in self._view.queue(queue) if leg_call(one.call) is None]
        turns = uow.queues.turns(one.call for one in live)
        there = [Ahead(arrived_at=arrival(one, turns), priority=one.priority) for one in live]
        return [*there, *map(_ahead, under_way)]


def _ahead(callback: Callback) -> Ahead:
    return Ahead(arrived_at=callback.arrived_at, priority=int(callback.citizen_first))


def _under_way(uow: UnitOfWork, queue: str) -> Sequence[Callback]:
    """Callbacks of this queue that want an operator and have none yet."""
    found = uow.callbacks.in_states(LEG_STATES | {State.DIALLING_CITIZEN})
    return [c for c in found if c.queue == queue and (c.state in LEG_STATES or c.citizen_first)]
