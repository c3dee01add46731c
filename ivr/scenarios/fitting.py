"""Whether a scenario that is in order fits a site: its agencies, its operators, the words its model knows."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ivr.domain.operators import agency_queue
from ivr.scenarios.checking import Found, asks, unreached
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
    """Queues of hand-overs, each once, that no operator serves: only a callback can come of them.

    served: queues that have operators.
    """
    told = set(served)
    for name, state in _hand_overs(scenario):
        if state.agency is not None and (queue := agency_queue(state.agency, state.line)) not in told:
            told.add(queue)
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


def lost(scenario: Scenario, unknown: Collection[str]) -> Iterator[Found]:
    """States nobody comes to, for the only way is by phrases that the model does not know."""
    for name in unreached(scenario, without=_mute(scenario, unknown)):
        what = f"nobody comes to state `{name}`: the model in use knows no phrase that leads there"
        yield ("states", name), f"{what}; add phrases in other words, or a key"


def by_voice_alone(scenario: Scenario) -> Iterator[Found]:
    """States that only who is listened to comes to: not everybody is, and not always."""
    for name in unreached(scenario, without=_mute(scenario, None)):
        yield (
            ("states", name),
            f"by keys alone nobody comes to state `{name}`; give a choice that leads there a key",
        )


def _mute(scenario: Scenario, unknown: Collection[str] | None) -> Collection[tuple[str, int]]:
    """Choices without a key none of whose phrases can be heard. unknown: None where nobody is listened to."""
    return {
        (name, number)
        for name, ask in asks(scenario)
        for number, choice in enumerate(ask.choices)
        if choice.key is None and (unknown is None or all(_missing(p, unknown) for p in choice.phrases))
    }


def _missing(phrase: str, unknown: Collection[str]) -> tuple[str, ...]:
    """Unknown words of the spelling that has the fewest of them."""
    found = (tuple(w for w in spelling.split() if w in unknown) for spelling in spellings(phrase))
    return min(found, key=len)


def _hand_overs(scenario: Scenario) -> Iterator[tuple[str, HandOver]]:
    for name, state in scenario.states.items():
        if isinstance(state, HandOver):
            yield name, state
