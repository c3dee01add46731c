"""A supervisor listens to an operator's talk (`*31NNN`), or speaks to the operator besides (`*32NNN`)."""

from __future__ import annotations

from ivr.domain.errors import StorageDown
from ivr.domain.supervision import Refusal
from ivr.flows.desk import Desk
from ivr.ports import Call, Channel, Prompt
from ivr.services.supervision import Supervision


async def listen_in(
    call: Call,
    channel: Channel,
    desk: Desk,
    supervision: Supervision,
    *,
    who: str,
    whom: str,
    whisper: bool,
) -> None:
    """who, whom: extensions. Nobody listens unless it is written down: without a database nobody does."""
    await call.answer()
    try:
        heard = await desk.ask_store(call, lambda uow: supervision.ask(uow, who, whom, whisper=whisper))
    except StorageDown:
        return await _end(call, "supervisor.later")
    if isinstance(heard, Refusal):
        return await _end(call, f"supervisor.{heard.value}")
    await channel.listen_in(heard.leg, whisper=whisper)
    return await _end(call, "supervisor.over")


async def _end(call: Call, prompt: str) -> None:
    await call.say(Prompt.of(prompt), whole=True)
    await call.finish()
