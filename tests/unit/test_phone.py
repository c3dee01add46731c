"""Telephone numbers: one spelling for each, whoever wrote it, and never repeated in a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain import phone
from ivr.domain.errors import BadInput

TEN = st.integers(3_000_000_000, 9_999_999_999).map(str).filter(lambda ten: not ten.startswith("810"))
"""A Russian number without its country code. 810 is no area: it is how one dials abroad."""


@given(TEN, st.sampled_from(["8", "7", "+7", "007", "8107", "", "+7 ", "8 ", "tel:+7", "sip:8"]))
def test_every_usual_beginning_leads_to_one_number(ten: str, beginning: str) -> None:
    assert phone.normalise(beginning + ten) == f"+7{ten}"


@given(
    TEN,
    st.sampled_from(
        ["{} ({}{}{}) {}{}{}-{}{}-{}{}", "{} {}{}{} {}{}{} {}{} {}{}", "{}-{}{}{}-{}{}{}-{}{}-{}{}"]
    ),
)
def test_brackets_spaces_and_dashes_do_not_matter(ten: str, form: str) -> None:
    for first in ("8", "+7"):
        assert phone.normalise(form.format(first, *ten)) == f"+7{ten}"


@given(TEN)
def test_a_sip_address_is_its_number(ten: str) -> None:
    assert phone.normalise(f"<sip:+7{ten}@10.0.0.1:5060;user=phone>") == f"+7{ten}"


@given(TEN)
def test_normalising_twice_is_as_good_as_once(ten: str) -> None:
    once = phone.normalise(ten)
    assert phone.normalise(once) == once


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+49 30 1234567", "+49301234567"),
        ("0049301234567", "+49301234567"),
        ("810 49 30 1234567", "+49301234567"),
        ("+375 29 123-45-67", "+375291234567"),
    ],
)
def test_numbers_of_other_countries_keep_their_code(written: str, number: str) -> None:
    assert phone.normalise(written) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "112",
        "anonymous",
        "+7",
        "+70123456789",
        "8101234567",
        "78101234567",
        "+78101234567",
        "8 810 123-45-67",
        "891234567",
        "891234567890",
        "+7912345678x",
        "٨٩١٢٣٤٥٦٧٨٩",
        "9" * 70,
    ],
)
def test_what_cannot_be_dialled_is_refused_and_from_a_trunk_unknown(text: str) -> None:
    with pytest.raises(BadInput):
        phone.normalise(text)
    assert phone.from_trunk(text) is None


def test_a_withheld_number_is_unknown() -> None:
    assert phone.from_trunk(None) is None


@given(st.text(max_size=80))
def test_anything_typed_is_a_number_or_bad_input_that_does_not_repeat_it(text: str) -> None:
    try:
        number = phone.normalise(text)
    except BadInput as error:
        assert str(error).endswith("write it as +79123456789")
    else:
        assert number.startswith("+")
        assert number[1:].isdigit()
        assert number.isascii()


@given(TEN)
def test_the_mask_hides_the_middle(ten: str) -> None:
    masked = phone.mask(f"+7{ten}")
    assert masked == f"+7{ten[:3]}***{ten[-4:]}"


@pytest.mark.parametrize(("number", "masked"), [("+371234567", "***67"), ("112", "***"), ("", "***")])
def test_of_a_short_number_little_or_nothing_is_left(number: str, masked: str) -> None:
    assert phone.mask(number) == masked
