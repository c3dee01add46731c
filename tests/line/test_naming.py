"""SNILS and full name, said on a real line (§20): `speech.names_by_voice`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from ivr.ports import Prompt
from ivr.services.demo_data import Person
from ivr.speech import russian
from tests.harness.listening import missing
from tests.harness.markers import find_marker, marker_pattern
from tests.harness.sounds import sound_of
from tests.line.identifying import invented, load
from tests.line.side_by_side import attempts_by_call
from tests.line.speaking import Citizen, Line, listening
from tests.line.test_identification_heard import LOST
from tests.line.test_secrets import Arguments, Manager

pytestmark = pytest.mark.line

SHORT = (
    *("greeting", "status.menu", "snils", "name.surname", "name.first", "name.patronymic", "name.spell"),
    *("identify.failed", "silence.reminder", "no_match", "connecting"),
)
"""Prompts that are half a second long here."""
SILENCE_SECONDS = 20
PARTS = ("surname", "first", "patronymic")
SAID = ("савельева", "гульнара", "рашидовна", "кузнецов", "орлов", "леонид", "петрович", "журавлёва")
"""Some of what is said."""
CONNECTING = "prompt connecting played"
BEGUN, RIGHT, WRONG = "begun path=name", "application match_source=name", "failed path=name"


@dataclass(frozen=True, kw_only=True)
class Told:
    """A call that is over."""

    citizen: Citizen
    person: Person
    card: Mapping[str, object]
    attempts: list[str]

    @property
    def steps(self) -> list[str]:
        return self.citizen.steps

    @property
    def before_queue(self) -> list[str]:
        return self.steps[: self.steps.index("queue general asked")]

    @property
    def asked(self) -> list[str]:
        """The questions about the name, in their order."""
        return [one.split()[1] for one in self.steps if one.startswith("ask name.")]


@dataclass(frozen=True, kw_only=True)
class Story:
    """Somebody calls, says or types the SNILS, and is asked for the name."""

    voice: str
    own: tuple[str, str, str]
    """Surname, name and patronymic in the register; the model knows them."""
    goes_on: Callable[[Citizen], None]
    """What happens from the first question for the name on, until the caller hangs up."""
    by_keys: bool = True  # the SNILS; else it is said


# --- how callers go on --------------------------------------------------------------------------------


def says(citizen: Citizen, *names: str) -> None:
    """The answers to the three questions."""
    for part, name in zip(PARTS, names, strict=True):
        citizen.says(name, f"ask name.{part} answered")


def right(citizen: Citizen) -> None:
    says(citizen, "савельева", "гульнара", "рашидовна")
    citizen.lives("prompt status.result played", timeout=60)


def wrong(citizen: Citizen) -> None:
    says(citizen, "кузнецов", "николай", "нет отчества")
    citizen.lives("queue general")


def spelled(citizen: Citizen) -> None:
    """One sound apart from the surname in the register, then its letters."""
    citizen.says("орлов", "ask name.surname answered")
    citizen.says("ольга роман леонид ольга василий анна", "ask name.spell answered")
    citizen.says("анна", "ask name.first answered")
    citizen.says("ивановна", "ask name.patronymic answered")
    citizen.reaches("application")


def presses_a_key(citizen: Citizen) -> None:
    """Where none is an answer: the question is put again."""
    citizen.presses("5")
    citizen.lives("prompt no_match")
    says(citizen, "мельник", "пётр", "петрович")
    citizen.reaches("application")


def says_operator(citizen: Citizen) -> None:
    citizen.says("журавлёва", "ask name.surname answered")
    citizen.says("оператор", "speech name.first operator")
    citizen.lives("queue general")


def presses_zero(citizen: Citizen) -> None:
    citizen.presses("0")
    citizen.lives("queue general")


STORIES = {
    "right": Story(voice="m4", own=("Савельева", "Гульнара", "Рашидовна"), goes_on=right, by_keys=False),
    "wrong": Story(voice="f3", own=("Тимофеев", "Николай", ""), goes_on=wrong),
    "spelled": Story(voice="Mario", own=("Орлова", "Анна", "Ивановна"), goes_on=spelled),
    "key": Story(voice="Andy", own=("Мельник", "Пётр", "Петрович"), goes_on=presses_a_key),
    "operator": Story(voice="belinda", own=("Журавлёва", "Ольга", "Петровна"), goes_on=says_operator),
    "zero": Story(voice="paul", own=("Абдулов", "Тимур", "Рашидович"), goes_on=presses_zero),
    "silent": Story(voice="linda", own=("Кузнецова", "Мария", "Сергеевна"), goes_on=Citizen.is_silent),
}


# --- the line that they call --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """One line for all of them."""
    folder = tmp_path_factory.mktemp("naming")
    with listening(folder, SHORT, silence_seconds=SILENCE_SECONDS, speech__names_by_voice=True) as line:
        yield line


@pytest.fixture(scope="module")
def manager(line: Line) -> Iterator[Manager]:
    """What Asterisk tells the site's own client."""
    state = line.system.state
    client = Manager(line.system.ports["ami_port"], (state / "keys" / "ami.secret").read_text().strip())
    yield client
    client.close()


