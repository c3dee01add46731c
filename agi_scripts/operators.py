"""AGI(…/operator-login) and its like: the codes `*11` to `*15` and `*9` from an operator's telephone."""

from __future__ import annotations

from ivr.asterisk.agi import AgiChannel
from ivr.flows import operators
from ivr.flows.office import Office
from ivr.ports import Call
from ivr.services.duty import Duty


async def login(channel: AgiChannel, office: Office, duty: Duty) -> None:
    await operators.log_in(await _call(channel, office), office.desk, duty, _extension(channel))


async def logout(channel: AgiChannel, office: Office, duty: Duty) -> None:
    await operators.log_out(await _call(channel, office), office.desk, duty, _extension(channel))


async def pause(channel: AgiChannel, office: Office, duty: Duty) -> None:
    """With the reason's number as second argument; it is empty when none was dialled."""
    key = channel.environment.get("arg_2", "")
    await operators.pause(await _call(channel, office), office.desk, duty, _extension(channel), key)


async def ready(channel: AgiChannel, office: Office, duty: Duty) -> None:
    await operators.ready(await _call(channel, office), office.desk, duty, _extension(channel))


async def unreached(channel: AgiChannel, office: Office, _duty: Duty) -> None:
    """After the talk or, with the second argument `talk`, in it."""
    if channel.environment.get("arg_2") == "talk":
        return await operators.unreached_in_talk(office.desk, _extension(channel))
    return await operators.unreached(await _call(channel, office), office.desk, _extension(channel))


async def defer(channel: AgiChannel, office: Office, _duty: Duty) -> None:
    await operators.defer(await _call(channel, office), office.desk, _extension(channel))


async def _call(channel: AgiChannel, office: Office) -> Call:
    return office.conversation(channel, await channel.facts())


def _extension(channel: AgiChannel) -> str:
    """The endpoint that has logged in at the telephone switch, as the dialplan hands it over."""
    return channel.environment.get("arg_1", "")
