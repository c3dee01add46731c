"""A text as words that can be compared: what a caller says, what a scenario lists, what a model knows."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[а-яё]+")


def words(text: str) -> tuple[str, ...]:
    """The Russian words of a text: in lower case, without hyphens, and with «е» for «ё», as recognisers
    and writers differ in it."""
    return tuple(word.replace("ё", "е") for word in spelled(text))


def spelled(text: str) -> tuple[str, ...]:
    """The same with «ё» where it was written."""
    return tuple(_WORD.findall(text.lower()))


def wants_operator(said: Iterable[str]) -> bool:
    """«Оператор», in any case and among other words; of words as above."""
    return any(word.startswith("оператор") for word in said)
