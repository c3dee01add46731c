"""A citizen who answers an operator no more (§19): the tone, who hears it, and the mark on the card."""

from __future__ import annotations

import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ivr.asterisk.tree import find_asterisk
from ivr.domain.enquiry import ContactOutcome
from ivr.settings import Settings
from tests.harness.listening import was_heard
from tests.harness.records import Lived
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.harness.voices import once, say, tones
from tests.harness.world import World, WorldCall, keys, speak, until_told, wait
from tests.line.conftest import new_number

pytestmark = pytest.mark.line

LIMIT = 4.0
"""Seconds that a citizen may be silent here."""
SLACK = 3.0
"""Voice detection (1 s), the watch (0.5 s) and a busy machine."""
HOLD = 8.0
QUESTION = "Скажите, пожалуйста, по какому адресу вы живёте сейчас?"
ANSWER = "Я живу в Оренбурге, на улице Чкалова."
OPERATORS = ("201", "202", "203", "204", "205")
REACHES_OPERATOR = (wait(1), keys("0"))
SHORT = ("greeting", "menu", "connecting", "queue.stay", "queue.wait", "queue.position", "whisper")
"""Prompts that are short tones here: while one is said, in the queue or before a bridge, no talk begins."""
ANSWERS, PRESSES = 8, 15
"""So often the citizens answer and press: from the question to the end of all talks."""
PAUSED = ("held", "transferred")


@dataclass(frozen=True, kw_only=True)
class Talk:
    """One talk that is over, as both phones and the records have it."""

    citizen: WorldCall
    heard_by_operator: Path
    lived: Lived
    asked_at: datetime
    """When the operator began to ask."""

    @property
    def silences(self) -> int:
        return sum(event.kind == "bridge" and event.outcome == "silence" for event in self.lived.trace)

    @property
    def comment(self) -> str:
        return str(self.lived.card["comment"] or "")


@dataclass(frozen=True, kw_only=True)
class Voices:
    question: Path
    """Said once by each operator."""
    asks: Path
    """The same with a long silence after it."""
    quiet: Path
    """A second of silence: a telephone that is silent sends that, too."""
    nothing: Path
    """Longer than any call here."""
    answer: Path
    beep: Path

    @property
    def asked_after(self) -> float:
        """Seconds that the question lasts."""
        with wave.open(str(self.question)) as wav:
            return wav.getnframes() / wav.getframerate()


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    folder = tmp_path_factory.mktemp("voices")
    russian = find_asterisk(Settings(state=folder)).russian
    question, quiet = say(folder / "question.wav", QUESTION), folder / "quiet.wav"
    with wave.open(str(quiet), "wb") as wav:
        wav.setparams((1, 2, 8000, 8000, "NONE", ""))
        wav.writeframes(bytes(16000))
    return Voices(
        question=question,
        asks=once(question, folder / "asks.wav"),
        quiet=quiet,
        nothing=once(quiet, folder / "nothing.wav"),
        answer=say(folder / "answer.wav", ANSWER),
        beep=russian / "beep.wav",
    )


@dataclass(frozen=True, kw_only=True)
class Floor:
    """A system of its own with four operators, who say nothing by themselves."""

    system: System
    world: World
    phones: dict[str, Softphone]

    def begin(self, *script: str) -> tuple[str, WorldCall]:
        number = new_number()
        return number, self.world.call(number, script=[*REACHES_OPERATOR, *script])

    def operator_of(self, number: str) -> str:
        """Who talks with the citizen of this number, once somebody does."""
        call = self.system.wait_call(number)
        return self.system.wait_step(call, "bridge", 60).id

    def silent(self, number: str) -> int:
        """How often the citizen of this number has been silent so far."""
        trace = self.system.records.trace(self.system.wait_call(number))
        return sum(event.outcome == "silence" for event in trace)

    def over(self, number: str, citizen: WorldCall, extension: str, asked_at: datetime) -> Talk:
        phone = self.phones[extension]
        phone.hang_up()
        lived = self.system.wait_lived(self.system.wait_call(number), 30)
        heard = phone.heard()[-1]
        return Talk(citizen=citizen.ended(20), heard_by_operator=heard, lived=lived, asked_at=asked_at)