@pytest.fixture(scope="module")
def arguments() -> Iterator[Arguments]:
    """Of all processes; the one that looks a name up lives for a second."""
    found = Arguments(every=0.1)
    watching = found.start()
    yield found
    found.stop()
    watching.join(10)


@pytest.fixture(scope="module")
def told(line: Line, manager: Manager, arguments: Arguments) -> Iterator[Mapping[str, Future[Told]]]:
    """All of them call at once, watched; what becomes of each."""
    people = dict(zip(STORIES, map(named, STORIES.values(), invented(len(STORIES))), strict=True))
    load(line.system, line.sayings.folder, list(people.values()))
    with ThreadPoolExecutor(len(STORIES)) as callers:
        yield {name: callers.submit(live, line, story, people[name]) for name, story in STORIES.items()}


def named(story: Story, person: Person) -> Person:
    """This person with the story's name, and one application."""
    names = dict(zip(("last_name", "first_name", "patronymic"), story.own, strict=True))
    return replace(person, citizen={**person.citizen, **names}, applications=person.applications[:1])


def live(line: Line, story: Story, person: Person) -> Told:
    snils = person.citizen["snils"]
    citizen = line.calls(story.voice, f"12{snils}" if story.by_keys else "12")
    if not story.by_keys:
        citizen.lives("ask status.menu answered")
        citizen.says(russian.snils(snils), "ask snils answered")
    citizen.lives("ask snils answered")
    time.sleep(2)  # the SNILS is being read back
    citizen.says("да", "ask snils.readback kept")
    citizen.lives("prompt name.surname.voice played")
    story.goes_on(citizen)
    citizen.hangs_up()
    card = citizen.card()
    attempts = attempts_by_call(line.system)[citizen.call]
    return Told(citizen=citizen, person=person, card=card, attempts=attempts)


# --- what becomes of them -----------------------------------------------------------------------------


def test_the_right_names_open_the_status_and_no_more(
    told: Mapping[str, Future[Told]], tmp_path: Path
) -> None:
    """The application is heard from its first word to its last (§20), and nobody asks for an operator."""
    call = told["right"].result()
    assert call.card["level"] == "application" and call.attempts == [BEGUN, RIGHT]
    assert call.asked == [f"name.{part}" for part in PARTS]
    assert len(missing(sound_of(status_of(call.person), tmp_path), call.citizen.heard)) <= LOST
    assert not [one for one in call.steps if one.startswith(("queue", "prompt benefits"))]


def status_of(person: Person) -> Prompt:
    """What level `application` permits to hear of the only application."""
    (row,) = person.applications
    values = {name: row[name] for name in ("service", "status", "decision", "refusal_reason")}
    day = date.fromisoformat(row["accepted_on"])
    return Prompt.of(
        "status.result", accepted_on=day, missing_documents=tuple(row["missing_documents"]), **values
    )


