"""Handing a caller over to a queue, and what follows when the queue gives the caller back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ivr.domain.enquiry import ContactOutcome, Level
from ivr.domain.errors import CallerSilent, StorageDown, Unavailable
from ivr.flows.callback import offer_callback
from ivr.flows.desk import Desk
from ivr.flows.saying import say_if_possible
from ivr.ports import Boarding, Call, LeftQueue, Prompt, TraceEvent, UnitOfWork, Whisper
from ivr.services.unasked import declined
from ivr.services.waits import Asked, Plan, WhoCalls, instead, rules_of

RETRIES = frozenset({LeftQueue.TIMEOUT, LeftQueue.CALLBACK})
"""After these a caller who is promised no callback may go on waiting; else nobody is there to wait for."""
CONNECTING = Prompt.of("connecting")
CALL_ME = "1"
"""The key of who waits, or is about to."""
SHOWN = {Level.NONE: "без кода", Level.APPLICATION: "заявление", Level.PERSONAL: "с кодом"}
"""The word for a level on the display of the operator's telephone."""
AGAIN = "Звонок прервался, это продолжение обращения {number}."
"""What the operator reads on the card of a caller who was cut off (§15)."""


async def hand_over(
    call: Call,
    desk: Desk,
    *,
    agency: str | None = None,
    line: int = 1,
    topic: str | None = None,
    words: Prompt = CONNECTING,
) -> None:
    """Put the caller into the queue of an agency's line, or the general one; the last thing a flow does.

    The agency and topic are on the card before an operator can see it (§3в, §23). Who was cut off while
    waiting or talking goes on there, with the place, and with the level reached from the same number.
    words: that say so.
    """
    asked = Asked(agency=agency, line=line, topic=topic)

    def work(uow: UnitOfWork) -> Plan:
        plan = desk.waits.plan(uow, who_calls(call), asked)
        _note_topic(uow, call, plan)
        if plan.earlier is not None:
            _take_up(uow, call, desk, plan)
            plan = desk.waits.plan(uow, who_calls(call), asked)  # with the level
        uow.queues.take_turn(plan.turn)
        return plan

    await board(call, desk, asked.queue, await _planned(call, desk, work), words)


async def _planned(call: Call, desk: Desk, work: Callable[[UnitOfWork], Plan]) -> Plan | None:
    """None without the database: then nobody has a place or a topic, but everybody an operator."""
    if not call.enquiry:
        return None
    try:
        return await desk.ask_store(call, work)
    except StorageDown:
        return None


def who_calls(call: Call) -> WhoCalls:
    return WhoCalls(call=call.id, card=call.enquiry, number=call.number, arrived_at=call.arrived_at)


def _note_topic(uow: UnitOfWork, call: Call, plan: Plan) -> None:
    agency, topic = plan.turn.agency, plan.turn.topic
    if agency is not None and topic is not None:
        uow.cards.add_topic(call.enquiry, agency=agency, topic=topic)
    elif agency is not None:
        uow.cards.change(call.enquiry, agency=agency)


def _take_up(uow: UnitOfWork, call: Call, desk: Desk, plan: Plan) -> None:
    """Whose the earlier enquiry is, and its level, goes onto the new card of the same number (§20, §21)."""
    earlier, at = plan.earlier, desk.clock.now()
    if earlier is None:
        return
    comment = AGAIN.format(number=earlier.registration_number)
    own = uow.cards.get(call.enquiry)
    uow.cards.change(call.enquiry, comment="\n".join(filter(None, (own.comment, comment, earlier.comment))))
    if own.level is Level.NONE and earlier.level is not Level.NONE:
        uow.cards.change(call.enquiry, level=earlier.level)
        if (snils := uow.cards.snils_of(earlier.id)) is not None:
            uow.cards.identified(call.enquiry, snils=snils)
        uow.traces.add([TraceEvent(call=call.id, at=at, kind="level", id="returned", outcome=earlier.level)])
    desk.by().note(uow, "queues.return", call.enquiry, call=call.id, result=plan.level.value)


