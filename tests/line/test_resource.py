"""An agency's own information resource (§22) in a call: its answer is heard, its silence told truthfully."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ivr.ports import Prompt
from tests.harness.listening import missing, was_heard
from tests.harness.sounds import sound_of
from tests.line.identifying import Calling, Citizen, Known, today

pytestmark = pytest.mark.line

LOST = 2
"""Quarter seconds in which the recording may lack a packet."""
TITLE, AMOUNT = "Выплата опекуну", "4711.25"


def coming() -> date:
    return today().date() + timedelta(days=30)


@pytest.fixture
def guardian(known: Known) -> Citizen:
    """Somebody of whom the agency's service alone knows anything."""
    who = known.newcomer("555111")
    payment = {"title": TITLE, "amount": AMOUNT, "date": coming().isoformat(), "status": "planned"}
    known.participant.personal[who.snils] = {"payments": [payment]}
    return who


@pytest.fixture
def dead(known: Known) -> Iterator[None]:
    """The service does not even listen."""
    known.participant.stop()
    yield
    known.participant.start()


def test_a_payment_of_the_service_is_heard(known: Known, guardian: Citizen, tmp_path: Path) -> None:
    """Title, amount and date came over HTTP during this call; the question tells the SNILS alone."""
    before = len(known.participant.asked)
    told = call(known, guardian, until="prompt benefits.next played")
    prompt = Prompt.of("benefits.next", title=TITLE, amount=Decimal(AMOUNT), day=coming())
    assert len(missing(sound_of(prompt, tmp_path), told.world.heard)) <= LOST
    (asked,) = known.participant.asked[before:]
    assert asked.question == {"snils": guardian.snils}
    assert guardian.snils not in asked.line + str(dict(asked.headers))


@pytest.mark.usefixtures("dead")
def test_a_dead_service_is_told_truthfully(known: Known, guardian: Citizen, tmp_path: Path) -> None:
    """A part would sound like the whole: nothing is told, and an operator goes on."""
    told = call(known, guardian, until="queue ")
    assert was_heard(sound_of(Prompt.of("resource.down"), tmp_path), told.world.heard)
    assert (told.level, told.queued) == ("personal", True)
    assert not any(p.startswith("benefits") for p in told.said)


def call(known: Known, who: Citizen, *, until: str) -> Any:
    calling = Calling(number=who.phone, typed=who.by_code, until=(until,))
    return known.play({"caller": calling})["caller"]
