"""AGI(…/supervisor-listen) and AGI(…/supervisor-whisper): `*31` and `*32` (dialplans/supervisor.conf)."""

from __future__ import annotations

from ivr.asterisk.agi import AgiChannel
from ivr.flows import supervising
from ivr.flows.office import Office
from ivr.services.supervision import Supervision


async def listen(channel: AgiChannel, office: Office, supervision: Supervision) -> None:
    await _listen_in(channel, office, supervision, whisper=False)


async def whisper(channel: AgiChannel, office: Office, supervision: Supervision) -> None:
    await _listen_in(channel, office, supervision, whisper=True)


async def _listen_in(channel: AgiChannel, office: Office, supervision: Supervision, *, whisper: bool) -> None:
    """The endpoint that has logged in at the telephone switch, and the extension that was dialled."""
    call = office.conversation(channel, await channel.facts())
    who, whom = channel.environment.get("arg_1", ""), channel.environment.get("arg_2", "")
    await supervising.listen_in(call, channel, office.desk, supervision, who=who, whom=whom, whisper=whisper)
