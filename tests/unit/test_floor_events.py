"""What an event of the manager interface says of its own age."""

from __future__ import annotations

import pytest

from ivr.asterisk.floor_events import to_event

EVENTS = [
    {"Event": "QueueCallerJoin", "Channel": "PJSIP/anonymous@line-00000001", "Position": "1"},
    {"Event": "Hangup", "Channel": "PJSIP/301-00000001"},
    {"Event": "QueueMemberStatus", "Interface": "PJSIP/301", "Status": "1"},
    {"Event": "ContactStatus", "EndpointName": "301", "ContactStatus": "Reachable"},
]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    ("stamp", "at"), [("1796007585.250001", 1796007585.250001), ("", 0), ("soon", 0), ("1.2.3", 0)]
)
def test_each_kind_of_event_carries_asterisks_own_time(event: dict[str, str], stamp: str, at: float) -> None:
    made = to_event(event | {"Timestamp": stamp})
    assert made is not None and made.at == at


def test_an_event_without_a_time_is_understood_all_the_same() -> None:
    made = to_event(EVENTS[1])
    assert made is not None and made.at == 0
