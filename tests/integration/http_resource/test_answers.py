"""A participant's service that answers (§22): by the contract, and against it."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from typing import Any

import pytest

from ivr.domain.benefits import Notice, Payment, PaymentStatus
from ivr.domain.errors import ResourceDown
from ivr.resources.exchange import MOST_BYTES
from tests.harness.participant import Behaviour, Participant, answers, floods, head, redirects, says
from tests.integration.http_resource.samples import (
    DAY,
    FOUND,
    NOTICE,
    OTHER,
    OURS,
    PAYMENT,
    PERSONAL,
    SNILS,
    Ask,
)


async def test_an_application_is_found_by_the_digits_of_its_number_and_its_date(
    soc: Participant, resource: Ask
) -> None:
    soc.applications = [FOUND, {**FOUND, "number": "56-000124"}]

    assert list(await resource().applications("56000123", DAY)) == [OURS]


async def test_a_receipt_nobody_knows_gives_nothing_and_no_error(resource: Ask) -> None:
    assert list(await resource().applications("1", DAY)) == []


async def test_everything_of_a_citizen_becomes_ours_with_the_agency_of_the_settings(
    soc: Participant, resource: Ask
) -> None:
    soc.personal[SNILS] = PERSONAL

    records = await resource().personal(SNILS)

    assert records.payments == (
        Payment(
            snils=SNILS,
            agency="soc",
            title="Пособие",
            amount=Decimal("1234.50"),
            date=DAY,
            status=PaymentStatus.PAID,
        ),
    )
    assert str(records.payments[0].amount) == "1234.50"
    assert records.applications == (OURS,)
    assert records.notices == (
        Notice(
            snils=SNILS,
            agency="soc",
            event="рождение ребёнка",
            measure="выплата",
            how_to_get="в МФЦ",
            valid_until=None,
        ),
    )


async def test_the_question_is_in_the_body_alone_and_carries_an_opaque_id(
    soc: Participant, resource: Ask
) -> None:
    asked_by = resource()
    await asked_by.applications("56000123", DAY)
    await asked_by.personal(SNILS)

    first, second = soc.asked
    assert (first.line, first.question) == (
        "POST /ekc/v1/applications HTTP/1.1",
        {"number": "56000123", "accepted_on": "2026-03-03"},
    )
    assert (second.line, second.question) == ("POST /ekc/v1/personal HTTP/1.1", {"snils": SNILS})
    assert SNILS not in str(second.headers) + second.line
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert len(second.headers["x-request-id"]) == 26


async def test_a_connection_is_used_again(soc: Participant, resource: Ask) -> None:
    asked_by = resource()
    for _ in range(3):
        await asked_by.personal(SNILS)

    assert {asked.connection for asked in soc.asked} == {1}


async def test_a_cookie_of_one_citizen_is_not_sent_with_the_next(soc: Participant, resource: Ask) -> None:
    soc.next(answers(PERSONAL, headers={"Set-Cookie": "session=marker; Path=/"}))
    asked_by = resource()
    await asked_by.personal(SNILS)
    await asked_by.personal(SNILS)

    assert "cookie" not in soc.asked[1].headers


async def test_the_environment_sends_no_question_to_a_proxy(
    soc: Participant, resource: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Participant(base="") as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await resource().personal(SNILS)

    assert (len(soc.asked), proxy.asked) == (1, [])


# --- wrong answers ---------------------------------------------------------------------------------

MANY = [FOUND] * 51
WRONG: dict[str, tuple[Behaviour, str]] = {
    "status 404": (answers({"error": SNILS}, status=404), "status 404"),
    "status 401": (answers({}, status=401), "status 401"),
    "status 500": (answers({}, status=500), "status 500"),
    "status 204": (says(head(204, {})), "status 204"),
    "a page": (answers(b"<html>", content_type="text/html"), "content type"),
    "no type": (says(head(200, {"Content-Length": "2"}) + b"{}"), "content type"),
    "no JSON": (answers(b"{,}"), "json_invalid"),
    "nothing": (answers(b""), "json_invalid"),
    "other encoding": (answers(json.dumps(PERSONAL).encode("utf-16")), "json_invalid"),
    "no UTF-8": (answers(b'{"applications": ["\xff\xfe"]}'), "json_invalid"),
    "a list": (answers([FOUND]), "model_type"),
    "deep": (answers(b"[" * 100_000), "json_invalid"),
    "no list": (answers({}), "applications missing"),
    "null": (answers({"applications": None}), "applications tuple_type"),
    "number": (answers({"applications": [{**FOUND, "number": 56000123}]}), "number string_type"),
    "date": (answers({"applications": [{**FOUND, "accepted_on": "03.03.2026"}]}), "accepted_on date_parsing"),
    "moment": (answers({"applications": [{**FOUND, "accepted_on": 1772496000}]}), "date_type"),
    "no service": (answers({"applications": [{**FOUND, "service": "  "}]}), "service string_too_short"),
    "long": (answers({"applications": [{**FOUND, "status": "х" * 1001}]}), "status string_too_long"),
    "snils": (answers({"applications": [{**FOUND, "snils": "11223344594"}]}), "snils value_error"),
    "many": (answers({"applications": MANY}), "applications too_long"),
    "zipped": (
        answers(gzip.compress(b'{"applications": []}'), headers={"Content-Encoding": "gzip"}),
        "content encoding",
    ),
    "huge": (answers(b" " * (MOST_BYTES + 1)), "bytes"),
    "endless": (floods, "bytes"),
    "another receipt": (answers({"applications": [{**FOUND, "number": "56000124"}]}), "another receipt"),
    "another day": (answers({"applications": [{**FOUND, "accepted_on": "2026-03-04"}]}), "another receipt"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_answer_is_no_answer_is_not_asked_for_twice_and_names_its_rule(
    name: str, soc: Participant, resource: Ask, counted: list[tuple[str, str]]
) -> None:
    behaviour, rule = WRONG[name]
    soc.always(behaviour)
    asked_by = resource(timeout_seconds=30)

    with pytest.raises(ResourceDown) as caught:
        await asked_by.applications("56000123", DAY)

    assert rule in str(caught.value)
    assert rule in asked_by.health().last_failure
    assert counted == [("soc", "wrong")]
    assert len(soc.asked) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"payments": None},
        {"payments": [{**PAYMENT, "amount": 1234.5}]},
        {"payments": [{**PAYMENT, "amount": "-1"}]},
        {"payments": [{**PAYMENT, "amount": "1e3"}]},
        {"payments": [{**PAYMENT, "amount": "1.234"}]},
        {"payments": [{**PAYMENT, "amount": "١"}]},
        {"payments": [{**PAYMENT, "status": "gone"}]},
        {"payments": [PAYMENT] * 501},
        {"notices": [{name: NOTICE[name] for name in ("event", "measure", "how_to_get")}]},
        {"snils": OTHER},
        {"snils": 11223344595},
    ],
)
async def test_a_wrong_record_spoils_the_whole_answer_about_a_citizen(
    change: dict[str, Any], soc: Participant, resource: Ask
) -> None:
    soc.next(answers({**PERSONAL, **change}))

    with pytest.raises(ResourceDown):
        await resource().personal(SNILS)


@pytest.mark.parametrize("missing", PERSONAL)
async def test_a_list_that_is_missing_is_not_an_empty_one(
    missing: str, soc: Participant, resource: Ask
) -> None:
    soc.next(answers({name: value for name, value in PERSONAL.items() if name != missing}))

    with pytest.raises(ResourceDown, match=f"{missing} missing"):
        await resource().personal(SNILS)


async def test_an_application_told_twice_is_one(soc: Participant, resource: Ask) -> None:
    soc.next(answers({"applications": [FOUND, dict(FOUND)]}))

    assert list(await resource().applications("56000123", DAY)) == [OURS]


async def test_a_redirect_is_not_followed(soc: Participant, resource: Ask) -> None:
    with Participant() as elsewhere:
        soc.next(redirects(f"{elsewhere.url}/personal"))
        with pytest.raises(ResourceDown, match="status 307"):
            await resource().personal(SNILS)

    assert elsewhere.asked == []
