"""Operators' codes by telephone: `*11`, `*12`, `*13N`, `*14`, `*15`, `*9`.

First the database, then the queues: an operator who is told «Звонки поступают» can be rung. Where either
does not answer, the error ends the flow and the dialplan goes on by itself (dialplans/operators.conf).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import NO_ANSWER, ON_DUTY, PAUSE, REFUSES, Operator, OperatorState
from ivr.flows.desk import Desk
from ivr.ports import Call, Prompt, UnitOfWork
from ivr.services import deferred, working_day
from ivr.services.audit import By
from ivr.services.calling_rules import CallingRules
from ivr.services.duty import Duty

_Change = Callable[[UnitOfWork, By, str], object]


async def log_in(call: Call, desk: Desk, duty: Duty, extension: str) -> None:
    """Into the queues, ready, whatever the operator was doing."""
    before = await _begin(call, desk, extension)
    if before is None:
        return
    limits = duty.limits
    await _change(call, desk, extension, lambda uow, by, e: working_day.log_in(uow, by, e, limits))
    await duty.apply(extension, release=True)
    await _say_why_paused(call, before)
    await _end(call, "operator.logged_in")


async def log_out(call: Call, desk: Desk, duty: Duty, extension: str) -> None:
    """Out of the queues; a talk in progress goes on."""
    if await _begin(call, desk, extension) is None:
        return
    limits = duty.limits
    await _change(call, desk, extension, lambda uow, by, e: working_day.log_out(uow, by, e, limits))
    await duty.apply(extension)
    await _end(call, "operator.logged_out")


async def pause(call: Call, desk: Desk, duty: Duty, extension: str, key: str) -> None:
    """A pause for reason number `key` of the directory."""
    before = await _begin(call, desk, extension)
    if before is None:
        return None
    if before.state not in ON_DUTY:
        return await _end(call, "operator.not_logged_in")
    known = await desk.ask_store(call, lambda uow: dict(uow.reasons.list(PAUSE)))
    if key not in known:
        return await _end(call, "operator.reason")
    limits = duty.limits
    await _change(call, desk, extension, lambda uow, by, e: working_day.pause(uow, by, e, key, limits))
    await duty.apply(extension)
    await call.say(Prompt.of("operator.paused", reason=known[key]))
    return await call.finish()


async def ready(call: Call, desk: Desk, duty: Duty, extension: str) -> None:
    """The pause or the wrap-up is over."""
    before = await _begin(call, desk, extension)
    if before is None:
        return None
    if before.state not in ON_DUTY:
        return await _end(call, "operator.not_logged_in")
    limits = duty.limits
    await _change(call, desk, extension, lambda uow, by, e: working_day.ready(uow, by, e, limits))
    await duty.apply(extension, release=True)
    await _say_why_paused(call, before)
    return await _end(call, "operator.ready")


async def unreached(call: Call, desk: Desk, extension: str) -> None:
    """The citizen of the last talk was not reached: no service."""
    if await _begin(call, desk, extension) is None:
        return
    calling = CallingRules.of(desk.settings)
    talked = await _change(
        call, desk, extension, lambda uow, by, e: working_day.not_reached(uow, by, e, calling)
    )
    await _end(call, "operator.unreached" if talked else "operator.no_talk")


async def unreached_in_talk(desk: Desk, extension: str) -> None:
    """The same by a key in the talk: nothing is said, for the citizen's side may be recording."""
    by = By(actor=extension, at=desk.clock.now())
    calling = CallingRules.of(desk.settings)
    await desk.store.run(lambda uow: working_day.not_reached(uow, by, extension, calling))


async def defer(call: Call, desk: Desk, extension: str) -> None:
    """The answer to the citizen of the last talk takes time (§14); the deadline is told."""
    if await _begin(call, desk, extension) is None:
        return None

    def mark(uow: UnitOfWork) -> tuple[str, datetime] | None:
        by = By(actor=extension, at=desk.clock.now())
        card = deferred.card_of_last_talk(uow, extension)
        if card is None:
            return None
        return card.registration_number[-4:], deferred.mark(uow, by, card, desk.settings).deadline

    try:
        marked = await desk.ask_store(call, mark)
    except BadInput:
        return await _end(call, "operator.not_deferred")
    if marked is None:
        return await _end(call, "operator.no_talk")
    enquiry, deadline = marked
    zone, now = desk.settings.zone, desk.clock.now()
    told = Prompt.of(
        "operator.deferred", enquiry=enquiry, deadline=deadline.astimezone(zone), now=now.astimezone(zone)
    )
    await call.say(told)
    return await call.finish()


async def _begin(call: Call, desk: Desk, extension: str) -> Operator | None:
    """The operator as stored; None, and it is said, for one who is not known or disabled.

    Raises StorageDown.
    """
    await call.answer()

    def find(uow: UnitOfWork) -> Operator | None:
        try:
            operator = uow.operators.get(extension)
        except NotFound:
            return None
        return None if operator.state is OperatorState.DISABLED else operator

    operator = await desk.ask_store(call, find)
    if operator is None:
        await _end(call, "operator.unknown")
    return operator


async def _change(call: Call, desk: Desk, extension: str, change: _Change) -> object:
    by = By(actor=extension, at=desk.clock.now())
    return await desk.ask_store(call, lambda uow: change(uow, by, extension))


async def _say_why_paused(call: Call, before: Operator) -> None:
    """Who was put on a pause for not answering is told at the next code."""
    if before.state is OperatorState.PAUSED and before.reason in (NO_ANSWER, REFUSES):
        await call.say(Prompt.of("operator.was_paused", reason=before.reason))


async def _end(call: Call, prompt: str) -> None:
    await call.say(Prompt.of(prompt))
    await call.finish()
