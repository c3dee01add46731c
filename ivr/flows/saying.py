"""Sentences that a caller can do without: one that cannot be made or played keeps nobody from going on."""

from __future__ import annotations

from ivr.domain.errors import Unavailable
from ivr.observe import get_logger
from ivr.ports import Call, Prompt

_log = get_logger("ivr.saying")


async def say_if_possible(call: Call, prompt: Prompt, *, whole: bool = False) -> None:
    """As `call.say`, without its Unavailable: no synthesis, a full disk."""
    try:
        await call.say(prompt, whole=whole)
    except Unavailable as error:
        unsaid(call, error)


def unsaid(call: Call, error: Unavailable) -> None:
    _log.error("unsaid", call=call.id, reason=str(error))
