"""§19: more than the limit without an answer ends the service; here the limit is 6 s, and all scales with it.

The site has recordings of its own, short tones, so that reminders do not overtake each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ivr.patience import REMINDERS
from tests.harness.records import Lived
from tests.harness.system import System
from tests.harness.voices import tones
from tests.harness.world import World, WorldCall, keys, wait
from tests.line.conftest import new_number

pytestmark = pytest.mark.line

LIMIT = 6.0
TONE = 0.5
"""Seconds that each prompt lasts."""
EARLY = 0.1
"""By which a tone may seem to begin too early: the trace tells of its end."""
LATE = 2.0
"""A busy machine may be: more than three times what was seen."""
PROMPTS = ("greeting", "menu", "status.number", "silence.reminder", "no_input", "goodbye", "connecting")


Calls = dict[str, tuple[WorldCall, Lived]]
"""By name: what the caller has of the call, and what is written down of it."""


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, System]]:
    """Two that differ in what becomes of somebody who never pressed a key."""
    own = tones(tmp_path_factory.mktemp("tones"), PROMPTS, seconds=TONE)
    ways = ("goodbye", "operator")
    made = {way: System(silence_seconds=LIMIT, no_input=way, prompts_dir=own) for way in ways}
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(start, made.values()))
        yield made
        with ThreadPoolExecutor() as pool:
            list(pool.map(System.stop, made.values()))
    finally:
        for system in made.values():
            system.close()


def start(system: System) -> None:
    system.start()
    system.open_today()


@pytest.fixture(scope="module")
def calls(systems: dict[str, System]) -> Iterator[Calls]:
    """Silent callers and one who presses a key late, by name."""
    scripts = {
        "silent": ("goodbye", []),
        "one key": ("goodbye", [keys("*")]),
        "late key": ("goodbye", [keys("*"), wait(LIMIT - 1.5), keys("*")]),
        "half a number": ("goodbye", [keys("1156")]),
        "never a key": ("operator", []),
        "a key before": ("operator", [keys("*")]),
    }
    with World(systems["goodbye"].line_port) as one, World(systems["operator"].line_port) as other:
        worlds = {"goodbye": one, "operator": other}
        numbers = {name: new_number() for name in scripts}
        made = {
            name: worlds[way].call(numbers[name], script=[wait(1), *script])
            for name, (way, script) in scripts.items()
        }
        found = {}
        for name, (way, _) in scripts.items():
            made[name].ended(120)
            system = systems[way]
            found[name] = (made[name], system.wait_lived(system.wait_call(numbers[name])))
        yield found


@pytest.mark.parametrize("name", ["silent", "one key", "half a number"])
def test_silence_ends_with_a_goodbye_and_its_own_outcome(calls: Calls, name: str) -> None:
    """Whether the caller has pressed anything before or not."""
    citizen, lived = calls[name]
    assert lived.ended == ("silence", "silence")
    assert citizen.ended_by == "them"
    assert lived.of("prompt", "goodbye") == ["played"]


def test_three_reminders_come_before_the_end(calls: Calls) -> None:
    """At 12, 25 and 40 sixtieths of the limit after the end of the question; then more than the limit."""
    _, lived = calls["silent"]
    asked = next(e.at for e in lived.trace if (e.kind, e.id) == ("prompt", "menu"))
    told = [e for e in lived.trace if e.id in ("silence.reminder", "goodbye")]
    assert [e.outcome for e in told] == ["played"] * 4
    begun = [(e.at - asked).total_seconds() - TONE for e in told]
    for at, due in zip(begun, (*REMINDERS, 1.0), strict=True):
        assert due * LIMIT - EARLY <= at < due * LIMIT + LATE, begun


@pytest.mark.parametrize("name", ["silent", "one key", "half a number"])
def test_silence_is_not_answered_as_a_wrong_key_is(calls: Calls, name: str) -> None:
    _, lived = calls[name]
    assert lived.of("prompt", "silence.reminder") == ["played"] * 3
    assert lived.of("prompt", "no_match") == []


def test_a_key_before_the_end_starts_the_clock_anew(calls: Calls) -> None:
    """The question is asked again, and the whole limit follows it."""
    _, lived = calls["late key"]
    assert lived.ended == ("silence", "silence")
    assert len(lived.of("key", "menu")) == 2
    assert lived.seconds("key menu", "end") > LIMIT - 1.5 + LIMIT


def test_who_has_never_pressed_a_key_reaches_an_operator_where_the_site_wants_it(
    calls: Calls,
) -> None:
    """no_input = operator: an old telephone has no keys."""
    _, lived = calls["never a key"]
    assert lived.of("queue", "general")[:1] == ["asked"]
    assert lived.of("prompt", "goodbye") != []


def test_who_has_pressed_a_key_and_falls_silent_is_said_goodbye_to_even_there(
    calls: Calls,
) -> None:
    _, lived = calls["a key before"]
    assert lived.ended == ("silence", "silence")
    assert lived.of("queue", "general") == []
