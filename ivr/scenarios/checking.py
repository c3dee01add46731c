"""What a well-formed scenario can still have wrong: jumps into nothing, unreachable states, no way out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ivr.domain.words import words
from ivr.scenarios.faults import Path
from ivr.scenarios.hearing import KEY_WORDS
from ivr.scenarios.model import Answer, Ask, End, HandOver, LookUp, Scenario

Found = tuple[Path, str]
"""Where it is wrong, and the sentence."""


def check(scenario: Scenario) -> Iterator[Found]:
    """Everything that is wrong; whether states are reachable is asked only where all jumps lead somewhere."""
    yield from _no_choices(scenario)
    yield from _collisions(scenario)
    unknown = list(_unknown_jumps(scenario))
    yield from unknown
    if not unknown:
        yield from _unreachable(scenario)
        yield from _dead_ends(scenario)
        yield from _endless(scenario)
        yield from _broken_promises(scenario)


def asks(scenario: Scenario) -> Iterator[tuple[str, Ask]]:
    """Every question, with the name of its state."""
    for name, state in scenario.states.items():
        if isinstance(state, Ask):
            yield name, state


def _no_choices(scenario: Scenario) -> Iterator[Found]:
    for name, state in asks(scenario):
        if not state.choices:
            what = f"dead end: state `{name}` asks, but understands nothing; add `choices`, or use `answer`"
            yield ("states", name), what


def _collisions(scenario: Scenario) -> Iterator[Found]:
    for name, state in asks(scenario):
        keys: dict[str, int] = {}
        phrases: dict[tuple[str, ...], int] = {
            (KEY_WORDS[choice.key],): number
            for number, choice in enumerate(state.choices)
            if choice.key is not None
        }
        for number, choice in enumerate(state.choices):
            path = ("states", name, "choices", number)
            if choice.key is not None and keys.setdefault(choice.key, number) != number:
                yield (
                    (*path, "key"),
                    f"key {choice.key} is taken in state `{name}`; take another one",
                )
            for place, phrase in enumerate(choice.phrases):
                other = phrases.setdefault(words(phrase), number)
                if other != number:
                    yield (*path, "phrases", place), _collision(name, phrase, other)


def _collision(name: str, phrase: str, other: int) -> str:
    return f"«{phrase}» means choice {other + 1} of state `{name}`, too; leave it in one of them"


# --- jumps -----------------------------------------------------------------------------------------


def _unknown_jumps(scenario: Scenario) -> Iterator[Found]:
    jumps: list[tuple[Path, str]] = [(("start",), scenario.start), (("operator",), scenario.operator)]
    for name, state in scenario.states.items():
        jumps += [(("states", name, *field), to) for field, to in state.ways().items()]
    for path, to in jumps:
        if to not in scenario.states:
            yield path, f"there is no state `{to}`; name one of the states here, or add it"


def _unreachable(scenario: Scenario) -> Iterator[Found]:
    for name in unreached(scenario):
        yield ("states", name), f"nothing leads to state `{name}`; lead a choice there, or take it out"


def unreached(scenario: Scenario, *, without: Collection[tuple[str, int]] = ()) -> Sequence[str]:
    """States nobody comes to, where these choices (state, place) cannot be made; in the order of the file."""
    ways = {
        name: [
            to
            for field, to in state.ways().items()
            if field[0] != "choices" or (name, field[1]) not in without
        ]
        for name, state in scenario.states.items()
    }
    reached = _closure(ways, _entrances(scenario))
    return [name for name in scenario.states if name not in reached]


def _entrances(scenario: Scenario) -> tuple[str, ...]:
    """«Оператор» is an entrance only where a question can be asked that leaves it to the scenario."""
    reached = _closure(_ways(scenario), (scenario.start,))
    asked = (state for name, state in asks(scenario) if name in reached)
    escapes = any(state.operator is None for state in asked)
    return (scenario.start, scenario.operator) if escapes else (scenario.start,)


def _dead_ends(scenario: Scenario) -> Iterator[Found]:
    """States from which no answer leads to an end; that «оператор» would is no excuse."""
    back: dict[str, list[str]] = {name: [] for name in scenario.states}
    for name, state in scenario.states.items():
        for field, to in state.ways().items():
            if field != ("operator",):
                back[to].append(name)
    ends = [name for name, state in scenario.states.items() if isinstance(state, End | HandOver)]
    living = _closure(back, ends)
    for name in scenario.states:
        if name not in living:
            what = f"dead end: from state `{name}` no way leads to an `end` or `hand_over`; add one"
            yield ("states", name), what


def _endless(scenario: Scenario) -> Iterator[Found]:
    """States that come back to themselves without asking anything: the line would talk for ever."""
    alone = {
        name: tuple(state.ways().values())
        for name, state in scenario.states.items()
        if isinstance(state, Answer | LookUp)
    }
    for name, to in alone.items():
        if name in _closure(alone, to):
            what = f"state `{name}` comes back to itself without a question; ask something on the way"
            yield ("states", name), what


def _broken_promises(scenario: Scenario) -> Iterator[Found]:
    """Who wants an operator, or was told that an operator helps, must not have to ask for one again."""
    promises: list[tuple[Path, str]] = [(("operator",), scenario.operator)]
    for name, state in scenario.states.items():
        for field, to in state.ways().items():
            if field in {("operator",), ("refused",)}:
                promises.append((("states", name, *field), to))
    for path, to in promises:
        at, passed = to, set[str]()
        while at not in passed and isinstance(state := scenario.states[at], Answer):
            passed.add(at)
            at = state.to
        if not isinstance(scenario.states[at], HandOver):
            what = f"`{path[-1]}` has to lead to a `hand_over`, at most over answers; `{to}` does not"
            yield path, what


def _ways(scenario: Scenario) -> Mapping[str, Iterable[str]]:
    return {name: tuple(state.ways().values()) for name, state in scenario.states.items()}


def _closure(ways: Mapping[str, Iterable[str]], begin: Iterable[str]) -> set[str]:
    """All that can be reached; what is not in `ways` leads nowhere."""
    reached: set[str] = set()
    left = list(begin)
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += ways.get(name, ())
    return reached
