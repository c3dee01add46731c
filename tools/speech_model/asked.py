"""What the line asks that may be answered by voice: the words that the lexicon must have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from ivr import grammars
from ivr.domain.names import COMMON, LETTERS, NO_PATRONYMIC
from ivr.domain.snils import GROUP_SIZES, LENGTH, is_valid
from ivr.domain.words import spelled, words
from ivr.flows import by_voice
from ivr.ports import Grammar, Prompt, Said, Spoken
from ivr.scenarios import Ask, load, shipped, shipped_names
from ivr.scenarios.fitting import heard_as
from ivr.scenarios.hearing import understand
from ivr.services.demo_words import NAMES

TODAY = date(2026, 11, 30)
"""Any day: dates without a year are said of the past."""


def questions() -> Mapping[str, Spoken]:
    """Every question of the flows, by what it is about, and every one of the scenarios we ship."""
    menus = {"menu": by_voice.MENU, "status.menu": by_voice.STATUS_MENU, "benefits.more": by_voice.BENEFITS}
    return {
        "yes/no": grammars.yes_no(Prompt.of("closed.callback")),
        **{name: by_voice.menu(Prompt.of(name), phrases) for name, phrases in menus.items()},
        "receipt's number": grammars.number(Prompt.of("status.number")),
        "SNILS": grammars.number(
            Prompt.of("snils"), length=LENGTH, told_back=False, sizes=GROUP_SIZES, fits=is_valid
        ),
        "date": grammars.day(Prompt.of("status.date"), today=TODAY),
        **{f"{name}: {state}": spoken for name in shipped_names() for state, spoken in _scenario(name)},
    }


def _scenario(name: str) -> Iterator[tuple[str, Spoken]]:
    scenario = load(shipped(name) or b"").scenario
    if scenario is None:
        raise ValueError(f"the scenario {name} is not in order: `ekc scenarios check {name}`")
    for state, asks in scenario.states.items():
        if isinstance(asks, Ask):
            yield state, _spoken(state, asks)


def _spoken(state: str, asks: Ask) -> Spoken:
    phrases = dict.fromkeys(phrase for choice in asks.choices for phrase in heard_as(choice))

    def meant(said: tuple[str, ...]) -> Said | None:
        found = understand(asks.choices, said)
        return None if found is None else Said(answer=str(asks.choices.index(found[0])), words=found[1])

    return Spoken(grammar=Grammar(name=state, phrases=tuple(phrases)), understand=meant)


def vocabulary() -> tuple[str, ...]:
    """Every word that may be said to them, in alphabetical order; of «ещё» and «еще» the one with «ё».

    And those of full names (ivr/flows/naming.py): the common ones, the invented people's and the letters'.
    """
    listened = (grammars.with_common(spoken.grammar).phrases for spoken in questions().values())
    said = spelled_out(word for phrases in listened for phrase in phrases for word in phrase.split())
    return tuple(sorted({*said, *_of_names()}))


def _of_names() -> Iterator[str]:
    """As they are written: «е» and «ё» are two letters."""
    invented = (names for gender in NAMES for names in gender)
    for phrases in (*COMMON.values(), *LETTERS.values(), *invented, (NO_PATRONYMIC,)):
        for phrase in phrases:
            yield from spelled(phrase)


def spelled_out(found: Iterable[str]) -> tuple[str, ...]:
    """Without those that are another one with «е» for «ё»."""
    known = set(found)
    with_yo = {plain for word in known for plain in words(word) if plain != word}
    return tuple(sorted(known - with_yo))
