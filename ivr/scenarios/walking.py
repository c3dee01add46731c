"""One step of a dialogue: place of the caller and what was said or keyed, to what the line says. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ivr.domain.words import wants_operator, words
from ivr.scenarios.hearing import understand
from ivr.scenarios.model import Answer, Ask, Choice, End, HandOver, LookUp, Scenario

MOST_FAILURES = 2
"""Answers that were not understood at one question before it is given up."""
MOST_UNDERSTOOD = 20
"""Of a caller who goes round and round the operator gets the last ones."""


class Result(StrEnum):
    """How a look-up ended."""

    FOUND = "found"  # and was read out
    NOTHING = "nothing"  # the resource knows of nothing
    REFUSED = "refused"  # the caller's level is too low
    DOWN = "down"  # the resource does not answer


@dataclass(frozen=True, kw_only=True)
class Said:
    """Words, as the recogniser heard them; empty: silence or noise."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """One key: a digit, `*` or `#`."""

    key: str


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a caller is in a scenario."""

    state: str
    failures: int = 0
    understood: tuple[str, ...] = ()
    """What the choices so far mean, the oldest first."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What the line says, and what it waits for then."""

    says: tuple[str, ...]
    told: tuple[str, ...]
    """The answers that were passed on the way here: the states whose words are the first of `says`."""
    at: Position
    state: Ask | LookUp | HandOver | End
    """A question waits for an answer, a look-up for its result; the others are the end of the scenario."""


def begin(scenario: Scenario) -> Step:
    """The first words."""
    return _arrive(scenario, Position(state=scenario.start))


def answered(scenario: Scenario, at: Position, heard: Said | Keyed) -> Step:
    """The step after an answer to a question. Raises ValueError where nothing was asked."""
    state = scenario.states[at.state]
    if not isinstance(state, Ask):
        raise ValueError(f"state {at.state} asks nothing")
    if _for_operator(heard):
        return for_operator(scenario, at)
    choice = _choice(state, heard)
    if choice is not None:
        return chosen(scenario, at, choice)
    if at.failures + 1 < MOST_FAILURES:
        return Step(says=(state.again,), told=(), at=replace(at, failures=at.failures + 1), state=state)
    return given_up(scenario, at)


def chosen(scenario: Scenario, at: Position, choice: Choice) -> Step:
    """The step after this choice, one of the question's."""
    return _arrive(scenario, _moved(at, choice.to, choice.means))


def given_up(scenario: Scenario, at: Position) -> Step:
    """The step after the last answer that was none. Raises ValueError where nothing was asked."""
    state = scenario.states[at.state]
    if not isinstance(state, Ask):
        raise ValueError(f"state {at.state} asks nothing")
    return _arrive(scenario, _moved(at, state.unclear))


def for_operator(scenario: Scenario, at: Position) -> Step:
    """The step after the wish for an operator, at a question or while something is looked up."""
    state = scenario.states[at.state]
    own = state.operator if isinstance(state, Ask | LookUp) else None
    return _arrive(scenario, _moved(at, own or scenario.operator))


def looked_up(scenario: Scenario, at: Position, result: Result) -> Step:
    """The step after a look-up. Raises ValueError where nothing was looked up."""
    state = scenario.states[at.state]
    if not isinstance(state, LookUp):
        raise ValueError(f"state {at.state} looks nothing up")
    return _arrive(scenario, _moved(at, getattr(state, result.value)))


def _for_operator(heard: Said | Keyed) -> bool:
    return heard.key == "0" if isinstance(heard, Keyed) else wants_operator(words(heard.text))


def _choice(state: Ask, heard: Said | Keyed) -> Choice | None:
    if isinstance(heard, Said):
        found = understand(state.choices, words(heard.text))
        return None if found is None else found[0]
    return next((choice for choice in state.choices if choice.key == heard.key), None)


def _moved(at: Position, to: str, means: str | None = None) -> Position:
    understood = at.understood if means is None else (*at.understood, means)[-MOST_UNDERSTOOD:]
    return Position(state=to, understood=understood)


def _arrive(scenario: Scenario, at: Position) -> Step:
    """Through answers to the next state that waits or ends; a checked scenario has one."""
    says: list[str] = []
    told: list[str] = []
    while isinstance(state := scenario.states[at.state], Answer):
        says.append(state.answer)
        told.append(at.state)
        at = replace(at, state=state.to)
    match state:
        case Ask():
            says.append(state.ask)
        case HandOver():
            says.append(state.hand_over)
        case End():
            says.append(state.end)
    return Step(says=tuple(says), told=tuple(told), at=at, state=state)
