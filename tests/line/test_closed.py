"""§12: outside working hours a notice tells when we open, and a callback is promised to whoever wants it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.harness.commands import ZONE
from tests.harness.listening import was_heard
from tests.harness.records import Lived
from tests.harness.system import System
from tests.harness.world import World, WorldCall, hang_up, keys, wait
from tests.line.conftest import e164, new_number

pytestmark = pytest.mark.line

OPENS = "10:15"
"""Of the day after tomorrow, which the tests open."""

NOTICE_SECONDS = 20
"""More than the notice and the question last."""


@pytest.fixture(scope="module")
def opening() -> datetime:
    day = datetime.now(ZONE).date() + timedelta(days=2)
    return datetime.fromisoformat(f"{day}T{OPENS}").replace(tzinfo=ZONE)


@pytest.fixture(scope="module")
def closed(system: System, opening: datetime) -> Iterator[System]:
    """The shared system, closed until the day after tomorrow; it is open again afterwards."""
    system.ekc("calendar", "set", opening.date().isoformat(), "--open", f"{OPENS}-11:00")
    system.close_today()
    yield system
    system.open_today()
    system.ekc("calendar", "clear", opening.date().isoformat())


@pytest.fixture(scope="module")
def calls(closed: System, world: World) -> dict[str, tuple[str, WorldCall, Lived]]:
    """By name: number, what the caller has of the call, and what is written down of it."""
    scripts = {
        "wants": [wait(1), keys("1")],
        "refuses": [wait(1), keys("5")],
        "hangs up": [wait(NOTICE_SECONDS), hang_up()],
        "withheld": [wait(1), keys("1")],
    }
    numbers = {name: new_number() for name in scripts}
    made = {}
    for name, script in scripts.items():
        privacy = "id" if name == "withheld" else None
        made[name] = world.call(numbers[name], script=script, privacy=privacy)
    found = {}
    for name, citizen in made.items():
        citizen.ended(180)
        call = next(a.call for a in closed.arrivals() if a.sip_call_id == citizen.sip_call_id)
        found[name] = (numbers[name], citizen, closed.wait_lived(call))
    return found


Calls = dict[str, tuple[str, WorldCall, Lived]]


def callbacks_of(system: System, card: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in system.callbacks() if row["card"] == card["id"]]


def test_whoever_presses_1_is_promised_a_call_at_the_next_opening(
    closed: System, calls: Calls, opening: datetime
) -> None:
    """The promise is listed; the card says callback and the contact closed_hours."""
    number, citizen, lived = calls["wants"]
    (row,) = callbacks_of(closed, lived.card)
    assert (row["number"], row["source"]) == (e164(number), "closed")
    assert row["state"] in ("requested", "waiting")  # the scheduler may have taken it up
    assert datetime.fromisoformat(row["due"]) == opening
    assert row["attempts"] == []
    assert lived.ended == ("callback", "closed_hours")
    assert lived.of("prompt", "callback.confirmed") == ["played"]
    assert citizen.ended_by == "them"


@pytest.mark.parametrize("name", ["refuses", "hangs up"])
def test_whoever_wants_no_callback_gets_none(closed: System, calls: Calls, name: str) -> None:
    """Another key, or the receiver put down."""
    _, _, lived = calls[name]
    assert lived.ended == ("closed_hours", "closed_hours")
    assert callbacks_of(closed, lived.card) == []
    assert lived.of("prompt", "greeting") == []


def test_a_caller_without_a_number_is_told_that_nobody_can_call_back(closed: System, calls: Calls) -> None:
    """Nothing is promised that cannot be kept."""
    _, _, lived = calls["withheld"]
    assert lived.card["number"] is None
    assert lived.of("prompt", "callback.unknown_number") == ["played"]
    assert lived.ended == ("closed_hours", "closed_hours")
    assert callbacks_of(closed, lived.card) == []


def test_the_notice_is_heard(closed: System, calls: Calls) -> None:
    """The closed line's own question, as the caller's telephone played it."""
    question = closed.state / "prompts" / "closed.callback.wav"
    assert was_heard(question, calls["hangs up"][1].heard)


def test_a_callback_can_be_cancelled_once(closed: System, calls: Calls) -> None:
    """It stays listed, and a second time there is nothing to cancel."""
    (row,) = callbacks_of(closed, calls["wants"][2].card)
    assert closed.ekc("callbacks", "cancel", row["id"], "--json").json["state"] == "cancelled"
    assert [again["state"] for again in callbacks_of(closed, calls["wants"][2].card)] == ["cancelled"]
    assert closed.ekc("callbacks", "cancel", row["id"], check=False).code == 1


def test_a_change_of_the_calendar_is_in_force_with_the_next_call(
    closed: System, world: World, calls: Calls
) -> None:
    """Open now, no restart: the next caller is greeted."""
    assert calls
    today = datetime.now(ZONE).date().isoformat()
    closed.ekc("calendar", "set", today, "--open", "00:00-24:00")
    try:
        number = new_number()
        world.call(number, script=[wait(1), hang_up()]).ended(30)
        lived = closed.wait_lived(closed.wait_call(number))
        assert lived.of("prompt", "greeting") == ["hangup"]
        assert lived.ended == ("abandoned", "abandoned_ivr")
    finally:
        closed.ekc("calendar", "set", today, "--closed")
