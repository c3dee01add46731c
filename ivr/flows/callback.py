"""Promising a callback: the promise is a row before it is a sentence (architecture.md, rule 7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from ivr.domain.callback import Callback, Source
from ivr.domain.ids import new_id
from ivr.domain.operators import GENERAL_QUEUE
from ivr.flows.callback_choice import choose
from ivr.flows.desk import Desk
from ivr.flows.saying import say_if_possible
from ivr.ports import Call, Prompt, UnitOfWork
from ivr.services.calendar import calendar_of, hours_in_words
from ivr.services.calling_rules import CallingRules
from ivr.services.unasked import linked


class Promise(NamedTuple):
    """What the caller is told."""

    callback: str
    """Its id."""
    due: datetime | None
    enquiry: str
    """The last four digits of the registration number."""


async def offer_callback(
    call: Call, desk: Desk, *, queue: str = GENERAL_QUEUE, opening: datetime | None = None
) -> None:
    """Register a callback for a caller who wants one, say so, and end the call.

    opening: when it is due; None: as soon as an operator is free. Another time or number may be chosen after
    the promise. Who cannot be called back, for the number is unknown, is told so. Raises StorageDown: then
    nothing has been promised.
    """
    if call.number is None:
        await _unreachable(call, desk)
    else:
        promise = await _register(call, desk, queue=queue, opening=opening)
        await _confirm(call, desk, promise)
        chosen = await choose(call, desk, promise.callback)
        if chosen is not None:
            await _confirm(call, desk, promise._replace(due=_told(desk, chosen.due)))
        await say_if_possible(call, Prompt.of("goodbye", reason="callback"), whole=True)
    await call.finish()


async def _confirm(call: Call, desk: Desk, promise: Promise) -> None:
    now = desk.clock.now().astimezone(desk.settings.zone)
    prompt = Prompt.of("callback.confirmed", due=promise.due, now=now, enquiry=promise.enquiry)
    await say_if_possible(call, prompt, whole=True)  # the promise holds, whether or not it can be said


def _told(desk: Desk, due: datetime) -> datetime | None:
    """As it is said; None: as soon as an operator is free."""
    return due.astimezone(desk.settings.zone) if due > desk.clock.now() else None


async def _unreachable(call: Call, desk: Desk) -> None:
    opens, closes = hours_in_words(calendar_of(desk.settings, ()))
    await call.say(Prompt.of("callback.unknown_number", opens=opens, closes=closes), whole=True)


async def _register(call: Call, desk: Desk, *, queue: str, opening: datetime | None) -> Promise:
    """Raises StorageDown: then nothing is promised."""
    number, now = call.number, desk.clock.now()
    assert number is not None  # noqa: S101 - the caller of this function has looked

    def register(uow: UnitOfWork) -> Promise:
        card = desk.card_of(uow, call)
        wanted = Callback(
            id=new_id(now),
            card=card.id,
            number=number,
            source=Source.QUEUE if opening is None else Source.CLOSED,
            queue=queue,
            arrived_at=call.arrived_at,
            due=opening or now,
        )
        # what is told is when the citizen can be called: not before the line opens, nor at night
        soonest = CallingRules.of(desk.settings).soonest(uow, wanted, wanted.due)
        callback = uow.callbacks.request(replace(wanted, due=soonest))
        if callback.card != card.id:  # it stands for this enquiry, too
            uow.traces.add([linked(call.id, now)])
        desk.by().note(uow, "callbacks.request", callback.id, call=call.id, result=callback.source.value)
        # one that stood already keeps its time, but nobody is called before this one would be
        due = max(callback.due, soonest)
        enquiry = uow.cards.get(callback.card).registration_number[-4:]
        return Promise(callback.id, due.astimezone(desk.settings.zone) if due > now else None, enquiry)

    return await desk.ask_store(call, register)
