"""Handing a caller over to a queue, and what follows when the queue gives the caller back."""

from __future__ import annotations

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import CallerSilent, StorageDown
from ivr.domain.operators import GENERAL_QUEUE, agency_queue
from ivr.flows.callback import offer_callback
from ivr.flows.desk import Desk
from ivr.ports import Call, LeftQueue, Prompt, UnitOfWork

RETRIES = frozenset({LeftQueue.TIMEOUT, LeftQueue.CALLBACK})
"""After these a caller who is promised no callback may go on waiting; else nobody is there to wait for."""


async def hand_over(
    call: Call, desk: Desk, *, agency: str | None = None, line: int = 1, topic: str | None = None
) -> None:
    """Put the caller into the queue of an agency's line, or the general one; the last thing a flow does.

    The agency and topic are on the card before an operator can see it (§3в, §23).
    """

    def note(uow: UnitOfWork) -> None:
        if agency is not None and topic is not None:
            uow.cards.add_topic(call.enquiry, agency=agency, topic=topic)
        elif agency is not None:
            uow.cards.change(call.enquiry, agency=agency)

    if agency is not None:
        await desk.write_down(call, note)
    await call.say(Prompt.of("connecting"))
    call.outcome = None  # from here on the journals tell how it ends
    await call.enqueue(agency_queue(agency, line) if agency is not None else GENERAL_QUEUE)


async def after_queue(call: Call, desk: Desk, *, queue: str, left: LeftQueue, closing: bool) -> None:
    """The queue gave the caller back unserved: a callback is offered, never endless music.

    closing: the dialplan will not let this caller wait once more. Raises StorageDown where nothing can be
    promised and nobody is there to wait for: the dialplan says that it is sorry.
    """
    may_wait = left in RETRIES and not closing
    try:
        if left is LeftQueue.CALLBACK or await call.confirm(Prompt.of("queue.callback", reason=left.value)):
            return await offer_callback(call, desk, queue=queue)
    except StorageDown:
        if not may_wait:
            raise
    except CallerSilent:
        call.outcome = ContactOutcome.SILENCE
        await call.say(Prompt.of("goodbye", reason="silence"), whole=True)
        return await call.finish()
    if may_wait:
        await call.say(Prompt.of("connecting"))
        return await call.enqueue(queue)
    await call.say(Prompt.of("goodbye", reason="served"), whole=True)
    return await call.finish()
