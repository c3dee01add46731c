"""A site that calls citizens, with a virtual clock, a store in memory and no telephones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from ivr.domain.callback import Callback, Source, State
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.ids import new_id
from ivr.ports import FloorEvent, FloorKind, Member, MemberStatus, Store, UnitOfWork, Waiting
from ivr.services import attempts
from ivr.services.calling_rules import CallingRules
from ivr.services.dialler import Dialler
from ivr.services.floor import View
from ivr.services.legs import LegWatch
from ivr.settings import CallbackSettings, Settings, Trunk
from ivr.testing import START, FakeOutbound, MemoryStore, VirtualClock

T = TypeVar("T")
NUMBER = "+73432000001"
"""Of Yekaterinburg: its zone is the site's."""


def settings(state: Path = Path("state"), *, trunk: str = "127.0.0.1", **own: Any) -> Settings:
    return Settings(state=state, trunk=Trunk(host=trunk), callbacks=CallbackSettings(**own))


@dataclass
class Centre:
    """Everything that is about callbacks, of one engine."""

    store: Store = field(default_factory=MemoryStore)
    clock: VirtualClock = field(default_factory=VirtualClock)
    outbound: FakeOutbound = field(default_factory=FakeOutbound)
    view: View = field(default_factory=View)
    settings: Settings = field(default_factory=settings)
    node: str = "node1"
    late: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rules = CallingRules.of(self.settings)
        self.dialler = Dialler(
            self.store,
            self.outbound,
            self.view,
            self.clock,
            self.rules,
            node=self.node,
            on_begun=self.late.append,
        )
        self.legs = LegWatch(self.store, self.outbound, self.clock, self.rules, node=self.node)

    # --- what is there ---

    def do(self, work: Callable[[UnitOfWork], T]) -> T:
        with self.store.transaction() as uow:
            result = work(uow)
            uow.commit()
        return result

    def promise(self, *, number: str = NUMBER, arrived_at: datetime | None = None, **more: Any) -> Callback:
        now = self.clock.now()
        arrived = arrived_at or now

        def work(uow: UnitOfWork) -> Callback:
            call = f"node1-{new_id(now)}.1"
            card = uow.cards.open(call=call, node="node1", number=number, at=arrived)
            uow.cards.change_contact(call, outcome=ContactOutcome.ABANDONED_QUEUE)
            callback = Callback(
                id=new_id(now),
                card=card.id,
                number=number,
                source=Source.QUEUE,
                queue="general",
                arrived_at=arrived,
                due=now,
            )
            return uow.callbacks.request(replace(callback, **more))

        return self.do(work)

    def callback(self, id_: str) -> Callback:
        return self.do(lambda uow: uow.callbacks.get(id_))

    def operators(self, free: int, *, talking: int = 0, queue: str = "general") -> None:
        """So many operators serve this queue."""
        for number in range(free + talking):
            extension = str(201 + number)
            status = MemberStatus.FREE if number < free else MemberStatus.TALKING
            self.view.members[queue, extension] = Member(
                queue=queue, extension=extension, paused=False, reason="", status=status
            )

    def waits(self, *arrivals: datetime, queue: str = "general", priority: int = 0) -> None:
        """Live callers in the queue, who arrived then."""
        for at in arrivals:
            call, place = f"node1-{at.timestamp():.6f}", len(self.view.waiting) + 1
            self.view.waiting[queue, call] = Waiting(
                queue=queue, call=call, position=place, since=at, priority=priority
            )

    # --- what happens ---

    async def turn(self, seconds: float = 0.0) -> None:
        """Let time pass, then let the dialler work once, and what it began be handed over."""
        self.clock.forward(seconds)
        await self.dialler.work()
        await self.dialler.handed_over()

    async def until_dialled(self, id_: str) -> str:
        """Take the callback up, and let an operator answer; the leg."""
        await self.turn()
        await self.turn(self.settings.callbacks.first_seconds)
        return self.answer(id_)

    def answer(self, id_: str) -> str:
        """An operator answers the callback's leg, and the citizen is dialled."""
        leg = self.callback(id_).leg
        begun = self.do(
            lambda uow: attempts.begin(uow, id_, leg, self.clock.now(), self.rules, node=self.node)
        )
        assert begun is not None
        return begun.call

    def end(self, call: str, outcome: ContactOutcome) -> State | None:
        """The journals tell how an attempt ended."""
        self.outbound.legs.discard(call)

        def work(uow: UnitOfWork) -> Callback | None:
            uow.cards.change_contact(call, outcome=outcome)
            return attempts.ended(uow, call, outcome, self.clock.now(), self.rules)

        after = self.do(work)
        return None if after is None else after.state

    async def hear(self, kind: FloorKind, call: str, **more: Any) -> None:
        await self.legs.hear(FloorEvent(kind=kind, call=call, **more))


__all__ = ["NUMBER", "START", "Centre", "settings"]
