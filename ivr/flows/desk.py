"""What the flows work with: one `Desk` for all calls of an engine; nothing of a single call lives here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from ivr.domain.enquiry import Card
from ivr.domain.errors import StorageDown
from ivr.ports import (
    Call,
    Clock,
    DayException,
    Distributor,
    InformationResource,
    Prompt,
    Store,
    UnitOfWork,
    WaitSounds,
)
from ivr.services.announcements import Recordings
from ivr.services.audit import By
from ivr.services.guesses import GuessGuard
from ivr.services.identification import Identification
from ivr.services.names import NameCheck
from ivr.services.scenario_shelf import Shelf
from ivr.services.waits import Waits
from ivr.services.whispers import Whispers
from ivr.settings import Settings

T = TypeVar("T")
IVR = "ivr"
"""The actor in audit rows of what a caller did by keys."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The parts of the engine that flows use."""

    store: Store
    clock: Clock
    settings: Settings
    resources: InformationResource
    distributor: Distributor
    guesses: GuessGuard
    """Of pairs of receipt number and date."""
    identification: Identification
    names: NameCheck | None = None
    """None: full names are asked by an operator."""
    waits: Waits = field(default_factory=Waits)
    whispers: Whispers = field(default_factory=Whispers)
    shelf: Shelf = field(default_factory=Shelf)
    """Of dialogue scenarios."""
    sounds: WaitSounds | None = None
    """None: nobody is told a place."""
    recordings: Recordings | None = None
    """Of announcements; None: a recording cannot be brought here."""
    known_days: Callable[[], Sequence[DayException]] = tuple
    """Own exceptions to the calendar as last read, for when the database is down."""

    def by(self) -> By:
        """Who acts in a call without an operator, and when."""
        return By(actor=IVR, at=self.clock.now())

    def today(self) -> date:
        """Where the site is."""
        return self.clock.now().astimezone(self.settings.zone).date()

    def card_of(self, uow: UnitOfWork, call: Call) -> Card:
        """The call's card (§15); opened now if the database was down when the call came."""
        if call.enquiry:
            return uow.cards.get(call.enquiry)
        return uow.cards.open(call=call.id, node=self.settings.node, number=call.number, at=call.arrived_at)

    async def ask_store(self, call: Call, work: Callable[[UnitOfWork], T]) -> T:
        """Run and commit `work` while keys are read. Raises StorageDown."""
        return await call.during(self.store.run(work), notice=Prompt.of("checking"))

    async def write_down(self, call: Call, work: Callable[[UnitOfWork], object]) -> bool:
        """Write something to the call's card; whether it is written.

        A database that is down, or a call without a card because it was, does not stop a conversation.
        """
        if not call.enquiry:
            return False
        try:
            await self.ask_store(call, work)
        except StorageDown:
            return False
        return True
