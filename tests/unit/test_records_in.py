"""What a row may say: each reason why it stays out, and the one form in which good values are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.benefits import PaymentStatus
from ivr.domain.codes import normalise
from ivr.domain.errors import BadInput
from ivr.services import records_in
from ivr.services.records_in import Fields

TODAY = date(2026, 11, 24)
KNOWN = frozenset({"soc"})
GOOD: dict[str, dict[str, str]] = {
    "citizen": {
        "snils": "112-233-445 95",
        "last_name": "Орлова",
        "first_name": "Анна",
        "patronymic": "Ивановна",
        "birth_date": "1980-02-29",
        "phone": "8 (912) 345-67-89",
        "secret_code": "Роза47",
        "document_type": "паспорт",
        "document_series": "5304",
        "document_number": "123456",
    },
    "application": {
        "snils": "11223344595",
        "number": "56-000123/А",
        "accepted_on": "2026-11-02",
        "agency": "soc",
        "service": "пособие",
        "status": "завершено",
        "decision": "отказано",
        "refusal_reason": "доход",
        "missing_documents": " справка | | паспорт ",
    },
    "payment": {
        "snils": "11223344595",
        "agency": "soc",
        "title": "пособие",
        "amount": "1234.5",
        "date": "2026-12-05",
        "status": "planned",
    },
    "notice": {
        "snils": "11223344595",
        "agency": "soc",
        "event": "рождение ребёнка",
        "measure": "пособие",
        "how_to_get": "Подайте заявление",
        "valid_until": "",
    },
    "topic": {"code": "soc", "name": "Соцзащита", "topic_key": "31", "topic": "Пособия", "line": "2"},
}
READ: dict[str, Callable[[Fields], object]] = {
    "citizen": lambda fields: records_in.citizen(fields, today=TODAY, check_code=normalise),
    "application": lambda fields: records_in.application(fields, today=TODAY, agencies=KNOWN),
    "payment": lambda fields: records_in.payment(fields, agencies=KNOWN),
    "notice": lambda fields: records_in.notice(fields, agencies=KNOWN),
    "topic": records_in.topic,
}


def read(kind: str, **changed: str) -> object:
    return READ[kind](Fields({**GOOD[kind], **changed}))


@pytest.mark.parametrize(
    ("kind", "column", "value", "reason"),
    [
        ("citizen", "snils", "", "snils is empty"),
        ("citizen", "snils", "123", "snils: a SNILS has 11 digits"),
        ("citizen", "snils", "11223344596", "snils: the check digits"),
        ("citizen", "birth_date", "29.02.1980", "birth_date is no date"),
        ("citizen", "birth_date", "1981-02-29", "birth_date is no date"),
        ("citizen", "birth_date", "2026-11-25", "birth_date is no day between"),
        ("citizen", "birth_date", "1899-12-31", "birth_date is no day between"),
        ("citizen", "phone", "112", "phone: there is no such telephone number"),
        ("citizen", "phone", "none", "phone: this is no telephone number"),
        ("citizen", "secret_code", "слишком длинный", "secret_code: a secret code has"),
        ("citizen", "last_name", "x" * 101, "last_name is longer than 100 characters"),
        ("citizen", "last_name", "a\x00b", "last_name has the character U+0000"),
        ("citizen", "last_name", "a\nb", "last_name has the character U+000A"),
        ("citizen", "last_name", "a\u202eb", "last_name has the character U+202E"),
        ("application", "number", "", "number is empty"),
        ("application", "number", "без номера", "number has no digit"),
        ("application", "accepted_on", "", "accepted_on is empty"),
        ("application", "accepted_on", "2026-11-25", "accepted_on is no day between"),
        ("application", "accepted_on", "1989-12-31", "accepted_on is no day between"),
        ("application", "agency", "", "agency is empty"),
        ("application", "agency", "nobody", "agency is unknown; bring it in first"),
        ("application", "service", "", "service is empty"),
        ("application", "status", "", "status is empty"),
        ("application", "decision", "x" * 501, "decision is longer than 500 characters"),
        ("application", "missing_documents", "a|" * 21, "missing_documents names more than 20"),
        ("payment", "title", "", "title is empty"),
        ("payment", "amount", "", "amount is empty"),
        ("payment", "amount", "1234,50", "amount is no amount of roubles"),
        ("payment", "amount", "-1", "amount is no amount of roubles"),
        ("payment", "amount", "1e5", "amount is no amount of roubles"),
        ("payment", "amount", "1.005", "amount is no amount of roubles"),
        ("payment", "amount", "NaN", "amount is no amount of roubles"),
        ("payment", "date", "", "date is empty"),
        ("payment", "date", "2200-01-01", "date is no day between"),
        ("payment", "status", "выплачено", "status is one of paid, planned, returned"),
        ("payment", "agency", "szn", "agency is unknown"),
        ("notice", "event", "", "event is empty"),
        ("notice", "measure", "", "measure is empty"),
        ("notice", "how_to_get", "x" * 2001, "how_to_get is longer than 2000 characters"),
        ("notice", "valid_until", "soon", "valid_until is no date"),
        ("notice", "agency", "szn", "agency is unknown"),
        ("topic", "code", "Соц", "code is no code"),
        ("topic", "code", "", "code is empty"),
        ("topic", "name", "", "name is empty"),
        ("topic", "topic_key", "", "topic_key is empty"),
        ("topic", "topic", "", "topic is empty"),
        ("topic", "line", "3", "line is 1 or 2"),
    ],
)
def test_a_wrong_value_is_named_by_its_column_and_not_repeated(
    kind: str, column: str, value: str, reason: str
) -> None:
    with pytest.raises(BadInput) as raised:
        read(kind, **{column: value})
    assert str(raised.value).startswith(reason)
    assert len(value) < 4 or value not in str(raised.value)


def test_a_citizen_is_kept_in_one_form_and_the_code_apart() -> None:
    row = read("citizen")
    assert isinstance(row, records_in.CitizenRow)
    assert (row.citizen.snils, row.citizen.phone) == ("11223344595", "+79123456789")
    assert row.citizen.birth_date == date(1980, 2, 29)
    assert row.code == "роза47"
    assert "роза47" not in repr(row)


def test_what_is_empty_is_unknown() -> None:
    row = read("citizen", **dict.fromkeys(records_in.CITIZENS[1:], ""))
    assert isinstance(row, records_in.CitizenRow)
    assert (row.citizen.phone, row.citizen.birth_date, row.code) == (None, None, "")


def test_missing_documents_are_a_list_without_empty_ones() -> None:
    assert read("application").missing_documents == ("справка", "паспорт")  # type: ignore[attr-defined]


@pytest.mark.parametrize(("text", "amount"), [("1234.50", "1234.50"), ("7", "7.00"), ("0.5", "0.50")])
def test_an_amount_has_two_decimals(text: str, amount: str) -> None:
    payment = read("payment", amount=text)
    assert str(payment.amount) == str(Decimal(amount))  # type: ignore[attr-defined]
    assert payment.status is PaymentStatus.PLANNED  # type: ignore[attr-defined]


def test_a_notice_without_end_is_one_without_a_last_day() -> None:
    assert read("notice").valid_until is None  # type: ignore[attr-defined]


def test_letters_written_in_two_parts_and_narrow_spaces_are_the_usual_ones() -> None:
    topic = read("topic", topic="Семе\u0438\u0306ные\u00a0пособия")
    assert topic.title == "Семейные пособия"  # type: ignore[attr-defined]


@given(st.sampled_from(sorted(GOOD)), st.data())
def test_any_text_in_any_column_is_kept_or_refused_in_words(kind: str, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(sorted(GOOD[kind])))
    try:
        read(kind, **{column: data.draw(st.text(max_size=40))})
    except BadInput as error:
        assert column in str(error)
