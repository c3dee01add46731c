"""What people say, as figures: Russian numerals in groups, corrections, dates, yes and no.

Words are those of ivr/domain/words.py. What is not understood is None, never a guess: the
caller is asked again. A group of up to three digits is said as one number or digit by digit: «сто
двенадцать», «один один два», «ноль ноль семь»; «двадцать три» is 23, never 20 and 3: nobody reads a
certificate like that.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import Enum
from itertools import accumulate

UNITS = {
    "ноль": 0,
    "нуль": 0,
    "один": 1,
    "одна": 1,
    "одно": 1,
    "раз": 1,
    "два": 2,
    "две": 2,
    "три": 3,
    "четыре": 4,
    "пять": 5,
    "шесть": 6,
    "семь": 7,
    "восемь": 8,
    "девять": 9,
}
TEENS = {
    "десять": 10,
    "одиннадцать": 11,
    "двенадцать": 12,
    "тринадцать": 13,
    "четырнадцать": 14,
    "пятнадцать": 15,
    "шестнадцать": 16,
    "семнадцать": 17,
    "восемнадцать": 18,
    "девятнадцать": 19,
}
TENS = {
    "двадцать": 20,
    "тридцать": 30,
    "сорок": 40,
    "пятьдесят": 50,
    "шестьдесят": 60,
    "семьдесят": 70,
    "восемьдесят": 80,
    "девяносто": 90,
}
HUNDREDS = {
    "сто": 100,
    "двести": 200,
    "триста": 300,
    "четыреста": 400,
    "пятьсот": 500,
    "шестьсот": 600,
    "семьсот": 700,
    "восемьсот": 800,
    "девятьсот": 900,
}
NUMBERS = {**UNITS, **TEENS, **TENS, **HUNDREDS}
CORRECTIONS = frozenset({"нет", "не", "ошибка", "ошибся", "ошиблась", "исправить"})
"""The number after one of these stands in the place of the number before it."""
ANEW = frozenset({"сначала", "заново", "стереть", "отмена"})
"""All before one of these is forgotten."""
_YES = frozenset({"да", "ага", "верно", "правильно", "конечно", "подтверждаю", "точно", "хорошо"})
_NO = frozenset({"нет", "неверно", "неправильно", "ошибка", "не"})


class _Rank(Enum):
    """How much a number word says of a group of three digits."""

    UNIT = 1
    TEN = 2
    HUNDRED = 3


def digits(words: Iterable[str]) -> str | None:
    """«сто двенадцать двести тридцать три» → "112233". None when a word is no number, or there is none.

    A correction replaces what it can stand for: «сорок пять нет семь» → "47", «сто двенадцать нет тринадцать»
    → "113"; several words of correction in a row are one.
    """
    return "".join(_figures(group) for group in _groups(words)) or None


def readings(words: Iterable[str], sizes: Sequence[int]) -> frozenset[str]:
    """All that may be meant by who reads groups of these sizes: «триста десять» is 310, or 300 and then 10.

    For who can tell which of them it is, as by the check digits of a SNILS.
    """
    ends = list(accumulate(sizes))
    found = {""}
    for group in _groups(words):
        found = {longer for begun in found for longer in _cut(begun, group, ends)}
    return frozenset(one for one in found if len(one) == sum(sizes))


def _cut(begun: str, group: Sequence[str], ends: Sequence[int]) -> Iterator[str]:
    """The group's figures after those that have begun, whole or in parts, none of which goes over an end."""
    if not group:
        yield begun
    for place in range(1, len(group) + 1):
        longer = begun + _figures(group[:place])
        end = bisect_left(ends, len(longer))
        if end < len(ends) and end == bisect_right(ends, len(begun)):
            yield from _cut(longer, group[place:], ends)


def _groups(words: Iterable[str]) -> Sequence[Sequence[str]]:
    """None of them where a word is no number, or a correction corrects nothing yet."""
    groups: list[list[str]] = []
    correcting = False
    for word in words:
        if word in ANEW:
            groups, correcting = [], False
        elif word in CORRECTIONS:
            correcting = True
        elif word not in NUMBERS:
            return ()
        else:
            if correcting:
                _make_room(groups, word)
            _put(groups, word)
            correcting = False
    return () if correcting else groups


def _put(groups: list[list[str]], word: str) -> None:
    if groups and _fits(groups[-1], word):
        groups[-1].append(word)
    else:
        groups.append([word])


def _fits(group: Sequence[str], word: str) -> bool:
    """«двадцать» takes a «три» after it, and no «ноль», «двенадцать» or «сто»."""
    last = group[-1]
    if word in ("ноль", "нуль") or last in UNITS or last in TEENS:
        return False
    return _rank(word).value < _rank(last).value


def _rank(word: str) -> _Rank:
    if word in HUNDREDS:
        return _Rank.HUNDRED
    return _Rank.UNIT if word in UNITS else _Rank.TEN


