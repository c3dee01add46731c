"""What an identified citizen hears (§20 to §22), looked for in the recording sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ivr.ports import Prompt
from tests.harness.duty import Duty
from tests.harness.listening import missing
from tests.harness.sounds import sound_of
from tests.line.identifying import Calling, Citizen, Known, Told, digits, today, together

pytestmark = pytest.mark.line

AGENCY = "soc"
EXTENSION = "301"
LOST = 2
"""Quarter seconds in which the recording may lack a packet; other words lack many more."""
TALK_SECONDS = 14.0
"""Of the operator's telephone; the whisper before the bridge is part of it."""


NOTICE = {
    "event": "поступление ребёнка в школу",
    "measure": "выплата к школе",
    "how_to_get": "Подайте заявление до первого сентября",
}
REFUSED = {
    "service": "субсидия на оплату жилья",
    "status": "рассмотрение завершено",
    "decision": "отказано",
    "refusal_reason": "нет сведений о доходах",
    "missing_documents": ["справка о доходах", "копия паспорта"],
}


def refused(who: Citizen, number: str, month: date) -> dict[str, Any]:
    return {
        "snils": who.snils,
        "number": number,
        "accepted_on": (month - timedelta(days=10)).isoformat(),
        "agency": AGENCY,
        **REFUSED,
    }


def receipt(number: str, month: date) -> str:
    """The keys of the way to the status of an application."""
    day = month - timedelta(days=10)
    return f"11{digits(number)}#{day:%d%m%Y}"


def give(known: Known, who: Citizen, month: date) -> None:
    """A payment that was made, one to come, an application refused, and a notice."""
    payment = {"snils": who.snils, "agency": AGENCY, "title": "Пособие на третьего ребёнка"}
    known.bring_in(
        "payments",
        [
            {**payment, "amount": "12345.50", "date": month - timedelta(days=20), "status": "paid"},
            {**payment, "amount": "6789.00", "date": month + timedelta(days=40), "status": "planned"},
        ],
    )
    known.bring_in("notices", [{"snils": who.snils, "agency": AGENCY, **NOTICE, "valid_until": ""}])
    twin = known.named("twin")
    applications = [refused(who, "57-314159", month), refused(who, "58-271828/А", month)]
    known.bring_in("applications", [*applications, refused(twin, "58-271828/Б", month)])


@together
def listeners(known: Known) -> dict[str, Calling]:
    """Keys typed ahead skip what others hear, so that each hears something else."""
    month, citizen, twin = first_of_month(), known.newcomer("777000"), known.named("twin")
    give(known, citizen, month)
    return {
        "payments": listener(citizen.phone, citizen.by_code, "benefits"),
        "application": listener(citizen.phone, citizen.by_code + "2", "benefits.application"),
        "notice": listener(citizen.phone, citizen.by_code + "222", "benefits.notice"),
        "receipt": listener(twin.phone, receipt("57-314159", month), "status.result"),
        "several": Calling(number=twin.phone, typed=receipt("58-271828", month)),
    }


def first_of_month() -> date:
    return today().date().replace(day=1)


@pytest.fixture
def month() -> date:
    return first_of_month()


@pytest.fixture
def calls(known: Known) -> Mapping[str, Told]:
    return known.told


def listener(number: str, typed: str, last: str) -> Calling:
    """Who hears this prompt to its end; the next one has begun then, so the recording has it whole."""
    return Calling(number=number, typed=typed, until=(f"prompt {last} played",))


def is_heard(prompt: Prompt, told: Told, folder: Path) -> bool:
    """Whether what it says was heard from its first word to its last."""
    return len(missing(sound_of(prompt, folder), told.world.heard)) <= LOST


def next_payment(month: date, amount: str = "6789.00") -> Prompt:
    day = month + timedelta(days=40)
    return Prompt.of("benefits.next", title="Пособие на третьего ребёнка", amount=Decimal(amount), day=day)


def application(month: date) -> dict[str, Any]:
    values = {**REFUSED, "missing_documents": tuple(REFUSED["missing_documents"])}
    return {**values, "accepted_on": month - timedelta(days=10)}


def test_the_next_payment_is_heard_with_amount_and_date(
    calls: Mapping[str, Told], month: date, tmp_path: Path
) -> None:
    """The whole sentence is in the recording; the same with another amount is not."""
    assert is_heard(next_payment(month), calls["payments"], tmp_path)
    assert not is_heard(next_payment(month, "4321.00"), calls["payments"], tmp_path)


def test_a_payment_that_was_made_is_heard(calls: Mapping[str, Told], month: date, tmp_path: Path) -> None:
    """Title, amount, what became of it and when."""
    row = ("Пособие на третьего ребёнка", Decimal("12345.50"), month - timedelta(days=20), "paid")
    assert is_heard(Prompt.of("benefits", payments=(row,)), calls["payments"], tmp_path)


def test_a_refusal_is_heard_with_its_reason_and_what_is_missing(
    calls: Mapping[str, Told], month: date, tmp_path: Path
) -> None:
    """§20: decision, reason of refusal, missing documents."""
    prompt = Prompt.of("benefits.application", **application(month))
    assert is_heard(prompt, calls["application"], tmp_path)


def test_a_notice_of_entitlement_is_heard(calls: Mapping[str, Told], tmp_path: Path) -> None:
    """What is due, for what, and how to get it."""
    prompt = Prompt.of("benefits.notice", **NOTICE, valid_until=None)
    assert is_heard(prompt, calls["notice"], tmp_path)


def test_a_receipt_opens_its_application_alone(
    calls: Mapping[str, Told], month: date, tmp_path: Path
) -> None:
    """§20: number and date of the receipt, from anybody's telephone; level `application`, no attempt."""
    told = calls["receipt"]
    assert (told.level, told.attempts) == ("application", ())
    assert is_heard(Prompt.of("status.result", **application(month)), told, tmp_path)


def test_a_receipt_that_fits_several_applications_leads_to_an_operator(calls: Mapping[str, Told]) -> None:
    """Letters that digits cannot tell apart: nothing is told of either."""
    told = calls["several"]
    assert "prompt status.several played" in told.lived.steps
    assert (told.level, told.queued) == ("none", True)
    assert "status.result" not in told.said


@pytest.fixture
def duty(known: Known) -> Iterator[Duty]:
    made = Duty(known.system)
    yield made
    made.close()


def test_the_level_travels_with_the_call_to_the_operator(known: Known, duty: Duty) -> None:
    """After the payments `0` leads to an operator of their agency, who sees a person identified."""
    citizen = known.newcomer("777001")
    give(known, citizen, first_of_month())
    duty.hire(EXTENSION, agency=AGENCY)
    duty.log_in(EXTENSION)
    calling = Calling(number=citizen.phone, typed=citizen.by_code + "0")
    call = calling.begin(known.world)
    duty.talk(lambda: call.over, timeout=60, seconds=TALK_SECONDS)
    lived = known.system.wait_lived(known.system.call_of(call.sip_call_id), 30)
    card = lived.card
    assert (card["level"], card["agency"], card["operator"]) == ("personal", AGENCY, EXTENSION)
    assert lived.ended == ("served", "served")
    assert "queue soc-1 asked" in lived.steps
