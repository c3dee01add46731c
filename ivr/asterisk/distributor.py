"""`ivr.ports.Distributor` by app_queue of this node. Members are `PJSIP/NNN`; only this file says so."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.asterisk import channel_vars
from ivr.domain.errors import Unavailable
from ivr.ports import Channel, LeftQueue

_JOINED = frozenset({"ADDED", "MEMBERALREADY"})
_LEFT = frozenset({"REMOVED", "NOTINQUEUE", "NOSUCHQUEUE"})
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

    async def log_in(self, channel: Channel, extension: str, queues: Sequence[str]) -> None:
        for queue in queues:
            await channel.execute("AddQueueMember", queue, _member(extension))
            _expect(await channel.get_variable("AQMSTATUS"), _JOINED)

    async def log_out(self, channel: Channel, extension: str, queues: Sequence[str]) -> None:
        for queue in queues:
            await channel.execute("RemoveQueueMember", queue, _member(extension))
            _expect(await channel.get_variable("RQMSTATUS"), _LEFT)

    async def left(self, channel: Channel) -> LeftQueue:
        """A status that is not known counts as a time-out: the caller may go on waiting."""
        status = await channel.get_variable("QUEUESTATUS") or ""
        if status == "WITHDRAW":
            return _withdrawn(await channel.get_variable(channel_vars.WITHDRAWN) or "")
        return _REASONS.get(status, LeftQueue.TIMEOUT)


def _withdrawn(why: str) -> LeftQueue:
    return LeftQueue(why) if why in set(LeftQueue) else LeftQueue.TIMEOUT


def _member(extension: str) -> str:
    return f"PJSIP/{extension}"


def _expect(status: str | None, wanted: frozenset[str]) -> None:
    if status not in wanted:
        raise Unavailable(f"Asterisk did not change the queue's members: {status or 'no answer'}")
