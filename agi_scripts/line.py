"""AGI(…/line): a citizen's call from the trunk, and AGI(…/after-queue): one that a queue gave back."""

from __future__ import annotations

from ivr.asterisk.agi import AgiChannel
from ivr.asterisk.channel_vars import MOST_TURNS
from ivr.flows.incoming import incoming
from ivr.flows.office import Office
from ivr.flows.queueing import after_queue
from ivr.ports import Call, CallFacts


async def line(channel: AgiChannel, office: Office) -> None:
    """From the greeting to an answer, a queue, or goodbye."""

    async def flow(call: Call, _facts: CallFacts) -> None:
        await incoming(call, office.desk, node=office.node)

    await office.talk(channel, flow)


async def after_queue_(channel: AgiChannel, office: Office) -> None:
    """No operator, a full queue, or too long a wait."""
    left = await office.desk.distributor.left(channel)

    async def flow(call: Call, facts: CallFacts) -> None:
        closing = facts.turns >= MOST_TURNS
        await after_queue(call, office.desk, queue=facts.queue, left=left, closing=closing)

    await office.talk(channel, flow)
