"""`ivr.ports.Distributor` by app_queue of this node."""

from __future__ import annotations

from ivr.asterisk import channel_vars
from ivr.ports import Channel, LeftQueue

_REASONS = {
    "TIMEOUT": LeftQueue.TIMEOUT,
    "KEY": LeftQueue.CALLBACK,  # ours, dialplans/queues.conf
    "FULL": LeftQueue.FULL,
    "JOINEMPTY": LeftQueue.NO_OPERATOR,
    "LEAVEEMPTY": LeftQueue.NO_OPERATOR,
    "JOINUNAVAIL": LeftQueue.NO_OPERATOR,
    "LEAVEUNAVAIL": LeftQueue.NO_OPERATOR,
}
"""QUEUESTATUS (Asterisk, application Queue)."""


class AppQueue:
    """Queues of this node's Asterisk, asked through the channel at hand."""

    async def left(self, channel: Channel) -> LeftQueue:
        """A status that is not known counts as a time-out: the caller may go on waiting."""
        status = await channel.get_variable("QUEUESTATUS") or ""
        if status == "WITHDRAW":
            return _withdrawn(await channel.get_variable(channel_vars.WITHDRAWN) or "")
        return _REASONS.get(status, LeftQueue.TIMEOUT)


def _withdrawn(why: str) -> LeftQueue:
    return LeftQueue(why) if why in set(LeftQueue) else LeftQueue.TIMEOUT
