"""Operators on duty without telephones: store, floor, switchboard and `Duty` on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from ivr.domain.operators import Operator, OperatorState, Place
from ivr.ports import MemberStatus, UnitOfWork
from ivr.services import working_day
from ivr.services.audit import By
from ivr.services.duty import Duty
from ivr.services.duty_rules import WRAPUP
from ivr.services.floor import Floor
from ivr.services.working_day import Limits
from ivr.testing import START, FakeSwitchboard, MemoryStore, VirtualClock

T = TypeVar("T")
ANNA, BORIS = "201", "202"
LIMITS = Limits(wrapup=30, missed=2, refused=3, ring=20)
QUEUES = ("general", "soc-1", "soc-2")
TURNS = 50
"""Of the event loop, in which everything that was told has been heard."""


class Standing:
    """Alarms."""

    def __init__(self) -> None:
        self.now: dict[str, str] = {}

    def set(self, key: str, what: str, remedy: str, now: datetime) -> None:
        self.now[key] = what

    def clear(self, key: str) -> None:
        del self.now[key]


FREE = {"general": (False, "", 0), "soc-1": (False, "", 0)}
RESTS = {"general": (True, WRAPUP, 0), "soc-1": (True, WRAPUP, 0)}
AWAY = {"general": (True, "paused", 0), "soc-1": (True, "paused", 0)}
"""Anna's memberships: by queue whether she is paused, why, and the penalty."""


class Shift:
    """Two operators: Anna of the first line, Boris of the second. `async with` runs the floor."""

    def __init__(
        self, notes: Path, *, store: MemoryStore | None = None, clock: VirtualClock | None = None
    ) -> None:
        self.clock = clock or VirtualClock()
        self.store = store or MemoryStore()
        self.board = FakeSwitchboard(QUEUES)
        self.floor = Floor(self.board, self.clock)
        self.board.on_event = self.floor.take
        self.alarms = Standing()
        self.mended: list[str] = []
        self.notes = notes
        self.duty = self.engine()
        for extension, line in ((ANNA, 1), (BORIS, 2)):
            one = Operator(extension=extension, name="Имя", agency="soc", line=line, since=START)
            self.do(lambda uow, o=one: uow.operators.add(o, "0" * 32))

    def engine(self, **more: Any) -> Duty:
        """A duty as a new engine would have it."""
        parts = (self.store, self.board, self.floor, self.clock, self.alarms)
        how = {"limits": LIMITS, "notes": self.notes, "away_seconds": 30, "on_mended": self.mended.append}
        return Duty(*parts, **{**how, **more})

    async def __aenter__(self) -> Shift:
        self._running = asyncio.create_task(self.floor.run())
        self.floor.connected()
        await self.heard()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running

    async def heard(self) -> None:
        """Until the floor has handled what was told."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    # --- what happens ---

    def do(self, work: Callable[[UnitOfWork], T]) -> T:
        with self.store.transaction() as uow:
            result = work(uow)
            uow.commit()
        return result

    def by(self, actor: str = ANNA) -> By:
        return By(actor=actor, at=self.clock.now())

    async def comes(self, extension: str = ANNA) -> None:
        """*11."""
        self.do(lambda uow: working_day.log_in(uow, self.by(), extension, LIMITS))
        await self.duty.apply(extension, release=True)
        await self.heard()

    async def connects(self, call: str = "c1", extension: str = ANNA, queue: str = "general") -> None:
        """As the dialplan does it: the pause comes first."""
        self.board.phone(extension, MemberStatus.RINGING)
        await self.board.pause(extension, paused=True, reason=WRAPUP)
        self.board.connect(queue, extension, call)
        await self.heard()

    async def completes(self, call: str = "c1", extension: str = ANNA, queue: str = "general") -> None:
        self.board.complete(queue, extension, call, talked=60)
        await self.heard()

    async def rings_in_vain(self, seconds: float = 20, extension: str = ANNA) -> None:
        self.board.no_answer("general", extension, "c9", seconds)
        await self.heard()

    async def passes(self, seconds: float) -> None:
        """Time, and the poll of each second at its end."""
        self.clock.forward(seconds)
        await self.duty.poll()
        await self.heard()

    # --- what is ---

    def operator(self, extension: str = ANNA) -> Operator:
        return self.store.rows.operators.get(extension)

    def state(self, extension: str = ANNA) -> tuple[OperatorState, str]:
        found = self.operator(extension)
        return found.state, found.reason

    def members(self, extension: str = ANNA) -> dict[str, tuple[bool, str, int]]:
        """Paused, why, and penalty, by queue."""
        return {
            queue: (m.paused, m.reason, m.penalty)
            for (queue, of), m in sorted(self.board.members.items())
            if of == extension
        }

    def places(self, *places: Place, extension: str = ANNA) -> None:
        self.do(lambda uow: uow.operators.set_places(extension, places))

    def a_card(self, call: str = "c1") -> str:
        """Of a citizen's call."""
        at = self.clock.now()
        return self.do(lambda uow: uow.cards.open(call=call, node="node1", number=None, at=at)).id
