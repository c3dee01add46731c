"""Names as they are heard: compared by sound, spelled letter by letter (§20 by voice).

Nothing here knows whose a name is; words are those of ivr/domain/words.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, StrEnum

from ivr.domain.words import words


class Part(StrEnum):
    """Of a full name, in the order that it is asked in."""

    SURNAME = "surname"
    FIRST = "first"
    PATRONYMIC = "patronymic"


class Likeness(Enum):
    """Of two names by their sound."""

    SAME = "same"
    NEAR = "near"  # one sound or letter apart: «Иванов» and «Иванова»
    OTHER = "other"


_REDUCED = str.maketrans(
    {"о": "а", "я": "а", "е": "и", "э": "и", "ы": "и", "й": "и", "ю": "у", "ь": None, "ъ": None}
)
"""Vowels that sound alike without a stress (аканье, иканье), and signs that are no sound."""
_UNVOICED = dict(zip("бвгджз", "пфктшс", strict=True))
_VOICELESS = "пфктшсхцчщ"
_MERGED = (("тс", "ц"), ("сч", "щ"), ("шч", "щ"))


def sound_key(name: str) -> str:
    """What a name sounds like: two of the same key are told apart by spelling only.

    «Филиппов» and «Филипов», «Софья» and «Софя» have one key; «Иванов» and «Иванова» have not.
    """
    sounds = "".join(words(name)).translate(_REDUCED)
    heard = ""
    for sound in reversed(sounds):  # the last consonant of a group voices or unvoices those before it
        if not heard or heard[0] in _VOICELESS:
            sound = _UNVOICED.get(sound, sound)
        heard = sound + heard
    heard = _single(heard)
    for pair, sound in _MERGED:
        heard = heard.replace(pair, sound)
    return _single(heard)


def compare(said: str, own: str) -> Likeness:
    """Whether a name that was said is the one in the register. Without sounds nothing is alike."""
    one, other = sound_key(said), sound_key(own)
    if not one or not other:
        return Likeness.OTHER
    if one == other:
        return Likeness.SAME
    near = _one_apart(one, other) or _one_apart("".join(words(said)), "".join(words(own)))
    return Likeness.NEAR if near else Likeness.OTHER


def _single(sounds: str) -> str:
    return re.sub(r"(.)\1+", r"\1", sounds)


def _one_apart(one: str, other: str) -> bool:
    """By one sound more, less or another."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    same = next((n for n, sound in enumerate(short) if sound != long[n]), len(short))
    return short[same + (len(short) == len(long)) :] == long[same + 1 :]


# --- letter by letter ---

LETTERS: dict[str, tuple[str, ...]] = {
    "а": ("а", "анна"),
    "б": ("бэ", "борис"),
    "в": ("вэ", "василий"),
    "г": ("гэ", "григорий"),
    "д": ("дэ", "дмитрий"),
    "е": ("е", "елена", "ё", "ёлка"),
    "ж": ("жэ", "же", "женя"),
    "з": ("зэ", "зинаида"),
    "и": ("и", "иван"),
    "й": ("и краткое", "иван краткий"),
    "к": ("ка", "константин"),
    "л": ("эль", "эл", "леонид"),
    "м": ("эм", "михаил"),
    "н": ("эн", "николай"),
    "о": ("о", "ольга"),
    "п": ("пэ", "павел"),
    "р": ("эр", "роман"),
    "с": ("эс", "семён"),
    "т": ("тэ", "татьяна"),
    "у": ("у", "ульяна"),
    "ф": ("эф", "фёдор"),
    "х": ("ха", "харитон"),
    "ц": ("цэ", "цапля"),
    "ч": ("че", "чэ", "человек"),
    "ш": ("ша", "шура"),
    "щ": ("ща", "щука"),
    "ъ": ("твёрдый знак",),
    "ы": ("ы", "еры"),
    "ь": ("мягкий знак",),
    "э": ("э", "эхо"),
    "ю": ("ю", "юрий"),
    "я": ("я", "яков"),
}
"""What people call the letters: by their sound, and by names and words."""
_LETTER_OF = {words(said): letter for letter, names in LETTERS.items() for said in names}


def spelled_out(said: Sequence[str]) -> str | None:
    """«и вэ анна эн» → "иван"; None where a word is no letter, or there is none."""
    rest, letters = tuple(said), ""
    while rest:
        size = 2 if rest[:2] in _LETTER_OF and len(rest) > 1 else 1
        letter = _LETTER_OF.get(rest[:size])
        if letter is None:
            return None
        letters, rest = letters + letter, rest[size:]
    return letters or None


# --- names that many people have ---

_SURNAMES = (
    *("иванов", "смирнов", "кузнецов", "попов", "васильев", "петров", "соколов", "михайлов", "новиков"),
    *("фёдоров", "морозов", "волков", "алексеев", "лебедев", "семёнов", "егоров", "павлов", "козлов"),
    *("степанов", "николаев", "орлов", "андреев", "макаров", "никитин", "захаров", "зайцев", "соловьёв"),
    *("борисов", "яковлев", "григорьев"),
)
_FATHERS = (
    *("иванов", "петров", "александров", "николаев", "владимиров", "алексеев", "сергеев", "викторов"),
    *("михайлов", "анатольев", "юрьев", "борисов", "васильев", "андреев", "павлов"),
)
COMMON: dict[Part, tuple[str, ...]] = {
    Part.SURNAME: (*_SURNAMES, *(f"{surname}а" for surname in _SURNAMES)),
    Part.FIRST: (
        *("александр", "сергей", "владимир", "андрей", "алексей", "николай", "иван", "михаил", "юрий"),
        *("виктор", "анатолий", "василий", "пётр", "павел", "борис", "елена", "ольга", "татьяна", "наталья"),
        *("анна", "мария", "ирина", "светлана", "екатерина", "людмила", "галина", "нина", "надежда"),
        *("любовь", "валентина"),
    ),
    Part.PATRONYMIC: (*(f"{f}ич" for f in _FATHERS), *(f"{f}на" for f in _FATHERS)),
}
"""Each in both genders, lower-case."""
NO_PATRONYMIC = "нет отчества"
