"""The silence clock of a talk (§19): what starts it, clears it, lets it stand still, and when it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.silence import AWAY, SilenceClock

LIMIT = 60.0
Step = tuple[float, str]
"""When, and what happens: a name of DEEDS. A full stop is the end of a voice."""
DEEDS: dict[str, Callable[[SilenceClock, float], SilenceClock]] = {
    "op": lambda clock, at: clock.operator_speaks("op"),
    "op.": lambda clock, at: clock.operator_stops("op", at),
    "op2": lambda clock, at: clock.operator_speaks("op2"),
    "op2.": lambda clock, at: clock.operator_stops("op2", at),
    "cit": lambda clock, at: clock.citizen_speaks(),
    "cit.": lambda clock, at: clock.citizen_stops(),
    "key": lambda clock, at: clock.key(),
    "hold": lambda clock, at: clock.stand("op", at),
    "back": lambda clock, at: clock.go_on("op", at),
    "away": lambda clock, at: clock.stand(AWAY, at),
    "here": lambda clock, at: clock.go_on(AWAY, at),
}


def after(*steps: Step) -> SilenceClock:
    clock = SilenceClock(limit=LIMIT)
    for at, deed in steps:
        clock = DEEDS[deed](clock, at)
    return clock


ASKED = ((0.0, "op"), (10.0, "op."))
"""The operator's question, which ends at 10."""


@pytest.mark.parametrize(
    ("steps", "over_after"),
    [
        pytest.param(ASKED, 70.0, id="from the end of the question"),
        pytest.param((*ASKED, (30.0, "op"), (31.0, "op.")), 91.0, id="the operator asks again"),
        pytest.param((*ASKED, (65.0, "op")), None, id="a long explanation"),
        pytest.param((*ASKED, (69.0, "cit")), None, id="the citizen speaks"),
        pytest.param((*ASKED, (20.0, "cit"), (21.0, "cit.")), None, id="the citizen has answered"),
        pytest.param((*ASKED, (69.0, "key")), None, id="the citizen presses a key"),
        pytest.param((*ASKED, (20.0, "key"), (21.0, "op"), (22.0, "op.")), 82.0, id="a question after a key"),
        pytest.param(((0.0, "op"), (1.0, "cit"), (2.0, "op."), (3.0, "cit.")), None, id="talks over the end"),
        pytest.param(
            ((0.0, "cit"), (1.0, "op"), (2.0, "cit."), (3.0, "op.")), 63.0, id="spoke before the end"
        ),
        pytest.param((), None, id="nobody has spoken"),
        pytest.param(((0.0, "cit"), (1.0, "cit.")), None, id="only the citizen has spoken"),
        pytest.param((*ASKED, (40.0, "hold")), None, id="on hold"),
        pytest.param((*ASKED, (40.0, "hold"), (100.0, "back")), 130.0, id="30 s before, 30 s after the hold"),
        pytest.param((*ASKED, (40.0, "hold"), (50.0, "hold"), (100.0, "back")), 130.0, id="held twice"),
        pytest.param((*ASKED, (40.0, "away"), (100.0, "here")), 130.0, id="out of the talk and back"),
        pytest.param(
            (*ASKED, (20.0, "hold"), (30.0, "away"), (40.0, "here"), (50.0, "back")),
            100.0,
            id="two reasons to stand still",
        ),
        pytest.param(((0.0, "op"), (5.0, "hold"), (6.0, "op."), (90.0, "back")), 150.0, id="asked on hold"),
        pytest.param((*ASKED, (20.0, "back")), 70.0, id="an end of a hold without its beginning"),
        pytest.param(((10.0, "op."),), 70.0, id="an end of a voice without its beginning"),
        pytest.param(((0.0, "op"), (5.0, "op2"), (10.0, "op.")), None, id="the other operator goes on"),
        pytest.param(
            ((0.0, "op"), (5.0, "op2"), (10.0, "op."), (12.0, "op2.")), 72.0, id="both have stopped"
        ),
    ],
)
def test_more_than_sixty_seconds_without_an_answer_are_too_long(
    steps: Sequence[Step], over_after: float | None
) -> None:
    """Exactly 60.0 s are not; None: it is never over while nothing else happens."""
    clock = after(*steps)
    if over_after is None:
        assert not clock.due(10_000.0)
    else:
        assert not clock.due(over_after - 0.001)
        assert not clock.due(over_after)
        assert clock.due(over_after + 0.001)


def test_the_operator_is_told_once_of_a_silence_and_again_of_the_next_one() -> None:
    clock = after(*ASKED).tell()
    assert not clock.due(1000.0)
    again = clock.operator_speaks("op").operator_stops("op", 1000.0)
    assert not again.due(1060.0)
    assert again.due(1060.5)


def test_a_silence_that_was_told_stays_told_over_a_hold() -> None:
    clock = after(*ASKED).tell().stand("op", 80.0).go_on("op", 90.0)
    assert not clock.due(1000.0)


# --- against a model that goes through time second by second ---------------------------------------


@dataclass
class Model:
    """What §19 says, told as a story: one second after the other."""

    silent: int = 0
    waiting: bool = False
    speaking: set[str] = field(default_factory=set)
    standing: set[str] = field(default_factory=set)

    def second(self) -> None:
        if self.waiting and not self.standing:
            self.silent += 1

    def take(self, deed: str) -> None:
        who = deed.rstrip(".")
        match deed:
            case "hold" | "away":
                self.standing.add(deed)
            case "back":
                self.standing.discard("hold")
            case "here":
                self.standing.discard("away")
            case "op." | "op2.":
                self.speaking.discard(who)
                if not self.speaking:
                    self.silent, self.waiting = 0, True
            case "cit.":
                self.speaking.discard("cit")
                self.silent, self.waiting = 0, False
            case _:
                if who != "key":
                    self.speaking.add(who)
                self.silent, self.waiting = 0, False


@given(
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from(sorted(DEEDS))), max_size=12), st.integers(0, 200)
)
def test_the_clock_agrees_with_the_story_of_the_rule(story: list[tuple[int, str]], then: int) -> None:
    """Whatever happens in whatever order, doubled and missing events among it."""
    clock, model, now = SilenceClock(limit=LIMIT), Model(), 0
    for pause, deed in (*story, (then, "")):
        for _ in range(pause):
            now += 1
            model.second()
            assert clock.silent_for(now) == model.silent
            running = model.waiting and not model.standing
            assert clock.due(now) == (running and model.silent > LIMIT)
        if deed:
            clock = DEEDS[deed](clock, float(now))
            model.take(deed)
