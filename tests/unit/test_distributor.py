"""`ivr.ports.Distributor` by app_queue: members, and why a caller came back."""

from __future__ import annotations

import pytest

from ivr.asterisk.distributor import AppQueue
from ivr.domain.errors import Unavailable
from ivr.ports import LeftQueue
from ivr.testing import FakeChannel, VirtualClock

QUEUES = ("general", "soc-1")


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel(VirtualClock())


@pytest.mark.parametrize("status", ["ADDED", "MEMBERALREADY"])
async def test_logging_in_adds_the_phone_to_each_queue(channel: FakeChannel, status: str) -> None:
    channel.variables["AQMSTATUS"] = status
    await AppQueue().log_in(channel, "201", QUEUES)
    assert channel.executed == [("AddQueueMember", queue, "PJSIP/201") for queue in QUEUES]


@pytest.mark.parametrize("status", ["REMOVED", "NOTINQUEUE", "NOSUCHQUEUE"])
async def test_logging_out_of_what_one_is_not_in_is_as_good(channel: FakeChannel, status: str) -> None:
    channel.variables["RQMSTATUS"] = status
    await AppQueue().log_out(channel, "201", QUEUES)
    assert channel.executed == [("RemoveQueueMember", queue, "PJSIP/201") for queue in QUEUES]


@pytest.mark.parametrize("status", ["NOSUCHQUEUE", "", None])
async def test_a_queue_that_takes_nobody_is_told_in_one_sentence(
    channel: FakeChannel, status: str | None
) -> None:
    if status is not None:
        channel.variables["AQMSTATUS"] = status
    with pytest.raises(Unavailable, match=status or "no answer"):
        await AppQueue().log_in(channel, "201", QUEUES)


@pytest.mark.parametrize("status", ["NOTDYNAMIC", None])
async def test_a_member_that_stays_is_told(channel: FakeChannel, status: str | None) -> None:
    if status is not None:
        channel.variables["RQMSTATUS"] = status
    with pytest.raises(Unavailable):
        await AppQueue().log_out(channel, "201", QUEUES)


@pytest.mark.parametrize(
    ("status", "left"),
    [
        ("TIMEOUT", LeftQueue.TIMEOUT),
        ("FULL", LeftQueue.FULL),
        ("JOINEMPTY", LeftQueue.NO_OPERATOR),
        ("LEAVEEMPTY", LeftQueue.NO_OPERATOR),
        ("JOINUNAVAIL", LeftQueue.NO_OPERATOR),
        ("LEAVEUNAVAIL", LeftQueue.NO_OPERATOR),
        ("WITHDRAW", LeftQueue.TIMEOUT),
        (None, LeftQueue.TIMEOUT),
    ],
)
async def test_each_way_out_of_a_queue_has_its_reason(
    channel: FakeChannel, status: str | None, left: LeftQueue
) -> None:
    if status is not None:
        channel.variables["QUEUESTATUS"] = status
    assert await AppQueue().left(channel) is left
