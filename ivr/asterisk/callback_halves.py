"""What the engine leaves on the halves of a callback's leg, for dialplans/callbacks.conf."""

from __future__ import annotations

from ivr.asterisk import channel_vars
from ivr.domain.estimate import AT_ONCE, Told
from ivr.ports import Channel, Whisper


async def seat(channel: Channel, *, number: str, enquiry: str, shown: str, whisper: Whisper | None) -> None:
    """The half that an operator will be rung for looks like a citizen who waits, and is told nothing.

    number: E.164. enquiry: opaque id of the card. shown: on the operator's display beside the number.
    """
    await channel.set_variable(channel_vars.CALLER, number)
    await channel.set_variable(channel_vars.NUMBER_STATE, channel_vars.NUMBER_KNOWN)
    await channel.set_variable(channel_vars.ENQUIRY, enquiry)
    await channel.set_variable(channel_vars.SHOWN, shown)
    await channel.set_variable(channel_vars.WHISPER, channel_vars.whisper(whisper))
    await channel.set_variable(channel_vars.TOLD, Told(place=1, minutes=AT_ONCE).name)


async def may_wait(channel: Channel) -> None:
    """The half holds its place in the queue from now on; the last thing a handler does with it."""
    await channel.set_variable(channel_vars.FLOW, channel_vars.FLOW_QUEUE)


async def let_dial(channel: Channel, number: str) -> None:
    """The attempt is committed, and this number (E.164) to be dialled; the last thing a handler does."""
    await channel.set_variable(channel_vars.DIAL, number)
    await channel.set_variable(channel_vars.FLOW, channel_vars.FLOW_DIAL)
