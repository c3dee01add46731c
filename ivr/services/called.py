"""What the telephone switch asks of a callback on its way: whom the operator sees, and whether to dial.

Each answer is for one leg: another leg of the same callback, or one that has been withdrawn meanwhile, gets
none, and then nobody is rung.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivr.domain.callback import LEG_STATES, Callback, State, call_of
from ivr.domain.enquiry import Card, Level
from ivr.domain.errors import NotFound
from ivr.ports import Clock, Store, UnitOfWork, Whisper
from ivr.services import attempts
from ivr.services.calling_rules import CallingRules
from ivr.services.whispers import Whispers

_DIALLED = frozenset({State.DIALLING_CITIZEN, State.TALKING})


@dataclass(frozen=True, kw_only=True)
class Enquiry:
    """What a leg is about."""

    call: str
    """Uniqueid of the leg, and of its outbound contact."""
    card: str
    number: str
    """E.164."""
    enquiry: str
    """The last four digits of the registration number."""
    topic: str
    level: Level


@dataclass(frozen=True, kw_only=True)
class Calling:
    """The legs of one engine."""

    store: Store
    callers_store: Store
    """For what somebody listens into silence: it gives up soon (services/impatience.py)."""
    clock: Clock
    rules: CallingRules
    whispers: Whispers
    node: str

    async def waiting(self, id_: str, leg: int) -> Enquiry | None:
        """Of a leg that is to wait for an operator; None: nobody waits for one. Raises StorageDown."""
        return await self.store.run(lambda uow: _enquiry(uow, id_, leg, LEG_STATES))

    async def dialled(self, id_: str, leg: int) -> Enquiry | None:
        """Of a leg whose citizen has answered; None: it is no such leg. Raises StorageDown."""
        return await self.callers_store.run(lambda uow: _enquiry(uow, id_, leg, _DIALLED))

    async def begin(self, id_: str, leg: int) -> Enquiry | None:
        """An operator is there: the attempt is committed, and the citizen to be dialled; None: not now.

        Raises StorageDown: then nothing is promised and nobody dialled.
        """

        def work(uow: UnitOfWork) -> Enquiry | None:
            begun = attempts.begin(uow, id_, leg, self.clock.now(), self.rules, node=self.node)
            return None if begun is None else _told(uow, begun.callback)

        return await self.store.run(work)

    async def whisper(self, enquiry: Enquiry) -> Whisper | None:
        """What the operator hears before the citizen is dialled, or before the bridge."""
        return await self.whispers.prepare(
            topic=enquiry.topic, level=enquiry.level, enquiry=enquiry.enquiry, callback=True
        )


def _enquiry(uow: UnitOfWork, id_: str, leg: int, states: frozenset[State]) -> Enquiry | None:
    try:
        callback = uow.callbacks.get(id_)
    except NotFound:
        return None
    if callback.leg != leg or callback.state not in states:
        return None
    return _told(uow, callback)


def _told(uow: UnitOfWork, callback: Callback) -> Enquiry:
    card = uow.cards.get(callback.card)
    return Enquiry(
        call=call_of(callback.id, callback.leg),
        card=card.id,
        number=callback.number,
        enquiry=card.registration_number[-4:],
        topic=_topic(card),
        level=card.level,
    )


def _topic(card: Card) -> str:
    topics: Sequence[str] = card.topics
    return topics[-1] if topics else ""
