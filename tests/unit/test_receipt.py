"""A receipt's number as a keypad can say it, and its date as it is typed (§20)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.errors import BadInput
from ivr.domain.receipt import EARLIEST, check_date, digits_of, parse_date

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        ("56-000123/А", "56000123"),
        ("56 000 123", "56000123"),
        ("№ 56000123", "56000123"),
        ("АБВ", ""),
        ("", ""),
        ("٥٦", ""),  # digits of another script are on no keypad
        ("5²", "5"),
    ],
)
def test_of_a_number_its_digits_count(number: str, digits: str) -> None:
    assert digits_of(number) == digits


@given(st.text())
def test_what_is_left_of_any_number_a_keypad_can_say(number: str) -> None:
    assert set(digits_of(number)) <= set("0123456789")
    assert digits_of(digits_of(number)) == digits_of(number)


@given(st.dates(EARLIEST, TODAY))
def test_every_day_a_receipt_may_carry_is_typed_and_read(day: date) -> None:
    assert parse_date(day.strftime("%d%m%Y"), today=TODAY) == day


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5032026",
        "050320261",
        "0503202a",
        "05.03.26",
        "٠٥٠٣٢٠٢٦",
        "30022026",
        "29022025",
        "00012026",
        "01002026",
        "01132026",
        "32012026",
        "01010000",
        "31121989",
        "25112026",
        "01012027",
    ],
)
def test_what_is_no_day_of_a_receipt_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_date(text, today=TODAY)


def test_the_first_and_the_last_day_are_days_of_receipts() -> None:
    assert check_date(EARLIEST, today=TODAY) == EARLIEST
    assert check_date(TODAY, today=TODAY) == TODAY
    for day in (EARLIEST - timedelta(days=1), TODAY + timedelta(days=1)):
        with pytest.raises(BadInput, match="between 1990-01-01 and today"):
            check_date(day, today=TODAY)


def test_a_refusal_does_not_repeat_what_was_typed() -> None:
    for text in ("4815162342", "99999999", "31121989"):
        with pytest.raises(BadInput) as refusal:
            parse_date(text, today=TODAY)
        assert text not in str(refusal.value)
