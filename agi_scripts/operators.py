"""AGI(…/operator-login) and AGI(…/operator-logout): `*11` and `*12` from an operator's telephone."""

from __future__ import annotations

from ivr.asterisk.agi import AgiChannel
from ivr.flows import operators
from ivr.flows.office import Office


async def login(channel: AgiChannel, office: Office) -> None:
    call = office.conversation(channel, await channel.facts())
    await operators.log_in(call, channel, office.desk, _extension(channel))


async def logout(channel: AgiChannel, office: Office) -> None:
    call = office.conversation(channel, await channel.facts())
    await operators.log_out(call, channel, office.desk, _extension(channel))


def _extension(channel: AgiChannel) -> str:
    """The endpoint that has logged in at the telephone switch, as the dialplan hands it over."""
    return channel.environment.get("arg_1", "")
