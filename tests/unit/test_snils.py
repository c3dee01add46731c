"""SNILS: written in any usual way, checked by its own rule, and never repeated in a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain import snils
from ivr.domain.errors import BadInput

NINE = st.integers(0, 999_999_999).map("{:09}".format)
CHECKED = st.integers(snils.UNCHECKED + 1, 999_999_999).map("{:09}".format)


def oracle(nine: str) -> str:
    """The rule as requirements.md words it, case by case."""
    total = sum(int(nine[i - 1]) * (10 - i) for i in range(1, 10))
    if total < 100:
        return f"{total:02}"
    if total in (100, 101):
        return "00"
    rest = total % 101
    return "00" if rest in (100, 101) else f"{rest:02}"


@given(NINE)
def test_check_digits_follow_the_published_rule(nine: str) -> None:
    assert snils.check_digits(nine) == oracle(nine)


@pytest.mark.parametrize(
    ("nine", "check"),
    [
        ("112233445", "95"),
        ("087654302", "00"),  # the sum is 201, of which 100 remains
        ("087654303", "00"),  # the sum is 202, of which nothing remains
        ("000000099", "27"),
        ("111111178", "64"),
        ("999999999", "01"),
    ],
)
def test_known_numbers_have_known_check_digits(nine: str, check: str) -> None:
    assert oracle(nine) == check
    assert snils.check_digits(nine) == check


def test_a_sum_of_100_or_101_gives_00() -> None:
    for total in (100, 101):
        nine = next(
            f"{n:09}"
            for n in range(100_000_000)
            if sum(int(d) * w for d, w in zip(f"{n:09}", range(9, 0, -1), strict=True)) == total
        )
        assert snils.check_digits(nine) == "00"


@given(CHECKED, st.sampled_from(["", " ", "-", "\u00a0", "\u2013"]), st.sampled_from(["", " ", "-"]))
def test_every_usual_spelling_is_the_same_number(nine: str, between: str, before_check: str) -> None:
    check = oracle(nine)
    text = between.join((nine[:3], nine[3:6], nine[6:])) + before_check + check
    assert snils.parse(f" {text} ") == nine + check


@given(CHECKED, st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed_but_for_the_two_zeros_of_the_rule(
    nine: str, place: int, by: int
) -> None:
    """Weights below 101 tell one digit from another; only 100 and 0 share the check digits 00."""
    right = nine + oracle(nine)
    digit = str((int(right[place]) + by) % 10)
    wrong = right[:place] + digit + right[place + 1 :]
    if int(wrong[:9]) > snils.UNCHECKED and oracle(wrong[:9]) != wrong[9:]:
        assert not snils.is_valid(wrong)
        with pytest.raises(BadInput):
            snils.parse(wrong)


@given(st.integers(1, snils.UNCHECKED), st.integers(0, 99))
def test_numbers_up_to_001_001_998_carry_no_check_digits(number: int, check: int) -> None:
    assert snils.is_valid(f"{number:09}{check:02}")


def test_the_first_number_with_check_digits_is_001_001_999() -> None:
    right = snils.check_digits("001001999")
    assert snils.is_valid("001001999" + right)
    assert not snils.is_valid("001001999" + f"{(int(right) + 1) % 100:02}")
    assert snils.is_valid("001001998" + f"{(int(right) + 1) % 100:02}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1122334459",
        "112233445951",
        "112-233-445 96",
        "00000000000",
        "١١٢٢٣٣٤٤٥٩٥",
        "112.233.445.95",
        "x",
    ],
)
def test_what_is_no_snils_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        snils.parse(text)
    assert not snils.is_valid(text)


@given(st.text(max_size=30))
def test_anything_typed_is_a_snils_or_bad_input_that_does_not_repeat_it(text: str) -> None:
    try:
        assert snils.is_valid(snils.parse(text))
    except BadInput as error:
        assert "112-233-445 95" in str(error) or "check digits" in str(error)


def test_no_message_repeats_the_number() -> None:
    with pytest.raises(BadInput) as raised:
        snils.parse("987-654-321 11")
    assert not any(part in str(raised.value) for part in ("987", "654", "321"))


@pytest.mark.parametrize("nine", ["", "12345678", "1234567890", "12345678x"])
def test_check_digits_need_nine_digits(nine: str) -> None:
    with pytest.raises(BadInput):
        snils.check_digits(nine)


def test_it_is_read_back_in_the_groups_of_the_card() -> None:
    assert snils.groups("11223344595") == ("112", "233", "445", "95")


@given(NINE)
def test_the_mask_shows_nothing_of_the_nine_digits(nine: str) -> None:
    masked = snils.mask(nine + "95")
    assert masked == "***-***-*** 95"
