"""Numbers, dates, times and money in Russian words."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.errors import BadInput
from ivr.speech import russian

ZONE = ZoneInfo("Asia/Yekaterinburg")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "ноль минут"),
        (1, "одна минута"),
        (2, "две минуты"),
        (5, "пять минут"),
        (11, "одиннадцать минут"),
        (12, "двенадцать минут"),
        (21, "двадцать одна минута"),
        (22, "двадцать две минуты"),
        (100, "сто минут"),
        (111, "сто одиннадцать минут"),
        (101, "сто одна минута"),
    ],
)
def test_a_counted_noun_agrees_with_its_number(number: int, words: str) -> None:
    assert russian.counted(number, russian.MINUTES, "f") == words


@given(st.integers(0, 10**6))
def test_the_form_of_a_noun_depends_on_the_last_two_digits_only(number: int) -> None:
    forms = ("a", "b", "c")
    assert russian.plural(number, forms) == russian.plural(number % 100 + 100, forms)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 3, 3), "третьего марта две тысячи двадцать шестого года"),
        (date(2026, 12, 21), "двадцать первого декабря две тысячи двадцать шестого года"),
        (date(2000, 1, 31), "тридцать первого января двухтысячного года"),
        (date(1999, 5, 20), "двадцатого мая тысяча девятьсот девяносто девятого года"),
        (date(2024, 2, 29), "двадцать девятого февраля две тысячи двадцать четвёртого года"),
    ],
)
def test_dates_are_ordinals_in_the_genitive(day: date, words: str) -> None:
    assert russian.date_of(day) == words


@pytest.mark.parametrize(
    ("at", "named", "at_that_time", "since"),
    [
        (time(9), "девять часов", "в девять часов утра", "девяти часов"),
        (
            time(21, 30),
            "двадцать один час тридцать минут",
            "в двадцать один час тридцать минут",
            "двадцати одного часа тридцати минут",
        ),
        (time(1, 1), "один час одна минута", "в один час одну минуту", "одного часа одной минуты"),
        (
            time(22, 22),
            "двадцать два часа двадцать две минуты",
            "в двадцать два часа двадцать две минуты",
            "двадцати двух часов двадцати двух минут",
        ),
        (time(11), "одиннадцать часов", "в одиннадцать часов утра", "одиннадцати часов"),
        (time(0), "ноль часов", "в ноль часов", "нуля часов"),
    ],
)
def test_times_of_day(at: time, named: str, at_that_time: str, since: str) -> None:
    assert russian.time_of_day(at) == named
    assert russian.at_time(at) == at_that_time
    assert russian.genitive_time(at) == since


def test_near_days_are_named_as_people_name_them() -> None:
    opening = datetime(2026, 11, 25, 9, tzinfo=ZONE)
    today, yesterday = opening - timedelta(hours=2), opening - timedelta(hours=14)
    assert russian.moment(opening, today) == "сегодня, в девять часов утра"
    assert (
        russian.moment(opening, yesterday) == "завтра, в среду, двадцать пятого ноября, в девять часов утра"
    )
    assert (
        russian.moment(opening, opening - timedelta(days=5))
        == "в среду, двадцать пятого ноября, в девять часов утра"
    )


def test_which_day_is_tomorrow_is_decided_in_the_zone_of_the_spoken_time() -> None:
    opening = datetime(2026, 11, 25, 9, tzinfo=ZONE)
    now = datetime(2026, 11, 24, 20, tzinfo=ZoneInfo("UTC"))  # already the 25th in Yekaterinburg
    assert russian.moment(opening, now) == "сегодня, в девять часов утра"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(BadInput):
        russian.moment(datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=ZONE))


@pytest.mark.parametrize("day", range(7))
def test_every_weekday_has_its_preposition(day: int) -> None:
    monday = date(2026, 11, 23)
    word = russian.weekday_on(monday + timedelta(days=day))
    assert word.startswith("во ") == (day == 1)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("1234.50", "одна тысяча двести тридцать четыре рубля пятьдесят копеек"),
        ("1.01", "один рубль одна копейка"),
        ("15000", "пятнадцать тысяч рублей"),
        ("15000.00", "пятнадцать тысяч рублей"),
        ("0", "ноль рублей"),
        ("0.22", "двадцать две копейки"),
        ("2000000.11", "два миллиона рублей одиннадцать копеек"),
    ],
)
def test_money(amount: str, words: str) -> None:
    assert russian.money(Decimal(amount)) == words


@pytest.mark.parametrize("amount", ["-1", "0.001", "NaN", "Infinity", "1e12"])
def test_what_is_no_amount_of_money_is_refused(amount: str) -> None:
    with pytest.raises(BadInput):
        russian.money(Decimal(amount))


@given(st.decimals(0, 10**9, places=2))
def test_kopecks_are_spoken_exactly_when_there_are_any(amount: Decimal) -> None:
    assert ("копе" in russian.money(amount)) == (amount % 1 != 0)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("11223344595", "сто двенадцать, двести тридцать три, четыреста сорок пять, девяносто пять"),
        ("00701200005", "ноль ноль семь, ноль двенадцать, ноль ноль ноль, ноль пять"),
    ],
)
def test_a_snils_is_read_in_the_groups_of_the_certificate(number: str, words: str) -> None:
    assert russian.snils(number) == words


@given(st.text("0123456789", min_size=11, max_size=11))
def test_no_two_numbers_sound_alike_in_groups(number: str) -> None:
    values = {russian.cardinal(n): n for n in range(1, 1000)}
    read = ""
    for group, size in zip(russian.snils(number).split(", "), (3, 3, 3, 2), strict=True):
        zeros, rest = 0, group
        while rest.startswith("ноль"):
            zeros, rest = zeros + 1, rest.removeprefix("ноль").strip()
        digits = "0" * zeros + (str(values[rest]) if rest else "")
        assert len(digits) == size
        read += digits
    assert read == number


def test_phones() -> None:
    assert (
        russian.phone("+79120070089")
        == "восемь, девятьсот двенадцать, ноль ноль семь, ноль ноль, восемьдесят девять"
    )
    assert russian.phone("+35812") == "три, пять, восемь, один, два"


@given(st.text("0123456789", min_size=1, max_size=12))
def test_digits_one_by_one_are_as_many_words_as_digits(digits: str) -> None:
    assert len(russian.digits_one_by_one(digits).split(", ")) == len(digits)


@pytest.mark.parametrize("text", ["12a", "", "١٢", "-1", "1 2"])
def test_what_is_no_digit_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        russian.digits_one_by_one(text)
    with pytest.raises(BadInput):
        russian.snils(text)
