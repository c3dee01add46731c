"""Spoken numbers, dates, yes and no."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.snils import GROUP_SIZES
from ivr.domain.spoken import date_said, digits, readings, yes_or_no
from ivr.domain.words import wants_operator, words
from ivr.speech import russian

TODAY = date(2026, 11, 25)
groups = st.text("0123456789", min_size=1, max_size=3)
closed_groups = groups.filter(lambda group: not group.endswith("0") or not group.strip("0"))
"""«двадцать» and «три» one after the other are 23, whoever meant what."""


@given(groups)
def test_a_group_as_the_line_reads_it_out_is_understood(group: str) -> None:
    assert digits(russian.group_in_words(group).split()) == group


@given(st.lists(closed_groups, min_size=1, max_size=5))
def test_groups_in_a_row_are_understood_as_they_are_read_out(said: list[str]) -> None:
    heard = " ".join(map(russian.group_in_words, said)).split()
    assert digits(heard) == "".join(said)


@given(st.lists(groups, min_size=1, max_size=6))
def test_what_was_meant_is_among_the_readings_whatever_sounds_like_one_group(said: list[str]) -> None:
    heard = " ".join(map(russian.group_in_words, said)).split()
    assert "".join(said) in readings(heard, [len(group) for group in said])


@given(st.text("0123456789", min_size=11, max_size=11))
def test_of_a_snils_read_in_its_groups_few_readings_are_left(number: str) -> None:
    """The check digits tell which it is; digit by digit there is one."""
    found = readings(russian.snils(number).replace(",", "").split(), GROUP_SIZES)
    assert number in found and len(found) <= 2
    one_by_one = russian.digits_one_by_one(number).replace(",", "").split()
    assert readings(one_by_one, GROUP_SIZES) == {number}


@pytest.mark.parametrize(
    ("said", "sizes", "meant"),
    [
        ("триста десять", (3,), {"310"}),
        ("триста десять", (3, 2), {"30010"}),
        ("триста двадцать пять", (3, 2), {"30025"}),
        ("триста двадцать пять", (3, 2, 1), {"300205"}),
        ("триста двадцать пять", (2, 3), set()),
        ("сто двадцать нет тридцать", (3, 2), {"10030"}),
        ("сто нет", (3,), set()),
        ("сто яблок", (3,), set()),
        ("", (3,), set()),
        ("сто", (), set()),
    ],
)
def test_groups_are_cut_where_they_may_be_two(said: str, sizes: tuple[int, ...], meant: set[str]) -> None:
    assert readings(said.split(), sizes) - {""} == meant


@given(st.lists(st.sampled_from(["сто", "двадцать", "один", "десять", "нет", "ноль"]), max_size=200))
def test_readings_of_whatever_is_said_have_the_length_and_are_few(heard: list[str]) -> None:
    """For so many words may be heard, and each of them is a place to cut at."""
    found = readings(heard, GROUP_SIZES)
    assert all(len(one) == 11 and one.isdecimal() for one in found) and len(found) <= 4


@given(st.text("0123456789", min_size=11, max_size=11))
def test_digits_one_by_one_are_understood(number: str) -> None:
    assert digits(russian.digits_one_by_one(number).replace(",", "").split()) == number


@given(
    st.lists(
        st.sampled_from(["один", "семь", "двадцать", "сто", "нет", "сначала", "двенадцать", "ноль"]),
        max_size=12,
    )
)
def test_whatever_is_said_gives_figures_or_nothing(heard: list[str]) -> None:
    said = digits(heard)
    assert said is None or (said.isascii() and said.isdigit())


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("сто двенадцать двести тридцать три", "112233"),
        ("сорок пять", "45"),
        ("ноль ноль семь", "007"),
        ("один два нет три", "13"),
        ("сорок пять нет семь", "47"),
        ("сорок пять нет тридцать", "30"),
        ("сто двенадцать нет тринадцать", "113"),
        ("двенадцать нет три", "3"),
        ("один не ошибка два", "2"),
        ("один два сначала три", "3"),
        ("двести двадцать двенадцать", "22012"),
        ("пять сто", "5100"),
    ],
)
def test_numbers_as_people_say_them(said: str, meant: str) -> None:
    assert digits(words(said)) == meant


@pytest.mark.parametrize("said", ["", "нет", "один нет", "сначала", "один апельсин", "[unk]"])
def test_what_is_no_number_is_nothing(said: str) -> None:
    assert digits(words(said)) is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("да", True),
        ("да верно", True),
        ("нет", False),
        ("не так", False),
        ("да нет", None),
        ("апельсин", None),
        ("", None),
    ],
)
def test_yes_and_no(said: str, meant: bool | None) -> None:
    assert yes_or_no(words(said)) is meant


@given(st.dates(date(2001, 1, 1), date(2039, 12, 31)))
def test_a_date_as_the_line_reads_it_out_is_understood(day: date) -> None:
    assert date_said(words(russian.date_of(day)), TODAY) == day


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("пятое марта две тысячи двадцать шестого года", date(2026, 3, 5)),
        ("пятого третьего двадцать шестого", date(2026, 3, 5)),
        ("ноль пять ноль три две тысячи двадцать шесть", date(2026, 3, 5)),
        ("двадцать первого декабря", date(2025, 12, 21)),
        ("двадцать четвёртое ноября", date(2026, 11, 24)),
        ("первого января двухтысячного года", date(2000, 1, 1)),
        ("тридцать первого февраля", None),
        ("тридцатого", None),
        ("", None),
        ("пятого марта вчера", None),
    ],
)
def test_dates_as_people_say_them(said: str, meant: date | None) -> None:
    assert date_said(words(said), TODAY) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Ёлка, елка", ("елка", "елка")),
        ("шестьсот-пятьдесят один", ("шестьсот", "пятьдесят", "один")),
        ("да [unk] ok 5 нет", ("да", "нет")),
        ("", ()),
    ],
)
def test_words_are_compared_without_case_signs_and_yo(text: str, meant: tuple[str, ...]) -> None:
    assert words(text) == meant


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("Позовите оператора!", True), ("оператор", True), ("кооператор", False), ("операция", False)],
)
def test_an_operator_is_wanted_in_any_case(said: str, wanted: bool) -> None:
    assert wants_operator(words(said)) is wanted
