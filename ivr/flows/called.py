"""What a citizen hears whom we have called: who calls, about what, and how to be sure of it.

Who is called cannot know that it is us. So nothing personal is asked: who wants to be identified does it by
keys, as on the line, and whoever doubts calls back and is put through at once (flows/queueing.py). Whatever
happens here, the operator comes: every failure but a hang-up only ends what is said before.
"""

from __future__ import annotations

from ivr.domain.errors import CallerSilent, OperatorWanted, StorageDown, Unavailable
from ivr.flows.desk import Desk
from ivr.flows.identify import identify
from ivr.observe import get_logger
from ivr.ports import Call, Prompt
from ivr.services.called import Enquiry

BY_KEYS = "1"
"""The key by which the citizen chooses to be identified."""
_log = get_logger("ivr.callbacks")


async def greet(call: Call, desk: Desk, about: Enquiry) -> None:
    """Who calls, the enquiry's number as it was told at registration, what is not asked; then on."""
    call.enquiry = about.card
    try:
        await call.say(Prompt.of("callback.greeting", enquiry=about.enquiry), whole=True)
        await _choose(call, desk)
    except (Unavailable, StorageDown) as error:
        _log.warning("called_citizen_told_less", call=call.id, reason=str(error))


async def _choose(call: Call, desk: Desk) -> None:
    offered = desk.settings.identification.ivr_personal
    prompt = Prompt.of("callback.privacy", identify=offered)
    await call.say(prompt)
    if call.take_key(prompt, BY_KEYS) and offered:
        try:
            await identify(call, desk)
        except (OperatorWanted, CallerSilent):
            return
