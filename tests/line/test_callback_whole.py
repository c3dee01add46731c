"""A place kept by `1`, from the caller's key to the operator's talk: real telephones and the whole engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ivr.domain.callback import State
from ivr.ports import Prompt
from tests.harness.duty import TALK_SECONDS, Duty
from tests.harness.listening import was_heard
from tests.harness.processes import HOST, free_ports
from tests.harness.softphone import PORT_BLOCKS, Softphone
from tests.harness.sounds import sound_of
from tests.harness.system import System

pytestmark = pytest.mark.line

CITIZEN = "+79510000777"
AWAKE: dict[str, object] = {
    "callbacks__earliest": "00:00",
    "callbacks__latest": "23:59",
    "callbacks__unknown_zone_from": "00:00",
    "callbacks__first_seconds": 1,
}
"""Tests run at any hour."""


@dataclass
class Scene:
    """What came of it."""

    system: System
    phone: Softphone
    operator: Softphone
    call: str = ""
    callback: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """The citizen keeps the place and hangs up; an operator logs in; the telephone rings and both talk."""
    port = free_ports(PORT_BLOCKS)
    settings = {**AWAKE, "trunk__host": HOST, "trunk__port": port, "wrapup_seconds": 1}
    with System(**settings) as system:  # type: ignore[arg-type]
        system.open_today()
        system.demo_data(seed=1)
        duty = Duty(system)
        duty.hire("201", agency="soc")
        with Softphone(CITIZEN, server=system.line, port=port) as phone:
            try:
                yield _played(system, duty, phone)
            finally:
                duty.abandon()


def _played(system: System, duty: Duty, phone: Softphone) -> Scene:
    phone.dial("88006000000")
    call = system.wait_call(CITIZEN)
    phone.press("0")
    system.wait_step(call, "prompt queue.callback", 60)
    phone.press("1")
    phone.wait_hung_up(60)
    operator = duty.log_in("201")
    phone.answer(60)
    operator.wait_talking(10)
    system.wait_for(lambda: _state(system) is State.TALKING, 60, "the talk", step=0.1)
    time.sleep(TALK_SECONDS)
    assert operator.state == "talking"
    operator.hang_up()
    phone.wait_hung_up(10)
    scene = Scene(system, phone, operator, call=call)
    done = lambda: next((c for c in _callbacks(system) if c["state"] == "done"), None)  # noqa: E731
    scene.callback = system.wait_for(done, 30, "the callback to be done", step=1)
    scene.card = system.wait_for(lambda: _served(system, scene.callback["card"]), 30, "the card", step=1)
    return scene


def _state(system: System) -> State:
    return system.records.promised(CITIZEN)[0].state


def _callbacks(system: System) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = system.ekc("callbacks", "list", "--reveal", "--json").json
    return found


def _served(system: System, card: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = system.ekc("cards", "show", card, "--json").json
    return shown if shown["outcome"] == "served" else None


def test_the_callback_is_done_after_one_attempt(scene: Scene) -> None:
    assert scene.callback["source"] == "queue"
    assert [attempt["result"] for attempt in scene.callback["attempts"]] == ["served"]


def test_the_card_shows_both_contacts_and_who_served(scene: Scene) -> None:
    contacts = [(c["direction"], c["outcome"]) for c in scene.card["contacts"]]
    assert contacts == [("inbound", "abandoned_queue"), ("outbound", "served")]
    outbound = scene.card["contacts"][1]
    assert TALK_SECONDS - 1 <= outbound["talking_s"] <= TALK_SECONDS + 4
    assert outbound["waiting_s"] == 0
    assert scene.card["operator"] == "201"


def test_the_citizen_hears_who_calls_and_the_number_told_at_registration(
    scene: Scene, tmp_path: Path
) -> None:
    number = scene.card["registration_number"][-4:]
    heard = scene.phone.heard()[-1]
    assert was_heard(sound_of(Prompt.of("callback.greeting", enquiry=number), tmp_path), heard)
    assert was_heard(sound_of(Prompt.of("callback.privacy", identify=True), tmp_path), heard)


def test_the_number_that_is_shown_is_the_lines(scene: Scene) -> None:
    calls = [event for event in scene.phone.events if event.type == "CALL_INCOMING"]
    assert ["+78006000000" in event.peer for event in calls] == [True]


def test_the_operator_sees_and_hears_that_it_is_a_callback(scene: Scene, tmp_path: Path) -> None:
    number = scene.card["registration_number"][-4:]
    shown = [event.display for event in scene.operator.events if CITIZEN in event.peer]
    assert f"перезвон без кода {number}" in shown
    whisper = sound_of(Prompt.of("whisper.callback", topic="", level="none"), tmp_path)
    assert any(was_heard(whisper, heard) for heard in scene.operator.heard())
