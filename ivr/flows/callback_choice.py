"""After the promise of a callback: another time or another number, for who wants to choose.

The promise stands from the first word on. Whoever hangs up, says nothing, presses `0` or meets a fault of
ours is called back as promised.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ivr import grammars
from ivr.domain import phone
from ivr.domain.callback import Callback
from ivr.domain.errors import BadInput, CallerSilent, OperatorWanted, Unavailable
from ivr.flows.desk import Desk
from ivr.ports import Call, Prompt, UnitOfWork
from ivr.services import caller_choice
from ivr.services.caller_choice import Choice, NotPossible

CHOOSE = "1"
TRIES = 3
"""Of slots that others take meanwhile, and of numbers."""
_CORRECT = "1"


async def choose(call: Call, desk: Desk, callback: str) -> Callback | None:
    """Offer what there is to choose for this callback; it as it is now, None where it is as promised."""
    try:
        choice = await _offered(call, desk, callback)
        if not choice:
            return None
        what = Prompt.of("callback.choose", what=_what(choice))
        await call.offer(what, seconds=desk.settings.agreed.choice_seconds)
        return await _chosen(call, desk, callback, choice) if call.take_key(what, CHOOSE) else None
    except (CallerSilent, OperatorWanted, Unavailable):
        return None


async def _chosen(call: Call, desk: Desk, callback: str, choice: Choice) -> Callback | None:
    for _ in range(TRIES):
        if not choice.slots:
            break
        key = await call.ask_choice(_slots(desk, choice), _keys(choice))
        if int(key) > len(choice.slots):
            break
        if (taken := await _take(call, desk, callback, choice.slots[int(key) - 1])) is not None:
            return taken
        await call.say(Prompt.of("callback.slot_taken"))
        choice = await _offered(call, desk, callback)
    return await _another_number(call, desk, callback) if choice.number else None


def _what(choice: Choice) -> str:
    if not choice.slots:
        return "number"
    return "both" if choice.number else "time"


def _slots(desk: Desk, choice: Choice) -> Prompt:
    zone = desk.settings.zone
    slots = tuple(slot.astimezone(zone) for slot in choice.slots)
    return Prompt.of(
        "callback.slots", slots=slots, now=desk.clock.now().astimezone(zone), number=choice.number
    )


def _keys(choice: Choice) -> str:
    """One for each slot, and the next one for another number."""
    return "123456789"[: len(choice.slots) + choice.number]


async def _another_number(call: Call, desk: Desk, callback: str) -> Callback | None:
    for _ in range(TRIES):
        number = _number(await call.ask_digits(Prompt.of("callback.typed"), most=15))
        if number is None or not caller_choice.dialable(number, desk.settings):
            await call.say(Prompt.of("callback.impossible"))
        elif await _is_right(call, number):
            retyped = await _retype(call, desk, callback, number)
            if retyped is not None:
                return retyped
            await call.say(Prompt.of("callback.impossible"))
            break
    await call.say(Prompt.of("callback.kept"), whole=True)
    return None


async def _is_right(call: Call, number: str) -> bool:
    prompt = Prompt.of("callback.number", number=number)
    return await call.ask_choice(prompt, "12", grammars.yes_no(prompt.voiced)) == _CORRECT


def _number(digits: str) -> str | None:
    try:
        return phone.normalise(digits)
    except BadInput:
        return None


async def _offered(call: Call, desk: Desk, callback: str) -> Choice:
    caller, now = call.number or "", desk.clock.now()
    return await desk.ask_store(
        call, lambda uow: caller_choice.offered(uow, callback, caller, now, desk.settings)
    )


async def _take(call: Call, desk: Desk, callback: str, slot: datetime) -> Callback | None:
    def work(uow: UnitOfWork) -> Callback:
        return caller_choice.take_slot(uow, desk.by(), callback, slot, desk.settings)

    return await _if_possible(call, desk, work)


async def _retype(call: Call, desk: Desk, callback: str, number: str) -> Callback | None:
    def work(uow: UnitOfWork) -> Callback:
        return caller_choice.retype(uow, desk.by(), callback, call.number or "", number, desk.settings)

    return await _if_possible(call, desk, work)


async def _if_possible(call: Call, desk: Desk, work: Callable[[UnitOfWork], Callback]) -> Callback | None:
    try:
        return await desk.ask_store(call, work)
    except NotPossible:
        return None
