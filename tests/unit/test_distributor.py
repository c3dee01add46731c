"""`ivr.ports.Distributor` by app_queue: why a caller came back."""

from __future__ import annotations

import pytest

from ivr.asterisk.distributor import AppQueue
from ivr.ports import LeftQueue
from ivr.testing import FakeChannel, VirtualClock


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel(VirtualClock())


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