def test_one_wrong_name_is_refused_kindly_and_counted(told: Mapping[str, Future[Told]]) -> None:
    """All three are asked whatever was said; then there is an operator, who is told nothing."""
    call = told["wrong"].result()
    assert call.card["level"] == "none" and call.attempts == [BEGUN, WRONG]
    assert call.asked == [f"name.{part}" for part in PARTS]
    assert call.before_queue[-2:] == ["prompt identify.failed played", CONNECTING]
    assert "Спросите фамилию, имя и отчество" in str(call.card["comment"])


def test_a_name_that_is_one_sound_apart_is_spelled_once(told: Mapping[str, Future[Told]]) -> None:
    call = told["spelled"].result()
    assert call.asked == ["name.surname", "name.spell", "name.first", "name.patronymic"]
    assert call.card["level"] == "application" and call.attempts == [BEGUN, RIGHT]


def test_a_key_that_is_no_answer_costs_no_name(told: Mapping[str, Future[Told]]) -> None:
    call = told["key"].result()
    assert "key name.surname wrong" in call.steps and "name.spell" not in call.asked
    assert call.card["level"] == "application" and call.attempts == [BEGUN, RIGHT]


@pytest.mark.parametrize(("wish", "asked"), [("operator", "first"), ("zero", "surname")])
def test_an_operator_can_be_wished_for_meanwhile(
    told: Mapping[str, Future[Told]], wish: str, asked: str
) -> None:
    """Who wishes for one has not failed in words, and yet has used up a try."""
    call = told[wish].result()
    assert call.card["level"] == "none" and call.attempts == [BEGUN]
    assert call.before_queue[-2:] == [f"ask name.{asked} operator", CONNECTING]


def test_who_is_silent_is_reminded_and_taken_leave_of(told: Mapping[str, Future[Told]]) -> None:
    call = told["silent"].result()
    assert [one for one in call.steps if "reminder" in one] == ["prompt silence.reminder.voice played"] * 3
    assert call.steps[-3:] == ["ask name.surname silence", "prompt goodbye played", "end call silence"]
    assert call.card["level"] == "none" and call.attempts == [BEGUN]


# --- what stays ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(
    line: Line, told: Mapping[str, Future[Told]], manager: Manager, arguments: Arguments
) -> Mapping[str, bytes]:
    """Everything that was written or sent while they called, by where."""
    calls = [future.result().citizen.call for future in told.values()]
    traces = [line.system.ekc("calls", "trace", call, "--json").out for call in calls]
    return {
        "metrics": line.metrics.encode(),
        "traces": "".join(traces).encode(),
        "audit": line.system.ekc("audit", "list", "--json").out.encode(),
        "output": line.system.output.read_bytes(),
        "AMI": bytes(manager.data),
        "arguments": b"\n".join(arguments.seen),
    }


CONTROLS = {
    "metrics": 'ekc_speech_turns_total{grammar="name",result="recognised"}',
    "traces": "name.surname",
    "audit": "path=name",
    "output": "ready",
    "AMI": "CallerIDNum",
    "arguments": "ivr.speech.trial",
}
"""What does belong there."""


@pytest.mark.parametrize("place", CONTROLS)
def test_no_name_is_told_or_sent(written: Mapping[str, bytes], place: str) -> None:
    assert CONTROLS[place].encode() in written[place]
    assert [name for name in SAID if marker_pattern(name).search(written[place])] == []


def test_no_file_holds_a_name(line: Line, written: Mapping[str, bytes]) -> None:
    """But the model's own, which knows all of them: database, journals, logs, spool, configuration."""
    folders = [path for path in line.system.state.iterdir() if path.is_dir() and path.name != "models"]
    assert written and find_marker(line.system.state / "log", "engine_ready")
    assert find_marker(line.system.state / "models", SAID[0])
    assert {name: found for name in SAID for folder in folders if (found := find_marker(folder, name))} == {}
