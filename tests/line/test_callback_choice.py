"""After the promise of a callback, by real telephones: a slot, another number, and that a hang-up keeps it.

The line is closed until the day after tomorrow, open then from 10:00 to 12:00: the free slots are known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.harness.commands import ZONE
from tests.harness.records import Lived
from tests.harness.system import System
from tests.harness.world import World, WorldCall, hang_up, keys, until_told, wait
from tests.line.conftest import e164, new_number

pytestmark = pytest.mark.line

TYPED = "89510990011"
ABROAD = "810442071234567"
GAP = 500
"""Milliseconds between two keys: one of them opens the choice, the next one is an answer in it."""
SCRIPTS = {
    "slot": [keys("12", gap_ms=GAP)],
    "number": [keys("14", gap_ms=GAP), wait(1), keys(f"{TYPED}#"), wait(1), keys("1")],
    "abroad": [keys("14", gap_ms=GAP), *[wait(1), keys(f"{ABROAD}#"), wait(5)] * 3],
    "hangs up": [keys("1"), wait(3), hang_up()],
    "says nothing": [],
}
"""What each does once the promise has been told."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A call that is over."""

    number: str
    citizen: WorldCall
    lived: Lived
    callbacks: list[dict[str, Any]]
    """Of its card, as `ekc callbacks list` has them."""

    @property
    def kept(self) -> dict[str, Any]:
        """The open one."""
        (row,) = (row for row in self.callbacks if row["state"] not in ("cancelled", "done"))
        return row


def opening() -> date:
    """The day after tomorrow: the harness closes today and tomorrow."""
    return datetime.now(ZONE).date() + timedelta(days=2)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(opening(), datetime.min.time(), tzinfo=ZONE).replace(hour=hour, minute=minute)


@pytest.fixture(scope="module")
def closed(system: System) -> Iterator[System]:
    """The shared system with these hours; as before afterwards."""
    day = opening().isoformat()
    system.ekc("calendar", "set", day, "--open", "10:00-12:00")
    system.close_today()
    yield system
    system.open_today()
    system.ekc("calendar", "clear", day)


@pytest.fixture(scope="module")
def calls(closed: System, world: World) -> dict[str, Told]:
    """All at once, by name."""
    numbers = {name: new_number() for name in SCRIPTS}
    made = {
        name: world.call(numbers[name], script=[wait(1), keys("1"), until_told(60), *script])
        for name, script in SCRIPTS.items()
    }
    ids = {}
    for name, citizen in made.items():
        citizen.wait_answered()
        ids[name] = closed.call_of(citizen.sip_call_id)
        closed.wait_step(ids[name], "prompt callback.confirmed played", 90)
        citizen.go_on()
    found = {}
    for name, citizen in made.items():
        citizen.ended(120)
        lived = closed.wait_lived(ids[name], 30)
        rows = [row for row in closed.callbacks() if row["card"] == lived.card["id"]]
        found[name] = Told(number=numbers[name], citizen=citizen, lived=lived, callbacks=rows)
    yield found
    for told in found.values():
        closed.ekc("callbacks", "cancel", told.kept["id"])


def test_a_slot_chosen_by_key_is_the_time_of_the_call(calls: dict[str, Told]) -> None:
    told = calls["slot"]
    assert (told.kept["source"], told.kept["number"]) == ("agreed", e164(told.number))
    assert datetime.fromisoformat(told.kept["due"]) == at(10, 30)
    assert told.lived.card["callback_at"] == at(10, 30)
    assert told.lived.of("ask", "callback.slots") == ["answered"]
    assert told.lived.of("prompt", "callback.confirmed") == ["played", "played"]


def test_another_number_is_typed_read_back_and_called_instead(calls: dict[str, Told]) -> None:
    told = calls["number"]
    assert (told.kept["source"], told.kept["number"]) == ("closed", f"+7{TYPED[1:]}")
    assert datetime.fromisoformat(told.kept["due"]) == at(10)
    assert [row["number"] for row in told.callbacks if row["state"] == "cancelled"] == [e164(told.number)]
    assert told.lived.of("ask", "callback.number") == ["answered"]


def test_what_was_typed_stands_in_no_trace(calls: dict[str, Told]) -> None:
    keys_told = [step for step in calls["number"].lived.steps if step.startswith("key callback.typed")]
    assert keys_told == ["key callback.typed answered"]
    assert TYPED[1:] not in " ".join(calls["number"].lived.steps)


def test_a_number_abroad_is_not_taken_and_the_callers_own_is_kept(calls: dict[str, Told]) -> None:
    told = calls["abroad"]
    assert [(row["source"], row["number"]) for row in told.callbacks] == [("closed", e164(told.number))]
    assert len(told.lived.of("prompt", "callback.impossible")) == 3
    assert told.lived.of("prompt", "callback.kept") == ["played"]


def test_who_hangs_up_while_choosing_is_called_as_promised(calls: dict[str, Told]) -> None:
    told = calls["hangs up"]
    assert (told.kept["source"], told.kept["number"]) == ("closed", e164(told.number))
    assert datetime.fromisoformat(told.kept["due"]) == at(10)
    assert told.lived.ended == ("callback", "closed_hours")
    assert told.lived.of("ask", "callback.slots") == ["hangup"]


def test_who_says_nothing_hears_goodbye_and_is_called_as_promised(calls: dict[str, Told]) -> None:
    told = calls["says nothing"]
    assert told.lived.of("ask", "callback.choose") == ["kept"]
    assert told.lived.of("prompt", "goodbye") == ["played"]
    assert told.citizen.ended_by == "them"
    assert datetime.fromisoformat(told.kept["due"]) == at(10)
    assert told.lived.seconds("prompt callback.confirmed played", "prompt goodbye played") < 25
