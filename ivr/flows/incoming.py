"""A citizen calls the line: greeting, hours, main menu (§2, §12)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import CallerHungUp, CallerSilent, OperatorWanted, StorageDown, Unavailable
from ivr.domain.operators import GENERAL_QUEUE
from ivr.flows import by_voice
from ivr.flows.benefits import benefits
from ivr.flows.callback import offer_callback
from ivr.flows.consultation import consultation
from ivr.flows.desk import Desk
from ivr.flows.queueing import hand_over, who_calls
from ivr.flows.saying import say_if_possible, unsaid
from ivr.flows.self_service import status
from ivr.ports import Call, Prompt, UnitOfWork
from ivr.services import announcements
from ivr.services.calendar import calendar_of

RETURNED, RESUMED = "queue.returned", "queue.resumed"
"""Who was cut off while waiting, or in a talk."""
_MENU, _CALLBACK = Prompt.of("menu"), Prompt.of("closed.callback")


@dataclass(frozen=True, kw_only=True)
class Door:
    """Whether the line is open to this call."""

    open: bool
    opening: datetime | None
    """The next opening of a closed line; None: not known."""
    announcement: Prompt | None = None
    """What everybody hears now."""
    returned: Prompt | None = None
    """What is said to a caller who was cut off, and has the place back."""


async def incoming(call: Call, desk: Desk, *, node: str) -> None:
    """The whole conversation of an inbound call. Every ending but a hang-up is one of its own here."""
    await call.answer()
    call.outcome = ContactOutcome.ABANDONED_IVR
    try:
        door = await register(call, desk, node=node)
    except StorageDown:
        return await without_storage(call, desk)
    except CallerHungUp:
        call.asked_ahead(_MENU)  # a slow database must not make a wish for an operator unheard
        raise
    if not door.open:
        return await closed(call, desk, door.opening, door.announcement)
    return await open_line(call, desk, door)


async def open_line(call: Call, desk: Desk, door: Door) -> None:
    """Greeting and menu. Who came in while the line was open reaches an operator, whatever fails."""
    try:
        await call.say(Prompt.of("greeting", recording=desk.settings.recording))
        await announce(call, door.announcement)
        if door.returned is not None:
            await call.say(door.returned)
        await main_menu(call, desk)
    except OperatorWanted:
        await hand_over(call, desk)
    except StorageDown:
        await say_if_possible(call, Prompt.of("resource.down"), whole=True)
        await hand_over(call, desk)
    except Unavailable as error:  # a sentence that cannot be made, on a full disk or without a synthesiser
        unsaid(call, error)
        await hand_over(call, desk)
    except CallerSilent:
        await silent(call, desk)


async def announce(call: Call, announcement: Prompt | None) -> None:
    """In an emergency; one that cannot be made or played must not keep anybody from the line."""
    if announcement is not None:
        await say_if_possible(call, announcement)


async def register(call: Call, desk: Desk, *, node: str) -> Door:
    """Open the card (§15) and look at the hours, in one transaction. Raises StorageDown."""

    def work(uow: UnitOfWork) -> tuple[str, Door]:
        card = uow.cards.open(call=call.id, node=node, number=call.number, at=call.arrived_at)
        call.enquiry = card.id
        now = desk.clock.now()
        found = desk.waits.cut_off(uow, replace(who_calls(call), card=card.id))
        door = replace(
            door_at(desk, uow),
            announcement=announcements.current(uow, desk.recordings, now),
            returned=None if found is None else Prompt.of(RESUMED if found.talked_with else RETURNED),
        )
        return card.id, door

    call.enquiry, door = await desk.ask_store(call, work)
    return door


def door_at(desk: Desk, uow: UnitOfWork) -> Door:
    """§12: by the production calendar and the own exceptions in force at this moment."""
    now = desk.clock.now()
    calendar = calendar_of(desk.settings, uow.calendar.list())
    if calendar.is_open(now):
        return Door(open=True, opening=None)
    return Door(open=False, opening=calendar.next_opening(now))


async def closed(
    call: Call, desk: Desk, opening: datetime | None, announcement: Prompt | None = None
) -> None:
    """Outside working hours: the next opening in words, and a callback for it."""
    call.outcome = ContactOutcome.CLOSED_HOURS
    now = desk.clock.now().astimezone(desk.settings.zone)
    await call.say(Prompt.of("closed", opens_at=opening, now=now))
    await announce(call, announcement)
    with suppress(CallerSilent, StorageDown):  # nothing was asked for, or nothing can be promised
        if opening is not None and await call.confirm(_CALLBACK, _CALLBACK.voiced):
            return await offer_callback(call, desk, opening=opening)
    await call.say(Prompt.of("goodbye", reason="closed"), whole=True)
    return await call.finish()


async def without_storage(call: Call, desk: Desk) -> None:
    """The database was down when the call came: no menu and no promise, but everybody can be talked with
    (architecture.md, rule 2).

    The calendar as it was last read tells whether operators are there. Who has pressed 0
    meanwhile and hangs up before the queue has asked for an operator.
    """
    calendar, now = calendar_of(desk.settings, desk.known_days()), desk.clock.now()
    if calendar.is_open(now):
        await say_if_possible(call, Prompt.of("greeting", recording=desk.settings.recording))
        call.asked_ahead(_MENU)
        await say_if_possible(call, Prompt.of("emergency"), whole=True)
        call.outcome = None  # from here on the journals tell how it ends
        return await call.enqueue(GENERAL_QUEUE)
    call.outcome = ContactOutcome.CLOSED_HOURS
    await call.say(
        Prompt.of("closed", opens_at=calendar.next_opening(now), now=now.astimezone(calendar.zone))
    )
    await call.say(Prompt.of("goodbye", reason="closed"), whole=True)
    return await call.finish()


async def main_menu(call: Call, desk: Desk) -> None:
    """1 status of an application, 2 benefits and payments, 3 consultation by topic; 0 raises."""
    ways = {"1": status, "2": benefits, "3": consultation}
    choice = await call.ask_choice(_MENU, "".join(ways), by_voice.menu(_MENU, by_voice.MENU))
    await ways[choice](call, desk)


async def silent(call: Call, desk: Desk) -> None:
    """§19: more than the limit without an answer. Who has never pressed anything may have no keys."""
    if not call.pressed_anything and desk.settings.no_input == "operator":
        return await hand_over(call, desk)
    if call.outcome is not ContactOutcome.SELF_SERVICE:
        call.outcome = ContactOutcome.SILENCE
    await call.say(Prompt.of("goodbye", reason="silence"), whole=True)
    return await call.finish()
