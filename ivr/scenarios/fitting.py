"""Whether a scenario that is in order fits a site: its agencies, its operators, the words its model knows."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ivr.domain.operators import agency_queue
from ivr.scenarios.checking import Found, asks
from ivr.scenarios.hearing import KEY_WORDS, spellings
from ivr.scenarios.model import Choice, HandOver, Scenario


def unknown_agencies(scenario: Scenario, codes: Collection[str]) -> Iterator[Found]:
    """Hand-overs to agencies that are not among `codes`: their queues do not exist."""
    known = "here are " + ", ".join(f"`{code}`" for code in sorted(codes)) if codes else "there are none here"
    for name, state in _hand_overs(scenario):
        if state.agency is not None and state.agency not in codes:
            what = f"there is no agency `{state.agency}` ({known}); correct it, or `ekc agencies import` it"
            yield ("states", name, "agency"), what


def unserved(scenario: Scenario, served: Collection[str]) -> Iterator[Found]:
    """Hand-overs to queues that no operator serves: only a callback can come of them. served: queues."""
    for name, state in _hand_overs(scenario):
        if state.agency is not None and (queue := agency_queue(state.agency, state.line)) not in served:
            what = f"no operator serves {queue}; add one, or see what happens then: `ekc queues show {queue}`"
            yield ("states", name, "agency"), what


def vocabulary(scenario: Scenario) -> frozenset[str]:
    """Every word that the recogniser has to know, in each of its spellings."""
    phrases = (phrase for _, ask in asks(scenario) for choice in ask.choices for phrase in heard_as(choice))
    return frozenset(word for phrase in phrases for word in phrase.split())


def heard_as(choice: Choice) -> tuple[str, ...]:
    """What the recogniser listens for where this choice can be made."""
    said = [] if choice.key is None else [KEY_WORDS[choice.key]]
    return tuple(dict.fromkeys(s for phrase in (*said, *choice.phrases) for s in spellings(phrase)))


def unheard(scenario: Scenario, unknown: Collection[str]) -> Iterator[Found]:
    """Phrases with words that the model does not know: nobody can say them. unknown: of `vocabulary`."""
    for name, ask in asks(scenario):
        for number, choice in enumerate(ask.choices):
            for place, phrase in enumerate(choice.phrases):
                if missing := _missing(phrase, unknown):
                    words = ", ".join(f"«{word}»" for word in missing)
                    what = f"the model in use does not know {words}; say it in other words, too"
                    yield ("states", name, "choices", number, "phrases", place), what


def mute(scenario: Scenario, unknown: Collection[str]) -> Iterator[Found]:
    """Choices that nobody can make: without a key, and none of their phrases is known to the model."""
    for name, ask in asks(scenario):
        for number, choice in enumerate(ask.choices):
            if choice.key is None and all(_missing(phrase, unknown) for phrase in choice.phrases):
                which = f"choice {number + 1} of state `{name}`"
                what = f"the model in use knows no phrase of {which}, which has no key: add one or the other"
                yield ("states", name, "choices", number), what


def _missing(phrase: str, unknown: Collection[str]) -> tuple[str, ...]:
    """Unknown words of the spelling that has the fewest of them."""
    found = (tuple(w for w in spelling.split() if w in unknown) for spelling in spellings(phrase))
    return min(found, key=len)


def _hand_overs(scenario: Scenario) -> Iterator[tuple[str, HandOver]]:
    for name, state in scenario.states.items():
        if isinstance(state, HandOver):
            yield name, state
