"""What a key makes of the digits before it, and which keys wait."""

from __future__ import annotations

import pytest

from ivr.domain.keypad import TypedKeys, Verdict, judge


@pytest.mark.parametrize(
    ("digits", "key", "fixed", "expected"),
    [
        ("", "5", False, Verdict.MORE),
        ("", "0", False, Verdict.MORE),
        ("123", "4", False, Verdict.MORE),
        ("1234", "5", False, Verdict.MORE),
        ("", "#", False, Verdict.WRONG),
        ("1", "#", False, Verdict.ANSWERED),
        ("1234", "#", False, Verdict.ANSWERED),
        ("12345", "#", False, Verdict.WRONG),
        ("0", "#", False, Verdict.OPERATOR),
        ("00", "#", False, Verdict.ANSWERED),
        ("", "*", False, Verdict.CLEARED),
        ("12", "*", False, Verdict.CLEARED),
        ("12", "3", True, Verdict.MORE),
        ("123", "4", True, Verdict.ANSWERED),
        ("123", "#", True, Verdict.WRONG),
        ("", "#", True, Verdict.WRONG),
        ("0", "#", True, Verdict.OPERATOR),
        ("0", "*", True, Verdict.CLEARED),
    ],
)
def test_a_key_after_digits_of_an_answer_of_at_most_or_exactly_four(
    digits: str, key: str, fixed: bool, expected: Verdict
) -> None:
    assert judge(digits, key, most=4, fixed=fixed) is expected


def test_keys_are_taken_in_the_order_they_were_pressed() -> None:
    keys = TypedKeys(together=6)
    assert not keys and not keys.pressed_anything
    for key in ("1", None, "2", "#"):
        keys.press(key, 0)
    assert keys.pressed_anything
    taken = keys.take()
    keys.put_back(taken)
    assert [keys.take(), keys.take(), keys.take()] == ["1", "2", "#"]
    with pytest.raises(IndexError):
        keys.take()


@pytest.mark.parametrize(("later", "waits"), [(6, False), (6.1, True)])
def test_a_hash_within_the_pause_after_an_answer_belongs_to_it(later: float, waits: bool) -> None:
    keys = TypedKeys(together=6)
    keys.answered(10)
    keys.press("#", 10 + later)
    assert bool(keys) is waits


def test_only_one_hash_and_only_as_the_first_key_belongs_to_an_answer() -> None:
    keys = TypedKeys(together=6)
    keys.answered(0)
    for key in "##":
        keys.press(key, 1)
    assert (keys.take(), bool(keys)) == ("#", False)
    keys.answered(2)
    for key in "5#":
        keys.press(key, 3)
    assert (keys.take(), keys.take()) == ("5", "#")


def test_a_hash_typed_ahead_of_the_answers_end_is_used_up_with_it() -> None:
    keys = TypedKeys(together=6)
    for key in "#1#":
        keys.press(key, 0)
    keys.answered(0)
    assert (keys.take(), keys.take()) == ("1", "#")


@pytest.mark.parametrize(("later", "second"), [(6, True), (6.1, False)])
def test_two_stars_within_the_pause_are_one_sign(later: float, second: bool) -> None:
    keys = TypedKeys(together=6)
    assert keys.star(0) is False
    assert keys.star(later) is second


def test_a_digit_or_an_answer_between_two_stars_parts_them() -> None:
    keys = TypedKeys(together=6)
    keys.star(0)
    keys.unstar()
    assert keys.star(1) is False
    keys.answered(2)
    assert keys.star(3) is False