async def board(call: Call, desk: Desk, queue: str, plan: Plan | None, words: Prompt = CONNECTING) -> None:
    """Say that an operator is called, and enter the queue; without a plan as anybody.

    Who presses 1 before being there keeps the place by a callback, as in the queue itself.
    """
    if plan is None:
        await say_if_possible(call, words)
        call.outcome = None  # from here on the journals tell how it ends
        return await call.enqueue(queue)
    whisper = await call.during(_sounds(desk, plan))
    await say_if_possible(call, words)
    if call.take_key(words, CALL_ME):
        call.outcome = ContactOutcome.ABANDONED_QUEUE
        return await after_queue(call, desk, queue=plan.queue, left=LeftQueue.CALLBACK, closing=False)
    call.outcome = None
    boarding = Boarding(
        place=plan.place,
        seconds=plan.rules.longest_wait_seconds,
        penalty=plan.penalty,
        widen_after=None if plan.penalty is None else plan.rules.widen_seconds,
        shown=f"{SHOWN[plan.level]} {plan.enquiry}",
        whisper=whisper,
        told=plan.told,
        arrived_at=plan.turn.first_arrived_at,
        operator=plan.operator,
    )
    return await call.enqueue(plan.queue, priority=plan.turn.priority, boarding=boarding)


async def _sounds(desk: Desk, plan: Plan) -> Whisper | None:
    """What both sides will hear; what cannot be made is not heard."""
    if desk.sounds is not None:
        with suppress(Unavailable):
            await desk.sounds.lay(plan.told)
    return await desk.whispers.prepare(topic=plan.turn.topic or "", level=plan.level, enquiry=plan.enquiry)


async def after_queue(call: Call, desk: Desk, *, queue: str, left: LeftQueue, closing: bool) -> None:
    """The queue gave the caller back unserved: another queue, or a callback is offered, never endless music.

    closing: the dialplan will not let this caller wait once more. Raises StorageDown where nothing can be
    promised and nobody is there to wait for: the dialplan says that it is sorry.
    """
    other = None if closing else await _other_queue(call, desk, queue, left)
    if other is not None:
        return await wait_on(call, desk, other)
    may_wait = left in RETRIES and not closing
    try:
        if await _wants_callback(call, left, may_wait=may_wait):
            return await offer_callback(call, desk, queue=queue)
    except Unavailable:  # of the database, or of a sentence
        if not may_wait:
            raise
    except CallerSilent:
        call.outcome = ContactOutcome.SILENCE
        await call.say(Prompt.of("goodbye", reason="silence"), whole=True)
        return await call.finish()
    if may_wait:
        return await wait_on(call, desk, queue)
    now = desk.clock.now()
    await desk.write_down(call, lambda uow: uow.traces.add([declined(call.id, now)]))
    await call.say(Prompt.of("goodbye", reason="served"), whole=True)
    return await call.finish()


async def _wants_callback(call: Call, left: LeftQueue, *, may_wait: bool) -> bool:
    """Whether one is to be registered: asked for, or owed to who waited until the line had closed (§12)."""
    if left is LeftQueue.CLOSING:
        await call.say(Prompt.of("queue.closing"), whole=True)
        return True
    if left is LeftQueue.CALLBACK:
        if call.number is None and may_wait:
            await call.say(Prompt.of("queue.unknown_number"), whole=True)
            return False
        return True
    prompt = Prompt.of("queue.callback", reason=left.value)
    return await call.confirm(prompt, prompt.voiced)


async def _other_queue(call: Call, desk: Desk, queue: str, left: LeftQueue) -> str | None:
    """By the queue's rules; a database that is down has none."""
    try:
        rules = await desk.ask_store(call, lambda uow: rules_of(uow, queue))
    except StorageDown:
        return None
    return instead(rules, left)


async def wait_on(call: Call, desk: Desk, queue: str) -> None:
    """Enter this queue in the turn the caller has already."""

    def work(uow: UnitOfWork) -> Plan:
        plan = desk.waits.again(uow, who_calls(call), queue)
        uow.queues.take_turn(plan.turn)
        return plan

    await board(call, desk, queue, await _planned(call, desk, work))
