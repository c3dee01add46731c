"""Calls at an agreed time (§13): the operator agrees on it with the citizen, and it is on the card.

There is one open callback for a number: an agreement moves the one there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from ivr.domain.callback import PENDING_STATES, Callback, Source, State
from ivr.domain.enquiry import Card
from ivr.domain.errors import BadInput
from ivr.domain.ids import new_id
from ivr.domain.operators import GENERAL_QUEUE, agency_queue
from ivr.domain.slots import Slots
from ivr.ports import UnitOfWork
from ivr.services.audit import By
from ivr.services.calendar import calendar_of
from ivr.services.calling_rules import CallingRules
from ivr.settings import Settings

MOVABLE = PENDING_STATES | {State.REQUESTED}
"""A callback in these states has not begun: its time, its number and its operator may be changed."""


def slots_of(uow: UnitOfWork, settings: Settings) -> Slots:
    """By the site's settings and the calendar in force."""
    own = settings.agreed
    return Slots(
        calendar=calendar_of(settings, uow.calendar.list()),
        quiet=CallingRules.of(settings).quiet,
        length=timedelta(seconds=own.slot_seconds),
        per_slot=own.per_slot,
        ahead=timedelta(days=own.ahead_days),
    )


def agree(uow: UnitOfWork, by: By, card: Card, at: datetime, settings: Settings) -> Callback:
    """Call the citizen of this card then, the same operator first.

    Raises BadInput, which names the next free slot.
    """
    number = number_of(card, settings)
    before = uow.callbacks.open_for_number(number)
    _check_movable(before, card)
    _check_time(uow, by, number, at, settings, besides="" if before is None else before.id)
    operator = operator_of(uow, card)
    if before is None:
        agreed = request(uow, by, card, number, Source.AGREED, due=at, operator=operator)
    else:
        first = operator if before.operator is None or before.card != card.id else before.operator
        agreed = replace(before, card=card.id, source=Source.AGREED, due=at, operator=first)
        uow.callbacks.save(agreed)
    uow.cards.change(card.id, callback_at=at)
    by.note(uow, "callbacks.agree", agreed.id, result="moved" if before is not None else "ok")
    return agreed


def request(
    uow: UnitOfWork, by: By, card: Card, number: str, source: Source, *, due: datetime, operator: str | None
) -> Callback:
    """A new callback about this card, at the place of its registration. operator: whose it is first."""
    return uow.callbacks.request(
        Callback(
            id=new_id(by.at),
            card=card.id,
            number=number,
            source=source,
            queue=queue_of(uow, card),
            arrived_at=card.registered_at,
            due=due,
            operator=operator,
        )
    )


def number_of(card: Card, settings: Settings) -> str:
    """Where the citizen can be called. Raises BadInput where that is nowhere."""
    if card.number is None:
        raise BadInput(
            f"card {card.registration_number} has no telephone number, so nobody can be called; "
            "ask the citizen to call again"
        )
    if (why := CallingRules.of(settings).numbers.refusal(card.number)) is not None:
        raise BadInput(f"card {card.registration_number}: {why}")
    return card.number


def callable_(card: Card, settings: Settings) -> bool:
    """Whether the citizen can be called at all."""
    return card.number is not None and CallingRules.of(settings).numbers.refusal(card.number) is None


def free_slots(
    uow: UnitOfWork, number: str, now: datetime, settings: Settings, *, besides: str = "", count: int
) -> Sequence[datetime]:
    """The next free slots for this number. Nobody else takes a place until the end of the transaction."""
    return list(islice(_free(uow, number, now, settings, now, besides), count))


def is_free(
    uow: UnitOfWork, number: str, at: datetime, now: datetime, settings: Settings, *, besides: str
) -> bool:
    """Whether there may still be a call then."""
    slots = slots_of(uow, settings)
    return slots.refusal(at, number, now, _taken(uow, slots, now, besides)) is None


def queue_of(uow: UnitOfWork, card: Card) -> str:
    """The queue whose operators know of it: where the citizen was, else the agency's first line."""
    turns = uow.queues.turns(contact.call for contact in card.contacts)
    last = next((turns[c.call] for c in reversed(card.contacts) if c.call in turns), None)
    if last is not None:
        return last.queue
    return GENERAL_QUEUE if card.agency is None else agency_queue(card.agency, 1)


def operator_of(uow: UnitOfWork, card: Card) -> str | None:
    """Who talked with the citizen last, or does now; None: nobody."""
    calls = {contact.call for contact in card.contacts}
    now = next((one.extension for one in uow.operators.list() if one.last_call in calls), None)
    return now or card.operator


def _check_movable(before: Callback | None, card: Card) -> None:
    if before is None:
        return
    if before.state not in MOVABLE:
        raise BadInput(f"callback {before.id} to this citizen is {before.state.value}; wait for its end")
    if before.source is Source.DEFERRED and before.card != card.id:
        raise BadInput(
            f"the citizen will be called about another, deferred enquiry (callback {before.id}); "
            "set the time on its card"
        )


def _check_time(
    uow: UnitOfWork, by: By, number: str, at: datetime, settings: Settings, *, besides: str
) -> None:
    slots = slots_of(uow, settings)
    why = slots.refusal(at, number, by.at, _taken(uow, slots, by.at, besides))
    if why is None:
        return
    start = min(max(at, by.at), by.at + slots.ahead)
    free = next(_free(uow, number, by.at, settings, start, besides), None) or next(
        _free(uow, number, by.at, settings, by.at, besides), None
    )
    if free is None:
        raise BadInput(f"{why}; there is no free slot in the next {slots.ahead.days} days")
    raise BadInput(f"{why}; the next free slot is {free:%Y-%m-%dT%H:%M}")


def _free(
    uow: UnitOfWork, number: str, now: datetime, settings: Settings, after: datetime, besides: str
) -> Iterator[datetime]:
    slots = slots_of(uow, settings)
    return slots.free(number, now, _taken(uow, slots, now, besides), after=after)


def _taken(uow: UnitOfWork, slots: Slots, now: datetime, besides: str) -> Sequence[datetime]:
    """All of the time that may be agreed on, and of the slot that has begun."""
    return uow.agreements.taken(now - slots.length, now + slots.ahead + slots.length, besides=besides)
