"""Callers who wait, by real telephones: place and wait, the key 1, the turn kept, rules, whisper, display.

Three scenes in a system of its own, each played once with everybody in it at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ivr.domain.estimate import Told
from ivr.ports import Prompt
from ivr.speech.queueing import telling
from tests.harness.duty import Duty
from tests.harness.listening import listen_for, was_heard
from tests.harness.records import Lived
from tests.harness.softphone import Softphone
from tests.harness.sounds import sound_of
from tests.harness.system import System
from tests.harness.world import World, WorldCall, hang_up, keys, wait
from tests.line.conftest import e164, new_number

pytestmark = pytest.mark.line

HOUSING, CONTRACT, PENSIONS, JOBS = "322", "323", "331", "311"
"""Keys of topics: soc's first and second line, sfr's and szn's first (ivr/services/demo_words.py)."""
TITLE = "Субсидии на оплату жилья"
ENTERS = 5.5
"""Seconds from the last key to the queue, with the sentence that an operator is called."""
SAME = 0.995
"""Likeness of the very same sentence; those that differ in a number have been seen at 0.98."""
MOMENTS = (0.3, 0.8, 1.4, 2.0, 2.7, 3.5, 4.5, 6.0, 8.0, 10.0, 15.2, 16.0, 17.5)
"""Seconds in the queue: from the first announcement, through the music, into the second one."""
EARLY = (0.2, 1.0, 2.0, 3.0, 4.2)
"""Seconds from the last key: the sentence that an operator is called."""
ANNOUNCEMENT = "Сегодня мы работаем до полудня"


@dataclass
class Scene:
    """A system of its own with its operators; the citizens by name."""

    system: System
    world: World
    duty: Duty
    citizens: dict[str, WorldCall] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    def calls(self, name: str, *script: str, number: str = "") -> WorldCall:
        self.numbers[name] = number or new_number()
        made = self.world.call(self.numbers[name], script=[wait(1), *script])
        self.citizens[name] = made
        return made

    def call_of(self, name: str) -> str:
        citizen = self.citizens[name].wait_answered()
        self.system.wait_for(lambda: citizen.sip_call_id != "", 10, "the citizen's Call-ID")
        return self.system.call_of(citizen.sip_call_id)

    def comes(self, name: str, step: str, *, count: int = 1) -> None:
        """Wait until this citizen has lived through a step of the trace."""
        self.system.wait_step(self.call_of(name), step, 40, count=count)

    def lived(self, name: str) -> Lived:
        self.citizens[name].ended(60)
        return self.system.wait_lived(self.call_of(name), 30)

    def rule(self, queue: str, *rules: str) -> None:
        self.system.ekc("queues", "set", queue, *rules)

    def hears(self, phone: Softphone, name: str, extension: str = "201") -> None:
        """This citizen and the operator talk, then the operator hangs up."""
        phone.wait_talking(40)
        self.comes(name, f"bridge {extension} joined")
        phone.hang_up()
        self.citizens[name].ended(30)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    settings: dict[str, Any] = {"announce_seconds": 15, "announce_change_seconds": 2}
    with System(wrapup_seconds=1, ring_seconds=10, handling_seconds=60, **settings) as system:
        system.open_today()
        system.demo_data(seed=1)
        with World(system.line_port) as world:
            duty = Duty(system)
            for extension, agency in {"201": "soc", "202": "sfr", "203": "szn"}.items():
                duty.hire(extension, agency=agency)
            yield Scene(system, world, duty)
            duty.abandon()


# --- nobody is on duty -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def morning(scene: Scene) -> Scene:
    """An announcement is in force and nobody is logged in; then it is taken back."""
    scene.system.ekc("queues", "announce", "--text", ANNOUNCEMENT)
    scene.calls("told", wait(16), hang_up())
    scene.calls("nobody", wait(8), keys(HOUSING), wait(ENTERS + 8), keys("1"))
    scene.lived("told")
    scene.lived("nobody")
    scene.system.ekc("queues", "announce", "--off")
    scene.calls("untold", wait(12), hang_up())
    scene.lived("untold")
    return scene


