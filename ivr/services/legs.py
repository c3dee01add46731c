"""Legs of callbacks as they are in Asterisk, against what the database says of them.

The journals end attempts; a leg that ends before the citizen was dialled is in no journal of ours, and of
what a crash cut off there may be nothing anywhere. So the two are compared, at start and then every few
seconds: what runs is adopted, what is wanted no more is hung up, and what is gone is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime

from ivr.domain.callback import (
    DIALLED_STATES,
    LEG_STATES,
    Callback,
    State,
    leg_call,
    leg_of,
    waiting_call,
)
from ivr.observe import get_logger
from ivr.ports import CallbackCounts, Clock, FloorEvent, FloorKind, Outbound, Store, UnitOfWork
from ivr.services import attempts
from ivr.services.calling_rules import CallingRules

UNTOLD = 3.0
"""Times the grace: so long the journals have for telling how an attempt ended whose leg is gone."""
_WITHDRAWN = frozenset({State.CANCELLED, State.SUPERSEDED})
_log = get_logger("ivr.callbacks")


class LegWatch:
    """One engine's watch over the legs of its node."""

    def __init__(
        self,
        store: Store,
        outbound: Outbound,
        clock: Clock,
        rules: CallingRules,
        *,
        node: str,
        on_counts: Callable[[CallbackCounts, datetime], None] = lambda _counts, _now: None,
    ) -> None:
        """on_counts: told with each look, with its time."""
        self._store = store
        self._outbound = outbound
        self._clock = clock
        self._rules = rules
        self._node = node
        self._on_counts = on_counts
        self._missing: dict[str, float] = {}
        """Monotonic time of the first look in vain, by uniqueid."""
        self._unwanted: frozenset[str] = frozenset()
        """Legs that nothing stood for at the last look."""
        self._talks: dict[str, tuple[float, float]] = {}
        """When each talk was first and last seen going on, monotonic, by uniqueid."""

    async def look(self) -> None:
        """Compare once. Raises Unavailable, StorageDown."""
        alive = await self._outbound.alive()
        for call in await self._store.run(lambda uow: self._compare(uow, alive)):
            _log.info("callback_leg_ended", call=call)
            await self._outbound.end(call)

    async def hear(self, event: FloorEvent) -> None:
        """What happens on the floor moves the callback at once."""
        call = leg_call(event.call) or leg_call(event.linked)
        work = None if call is None else self._work_of(event, call)
        if work is not None:
            await self._store.run(work)

    def _work_of(self, event: FloorEvent, call: str) -> Callable[[UnitOfWork], object] | None:
        waits = event.call == waiting_call(call)
        match event.kind:
            case FloorKind.RINGING if waits:
                return lambda uow: attempts.operator_rings(uow, call, rings=True)
            case FloorKind.NO_ANSWER if waits:
                return lambda uow: attempts.operator_rings(uow, call, rings=False)
            case FloorKind.CONNECTED if event.call == call:
                return lambda uow: attempts.talking(uow, call)
            case FloorKind.BRIDGED if not waits and event.call != call:
                return lambda uow: _joined(uow, call, operator=bool(event.extension))
            case FloorKind.HUNG_UP if event.call == call:
                return lambda uow: attempts.leg_gone(uow, call, self._clock.now(), self._rules)
        return None

    # --- in the transaction ---

    def _compare(self, uow: UnitOfWork, alive: frozenset[str]) -> Sequence[str]:
        """Settle what is gone; what is to be hung up."""
        now = self._clock.now()
        found = uow.callbacks.in_states(LEG_STATES | DIALLED_STATES)
        under_way = {callback.call: callback for callback in found if callback.node == self._node}
        gone = under_way.keys() - alive
        self._missing = {call: self._missing.get(call, self._clock.monotonic()) for call in gone}
        self._see_talks(under_way, alive)
        for call in sorted(gone):
            self._settle(uow, under_way[call], now)
        self._on_counts(uow.callbacks.counts(now), now)
        return self._surplus(uow, alive - {callback.call for callback in found})

    def _see_talks(self, under_way: Mapping[str, Callback], alive: frozenset[str]) -> None:
        """Of a talk whose end both journals have lost, on a full disk, this is all the proof there is."""
        now = self._clock.monotonic()
        known = {call: seen for call, seen in self._talks.items() if call in under_way}
        talking = (call for call in under_way.keys() & alive if under_way[call].state is State.TALKING)
        self._talks = known | {call: (known.get(call, (now, now))[0], now) for call in talking}

    def _settle(self, uow: UnitOfWork, callback: Callback, now: datetime) -> None:
        waited = self._clock.monotonic() - self._missing[callback.call]
        grace = self._rules.settings.callbacks.grace_seconds
        if callback.state in LEG_STATES and waited >= grace:
            attempts.leg_gone(uow, callback.call, now, self._rules)
        if callback.state in DIALLED_STATES and waited >= grace * UNTOLD:
            first, last = self._talks.get(callback.call, (0.0, 0.0))
            attempts.lost(uow, callback.call, now, self._rules, talked=last - first)

    def _surplus(self, uow: UnitOfWork, unwanted: frozenset[str]) -> Sequence[str]:
        """At once where the callback was withdrawn; else only when the leg does not end by itself."""
        before, self._unwanted = self._unwanted, unwanted
        withdrawn = _withdrawn(uow, unwanted - before)
        return [call for call in sorted(unwanted) if call in before or call in withdrawn]


def _joined(uow: UnitOfWork, call: str, *, operator: bool) -> None:
    """Citizen and operator talk when the second of them comes: the one who was not called first."""
    callback = attempts.of_call(uow, call)
    if callback is not None and callback.citizen_first is operator:
        attempts.talking(uow, call)


def _withdrawn(uow: UnitOfWork, calls: Set[str]) -> Set[str]:
    """Those of these legs whose callback was withdrawn."""
    found = {call: leg[0] for call in calls if (leg := leg_of(call)) is not None}
    states = {callback.id: callback.state for callback in uow.callbacks.held(set(found.values()))}
    return {call for call, id_ in found.items() if states.get(id_) in _WITHDRAWN}
