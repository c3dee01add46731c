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


def understand(choices: Iterable[C], heard: Sequence[str]) -> tuple[C, str] | None:
    """The choice that the words (ivr/domain/words.py) mean, and the phrase of it that was said.

    None when they mean none, or two alike. The longest phrase among the words wins: «пособие по безработице»
    over «пособие». A key's word counts only by itself: «у меня один ребёнок» is not key 1.
    """
    found = [(choice, phrase) for choice in choices for phrase in _heard(choice, tuple(heard))]
    longest = max((len(words(phrase)) for _, phrase in found), default=0)
    best = [(choice, phrase) for choice, phrase in found if len(words(phrase)) == longest]
    return best[0] if best and all(choice == best[0][0] for choice, _ in best) else None


def _heard(choice: Understood, heard: tuple[str, ...]) -> Iterator[str]:
    """Each phrase of the choice that was said."""
    if choice.key is not None and heard == words(KEY_WORDS[choice.key]):
        yield KEY_WORDS[choice.key]
    for phrase in choice.phrases:
        wanted = words(phrase)
        if any(heard[at : at + len(wanted)] == wanted for at in range(len(heard) - len(wanted) + 1)):
            yield phrase
