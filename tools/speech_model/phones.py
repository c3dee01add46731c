"""Phones of the model, from the names that espeak-ng gives to the sounds of Russian."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

SILENCE = "SIL"
_VOWELS = {
    "a": "a",
    "A": "a",
    "V": "V",
    "a#": "V",
    "@": "V",
    "E": "E",
    "E#": "E",
    "E2": "E",
    "e": "e",
    "i": "i",
    "I": "I",
    "I^": "I",
    "I3": "I",
    "y": "y",
    "o": "o",
    "8": "o",
    "u": "u",
    'u"': "u",
    "U": "u",
    "u#": "u",
}
_HARD_AND_SOFT = ("b", "v", "g", "d", "z", "k", "l", "m", "n", "p", "r", "s", "S", "t", "f", "x")
_SAME = {"Z": "Z", "ts": "ts", "tS": "tS;", "tS;": "tS;", "j": "j", "dZ;": "tS;", "dz": "ts"}
_TWO = {"ja": ("j", "a"), "ju": ("j", "u"), "je": ("j", "e"), "jo": ("j", "o"), "ts;": ("ts",)}
_GAPS = {"_", "_:", "_!", "_|", "_^_"}
PHONES: tuple[str, ...] = (
    SILENCE,
    *sorted(set(_VOWELS.values())),
    *(name for base in _HARD_AND_SOFT for name in (base, base + ";")),
    "Z",
    "ts",
    "tS;",
    "j",
)
"""The place of a phone here is its number among the network's outputs."""


class Sound(NamedTuple):
    """A phone and where it begins, in samples."""

    phone: str
    start: int


def sounds(events: Iterable[tuple[str, int]]) -> list[Sound]:
    """Phones from espeak-ng's phoneme events, in order.

    A `;` after a consonant says that it is soft; `@-` is the short vowel of an r; `n_` is a plain n before a
    pause. Raises KeyError for a sound that is not known here.
    """
    found: list[Sound] = []
    for name, start in events:
        if name in _GAPS:
            _append(found, SILENCE, start)
        elif name == ";":
            _soften(found)
        elif name != "@-":
            for phone in _phones_of(name):
                _append(found, phone, start)
    return found


def _append(found: list[Sound], phone: str, start: int) -> None:
    if not (phone == SILENCE and found and found[-1].phone == SILENCE):
        found.append(Sound(phone, start))


def _soften(found: list[Sound]) -> None:
    last = found[-1]
    if last.phone in _HARD_AND_SOFT:
        found[-1] = Sound(last.phone + ";", last.start)


def _phones_of(name: str) -> Sequence[str]:
    if name in _TWO:
        return _TWO[name]
    if name in _VOWELS:
        return (_VOWELS[name],)
    if name in _SAME:
        return (_SAME[name],)
    plain = name.rstrip("_")
    if plain in PHONES:
        return (plain,)
    raise KeyError(f"espeak-ng's sound {name!r} has no phone here")
