"""Callers who speak on a real line: by RTP and A-law, with voices that the model was not trained with."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.harness import voices
from tests.harness.processes import TooLate
from tests.harness.recogniser import Sayings, install_model
from tests.harness.records import step
from tests.harness.system import System
from tests.harness.world import World, WorldCall, keys, wait
from tests.line.conftest import new_number

LONG_SECONDS = 6.0
"""Of the main menu, for a voice to cut it short."""
SILENT_SECONDS = 90.0
"""Threefold of the limit (§19) here, with the reminders."""
TRIES = 3
ANSWER_SECONDS = 9.0
"""Threefold of what a sentence and its recognition take; then a person says it again."""


@dataclass(kw_only=True)
class Citizen:
    """Somebody who calls and speaks with one of the voices that were held out."""

    line: Line
    voice: str
    typed: str = ""
    """Keys that are pressed at once, so that the menus are behind the caller."""
    number: str = field(default_factory=new_number)
    call: str = ""

    def __post_init__(self) -> None:
        script = (wait(1), keys(self.typed)) if self.typed else ()
        self._citizen: WorldCall = self.line.world.call(self.number, script=script)
        self.call = self.line.system.wait_call(self.number)
        if not self.typed:
            self.lives("prompt greeting played", count=1)

    @property
    def steps(self) -> list[str]:
        return [step(event) for event in self.line.system.records.trace(self.call)]

    def lives(self, wanted: str, *, count: int = 1, timeout: float = 30.0) -> None:
        self.line.system.wait_step(self.call, wanted, timeout, count=count)

    def says(self, text: str, until: str) -> None:
        """Again, as people do, while nothing comes of it."""
        before = sum(one.startswith(until) for one in self.steps)
        self.begins_to_say(text)
        self.has_said(text, until, count=before + 1)

    def begins_to_say(self, text: str) -> None:
        time.sleep(0.5)
        self.line.world.say(self._citizen, self.line.sayings.wav(text, self.voice))

    def has_said(self, text: str, until: str, *, count: int = 1) -> None:
        for _ in range(TRIES - 1):
            try:
                return self.lives(until, count=count, timeout=ANSWER_SECONDS)
            except TooLate:
                self.begins_to_say(text)
        return self.lives(until, count=count, timeout=ANSWER_SECONDS)

    def makes_noise(self, seconds: float) -> None:
        self.line.world.say(self._citizen, self.line.sayings.noise(seconds))

    def reaches(self, level: str) -> None:
        """The level stands on the card before anything is told."""
        records, what = self.line.system.records, f"level {level}"
        self.line.system.wait_for(lambda: records.level(self.call) == level, 30, what)

    def is_silent(self) -> None:
        """Until the line takes leave."""
        self.lives("end call silence", timeout=SILENT_SECONDS)

    def presses(self, key: str) -> None:
        self.line.world.press(self._citizen, key)

    def hangs_up(self) -> None:
        self.line.world.hang_up(self._citizen)

    @property
    def heard(self) -> Path:
        """A recording of what the caller heard."""
        return self._citizen.heard

    def card(self) -> dict[str, object]:
        """Once the call is over."""
        self._citizen.ended(60)
        return self.line.system.wait_card(self.call)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line that listens, its callers and what they say."""

    system: System
    world: World
    sayings: Sayings

    def calls(self, voice: str, typed: str = "") -> Citizen:
        return Citizen(line=self, voice=voice, typed=typed)

    @property
    def workers(self) -> list[int]:
        return [p.pid for p in self.system.processes() if "ivr.speech.worker" in p.cmdline()]

    def all_streams_free(self) -> None:
        """Once everybody has hung up."""
        self.system.wait_for(lambda: "ekc_speech_streams 0.0" in self.metrics, 60, "streams to be free")

    @property
    def metrics(self) -> str:
        return httpx.get(f"{self.system.web}/metrics").text


@contextmanager
def listening(folder: Path, short: Iterable[str], **settings: object) -> Iterator[Line]:
    """A line with our model in use, open today. short: prompts that are half a second long here."""
    prompts = voices.tones(folder / "prompts", short)
    voices.tones(prompts, ["menu"], seconds=LONG_SECONDS)
    system = System(prompts_dir=prompts, wrapup_seconds=1, **settings)
    try:
        install_model(system, folder)
        system.start()
        system.open_today()
        with World(system.line_port) as world:
            yield Line(system=system, world=world, sayings=Sayings(folder))
        system.stop()
    finally:
        system.close()