def test_an_announcement_is_heard_by_the_next_caller_until_it_is_taken_back(
    morning: Scene, tmp_path: Path
) -> None:
    sound = sound_of(Prompt.of("announcement", text=ANNOUNCEMENT, sound=""), tmp_path)
    heard = {name: was_heard(sound, morning.citizens[name].heard) for name in ("told", "untold")}
    assert heard == {"told": True, "untold": False}


def test_where_nobody_is_logged_in_a_callback_is_offered_at_once(morning: Scene, tmp_path: Path) -> None:
    lived = morning.lived("nobody")
    offer = sound_of(Prompt.of("queue.callback", reason="no_operator"), tmp_path)
    assert was_heard(offer, morning.citizens["nobody"].heard)
    assert lived.card["outcome"] == "callback"
    assert lived.seconds("queue soc-1 asked", "prompt queue.callback") < 12


# --- everybody is busy -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noon(morning: Scene) -> Scene:
    """201 talks; 202 and 203 are on a pause, which sfr's rules bear for 2 s, and szn's a wait for 4 s."""
    scene = morning
    scene.rule("sfr-1", "--paused", "2")
    scene.rule("szn-1", "--longest-wait", "4")
    for extension in ("202", "203"):
        scene.duty.log_in(extension)
        scene.duty.dial(extension, "*131")
    phone = scene.duty.log_in("201")
    scene.calls("talks", keys(HOUSING))
    phone.wait_talking(40)
    scene.comes("talks", "bridge 201 joined")
    scene.calls("first", keys(HOUSING), wait(30), hang_up())
    scene.comes("first", "queue soc-1 entered")
    scene.calls("second", keys(HOUSING), wait(48), hang_up())
    for moment in MOMENTS:
        scene.calls(f"presses after {moment}", keys("0"), wait(ENTERS + moment), keys("1"))
    for moment in EARLY:
        scene.calls(f"early, after {moment}", keys("0"), wait(moment), keys("1"))
    scene.calls("paused", keys(PENSIONS), wait(25), keys("1"))
    scene.calls("too long", keys(JOBS), wait(22), keys("2"), wait(5), hang_up())
    for name in ("second", "paused", "too long"):
        scene.lived(name)
    phone.hang_up()
    scene.lived("talks")
    return scene


def test_place_and_wait_are_heard_and_heard_again_when_they_change(noon: Scene, tmp_path: Path) -> None:
    """As they were announced in the trace (docs/queues.md)."""
    announced = [step for step in noon.lived("second").of("queue", "soc-1") if step.startswith("announced")]
    assert announced == ["announced:2:2", "announced:1:1"]
    sounds = {m: sound_of(telling(Told(place=2, minutes=m)), tmp_path) for m in (1, 2, 3)}
    heard = noon.citizens["second"].heard
    likeness = {minutes: listen_for(sound, heard).likeness for minutes, sound in sounds.items()}
    assert [minutes for minutes, found in likeness.items() if found > SAME] == [1, 2], likeness


def test_one_is_heard_at_every_moment_of_music_and_announcements(noon: Scene) -> None:
    """The callback keeps the place: it has the time at which the call arrived."""
    lives = {moment: noon.lived(f"presses after {moment}") for moment in MOMENTS}
    assert [m for m, lived in lives.items() if "left:callback" not in lived.of("queue", "general")] == []
    rows = noon.system.ekc("callbacks", "list", "--reveal", "--json").json
    promised = {row["number"] for row in rows if row["source"] == "queue"}
    numbers = {e164(noon.numbers[f"presses after {moment}"]) for moment in MOMENTS}
    assert numbers <= promised


