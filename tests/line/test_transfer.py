"""Transfers between real telephones (§23), and operators whose telephone dies in the middle of a talk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.ports import Prompt
from tests.harness.duty import Duty
from tests.harness.listening import was_heard
from tests.harness.softphone import Softphone
from tests.harness.sounds import sound_of
from tests.harness.system import System
from tests.line.transferring import (
    ATTENDED,
    BLIND,
    FIRST,
    QUEUE,
    SECOND,
    SOME_SECONDS,
    TITLE,
    Scene,
    quick_prompts,
)

pytestmark = pytest.mark.line

SERVED = ("served", "served")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of short patience: phones that are silent for 3 s are dead, a transfer fails after 12 s."""
    patience = {"phone_rtp_timeout_seconds": 3, "transfer_seconds": 12, "operator_back_seconds": 10}
    prompts = quick_prompts(tmp_path_factory.mktemp("prompts"))
    with System(wrapup_seconds=1, ring_seconds=5, prompts_dir=prompts, **patience) as running:
        running.open_today()
        running.demo_data(seed=1)
        yield running


@pytest.fixture(scope="module")
def staff(office: System) -> Iterator[Duty]:
    duty = Duty(office)
    duty.hire(FIRST, agency="soc")
    duty.hire(SECOND, agency="szn", line=2)
    duty.log_in(FIRST)
    duty.log_in(SECOND)
    yield duty
    duty.abandon()


@pytest.fixture
def scene(office: System, staff: Duty) -> Iterator[Scene]:
    made = Scene(office, staff)
    yield made
    made.close()


def heard(phone: Softphone, prompt: str, folder: Path) -> bool:
    """In its last call, which is over."""
    return was_heard(sound_of(Prompt.of(prompt), folder), phone.heard()[-1])


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
    assert heard(scene.first, "transfer.nobody", tmp_path)
    assert scene.ended().of("transfer", QUEUE) == []


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
        assert heard(scene.citizen, "transfer.back", tmp_path)
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
    assert heard(scene.citizen, "operator.lost", tmp_path)


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
    assert heard(scene.citizen, "operator.lost", tmp_path)
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
