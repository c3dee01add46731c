"""The port's contract, held by our tables and by a participant's service alike; and the document about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from ivr.ports import InformationResource
from ivr.resources.answers import read_applications, read_personal
from ivr.resources.embedded import EmbeddedResource
from ivr.testing.store import MemoryStore
from tests.harness.commands import PROJECT
from tests.harness.participant import Participant
from tests.integration.http_resource.samples import (
    APPLICATION,
    DAY,
    FOUND,
    NOTICE,
    OURS,
    PAYMENT,
    PERSONAL,
    SNILS,
    Ask,
)

OLDER = {**APPLICATION, "number": "56-7", "accepted_on": "2025-01-31"}
RECORDS: dict[str, Any] = {
    "payments": [{**PAYMENT, "date": "2025-01-31", "status": "returned"}, PAYMENT],
    "applications": [OLDER, APPLICATION],
    "notices": [{**NOTICE, "valid_until": "2026-12-31"}, {**NOTICE, "event": "инвалидность"}],
}


@pytest.fixture(params=["embedded", "http"])
def asked(request: pytest.FixtureRequest, soc: Participant, resource: Ask) -> InformationResource:
    """Both hold the same: two payments, applications and notices of one citizen."""
    if request.param == "http":
        soc.personal[SNILS] = RECORDS
        soc.applications = [FOUND, {**OLDER, "snils": SNILS}]
        return resource()
    records = read_personal(json.dumps({**RECORDS, "snils": SNILS}).encode(), agency="soc", snils=SNILS)
    store = MemoryStore()
    with store.transaction() as uow:
        uow.payments.upsert(records.payments)
        uow.applications.upsert(records.applications)
        uow.notices.upsert(records.notices)
        uow.commit()
    return EmbeddedResource(store)


async def test_a_receipt_opens_its_application_alone(asked: InformationResource) -> None:
    assert list(await asked.applications("56000123", DAY)) == [OURS]


@pytest.mark.parametrize(("digits", "day"), [("56000123", date(2026, 3, 4)), ("5600012", DAY), ("567", DAY)])
async def test_a_receipt_with_another_number_or_date_opens_nothing(
    digits: str, day: date, asked: InformationResource
) -> None:
    assert list(await asked.applications(digits, day)) == []


async def test_a_citizens_records_come_newest_first_and_notices_as_they_were_given(
    asked: InformationResource,
) -> None:
    records = await asked.personal(SNILS)

    assert [p.date for p in records.payments] == [DAY, date(2025, 1, 31)]
    assert [str(p.status) for p in records.payments] == ["paid", "returned"]
    assert [a.number for a in records.applications] == ["56-000123/А", "56-7"]
    assert [n.valid_until for n in records.notices] == [date(2026, 12, 31), None]


async def test_a_citizen_nobody_knows_has_nothing(asked: InformationResource) -> None:
    records = await asked.personal("08765430300")

    assert (records.payments, records.applications, records.notices) == ((), (), ())


# --- docs/information-resource.md -------------------------------------------------------------------

TEXT = (PROJECT / "docs/information-resource.md").read_text("utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)


async def test_the_questions_in_the_document_are_those_that_are_asked(
    soc: Participant, resource: Ask
) -> None:
    asked_by = resource()
    await asked_by.applications("56000123", DAY)
    await asked_by.personal(SNILS)

    assert [a.question for a in soc.asked] == [json.loads(EXAMPLES[0]), json.loads(EXAMPLES[2])]


def test_the_answers_in_the_document_are_good_ones() -> None:
    found = read_applications(EXAMPLES[1].encode(), agency="soc", digits="56000123", accepted_on=DAY)
    records = read_personal(EXAMPLES[3].encode(), agency="soc", snils=SNILS)

    assert list(found) == [OURS]
    assert (len(records.payments), len(records.applications), len(records.notices)) == (1, 1, 1)


def _names(document: Any) -> set[str]:
    if isinstance(document, list):
        return set().union(*map(_names, document))
    return set(document).union(*map(_names, document.values())) if isinstance(document, dict) else set()


@pytest.mark.parametrize("make", [lambda: {"applications": [FOUND]}, lambda: PERSONAL])
def test_every_field_we_read_is_in_the_documents_table(make: Callable[[], Any]) -> None:
    assert [n for n in _names(make()) - {"something_new", "we"} if f"`{n}`" not in TEXT] == []
