"""AGI(…/transfer …): transfers between operators, and a citizen whose operator was lost.

transfer: `*2` on an operator's leg (asterisk-conf/features.conf.j2). The others: dialplans/transfer.conf.
"""

from __future__ import annotations

from ivr.asterisk.agi import AgiChannel
from ivr.flows import transfer
from ivr.flows.office import Office
from ivr.ports import Call, CallFacts
from ivr.services.transfers import Transfers


async def menu(channel: AgiChannel, office: Office, transfers: Transfers) -> None:
    """On the leg of the operator who pressed `*2`."""
    await transfer.menu(await office.operators_menu(channel), office.desk, transfers)


async def over(channel: AgiChannel, office: Office, transfers: Transfers) -> None:
    """On the leg of an operator whose call to another one has ended."""
    await transfer.over(await office.operators_menu(channel), channel, transfers)


async def consulted(channel: AgiChannel, office: Office, transfers: Transfers) -> None:
    """On the leg of an operator who was asked, when the asking one has hung up."""
    await transfer.consulted(await office.operators_menu(channel), channel, transfers)


async def back(channel: AgiChannel, office: Office, transfers: Transfers) -> None:
    """On the leg of a citizen whom nobody has taken over."""

    async def flow(call: Call, _facts: CallFacts) -> None:
        await transfer.back(call, transfers)

    await office.talk(channel, flow)


async def lost(channel: AgiChannel, office: Office, transfers: Transfers) -> None:
    """On the leg of a citizen whose operator was lost."""

    async def flow(call: Call, _facts: CallFacts) -> None:
        await transfer.lost(call, channel, transfers)

    await office.talk(channel, flow)
