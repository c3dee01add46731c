"""What a caller's words mean at a question: phrases are data, and compared word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from ivr.domain.spoken import UNITS
from ivr.domain.words import words

KEY_WORDS = {str(digit): word for word, digit in reversed(UNITS.items()) if digit}
"""Who is asked for a key may say it: the first word of each digit («один», not «раз»)."""
_SPEAKABLE = re.compile(r"[а-яё]+(?:[ -]+[а-яё]+)*")


class Understood(Protocol):
    """As much of a choice as is compared."""

    @property
    def key(self) -> str | None: ...
    @property
    def phrases(self) -> tuple[str, ...]: ...


C = TypeVar("C", bound=Understood)


def spellings(phrase: str) -> tuple[str, ...]:
    """A phrase as a recogniser may spell it: as it stands, and with «е» for «ё» and no hyphens."""
    return tuple(dict.fromkeys((" ".join(phrase.lower().split()), " ".join(words(phrase)))))


def is_speakable(phrase: str) -> bool:
    """Whether it has Russian words and nothing else."""
    return _SPEAKABLE.fullmatch(phrase.lower().strip()) is not None


def understand(choices: Iterable[C], heard: Sequence[str]) -> C | None:
    """The choice that the words (ivr/domain/words.py) mean; None when they mean none, or two alike.

    The longest phrase among the words wins: «пособие по безработице» over «пособие». A key's word counts only
    by itself: «у меня один ребёнок» is not key 1.
    """
    found = [(length, choice) for choice in choices for length in _lengths(choice, tuple(heard))]
    best = max((length for length, _ in found), default=0)
    meant: list[C] = []
    for length, choice in found:
        if length == best and choice not in meant:
            meant.append(choice)
    return meant[0] if len(meant) == 1 else None


def _lengths(choice: Understood, heard: tuple[str, ...]) -> Iterator[int]:
    """Number of words of each phrase of the choice that was heard."""
    if choice.key is not None and heard == (KEY_WORDS[choice.key],):
        yield 1
    for phrase in map(words, choice.phrases):
        if any(heard[at : at + len(phrase)] == phrase for at in range(len(heard) - len(phrase) + 1)):
            yield len(phrase)