def _make_room(groups: list[list[str]], word: str) -> None:
    if not groups:
        return
    group, length = groups[-1], len(groups[-1])
    while group and _rank(group[-1]).value <= _rank(word).value:
        group.pop()
    if len(group) == length:  # «двенадцать нет три»: nothing of it stays
        group.clear()
    if not group:
        groups.pop()


def _figures(group: Sequence[str]) -> str:
    return str(sum(NUMBERS[word] for word in group))


def yes_or_no(words: Sequence[str]) -> bool | None:
    """None for neither, and for both: «да нет»."""
    yes, no = any(word in _YES for word in words), any(word in _NO for word in words)
    if "не" in words and "так" in words:
        return False
    return None if yes == no else yes


_ORDINALS = (
    *("перв", "втор", "трет", "четверт", "пят", "шест", "седьм", "восьм", "девят", "десят", "одиннадцат"),
    *("двенадцат", "тринадцат", "четырнадцат", "пятнадцат", "шестнадцат", "семнадцат", "восемнадцат"),
    *("девятнадцат", "двадцат"),
)
_ENDINGS = ("ое", "ого", "ый", "ой", "ье", "ьего", "ий")
ORDINALS = tuple(
    stem + ending
    for stem in (*_ORDINALS, "четвёрт", "тридцат")
    for ending in (("ье", "ьего") if stem == "трет" else ("ое", "ого"))
)
"""As a day or a month is said: «пятое», «третьего»."""
MONTHS = (
    ("январь", "января"),
    ("февраль", "февраля"),
    ("март", "марта"),
    ("апрель", "апреля"),
    ("май", "мая"),
    ("июнь", "июня"),
    ("июль", "июля"),
    ("август", "августа"),
    ("сентябрь", "сентября"),
    ("октябрь", "октября"),
    ("ноябрь", "ноября"),
    ("декабрь", "декабря"),
)
_CENTURY = 2000


def date_said(words: Iterable[str], today: date) -> date | None:
    """«пятое марта две тысячи двадцать шестого года», «пятого третьего двадцать шестого», «ноль пять ноль три
    две тысячи двадцать шесть»; without a year it is the last such day not after today. None when that is no
    date."""
    day, month, rest = _date_parts(words)
    if day is None or month is None:
        return None
    if not rest:
        return _last_not_after(today, month, day)
    year = _year(rest)
    return _date(year, month, day) if year is not None else None


def names_year(words: Iterable[str]) -> bool:
    """Whether something is said after day and month."""
    return bool(_date_parts(words)[2])


def _date_parts(words: Iterable[str]) -> tuple[int | None, int | None, Sequence[str]]:
    """Day, month and what follows them."""
    said = [word for word in words if word not in ("года", "год", "число", "месяц", "месяца")]
    day, rest = _ordinal_or_number(said)
    month, rest = _month(rest)
    return day, month, rest


def _ordinal_or_number(words: Sequence[str]) -> tuple[int | None, Sequence[str]]:
    """One number of two digits at most from the beginning, and what follows it."""
    if not words:
        return None, words
    if (alone := _ordinal(words[0])) is not None:
        return alone, words[1:]
    if words[0] in TENS and len(words) > 1 and (unit := _ordinal(words[1])) is not None and unit < 10:
        return TENS[words[0]] + unit, words[2:]
    if words[0] in ("ноль", "нуль") and len(words) > 1 and words[1] in UNITS:
        return UNITS[words[1]], words[2:]
    if words[0] in TENS and len(words) > 1 and UNITS.get(words[1], 0) > 0:
        return TENS[words[0]] + UNITS[words[1]], words[2:]
    small = {**UNITS, **TEENS, **TENS}
    return (small[words[0]], words[1:]) if words[0] in small else (None, words)


def _ordinal(word: str) -> int | None:
    """«пятого» → 5, «двадцатое» → 20, «тридцатого» → 30."""
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word:
            continue
        if stem in _ORDINALS:
            return _ORDINALS.index(stem) + 1
        if stem == "тридцат":
            return 30
    return None


def _month(words: Sequence[str]) -> tuple[int | None, Sequence[str]]:
    if not words:
        return None, words
    for number, names in enumerate(MONTHS, start=1):
        if words[0] in names:
            return number, words[1:]
    return _ordinal_or_number(words)


def _year(words: Sequence[str]) -> int | None:
    """«две тысячи двадцать шестого», «двухтысячного», «двадцать шестого»."""
    if list(words) == ["двухтысячного"]:
        return _CENTURY
    rest = list(words[2:] if list(words[:2]) == ["две", "тысячи"] else words)
    year, after = _ordinal_or_number(rest)
    return _CENTURY + year if year is not None and not after and 0 < year < 100 else None


def _last_not_after(today: date, month: int, day: int) -> date | None:
    this_year = _date(today.year, month, day)
    if this_year is not None and this_year <= today:
        return this_year
    return _date(today.year - 1, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
