"""`ivr.ports.Patchboard` over AMI: variables first, then a redirect into dialplans/transfer.conf."""

from __future__ import annotations

from ivr.asterisk import channel_vars
from ivr.asterisk.floor_events import extension_of
from ivr.ports import Channel, Switchboard, Whisper

CONTEXT = "transfer"
AGAIN = "operator-again"


class AmiPatchboard:
    """The legs of this node's Asterisk."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    async def choosing(self, citizen: str, *, on: bool) -> None:
        await self._set(citizen, channel_vars.TRANSFER, channel_vars.TRANSFER_MENU if on else "")

    async def offer(self, citizen: str, *, queue: str, whisper: Whisper | None) -> None:
        await self._set(citizen, channel_vars.TARGET, queue)
        await self._set(citizen, channel_vars.WHISPER, channel_vars.whisper(whisper))
        await self._switchboard.redirect(citizen, context=CONTEXT, exten="offered")

    async def consult(self, first: str, citizen: str, *, queue: str, whisper: Whisper | None) -> None:
        await self._set(first, channel_vars.TARGET, queue)
        await self._set(first, channel_vars.WHISPER, channel_vars.whisper(whisper))
        await self._set(first, channel_vars.CITIZEN, citizen)
        await self._switchboard.redirect(
            first, context=CONTEXT, exten="consult", other=citizen, other_exten="held"
        )

    async def bridge(self, citizen: str, partner: str, *, extension: str, queue: str = "") -> None:
        await self._meet(citizen, partner, extension=extension, queue=queue, exten="together")

    async def join(self, citizen: str, partner: str, *, extension: str, queue: str) -> None:
        await self._meet(citizen, partner, extension=extension, queue=queue, exten="three")

    async def _meet(self, citizen: str, partner: str, *, extension: str, queue: str, exten: str) -> None:
        await self._set(citizen, channel_vars.PARTNER, partner)
        await self._set(citizen, channel_vars.MEMBER, f"PJSIP/{extension}")
        if queue:
            await self._set(citizen, channel_vars.QUEUE, queue)
        await self._switchboard.redirect(citizen, context=CONTEXT, exten=exten)

    async def ring_again(self, citizen: str, *, at_once: bool = False) -> None:
        await self._switchboard.redirect(citizen, context=AGAIN, exten="ring" if at_once else "s")

    async def operator_of(self, channel: Channel) -> str | None:
        return extension_of(await channel.get_variable(channel_vars.MEMBER) or "")

    async def _set(self, leg: str, name: str, value: str) -> None:
        await self._switchboard.set_variable(leg, name, value)
