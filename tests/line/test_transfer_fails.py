"""Transfers that somebody refuses or leaves (§23), and operators whose telephone dies in a talk."""

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


@pytest.mark.parametrize("way", [BLIND, ATTENDED])
def test_a_refused_transfer_brings_the_citizen_back(
    scene: Scene, staff: Duty, tmp_path: Path, way: str
) -> None:
    """The only one who could take it refuses: the first operator has the citizen again."""
    staff.phones.pop(SECOND).close()
    refusing = staff.phone(SECOND, answers=False)
    scene.talk().transfer(way)
    scene.state(refusing, "ringing")
    refusing.hang_up()
    scene.reached(f"bridge {FIRST} joined", count=2)
    scene.citizen.hang_up()
    scene.state(scene.first, "idle")
    lived = scene.ended()
    assert (lived.ended[0], lived.card["operator"]) == ("served", FIRST)
    if way == BLIND:
        assert scene.heard(scene.citizen, "transfer.back", tmp_path)
        assert "Перевод не состоялся" in lived.card["comment"]
    staff.phones.pop(SECOND).close()
    staff.phone(SECOND)


def test_an_operator_who_hangs_up_in_the_menu_is_rung_again(scene: Scene, tmp_path: Path) -> None:
    """That is a slip of the hand, not the end of the talk."""
    scene.talk().menu()
    scene.first.hang_up()
    scene.reached(f"bridge {FIRST} joined", count=2, timeout=30)
    scene.citizen.hang_up()
    scene.state(scene.first, "idle")
    assert scene.heard(scene.citizen, "operator.lost", tmp_path)


def test_a_citizen_who_hangs_up_on_hold_is_told_of(scene: Scene) -> None:
    """Both operators end their talk; the contact is settled as served."""
    scene.talk()
    time.sleep(3)  # served
    scene.transfer(ATTENDED)
    scene.reached(f"transfer {QUEUE} consulting")
    scene.citizen.hang_up()
    lived = scene.ended()
    scene.second.hang_up()
    scene.state(scene.first, "idle")
    scene.system.wait_for(lambda: scene.told("transfer.citizen_left"), 5, "the first operator to be told")
    assert (lived.ended, lived.card["operator"]) == (SERVED, FIRST)


def test_both_gone_in_a_consultation_is_settled(scene: Scene) -> None:
    """Citizen and first operator hang up at once: the second is let go, and the call has an end."""
    scene.talk()
    time.sleep(3)  # served
    scene.transfer(ATTENDED)
    scene.reached(f"transfer {QUEUE} consulting")
    scene.citizen.hang_up(wait=False)
    scene.first.hang_up()
    scene.state(scene.second, "idle", 30)
    lived = scene.ended()
    assert (lived.ended, lived.card["operator"]) == (SERVED, FIRST)


def test_both_gone_before_the_second_answers_is_settled(scene: Scene, staff: Duty) -> None:
    """The first operator is gone by the transfer itself, the citizen while it rings."""
    staff.phones.pop(SECOND).close()
    ringing = staff.phone(SECOND, answers=False)
    scene.talk()
    time.sleep(3)  # served
    scene.transfer(BLIND)
    scene.state(ringing, "ringing")
    scene.state(scene.first, "idle")
    scene.citizen.hang_up()
    scene.state(ringing, "idle")
    lived = scene.ended()
    assert (lived.ended, lived.card["operator"]) == (SERVED, FIRST)
    assert lived.of("queue", QUEUE)[-1] == "left:abandoned"
    staff.phones.pop(SECOND).close()
    staff.phone(SECOND)


def test_a_telephones_own_transfer_is_refused(scene: Scene) -> None:
    """REFER can stop all of SIP (asterisk#2166); the talk goes on."""
    scene.talk()
    scene.first.refer(f"sip:{SECOND}@{scene.system.operators}")
    time.sleep(SOME_SECONDS)
    assert (scene.first.state, scene.citizen.state, scene.second.state) == ("talking", "talking", "idle")
    scene.citizen.hang_up()
    assert scene.ended().of("bridge", SECOND) == []


def test_a_dead_telephone_that_is_back_has_its_citizen_back(
    scene: Scene, staff: Duty, tmp_path: Path
) -> None:
    """In time, on another address: the citizen hears a sentence, then the same operator."""
    scene.talk()
    staff.phones.pop(FIRST).die_and_close()
    scene.reached(f"transfer {FIRST} operator_lost", timeout=30)
    staff.phone(FIRST)
    scene.reached(f"bridge {FIRST} joined", count=2, timeout=30)
    scene.citizen.hang_up()
    scene.state(scene.first, "idle")
    assert scene.heard(scene.citizen, "operator.lost", tmp_path)
    assert scene.ended().card["operator"] == FIRST


def test_without_the_dead_telephone_another_operator_answers_first(scene: Scene, staff: Duty) -> None:
    """After a while the citizen goes to the head of the queue."""
    scene.talk()
    staff.hire("214", agency="soc")
    staff.log_in("214", answers=False)
    staff.phones.pop(FIRST).die_and_close()
    scene.reached(f"transfer {FIRST} operator_lost", timeout=30)
    staff.phones["214"].answer(timeout=45)
    scene.reached("bridge 214 joined")
    scene.citizen.hang_up()
    assert scene.ended().card["operator"] == "214"
    staff.close(["214"])
    staff.phone(FIRST)