def test_one_is_heard_before_the_queue_is_reached(noon: Scene) -> None:
    """During the sentence that an operator is called; the promise is the same."""
    lives = {moment: noon.lived(f"early, after {moment}") for moment in EARLY}
    outcomes = {moment: lived.card["outcome"] for moment, lived in lives.items()}
    assert outcomes == dict.fromkeys(EARLY, "callback")
    rows = [row for lived in lives.values() for row in noon.system.records.callbacks(lived.card["id"])]
    assert [(row.source.value, row.queue) for row in rows] == [("queue", "general")] * len(EARLY)
    assert any("key connecting 1" in lived.steps for lived in lives.values())


def test_the_operator_hears_topic_level_and_number_and_the_citizen_does_not(
    noon: Scene, tmp_path: Path
) -> None:
    """Before the bridge. The digits after it are Asterisk's recordings."""
    whisper = sound_of(Prompt.of("whisper", topic=TITLE, level="none"), tmp_path)
    recordings = noon.duty.phones["201"].heard()
    assert any(was_heard(whisper, recording) for recording in recordings)
    assert not was_heard(whisper, noon.citizens["talks"].heard)


def test_the_operators_display_shows_number_and_level(noon: Scene) -> None:
    """And the last four digits of the registration number, by which the card is found."""
    lived = noon.lived("talks")
    events = noon.duty.phones["201"].events
    shown = {event.display for event in events if noon.numbers["talks"] in event.peer}
    assert f"без кода {lived.card['registration_number'][-4:]}" in shown


def test_where_all_are_on_a_pause_a_callback_is_offered_after_the_limit(noon: Scene) -> None:
    lived = noon.lived("paused")
    assert "left:paused" in lived.of("queue", "sfr-1")
    assert lived.of("ask", "queue.callback") == ["answered"]
    assert lived.card["outcome"] == "callback"


def test_the_longest_wait_ends_in_an_offer_and_another_key_waits_on(noon: Scene) -> None:
    lived = noon.lived("too long")
    turns = [step for step in lived.of("queue", "szn-1") if step in ("entered", "left:timeout")]
    assert turns[:3] == ["entered", "left:timeout", "entered"]


# --- who is served -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evening(noon: Scene) -> Scene:
    """Somebody is cut off while waiting and calls again; a second line that is not there is wanted."""
    scene, phone = noon, noon.duty.phones["201"]
    scene.calls("before", keys(HOUSING))
    phone.wait_talking(40)
    scene.calls("cut off", keys(HOUSING), wait(ENTERS + 3), hang_up())
    scene.comes("cut off", "queue soc-1 entered")
    scene.calls("later", keys(HOUSING))
    scene.lived("cut off")
    scene.calls("again", wait(22), keys("0"), number=scene.numbers["cut off"])
    scene.comes("later", "queue soc-1 entered")
    scene.comes("again", "queue soc-1 entered")
    scene.hears(phone, "before")
    scene.hears(phone, "again")
    scene.hears(phone, "later")
    scene.calls("second line", keys(CONTRACT))
    scene.hears(phone, "second line")
    return scene


def test_who_is_cut_off_and_calls_again_goes_first_with_the_topic(evening: Scene, tmp_path: Path) -> None:
    """By the time of the first arrival; that the place was kept is said after the greeting."""
    before, again, later = (evening.lived(name) for name in ("cut off", "again", "later"))
    joined = {
        name: next(e.at for e in lived.trace if e.kind == "bridge")
        for name, lived in (("again", again), ("later", later))
    }
    assert joined["again"] < joined["later"]
    assert before.ended == ("callback", "abandoned_queue")
    assert again.card["topics"] == [TITLE]
    assert before.card["registration_number"] in again.card["comment"]
    returned = sound_of(Prompt.of("queue.returned"), tmp_path)
    assert was_heard(returned, evening.citizens["again"].heard)


def test_an_empty_second_line_is_answered_by_the_first(evening: Scene) -> None:
    lived = evening.lived("second line")
    assert lived.of("queue", "soc-2")[:1] == ["asked"]
    assert "left:connected" in lived.of("queue", "soc-1")
    assert lived.card["operator"] == "201"
