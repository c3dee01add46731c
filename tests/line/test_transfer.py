"""Transfers between real telephones (§23)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.duty import Duty
from tests.line.transferring import (
    ATTENDED,
    BLIND,
    FIRST,
    QUEUE,
    SECOND,
    SERVED,
    SOME_SECONDS,
    TITLE,
    Scene,
    open_office,
)

pytestmark = pytest.mark.line


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Duty]:
    with open_office(tmp_path_factory.mktemp("prompts")) as duty:
        yield duty


@pytest.fixture
def scene(staff: Duty) -> Iterator[Scene]:
    made = Scene(staff.system, staff)
    yield made
    made.close()


def test_a_blind_transfer_brings_card_and_reason_to_the_second_line(scene: Scene) -> None:
    """One call, one contact, one card: both talks count, the last operator stands on it (§13, §15, §23)."""
    scene.talk().transfer(BLIND)
    scene.state(scene.first, "idle")
    scene.reached(f"bridge {SECOND} joined")
    time.sleep(SOME_SECONDS)
    scene.citizen.hang_up()
    lived = scene.ended()
    assert lived.ended == SERVED
    assert (lived.card["operator"], lived.card["agency"]) == (SECOND, "szn")
    assert TITLE in lived.card["topics"]
    assert "Передано: szn, 2-я линия" in lived.card["comment"]
    assert "Причина: нужна вторая линия." in lived.card["comment"]
    assert len(lived.card["contacts"]) == 1
    assert lived.of("transfer", QUEUE) == ["blind", "connected"]
    talks = [lived.seconds(f"bridge {who} joined", f"bridge {who} left") for who in (FIRST, SECOND)]
    assert lived.contact.talking_s == pytest.approx(sum(talks), abs=1.5)


def test_the_first_operator_talks_with_the_second_and_connects(scene: Scene) -> None:
    """The citizen is on hold meanwhile; by a key the two others talk and the first is free."""
    scene.talk().transfer(ATTENDED)
    scene.reached(f"transfer {QUEUE} consulting")
    assert scene.citizen.state == "talking"
    scene.decide("1")
    scene.reached(f"bridge {SECOND} joined")
    scene.state(scene.first, "idle")
    scene.second.hang_up()
    lived = scene.ended()
    assert (lived.ended, lived.card["operator"]) == (SERVED, SECOND)
    assert lived.of("transfer", QUEUE) == ["attended", "consulting", "connected"]


def test_an_operator_who_hangs_up_while_consulting_has_connected(scene: Scene) -> None:
    """As with any telephone: the citizen does not stay on hold."""
    scene.talk().transfer(ATTENDED)
    scene.reached(f"transfer {QUEUE} consulting")
    scene.first.hang_up()
    scene.reached(f"bridge {SECOND} joined")
    time.sleep(SOME_SECONDS)
    scene.citizen.hang_up()
    scene.state(scene.second, "idle")
    assert scene.ended().card["operator"] == SECOND


def test_the_first_operator_takes_the_citizen_back(scene: Scene) -> None:
    """The second operator is let go, and the first talk goes on."""
    scene.talk().transfer(ATTENDED)
    scene.reached(f"transfer {QUEUE} consulting")
    scene.decide("3")
    scene.reached(f"bridge {FIRST} joined", count=2)
    scene.state(scene.second, "idle")
    assert scene.first.state == "talking"
    scene.first.hang_up()
    lived = scene.ended()
    assert (lived.ended, lived.card["operator"]) == (SERVED, FIRST)
    assert lived.of("transfer", QUEUE) == ["attended", "consulting", "returning", "returned"]


def test_three_talk_until_the_first_leaves(scene: Scene) -> None:
    """With another agency's operator (§23); who is left goes on talking."""
    scene.talk().transfer(ATTENDED)
    scene.reached(f"transfer {QUEUE} consulting")
    scene.decide("2")
    scene.reached(f"bridge {FIRST} joined", count=2)
    scene.reached(f"bridge {SECOND} joined")
    time.sleep(SOME_SECONDS)
    scene.first.hang_up()
    time.sleep(SOME_SECONDS)
    assert (scene.citizen.state, scene.second.state) == ("talking", "talking")
    scene.citizen.hang_up()
    scene.state(scene.second, "idle")
    lived = scene.ended()
    assert lived.of("transfer", QUEUE) == ["attended", "consulting", "conference", "connected"]


def test_where_nobody_is_the_talk_goes_on(scene: Scene, tmp_path: Path) -> None:
    """The first line of szn has no operator: it is said before the citizen is sent anywhere."""
    scene.talk().transfer(BLIND, line="1")
    time.sleep(6)
    assert (scene.first.state, scene.citizen.state) == ("talking", "talking")
    scene.citizen.hang_up()
    scene.state(scene.first, "idle")
    assert scene.heard(scene.first, "transfer.nobody", tmp_path)
    assert scene.ended().of("transfer", QUEUE) == []
