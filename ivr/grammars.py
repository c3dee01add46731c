"""What may be said to a question, as data, and what it means: the grammars that are not a flow's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ivr.domain import spoken
from ivr.domain.words import words
from ivr.ports import Grammar, Prompt, Said, Spoken
from ivr.scenarios.hearing import KEY_WORDS, spellings, understand

OPERATOR = Grammar(
    name="operator",
    phrases=("оператор", "оператора", "соедините с оператором", "позовите оператора"),
    strict=True,
)
"""Understood at every question; all that is listened for when only keys can answer."""
REPEAT = ("повторите", "повтори", "ещё раз")
"""As the key `*`."""
YES = ("да", "верно", "правильно", "конечно", "хорошо", "подтверждаю")
NO = ("нет", "неверно", "неправильно", "не так", "ошибка")
YES_KEY, NO_KEY = "1", "2"
_DATE_WORDS = (
    *spoken.ORDINALS,
    *(name for names in spoken.MONTHS for name in names),
    *("тысяча", "тысячи", "тысяч", "года", "год", "двухтысячного"),
)


@dataclass(frozen=True)
class _Choice:
    """One answer of a menu, its key where that is one, and the words that mean it."""

    answer: str
    key: str | None
    phrases: tuple[str, ...]


def with_common(grammar: Grammar) -> Grammar:
    """And what is understood at every question; every word as a recogniser may spell it."""
    phrases = (*grammar.phrases, *OPERATOR.phrases, *REPEAT)
    return replace(grammar, phrases=tuple(dict.fromkeys(s for phrase in phrases for s in spellings(phrase))))


def means_repeat(said: Sequence[str]) -> bool:
    """Of words as in ivr/domain/words.py."""
    return any(" ".join(words(phrase)) in " ".join(said) for phrase in REPEAT)


def choice(name: str, prompt: Prompt, phrases: Mapping[str, Sequence[str]], *, family: str = "") -> Spoken:
    """A menu by voice: `phrases` that mean each answer; the word of an answer that is a key counts, too."""
    choices = [_Choice(a, a if a in KEY_WORDS else None, tuple(said)) for a, said in phrases.items()]
    listed = [phrase for said in phrases.values() for phrase in said]

    def meant(said: tuple[str, ...]) -> Said | None:
        found = understand(choices, said)
        return None if found is None else Said(answer=found[0].answer, words=found[1])

    keys = (KEY_WORDS[answer] for answer in phrases if answer in KEY_WORDS)
    grammar = Grammar(name=name, phrases=(*listed, *keys), family=family)
    return Spoken(grammar=grammar, understand=meant, prompt=prompt)


def yes_no(prompt: Prompt) -> Spoken:
    """«Да» is the key 1, «нет» the key 2."""

    def meant(said: tuple[str, ...]) -> Said | None:
        yes = spoken.yes_or_no(said)
        if yes is None:
            return None
        return Said(answer=YES_KEY if yes else NO_KEY, words="да" if yes else "нет")

    return Spoken(grammar=Grammar(name="yes-no", phrases=(*YES, *NO)), understand=meant, prompt=prompt)


def number(
    prompt: Prompt,
    *,
    length: int | None = None,
    most: int = 32,
    told_back: bool = True,
    sizes: Sequence[int] = (),
    fits: Callable[[str], bool] = lambda _number: True,
) -> Spoken:
    """Digits, in groups as people read them, with corrections. length: exactly so many.

    told_back: False where the flow itself reads the number back. sizes: of the groups that it is written in,
    for two of them may sound like one. fits: whether there is such a number.
    """
    phrases = (*spoken.NUMBERS, *spoken.CORRECTIONS, *spoken.ANEW)

    def meant(said: tuple[str, ...]) -> Said | None:
        if said[-1] in spoken.CORRECTIONS or said[-1] in spoken.ANEW:
            return Said(answer="", words="", whole=False, enough=False)
        digits = spoken.digits(said)
        if digits is None or len(digits) > (length or most):
            return None
        if length is None or len(digits) == length:
            return Said(answer=digits, words=digits, whole=length is not None)
        fitting = [one for one in spoken.readings(said, sizes) if fits(one)]
        if len(fitting) == 1:  # unless more is said
            return Said(answer=fitting[0], words=fitting[0], whole=False)
        return Said(answer=digits, words=digits, whole=False, enough=False)

    return Spoken(
        grammar=Grammar(name="digits", phrases=phrases),
        understand=meant,
        prompt=prompt,
        told_back="always" if told_back else "never",
    )


def day(prompt: Prompt, *, today: date) -> Spoken:
    """A date, as the eight digits that it is typed with."""

    def meant(said: tuple[str, ...]) -> Said | None:
        found = spoken.date_said(said, today)
        if found is None:
            begun = len(said) < _SHORTEST_DATE
            return Said(answer="", words="", whole=False, enough=False) if begun else None
        with_year = spoken.names_year(said)
        return Said(answer=f"{found:%d%m%Y}", words=" ".join(said), whole=with_year)

    grammar = Grammar(name="date", phrases=(*_DATE_WORDS, *spoken.NUMBERS))
    return Spoken(grammar=grammar, understand=meant, prompt=prompt)


_SHORTEST_DATE = 2
"""Words of «пятого марта»: fewer are only the beginning."""