@pytest.fixture(scope="module")
def floor(voices: Voices, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    own = tones(tmp_path_factory.mktemp("tones"), SHORT)
    limits: dict[str, Any] = {"silence_seconds": LIMIT, "wrapup_seconds": 1, "rtp_timeout_seconds": 120}
    with System(prompts_dir=own, **limits) as system, World(system.line_port) as world:
        system.open_today()
        system.demo_data(seed=1)
        phones: dict[str, Softphone] = {}
        try:
            for extension in OPERATORS:
                secret = system.add_operator(f"Оператор {extension}", extension=extension, agency="soc")
                phones[extension] = Softphone(
                    extension, password=secret, server=system.operators, answers=True, speech=voices.quiet
                )
                phones[extension].register()
                phones[extension].dial("*11")
                phones[extension].wait_hung_up(30)
            yield Floor(system=system, world=world, phones=phones)
        finally:
            for phone in phones.values():
                phone.close()


@pytest.fixture(scope="module")
def talks(floor: Floor, voices: Voices) -> dict[str, Talk]:
    """Five talks at once, by what happens after the question. They begin one after the other, each when the
    one before has begun: nobody waits behind somebody else's announcement."""
    silent, asked = speak(voices.nothing), until_told(120)
    scripts = {
        "presses": (asked, *[step for _ in range(PRESSES) for step in (keys("5"), wait(2))], silent),
        "speaks": (
            asked,
            *[step for _ in range(ANSWERS) for step in (speak(voices.answer), wait(1))],
            silent,
        ),
        "silent": (silent,),
        "held": (silent,),
        "transferred": (silent,),
    }
    begun, operators = {}, {}
    for name, script in scripts.items():
        begun[name] = floor.begin(*script)
        operators[name] = floor.operator_of(begun[name][0])
    asked_at = datetime.now(UTC)
    for extension in OPERATORS:
        floor.phones[extension].speak(voices.asks)
    held, transferring = (floor.phones[operators[name]] for name in PAUSED)
    time.sleep(voices.asked_after + 1.0)
    for name in ("presses", "speaks"):
        begun[name][1].go_on()
    held.hold()
    transferring.press_all("*2")
    time.sleep(HOLD)
    assert [floor.silent(begun[name][0]) for name in PAUSED] == [0, 0], "a citizen who hears music was silent"
    held.resume()
    transferring.press("0")
    for name in PAUSED:
        call = floor.system.wait_call(begun[name][0])
        floor.system.wait_step(call, f"bridge {operators[name]} silence", LIMIT + SLACK)
    return {name: floor.over(*begun[name], operators[name], asked_at) for name in scripts}


def test_the_operator_alone_hears_a_tone_when_the_citizen_is_silent_for_too_long(
    talks: dict[str, Talk], voices: Voices
) -> None:
    """The citizen's recording is whole: the question is on it."""
    talk = talks["silent"]
    assert was_heard(voices.beep, talk.heard_by_operator)
    assert was_heard(voices.question, talk.citizen.heard)
    assert not was_heard(voices.beep, talk.citizen.heard)


def test_the_silence_stands_once_on_the_card_and_in_the_trace(talks: dict[str, Talk]) -> None:
    talk = talks["silent"]
    assert talk.silences == 1
    assert talk.comment.splitlines() == [f"Молчание гражданина более {LIMIT:g} с"]


def test_the_tone_comes_when_the_limit_has_passed_since_the_end_of_the_question(
    talks: dict[str, Talk], voices: Voices
) -> None:
    """Neither from the beginning of the talk nor from the moment the end of the voice was noticed."""
    talk = talks["silent"]
    told = next(event.at for event in talk.lived.trace if event.outcome == "silence")
    waited = (told - talk.asked_at).total_seconds()
    assert voices.asked_after + LIMIT - 0.5 < waited < voices.asked_after + LIMIT + SLACK


@pytest.mark.parametrize("how", ["speaks", "presses"])
def test_a_citizen_who_answers_by_voice_or_by_key_is_not_silent(
    talks: dict[str, Talk], voices: Voices, how: str
) -> None:
    talk = talks[how]
    assert talk.lived.contact.talking_s > voices.asked_after + LIMIT + SLACK
    assert talk.silences == 0
    assert talk.comment == ""
    assert not was_heard(voices.beep, talk.heard_by_operator)


def test_the_operator_hears_what_the_citizen_answers(talks: dict[str, Talk], voices: Voices) -> None:
    """Listening to voices takes nothing from the talk."""
    assert was_heard(voices.answer, talks["speaks"].heard_by_operator)


@pytest.mark.parametrize("how", PAUSED)
def test_the_clock_stands_still_while_the_citizen_hears_music_and_goes_on_after_it(
    talks: dict[str, Talk], how: str
) -> None:
    """On hold, and while the operator is in the transfer menu: HOLD is longer than the limit."""
    assert talks[how].silences == 1


def test_a_talk_with_a_silent_citizen_may_be_completed(floor: Floor, talks: dict[str, Talk]) -> None:
    """The operator ends it (§19), and it was a service."""
    talk = talks["silent"]
    assert talk.lived.contact.outcome is ContactOutcome.SERVED
    done = floor.system.ekc("cards", "edit", talk.lived.card["id"], "--complete", "--json").json
    assert done["outcome"] == "served"
