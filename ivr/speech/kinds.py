"""The types that parameters of prompts have, and how text from outside becomes fit to be spoken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

LONGEST_FIELD = 400
"""Characters of one field from outside that are spoken."""
MOST_ITEMS = 4
"""A caller remembers no more choices than this."""
_MARKUP = re.compile(r"[<>\[\]{}|\\`~^*_=#@$&%]")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type of parameter."""

    name: str
    """As docs/prompts.md and error messages name it."""
    accepts: Callable[[object], bool]
    variants: tuple[object, ...] = ()
    """The values a prompt is made for in advance; none for open types."""


def _str(value: object) -> bool:
    return isinstance(value, str)


def _day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _aware(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _tuple_of(check: Callable[[object], bool], least: int = 0, most: int = 50) -> Callable[[object], bool]:
    return lambda value: isinstance(value, tuple) and least <= len(value) <= most and all(map(check, value))


def _row(*checks: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, tuple)
        and len(value) == len(checks)
        and all(check(item) for check, item in zip(checks, value, strict=True))
    )


def _matches(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


FLAG = Kind(name="bool", accepts=lambda v: isinstance(v, bool), variants=(False, True))
TEXT = Kind(name="str, text from outside", accepts=_str)
TEXTS = Kind(name="tuple of str, texts from outside", accepts=_tuple_of(_str))
DAY = Kind(name="date", accepts=_day)
MAYBE_DAY = Kind(name="date, or None", accepts=lambda v: v is None or _day(v))
CLOCK_TIME = Kind(name="time", accepts=lambda v: isinstance(v, time))
MOMENT = Kind(name="datetime with the site's zone", accepts=_aware)
MAYBE_MOMENT = Kind(name="datetime with the site's zone, or None", accepts=lambda v: v is None or _aware(v))
SLOTS = Kind(name="tuple of 1-4 datetimes", accepts=_tuple_of(_aware, 1, MOST_ITEMS))
ENQUIRY = Kind(name="str, four digits", accepts=_matches("[0-9]{4}"))
SNILS = Kind(name="str, eleven digits", accepts=_matches("[0-9]{11}"))
SOUND = Kind(name="str, SHA-256 of a recording, or empty", accepts=_matches("([0-9a-f]{64})?"))
PHONE = Kind(name="str, E.164", accepts=_matches(r"\+[0-9]{3,15}"))
ITEMS = Kind(
    name="tuple of 1-4 (key, title)", accepts=_tuple_of(_row(_matches("[1-9]{1,2}"), _str), 1, MOST_ITEMS)
)
PAYMENT_STATES = {"paid": "выплачено", "planned": "назначено к выплате", "returned": "вернулось отправителю"}
MONEY = Kind(name="Decimal, roubles", accepts=lambda v: isinstance(v, Decimal))
PAYMENTS = Kind(
    name="tuple of (title, roubles, date, paid | planned | returned)",
    accepts=_tuple_of(
        _row(_str, lambda v: isinstance(v, Decimal), _day, lambda v: v in PAYMENT_STATES), 0, 10
    ),
)


def whole(least: int, most: int, *, prepared: int = 0) -> Kind:
    """Whole numbers; the first `prepared` of them are made in advance."""
    return Kind(
        name=f"int, {least}-{most}",
        accepts=lambda v: isinstance(v, int) and not isinstance(v, bool) and least <= v <= most,
        variants=tuple(range(least, least + prepared)),
    )


def maybe_of(numbers: Sequence[int]) -> Kind:
    """One of a few whole numbers, or None."""
    allowed = tuple(numbers)
    return Kind(
        name=f"int, one of {', '.join(map(str, allowed))}, or None",
        accepts=lambda v: v is None or (isinstance(v, int) and not isinstance(v, bool) and v in allowed),
    )


def one_of(words: Sequence[str]) -> Kind:
    """One of a few words of ours."""
    allowed = tuple(words)
    return Kind(name=" | ".join(allowed), accepts=lambda v: v in allowed, variants=allowed)


def clean(text: str) -> str:
    """Text from outside as one harmless line of at most LONGEST_FIELD characters.

    Control and format characters, markup (SSML, espeak's [[phonemes]]) and runs of spaces go; so does the
    full stop at its end, for the sentence around it has its own.
    """
    words = harmless(text[: LONGEST_FIELD * 4])
    if len(words) > LONGEST_FIELD:
        words = words[:LONGEST_FIELD].rsplit(" ", 1)[0]
    return words.rstrip(" .,;:")


def harmless(text: str) -> str:
    """Whole sentences from outside as one line, without control and format characters and markup."""
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(_MARKUP.sub(" ", plain).split())
