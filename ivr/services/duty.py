"""Operators' duty: the queues are kept as the database says, and the database hears how talks begin and end.

The database is the truth: whatever restarts, or is changed behind our back, is brought back to it. `poll`
does it each second from the live view; `check` asks the telephone switch itself, now and then. Wrap-ups end
on time: callers wait for that.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from ivr.domain.errors import NotFound, Unavailable
from ivr.domain.operators import OperatorState
from ivr.observe import get_logger
from ivr.ports import Clock, FloorEvent, FloorKind, Member, MemberStatus, Store, Switchboard, UnitOfWork
from ivr.services import working_day
from ivr.services.duty_alarms import Board, DutyAlarms
from ivr.services.duty_hand import Hand
from ivr.services.duty_notes import DutyNotes
from ivr.services.duty_rules import Deed, Step, Wanted, has_wrapup, is_busy, steps
from ivr.services.duty_talks import DutyTalks
from ivr.services.floor import Floor
from ivr.services.working_day import Limits

T = TypeVar("T")
LOOK_SECONDS = 1.0
"""Between two looks at everything."""
SOONEST_SECONDS = 0.02
_TALKS = frozenset({MemberStatus.TALKING, MemberStatus.HOLDING})
_log = get_logger("ivr.duty")
Members = Mapping[str, Sequence[Member]]
"""Memberships by extension."""


class Duty:
    """Of one node."""

    def __init__(
        self,
        store: Store,
        switchboard: Switchboard,
        floor: Floor,
        clock: Clock,
        alarms: Board,
        *,
        limits: Limits,
        notes: Path,
        away_seconds: float,
        on_mended: Callable[[str], None] = lambda _deed: None,
    ) -> None:
        """notes: the folder where the dialplan leaves codes. away_seconds: a telephone that is gone for so
        long is an alarm. on_mended: told what had to be done about a change behind our back."""
        self.limits = limits
        self._store = store
        self._switchboard = switchboard
        self._floor = floor
        self._clock = clock
        self._hand = Hand(switchboard, floor)
        self._talks = DutyTalks(floor)
        self._notes = DutyNotes(store, notes, limits)
        self._alarms = DutyAlarms(alarms, clock, away_seconds=away_seconds)
        self._on_mended = on_mended
        self._locks: Mapping[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._settled: dict[str, Wanted] = {}
        """What was brought about last, by extension; nothing after a gap."""
        self._over: set[str] = set()
        """Whose talk seemed to be over at the last look."""
        self._ends: list[datetime] = []
        """Of the wrap-ups that the last look saw."""
        floor.listen(self.hear)
        floor.on_rebuilt(self._rebuilt)

    def away(self, extension: str) -> bool:
        """Whether the telephone of an operator on duty is not there."""
        return self._alarms.away(extension)

    async def apply(self, extension: str, *, release: bool = False) -> None:
        """Bring the queues to what the database says of this operator.

        release: the operator is ready, so a wrap-up that is still in force ends. Raises StorageDown,
        Unavailable; what is undone then is done by `poll`.
        """
        if self._floor.rebuilt_at is None:  # a gap: nobody knows who is a member
            await self._floor.rebuild()
        async with self._locks[extension]:
            wanted = (await self._wanted(extension)).get(extension)
            members = self._hand.members().get(extension, [])
            behind = not release and (wanted is None or self._is_settled(wanted))
            for step in self._steps(wanted, members, release=release):
                await self._hand.do(extension, step)
                if behind:
                    _log.warning("duty_mended", extension=extension, deed=step.deed.value)
                    self._on_mended(step.deed.value)
            if wanted is not None:
                self._settled[extension] = wanted

    # --- what happens on the floor ---

    async def hear(self, event: FloorEvent) -> None:
        """A listener of the floor. Raises StorageDown, Unavailable."""
        if self._talks.begin(event):
            for extension, call in self._talks.new():
                await self._talk_begins(extension, call)
        elif self._talks.end(event):
            await self._talk_ended(event.extension)
        elif event.kind is FloorKind.NO_ANSWER and event.extension:
            await self._rang_in_vain(event.extension, event.seconds)

    async def _talk_begins(self, extension: str, call: str) -> None:
        now, limits = self._clock.now(), self.limits
        if await self._run(lambda uow: working_day.talk_begins(uow, extension, call, now, limits)):
            await self.apply(extension)

    async def _talk_ended(self, extension: str) -> None:
        self._talks.forget(extension)
        if not has_wrapup(self._hand.members().get(extension, [])):
            return  # no engine was there when it began
        now = self._clock.now()
        begins = await self._run(lambda uow: working_day.talk_ends(uow, extension, now))
        await self.apply(extension, release=not begins)

    async def _rang_in_vain(self, extension: str, seconds: float) -> None:
        now, limits = self._clock.now(), self.limits
        if await self._run(lambda uow: working_day.rang_in_vain(uow, extension, seconds, now, limits)):
            _log.warning("operator_paused", extension=extension)
            await self.apply(extension)

    async def _rebuilt(self) -> None:
        """Events may have been missed: talks that go on are noted, and everybody is looked at.

        What was dialled in the gap comes first, or who has gone on a pause would be rung again meanwhile.
        """
        with suppress(OSError):  # `poll` meets the same, and tells of it
            await self._notes.take()
        self._settled.clear()
        self._talks.rebuilt()
        for extension, call in self._talks.new():
            await self._talk_begins(extension, call)
        await self._bring(await self._wanted())

    async def _run(self, work: Callable[[UnitOfWork], T]) -> T | None:
        """A telephone that no operator of ours has is nobody's business here."""
        try:
            return await self._store.run(work)
        except NotFound:
            return None

    # --- again and again ---

    async def poll(self) -> None:
        """Everything that is due now. Raises StorageDown, OSError, and Unavailable once all were tried."""
        self._notes.be_alive()
        await self._notes.take()
        if self._floor.rebuilt_at is None:
            return  # there is no view, and who keeps the connection tells so
        everybody = await self._wanted()
        if self._wrapup_ends(everybody) and await self._end_wrapups():
            everybody = await self._wanted()
        self._ends = self._wrapup_ends(everybody)
        await self._notice_ends(everybody)
        self._alarms.look(everybody, self._hand.members())
        await self._bring(everybody)

    async def check(self) -> None:
        """The same, from what the telephone switch itself says. Raises like `poll`."""
        if self._floor.rebuilt_at is None:
            return
        before = _plain(self._floor.view.members)
        found = {(m.queue, m.extension): m for m in (await self._switchboard.snapshot()).members}
        if _plain(found) != before == _plain(self._floor.view.members):
            _log.warning("view_mended")
            self._on_mended("view")
            self._floor.view.members = found
        await self.poll()

    def until_wrapup_ends(self) -> float:
        """Seconds until `end_wrapups` is to be called; a look at most, for others begin meanwhile."""
        left = (min(self._ends) - self._clock.now()).total_seconds() if self._ends else math.inf
        return min(max(left, SOONEST_SECONDS), LOOK_SECONDS)

    async def end_wrapups(self) -> None:
        """Those that are over by now. Raises StorageDown, Unavailable; `poll` does what is undone then."""
        now = self._clock.now()
        if self._floor.rebuilt_at is None or not any(end <= now for end in self._ends):
            return
        self._ends = [end for end in self._ends if end > now]
        for extension in await self._end_wrapups():
            await self.apply(extension)

    def _wrapup_ends(self, everybody: Mapping[str, Wanted]) -> list[datetime]:
        limit, operators = timedelta(seconds=self.limits.wrapup), (one.operator for one in everybody.values())
        return [operator.since + limit for operator in operators if operator.state is OperatorState.WRAPUP]

    async def _end_wrapups(self) -> Sequence[str]:
        """Whose were over."""
        now, members = self._clock.now(), self._hand.members()
        talking = frozenset(e for e, own in members.items() if any(m.status in _TALKS for m in own))
        limits = self.limits
        return await self._store.run(lambda uow: working_day.end_wrapups(uow, now, limits, talking=talking))

    async def _notice_ends(self, everybody: Mapping[str, Wanted]) -> None:
        """Talks whose end no event told of: the pause is there, and twice in a row nobody talks."""
        members = self._hand.members()
        over = {extension for extension in everybody if self._left_over(everybody[extension], members)}
        for extension in sorted(over & self._over):
            await self._talk_ended(extension)
        self._over = over - self._over

    def _left_over(self, wanted: Wanted, members: Members) -> bool:
        own = members.get(wanted.operator.extension, [])
        return (
            wanted.operator.state is OperatorState.READY
            and has_wrapup(own)
            and not is_busy(own)
            and wanted.operator.extension not in self._floor.view.talks
            and not self._released(wanted)
        )

    async def _bring(self, everybody: Mapping[str, Wanted]) -> None:
        """Do what is missing for everybody. Raises Unavailable once all were tried."""
        members = self._hand.members()
        failed: Unavailable | None = None
        for extension in sorted(everybody.keys() | members.keys()):
            wanted = everybody.get(extension)
            if wanted is not None and not self._steps(wanted, members.get(extension, [])):
                self._settled[extension] = wanted
                continue
            try:
                await self.apply(extension)
            except Unavailable as error:
                failed = error
        if failed is not None:
            raise failed

    # --- one operator ---

    def _steps(
        self, wanted: Wanted | None, members: Sequence[Member], *, release: bool = False
    ) -> Sequence[Step]:
        if wanted is None:  # no operator of ours has this telephone
            return [Step(deed=Deed.REMOVE, queue=member.queue) for member in members]
        talking = wanted.operator.extension in self._floor.view.talks
        released = release or self._released(wanted)
        return steps(wanted, members, wrapping_up=talking or not released)

    def _released(self, wanted: Wanted) -> bool:
        """Made ready since the last look: then no wrap-up is left over from a talk."""
        before = self._settled.get(wanted.operator.extension)
        return before is not None and before.operator.state is not OperatorState.READY

    def _is_settled(self, wanted: Wanted) -> bool:
        """Whether the database is as it was when the queues were brought to it."""
        before = self._settled.get(wanted.operator.extension)
        return before is not None and before.asks == wanted.asks

    async def _wanted(self, only: str = "") -> Mapping[str, Wanted]:
        """Of everybody, or of one. Raises StorageDown."""

        def read(uow: UnitOfWork) -> Mapping[str, Wanted]:
            places = uow.operators.places()
            return {
                one.extension: Wanted(operator=one, places=tuple(places.get(one.extension, ())))
                for one in uow.operators.list()
                if only in ("", one.extension)
            }

        return await self._store.run(read)


def _plain(members: Mapping[tuple[str, str], Member]) -> Iterable[object]:
    """What a view must not be wrong about; states of telephones change all the time."""
    return {(key, member.paused, member.penalty) for key, member in members.items()}
