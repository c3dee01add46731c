"""A world to call into: an Asterisk, citizens and an engine that can die between any two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from ivr.domain.callback import Callback, call_of, leg_of
from ivr.domain.enquiry import ContactOutcome
from ivr.ports import CallbackLeg, UnitOfWork
from ivr.services import attempts
from ivr.testing import MemoryStore, VirtualClock
from tests.unit.calling import Centre, settings

T = TypeVar("T")
FREE = 2
"""Operators who can be rung, always."""


class Killed(BaseException):
    """The engine is gone in the middle; nothing of ours may catch it."""


class Fate:
    """Counts the steps of the engine that somebody outside can see, and kills it before one of them."""

    def __init__(self) -> None:
        self.left: int | None = None

    def step(self) -> None:
        if self.left is None:
            return
        if self.left == 0:
            raise Killed
        self.left -= 1


class MortalStore(MemoryStore):
    """An engine dies before a transaction, or after its commit and before anything is made of it."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        self._fate.step()
        with self.transaction() as uow:
            result = work(uow)
            uow.commit()
        self._fate.step()
        return result

    @contextmanager
    def outside(self) -> Iterator[UnitOfWork]:
        """A transaction of somebody who does not die."""
        with self.transaction() as uow:
            yield uow
            uow.commit()


@dataclass
class Call:
    """A leg in Asterisk."""

    leg: CallbackLeg
    citizen: str = ""
    """`rings` or `talks`; empty: not dialled."""


@dataclass
class World:
    """What really happens, whatever the engine believes."""

    fate: Fate = field(default_factory=Fate)
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        self.store = MortalStore(self.fate)
        self.calls: dict[str, Call] = {}
        self.told: dict[str, ContactOutcome] = {}
        """What stands in the journals and has not been read yet, by uniqueid."""
        self.invites: list[tuple[str, datetime]] = []
        """(callback, time) of each INVITE to a citizen."""
        self.talked: set[str] = set()
        """Callbacks whose citizen was talked with, as the journals have it or will have it."""
        self.numbers: dict[str, str] = {}
        """By callback."""
        self.start_engine()

    # --- the engine ---

    def start_engine(self) -> None:
        self.fate.left = None
        self.engine = Centre(
            store=self.store,
            clock=self.clock,
            outbound=self,  # type: ignore[arg-type]
            settings=settings(unknown_zone_from="09:00"),
        )
        self.engine.operators(FREE, talking=1)

    async def live(self, work: Callable[[], object], *, killed_after: int | None) -> None:
        """Let the engine do something; killed after so many steps, it is started anew."""
        self.fate.left = killed_after
        try:
            found = work()
            if hasattr(found, "__await__"):
                await found
        except Killed:
            self.start_engine()
        self.fate.left = None

    # --- Asterisk, as the port Outbound ---

    async def begin(self, leg: CallbackLeg) -> None:
        self.fate.step()
        call = call_of(leg.callback, leg.leg)
        if call not in self.calls:
            self.calls[call] = Call(leg=leg)
            if leg.number:
                self.invite(call)
        self.fate.step()

    async def end(self, call: str) -> None:
        self.fate.step()
        if call in self.calls:
            self.over(call, ContactOutcome.NO_ANSWER)

    async def alive(self) -> frozenset[str]:
        return frozenset(self.calls)

    # --- the telephone ---

    def invite(self, call: str) -> None:
        """Dial the citizen. Whatever must hold at this moment is looked at here."""
        id_, leg = _of(call)
        stored = self.callback(id_)
        assert stored.attempt_of(leg) is not None, "the promise is a row before the INVITE"
        busy = [c for c in self.calls.values() if c.citizen and self.numbers[c.leg.callback] == stored.number]
        assert not busy, "never two INVITEs at once to one citizen"
        assert id_ not in self.talked, "nobody is called after having been talked with"
        self.calls[call].citizen = "rings"
        self.invites.append((id_, self.clock.now()))

    async def operator_answers(self, call: str) -> None:
        """The near half asks the engine, and dials when it is told to."""
        id_, leg = _of(call)

        def work(uow: UnitOfWork) -> object:
            now = self.clock.now()
            return attempts.begin(uow, id_, leg, now, self.engine.rules, node="node1")

        try:
            begun = await self.store.run(work)
        except Killed:  # AGI() failed: without the sentinel nobody is dialled
            self.over(call, None)
            raise
        if begun is None:
            self.over(call, None)
        else:
            self.invite(call)

    def over(self, call: str, outcome: ContactOutcome | None) -> None:
        """A leg ends. Of one that has dialled, or was promised to dial, the journals tell the outcome."""
        ended = self.calls.pop(call)
        if ended.citizen:
            self.told[call] = outcome or ContactOutcome.UNKNOWN
        elif self.callback(_of(call)[0]).attempt_of(_of(call)[1]) is not None:
            self.told[call] = ContactOutcome.UNKNOWN

    def asterisk_dies(self, *, with_journals: bool) -> None:
        """Legs are gone; of those that had dialled the journals tell at most that nothing is known."""
        for call in list(self.calls):
            self.over(call, ContactOutcome.UNKNOWN)
            if not with_journals:
                self.told.pop(call, None)

    async def read_journal(self, call: str) -> None:
        outcome = self.told[call]

        def work(uow: UnitOfWork) -> Callback | None:
            uow.cards.change_contact(call, outcome=outcome)
            return attempts.ended(uow, call, outcome, self.clock.now(), self.engine.rules)

        await self.store.run(work)
        del self.told[call]  # dies in between: it is read again

    # --- what is stored ---

    def callback(self, id_: str) -> Callback:
        return self.store.rows.callbacks.get(id_)

    def callbacks(self) -> list[Callback]:
        return list(self.store.rows.callbacks.rows.values())


def _of(call: str) -> tuple[str, int]:
    found = leg_of(call)
    assert found is not None
    return found
