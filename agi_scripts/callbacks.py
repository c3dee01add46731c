"""AGI(…/callback-… ,ID,LEG): the legs of a callback (dialplans/callbacks.conf).

callback-place: on the half that waits for an operator. callback-dial: an operator has answered; nobody is
dialled without what this sets. callback-greeting: on the leg of the citizen who has answered.
callback-agreed: the same where the citizen was called first, before an operator is looked for.
"""

from __future__ import annotations

from ivr.asterisk.agi import AgiChannel
from ivr.asterisk.callback_halves import let_dial, may_wait, seat
from ivr.flows.called import greet
from ivr.flows.office import Office
from ivr.flows.queueing import SHOWN
from ivr.ports import Call, CallFacts
from ivr.services.called import Calling, Enquiry

CALLS_BACK = "перезвон"
"""On the display of the operator's telephone, before the level."""


async def place(channel: AgiChannel, _office: Office, calling: Calling) -> None:
    """What the operator who will be rung sees and hears."""
    about = await calling.waiting(*_which(channel))
    if about is None:
        return await channel.finish()
    await _seat(channel, calling, about)
    return await may_wait(channel)


async def dial(channel: AgiChannel, _office: Office, calling: Calling) -> None:
    """Promise the attempt; then the dialplan may dial."""
    about = await calling.begin(*_which(channel))
    if about is None:
        return await channel.finish()
    return await let_dial(channel, about.number)


async def greeting(channel: AgiChannel, office: Office, calling: Calling) -> None:
    """The operator waits for the citizen to have heard who calls."""
    about = await calling.dialled(*_which(channel))
    if about is not None:
        await _greeted(channel, office, about)


async def agreed(channel: AgiChannel, office: Office, calling: Calling) -> None:
    """Then the citizen waits for an operator, who sees and hears the same as of any callback."""
    about = await calling.dialled(*_which(channel))
    if about is None:
        return await channel.finish()
    await _seat(channel, calling, about)
    return await _greeted(channel, office, about)


async def _seat(channel: AgiChannel, calling: Calling, about: Enquiry) -> None:
    await seat(
        channel,
        number=about.number,
        enquiry=about.card,
        shown=_shown(about),
        whisper=await calling.whisper(about),
    )


async def _greeted(channel: AgiChannel, office: Office, about: Enquiry) -> None:
    async def flow(call: Call, _facts: CallFacts) -> None:
        await greet(call, office.desk, about)

    facts = CallFacts(number=about.number, arrived_at=office.desk.clock.now(), enquiry=about.card)
    await office.talk(channel, flow, call=about.call, facts=facts)


def _shown(about: Enquiry) -> str:
    return f"{CALLS_BACK} {SHOWN[about.level]} {about.enquiry}"


def _which(channel: AgiChannel) -> tuple[str, int]:
    """(callback, leg) as the dialplan hands them over; a leg that is no number is none of ours."""
    leg = channel.environment.get("arg_2", "")
    return channel.environment.get("arg_1", ""), int(leg) if leg.isdecimal() else 0
