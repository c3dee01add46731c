"""What a scenario looks up: who may hear it is found out first, what is found is told, all else leads on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from ivr.domain.benefits import Citizen, Notice, Payment, PaymentStatus
from ivr.domain.enquiry import Level
from ivr.domain.errors import ResourceDown
from ivr.ports import CodeHashes
from ivr.settings import IdentificationRules
from tests.unit.ringing import MINE, PAIR, SNILS, Line
from tests.unit.test_flow_scenario import a_line, heard

CODE = "52521"


def a_known_line(**settings: Any) -> Line:
    """A line that knows a citizen with a code and payments."""
    line = a_line(**settings)
    with line.store.transaction() as uow:
        uow.citizens.upsert([Citizen(snils=SNILS, phone=MINE)])
        uow.citizens.set_code(SNILS, CodeHashes(keypad=CODE, exact=CODE))
        uow.payments.upsert([payment(number) for number in range(5)])
        uow.commit()
    return line


def payment(number: int) -> Payment:
    return Payment(
        snils=SNILS,
        agency="soc",
        title=f"Выплата {number}",
        amount=Decimal(100),
        date=date(2026, 10, 1 + number),
        status=PaymentStatus.PAID,
    )


async def test_an_application_is_told_by_number_and_date_of_its_receipt_and_noted_before() -> None:
    line = a_known_line()
    channel = line.ring(f"311{PAIR}")
    channel.caller.presses("3", on="scenario.consultation.more", after=1)
    await line.answers(channel)
    assert "status.result" in channel.heard
    assert heard(channel)[-2:] == ["more", "bye"]
    card = line.card(channel)
    assert (card.level, card.agency) == (Level.APPLICATION, "soc")
    assert [row.action for row in line.audit if row.call == channel.id] == ["applications.read"]


async def test_what_is_not_found_and_a_resource_that_is_down_lead_where_the_scenario_says() -> None:
    line = a_known_line(pair_tries_per_call=1)
    channel = line.ring("3119#01012001")
    await line.answers(channel)
    assert heard(channel)[-2:] == ["unknown", "soc"]

    async def down(*_: object) -> None:
        raise ResourceDown

    line.desk.resources.applications = down  # type: ignore[method-assign,assignment]
    channel = await line.call(f"311{PAIR}")
    assert heard(channel)[-1] == "soc"
    assert "resource.down" not in channel.heard


async def test_an_operator_wanted_among_digits_is_that_of_the_look_up() -> None:
    line = a_known_line()
    channel = await line.call("311**")
    assert channel.handed_over is not None and channel.handed_over[0] == "soc-2"
    assert line.card(channel).questions == "Консультация: Субсидии; О своём заявлении."


async def test_payments_are_told_after_the_code_and_nobody_is_identified_twice() -> None:
    line = a_known_line()
    channel = line.ring("32")
    channel.caller.presses(SNILS, on="snils", after=1)
    channel.caller.presses(f"{CODE}#", on="code", after=1)
    channel.caller.presses("1", on="scenario.consultation.more", after=1)
    await line.answers(channel)
    assert line.card(channel).level is Level.PERSONAL
    assert channel.heard.count("snils") == 1
    assert "benefits.application" in channel.heard and "status.number" not in channel.heard
    told = [prompt.values["payments"] for prompt in line.prompts.asked if prompt.id == "benefits"]
    assert [len(rows) for rows in told] == [3]


async def test_who_cannot_be_identified_is_refused_and_reaches_the_operator_that_was_promised() -> None:
    line = a_known_line(identification=IdentificationRules(tries_per_call=1))
    channel = line.ring("32")
    channel.caller.presses(SNILS, on="snils", after=1)
    channel.caller.presses("11111#", on="code", after=1)
    await line.answers(channel)
    assert "identify.failed" in channel.heard
    assert channel.handed_over is not None and channel.handed_over[0] == "soc-2"


async def test_where_nobody_is_identified_by_keys_a_personal_look_up_is_refused_at_once() -> None:
    line = a_known_line(identification=IdentificationRules(ivr_personal=False))
    channel = await line.call("32")
    assert "snils" not in channel.heard
    assert heard(channel)[-1] == "soc"


async def test_a_notice_that_is_no_longer_valid_is_nothing() -> None:
    line = a_known_line()
    with line.store.transaction() as uow:
        uow.notices.upsert([notice("пенсия", None), notice("рождение", date(2020, 1, 1))])
        uow.commit()
    channel = line.ring("33")
    channel.caller.presses(SNILS, on="snils", after=1)
    channel.caller.presses(f"{CODE}#", on="code", after=1)
    await line.answers(channel)
    told = [prompt.values["event"] for prompt in line.prompts.asked if prompt.id == "benefits.notice"]
    assert set(told) == {"пенсия"}


def notice(event: str, until: date | None) -> Notice:
    return Notice(
        snils=SNILS, agency="soc", event=event, measure="мера", how_to_get="придите", valid_until=until
    )
