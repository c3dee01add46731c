"""What an identified caller hears of benefits and payments, in which steps, and how it ends (§21, §22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from ivr.domain.benefits import Citizen, Notice, Payment, PaymentStatus, PersonalRecords
from ivr.domain.enquiry import Application, ContactOutcome
from ivr.domain.errors import OperatorWanted, ResourceDown, StorageDown
from ivr.flows.benefits import AT_ONCE, benefits, next_payment, steps
from ivr.flows.desk import Desk
from ivr.ports import CodeHashes
from ivr.testing import MemoryStore
from tests.unit.scripted import Answer, Resource, ScriptedCall, a_desk, registered

SNILS, MINE, CODE = "11223344595", "+79123456789", "52521"
TODAY = date(2026, 11, 24)
PAID = Payment(
    snils=SNILS,
    agency="szn",
    title="Пособие",
    amount=Decimal("1234.50"),
    date=date(2026, 11, 3),
    status=PaymentStatus.PAID,
)
PLANNED = replace(PAID, status=PaymentStatus.PLANNED, date=date(2026, 12, 3), amount=Decimal(999))
LATER = replace(PLANNED, date=date(2027, 1, 3))
APPLICATION = Application(
    snils=SNILS,
    number="56-1",
    accepted_on=date(2026, 10, 1),
    agency="soc",
    service="Субсидия",
    status="рассмотрено",
    decision="отказано",
    refusal_reason="нет справки",
    missing_documents=("справка",),
)
NOTICE = Notice(
    snils=SNILS,
    agency="pfr",
    event="рождение ребёнка",
    measure="пособие",
    how_to_get="подайте заявление",
    valid_until=TODAY,
)
IDENTIFIED: tuple[Answer, ...] = (("snils", SNILS), ("snils.readback", ""), ("code", CODE))
MORE = "benefits.more"


def a_desk_that_knows(*, payments: tuple[Payment, ...] = (), records: PersonalRecords | None = None) -> Desk:
    desk = a_desk()
    with desk.store.transaction() as uow:
        uow.citizens.upsert([Citizen(snils=SNILS, phone=MINE)])
        uow.citizens.set_code(SNILS, CodeHashes(keypad=CODE, exact=CODE))
        uow.commit()
    resource(desk).records = records or PersonalRecords(payments=payments)
    return desk


def resource(desk: Desk) -> Resource:
    assert isinstance(desk.resources, Resource)
    return desk.resources


def audit(desk: Desk) -> list[tuple[str, str]]:
    with desk.store.transaction() as uow:
        return [(row.action, row.subject) for row in uow.audit.list()]


async def heard(desk: Desk, *answers: Answer) -> ScriptedCall:
    call = registered(desk, ScriptedCall(*IDENTIFIED, *answers, number=MINE))
    await benefits(call, desk)
    assert not call.unused
    return call


# --- steps -----------------------------------------------------------------------------------------


def test_the_next_payment_is_the_first_of_those_still_to_come() -> None:
    past = replace(PLANNED, date=TODAY - timedelta(days=1))
    today = replace(PLANNED, date=TODAY)
    assert next_payment([LATER, PLANNED, PAID, past], TODAY) == PLANNED
    assert next_payment([PLANNED, today], TODAY) == today
    assert next_payment([PAID, past], TODAY) is None


def test_the_next_payment_comes_first_and_is_not_told_twice() -> None:
    [step] = steps(PersonalRecords(payments=(LATER, PLANNED, PAID)), TODAY)
    assert [prompt.id for prompt in step.prompts] == ["benefits.next", "benefits"]
    assert step.prompts[0].values["amount"] == Decimal(999)
    rows = step.prompts[1].values["payments"]
    assert rows == (
        ("Пособие", Decimal(999), date(2027, 1, 3), "planned"),
        ("Пособие", Decimal("1234.50"), date(2026, 11, 3), "paid"),
    )


def test_many_payments_are_told_a_few_at_a_time_and_all_of_them() -> None:
    payments = tuple(replace(PAID, date=PAID.date - timedelta(days=n)) for n in range(10))
    told = [step.prompts[0].values["payments"] for step in steps(PersonalRecords(payments=payments), TODAY)]
    assert all(isinstance(part, tuple) for part in told)
    assert [len(part) for part in told if isinstance(part, tuple)] == [AT_ONCE, AT_ONCE, AT_ONCE, 1]


def test_the_next_payment_alone_needs_no_list() -> None:
    [step] = steps(PersonalRecords(payments=(PLANNED,)), TODAY)
    assert [prompt.id for prompt in step.prompts] == ["benefits.next"]


def test_each_application_and_each_valid_notice_is_a_step_of_its_own() -> None:
    expired = replace(NOTICE, valid_until=TODAY - timedelta(days=1))
    endless = replace(NOTICE, valid_until=None)
    records = PersonalRecords(applications=(APPLICATION,), notices=(NOTICE, expired, endless))
    told = [step.prompts[0] for step in steps(records, TODAY)]
    assert [prompt.id for prompt in told] == [
        "benefits",
        "benefits.application",
        "benefits.notice",
        "benefits.notice",
    ]
    assert told[1].values["refusal_reason"] == "нет справки"
    assert [prompt.values["valid_until"] for prompt in told[2:]] == [TODAY, None]


# --- the conversation ------------------------------------------------------------------------------


async def test_payments_are_heard_and_the_caller_ends_the_call() -> None:
    desk = a_desk_that_knows(payments=(PAID,))
    call = await heard(desk, (MORE, "3"))
    assert call.said == ["snils", "snils.readback", "code", "benefits", MORE, "goodbye"]
    assert call.finished and call.outcome is ContactOutcome.SELF_SERVICE
    assert resource(desk).asked == [SNILS]


async def test_what_was_heard_stands_in_the_audit_under_the_card() -> None:
    desk = a_desk_that_knows(payments=(PAID,))
    call = await heard(desk, (MORE, "3"))
    assert audit(desk) == [("benefits.read", call.enquiry), ("identification.attempt", call.enquiry)]


async def test_a_step_can_be_heard_again_and_the_next_one_follows() -> None:
    records = PersonalRecords(payments=(PAID,), applications=(APPLICATION,), notices=(NOTICE,))
    call = await heard(
        a_desk_that_knows(records=records), (MORE, "1"), (MORE, "2"), (MORE, "2"), (MORE, "1"), (MORE, "3")
    )
    assert [said for said in call.said if said.startswith("benefits") and said != MORE] == [
        "benefits",
        "benefits",
        "benefits.application",
        "benefits.notice",
        "benefits.notice",
    ]
    assert [prompt.values["left"] for prompt in call.heard if prompt.id == MORE] == [
        True,
        True,
        True,
        False,
        False,
    ]


async def test_who_has_nothing_is_told_so() -> None:
    call = await heard(a_desk_that_knows(), (MORE, "3"))
    assert [prompt.values["payments"] for prompt in call.heard if prompt.id == "benefits"] == [()]


async def test_an_operator_of_the_agency_that_is_spoken_of_goes_on() -> None:
    records = PersonalRecords(payments=(PAID,), applications=(APPLICATION,))
    call = await heard(a_desk_that_knows(records=records), (MORE, "2"), (MORE, OperatorWanted))
    assert call.queue == "soc-1"


async def test_payments_of_several_agencies_lead_to_the_general_queue() -> None:
    desk = a_desk_that_knows(payments=(PAID, replace(PAID, agency="soc")))
    call = await heard(desk, (MORE, OperatorWanted))
    assert call.queue == "general"


async def test_an_information_resource_that_is_down_is_told_truthfully_before_an_operator() -> None:
    desk = a_desk_that_knows()
    resource(desk).error = ResourceDown()
    call = registered(desk, ScriptedCall(*IDENTIFIED, number=MINE))
    with pytest.raises(OperatorWanted):
        await benefits(call, desk)
    assert call.said[-1] == "resource.down"
    assert [action for action, _ in audit(desk)] == ["identification.attempt"]


async def test_what_cannot_be_audited_is_not_told() -> None:
    desk = a_desk_that_knows(payments=(PAID,))
    call = registered(desk, ScriptedCall(*IDENTIFIED, number=MINE))
    assert isinstance(desk.store, MemoryStore)
    desk.store.failing_after = 4
    with pytest.raises(StorageDown):
        await benefits(call, desk)
    assert resource(desk).asked == [SNILS] and "benefits" not in call.said


async def test_who_is_not_identified_is_asked_about_at_no_resource() -> None:
    desk = a_desk_that_knows(payments=(PAID,))
    again: tuple[Answer, ...] = (("code", "1"), ("snils.readback", ""))
    call = registered(desk, ScriptedCall(*IDENTIFIED[:2], *again, *again, ("code", "1"), number=MINE))
    with pytest.raises(OperatorWanted):
        await benefits(call, desk)
    assert resource(desk).asked == []
