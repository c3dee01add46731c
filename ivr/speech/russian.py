"""Numbers, dates, times, money and identifiers in Russian words, in the right case and gender.

Pure functions; text-to-speech never has to guess how a figure is read.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from num2words import num2words

from ivr.domain.errors import BadInput

Gender = Literal["m", "f", "n"]
Case = Literal["n", "g", "d", "a", "i", "p"]
Forms = tuple[str, str, str]
"""The noun after 1, after 2 and after 5."""

MINUTES: Forms = ("минута", "минуты", "минут")
MINUTES_ACCUSATIVE: Forms = ("минуту", "минуты", "минут")
HOURS: Forms = ("час", "часа", "часов")
ROUBLES: Forms = ("рубль", "рубля", "рублей")
KOPECKS: Forms = ("копейка", "копейки", "копеек")

WEEKDAYS_ON = (
    "в понедельник",
    "во вторник",
    "в среду",
    "в четверг",
    "в пятницу",
    "в субботу",
    "в воскресенье",
)
MONTHS_OF = (
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
)
_MOST_ROUBLES = Decimal(10**12)


def cardinal(number: int, gender: Gender = "m", case: Case = "n") -> str:
    """«двадцать одна» for 21, "f". case "a" is that of things, not of people («две минуты»)."""
    return str(num2words(number, lang="ru", gender=gender, case=case, animate=False))


def ordinal(number: int, gender: Gender = "m", case: Case = "n") -> str:
    """«двадцать пятого» for 25, "n", "g"."""
    return str(num2words(number, to="ordinal", lang="ru", gender=gender, case=case))


def plural(number: int, forms: Forms) -> str:
    """The form of a noun that follows this number: 1 минута, 2 минуты, 5 минут, 11 минут, 21 минута."""
    one, few, many = forms
    tens, units = abs(number) % 100, abs(number) % 10
    if 11 <= tens <= 14 or units == 0 or units >= 5:
        return many
    return one if units == 1 else few


def counted(number: int, forms: Forms, gender: Gender = "m", case: Case = "n") -> str:
    """«двадцать одна минута»."""
    return f"{cardinal(number, gender, case)} {plural(number, forms)}"


def weekday_on(day: date) -> str:
    """«во вторник»."""
    return WEEKDAYS_ON[day.weekday()]


def day_of(day: date) -> str:
    """«третьего марта»."""
    return f"{ordinal(day.day, 'n', 'g')} {MONTHS_OF[day.month - 1]}"


def date_of(day: date) -> str:
    """«двадцать первого декабря две тысячи двадцать шестого года»."""
    return f"{day_of(day)} {ordinal(day.year, 'm', 'g')} года"


def time_of_day(at: time) -> str:
    """«двадцать один час тридцать минут»; full hours without minutes."""
    hours = counted(at.hour, HOURS)
    return f"{hours} {counted(at.minute, MINUTES, 'f')}" if at.minute else hours


def at_time(at: time) -> str:
    """«в девять часов утра», «в восемнадцать часов тридцать минут»."""
    hours = f"в {counted(at.hour, HOURS)}"
    if at.minute:
        hours += f" {counted(at.minute, MINUTES_ACCUSATIVE, 'f', 'a')}"
    return f"{hours} утра" if 4 <= at.hour < 12 else hours


def genitive_time(at: time) -> str:
    """«девяти часов», «двадцати одного часа тридцати минут»: after «с» and «до»."""
    hours = "нуля" if at.hour == 0 else cardinal(at.hour, "m", "g")
    hours = f"{hours} {plural_genitive(at.hour, 'часа', 'часов')}"
    if not at.minute:
        return hours
    minutes = plural_genitive(at.minute, "минуты", "минут")
    return f"{hours} {cardinal(at.minute, 'f', 'g')} {minutes}"


def plural_genitive(number: int, one: str, many: str) -> str:
    """The noun after a number in the genitive: «одного часа», «двух часов», «двадцати одного часа»."""
    return one if number % 10 == 1 and number % 100 != 11 else many


def moment(at: datetime, now: datetime) -> str:
    """«завтра, в среду, двадцать пятого ноября, в девять часов утра».

    Both in the same zone (the citizen's); near days are named as people name them. Raises BadInput for a
    naive time.
    """
    if at.tzinfo is None or now.tzinfo is None:
        raise BadInput("a time without a zone cannot be spoken")
    days = (at.date() - now.astimezone(at.tzinfo).date()).days
    if days == 0:
        return f"сегодня, {at_time(at.time())}"
    name = f"{weekday_on(at)}, {day_of(at)}, {at_time(at.time())}"
    return f"завтра, {name}" if days == 1 else name


def money(roubles: Decimal) -> str:
    """«одна тысяча двести тридцать четыре рубля пятьдесят копеек»; zero kopecks are left out.

    Raises BadInput unless 0 <= roubles < 10**12 with at most two decimals.
    """
    if not roubles.is_finite() or not 0 <= roubles < _MOST_ROUBLES or roubles != round(roubles, 2):
        raise BadInput("an amount is 0 or more roubles with at most two decimals")
    whole, kopecks = divmod(int(roubles * 100), 100)
    words = counted(whole, ROUBLES)
    if whole == 0 and kopecks:
        return counted(kopecks, KOPECKS, "f")
    return f"{words} {counted(kopecks, KOPECKS, 'f')}" if kopecks else words


def digits_one_by_one(digits: str) -> str:
    """«ноль, один, семь». Raises BadInput for anything but ASCII digits."""
    return ", ".join(cardinal(int(d)) for d in _digits(digits))


def group_in_words(digits: str) -> str:
    """A group of up to three digits as people read it: 112 «сто двенадцать», 007 «ноль ноль семь»."""
    zeros = len(_digits(digits)) - len(digits.lstrip("0"))
    words = ["ноль"] * zeros
    if rest := digits[zeros:]:
        words.append(cardinal(int(rest)))
    return " ".join(words)


def snils(number: str) -> str:
    """Eleven digits as three groups of three and one of two, as the certificate prints them."""
    if len(_digits(number)) != 11:
        raise BadInput("a SNILS has eleven digits")
    return _groups(number, 3, 3, 3, 2)


def phone(number: str) -> str:
    """An E.164 number: a Russian one as «восемь, девятьсот двенадцать, …», a foreign one digit by digit."""
    digits = number.removeprefix("+")
    if number.startswith("+7") and len(digits) == 11:
        return f"восемь, {_groups(_digits(digits)[1:], 3, 3, 2, 2)}"
    return digits_one_by_one(digits)


def _groups(digits: str, *sizes: int) -> str:
    words, start = [], 0
    for size in sizes:
        words.append(group_in_words(digits[start : start + size]))
        start += size
    return ", ".join(words)


def _digits(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise BadInput("only digits can be read out as digits")
    return text
