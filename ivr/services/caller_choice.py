"""What a caller may choose once a callback is promised: a free slot, or another number (our addition, §13).

Another number is a way to have strangers called: only callers whose own number is known may type one, only
numbers that may be dialled, one open for each calling number and a few a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.domain.callback import Callback, Source, State
from ivr.domain.errors import BadInput
from ivr.domain.ids import new_id
from ivr.ports import UnitOfWork
from ivr.services import agreed
from ivr.services.agreed import MOVABLE
from ivr.services.audit import By
from ivr.services.calling_rules import CallingRules
from ivr.settings import Settings

DAY = timedelta(days=1)
_PROMISED_BY_OTHERS = frozenset({Source.AGREED, Source.DEFERRED})
"""An operator has promised these; their time and number are not the machine's to change."""


class NotPossible(BadInput):
    """The callback cannot be changed so; it stands as it was promised."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What there is to choose."""

    slots: Sequence[datetime] = ()
    number: bool = False
    """Whether another number may be typed."""

    def __bool__(self) -> bool:
        return bool(self.slots) or self.number


def offered(uow: UnitOfWork, id_: str, caller: str, now: datetime, settings: Settings) -> Choice:
    """For the callback of a caller from this number (E.164); nothing once it has begun."""
    callback, own = uow.callbacks.get(id_), settings.agreed
    if not _changeable(callback):
        return Choice()
    count = own.offered
    slots = agreed.free_slots(uow, callback.number, now, settings, besides=id_, count=count) if count else ()
    return Choice(slots=slots, number=own.typed_number and _may_type(uow, caller, now, settings))


def take_slot(uow: UnitOfWork, by: By, id_: str, slot: datetime, settings: Settings) -> Callback:
    """Call at that time. Raises NotPossible: somebody else has taken it, or the call has begun."""
    callback = uow.callbacks.get(id_)
    free = agreed.is_free(uow, callback.number, slot, by.at, settings, besides=id_)
    if not free or not _changeable(callback):
        raise NotPossible
    moved = replace(callback, source=Source.AGREED, due=slot)
    uow.callbacks.save(moved)
    uow.cards.change(callback.card, callback_at=slot)
    by.note(uow, "callbacks.agree", id_, result="slot")
    return moved


def retype(uow: UnitOfWork, by: By, id_: str, caller: str, number: str, settings: Settings) -> Callback:
    """Call that number (E.164) instead: another callback at the same place. Raises NotPossible.

    The transaction must not be committed then.
    """
    callback = uow.callbacks.get(id_)
    allowed = _changeable(callback) and _may_type(uow, caller, by.at, settings)
    if not allowed or not dialable(number, settings):
        raise NotPossible
    uow.callbacks.save(callback.move(State.CANCELLED))
    wanted = replace(callback, id=new_id(by.at), number=number, state=State.REQUESTED)
    if uow.callbacks.request(wanted).id != wanted.id:
        raise NotPossible  # somebody waits for a call on that number
    by.note(uow, "callbacks.retype", wanted.id, result=id_)
    return wanted


def dialable(number: str, settings: Settings) -> bool:
    """Whether this number (E.164) may be called."""
    return CallingRules.of(settings).numbers.refusal(number) is None


def _changeable(callback: Callback) -> bool:
    return callback.state in MOVABLE and not callback.attempts and callback.source not in _PROMISED_BY_OTHERS


def _may_type(uow: UnitOfWork, caller: str, now: datetime, settings: Settings) -> bool:
    typed = uow.agreements.typed(caller, since=now - DAY)
    return len(typed) < settings.agreed.typed_a_day and not any(one.open for one in typed)
