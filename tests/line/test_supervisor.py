"""A supervisor listens to a talk and whispers to the operator (§9.1): who hears whom, and who is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ivr.ports import Prompt
from tests.harness.listening import seconds_of_pitch, was_heard
from tests.harness.softphone import Softphone
from tests.harness.sounds import sound_of
from tests.harness.system import System
from tests.harness.voices import pitch
from tests.harness.world import World, keys, speak, wait
from tests.line.conftest import Person, new_number

pytestmark = pytest.mark.line

LISTENS = 7.0
"""Seconds of a talk."""
HEARD = 4.0
"""Seconds of a voice that are heard then, and are in no sentence of ours."""
OPERATOR, COLLEAGUE, SUPERVISOR, STRANGER = "231", "232", "331", "332"
"""The stranger is the supervisor of another agency."""
PITCHES = {OPERATOR: 500, SUPERVISOR: 1300, "citizen": 860}
"""Hz. All talk at once, so each has a voice that can be told from the others'."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Recordings of one talk."""

    operator: Path
    citizen: Path
    supervisor: Path
    call: str


@dataclass(kw_only=True)
class Room:
    """The phones, the voices they have, and the system they belong to."""

    system: System
    world: World
    folder: Path
    voices: dict[str, Path]
    phones: dict[str, Softphone] = field(default_factory=dict)

    def prompt(self, id_: str) -> Path:
        return sound_of(Prompt.of(id_), self.folder)

    def add(self, extension: str, agency: str, *, supervisor: bool = False, answers: bool = False) -> None:
        secret = self.system.add_operator(
            f"Сотрудник {extension}", extension=extension, agency=agency, supervisor=supervisor
        )
        self.phones[extension] = Softphone(
            extension,
            password=secret,
            server=self.system.operators,
            answers=answers,
            speech=self.voices.get(extension),
        )
        self.phones[extension].register()

    def dials(self, extension: str, code: str) -> Path:
        """A code after which the line hangs up by itself; what the phone heard."""
        phone = self.phones[extension]
        phone.dial(code)
        phone.wait_hung_up(30)
        return phone.heard()[-1]

    def talk(self, code: str) -> Heard:
        """A citizen and the operator talk; the supervisor dials `code` and stays until the talk is over."""
        number = new_number()
        citizen = self.world.call(number, script=[wait(1), keys("0"), speak(self.voices["citizen"])])
        call = self.system.wait_call(number)
        self.system.wait_step(call, f"bridge {OPERATOR}", 40)
        supervisor, operator = self.phones[SUPERVISOR], self.phones[OPERATOR]
        supervisor.dial(code)
        time.sleep(LISTENS)
        operator.hang_up()
        supervisor.wait_hung_up(20)
        citizen.ended(20)
        self.system.wait_lived(call, 30)
        return Heard(
            operator=operator.heard()[-1],
            citizen=citizen.heard,
            supervisor=supervisor.heard()[-1],
            call=call,
        )

    def audit(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.system.ekc("audit", "list", "--json").json
        return [row for row in rows if row["action"].startswith("talks.")]


@pytest.fixture(scope="module")
def room(
    system: System, world: World, people: list[Person], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Room]:
    assert people
    folder = tmp_path_factory.mktemp("supervisor")
    voices = {who: pitch(folder / f"{who}.wav", hertz) for who, hertz in PITCHES.items()}
    made = Room(system=system, world=world, folder=folder, voices=voices)
    try:
        made.add(OPERATOR, "soc", answers=True)
        made.add(COLLEAGUE, "soc")
        made.add(SUPERVISOR, "soc", supervisor=True)
        made.add(STRANGER, "szn", supervisor=True)
        made.dials(OPERATOR, "*11")
        yield made
        made.phones[OPERATOR].hang_up()
        made.dials(OPERATOR, "*12")
    finally:
        for phone in made.phones.values():
            phone.close()


@pytest.fixture(scope="module")
def listened(room: Room) -> Heard:
    return room.talk(f"*31{OPERATOR}")


@pytest.fixture(scope="module")
def whispered(room: Room) -> Heard:
    return room.talk(f"*32{OPERATOR}")


def heard(recording: Path) -> set[str]:
    """Whose voices are in it."""
    return {who for who, hertz in PITCHES.items() if seconds_of_pitch(recording, hertz) > HEARD}


def test_a_supervisor_who_listens_hears_both_and_is_heard_by_nobody(listened: Heard) -> None:
    assert heard(listened.supervisor) == {OPERATOR, "citizen"}
    assert heard(listened.operator) == {"citizen"}
    assert heard(listened.citizen) == {OPERATOR}


def test_the_operator_hears_what_a_supervisor_whispers_and_the_citizen_does_not(whispered: Heard) -> None:
    assert heard(whispered.supervisor) == {OPERATOR, "citizen"}
    assert heard(whispered.operator) == {"citizen", SUPERVISOR}
    assert heard(whispered.citizen) == {OPERATOR}


def test_the_supervisor_is_told_when_the_talk_is_over(room: Room, listened: Heard) -> None:
    assert was_heard(room.prompt("supervisor.over"), listened.supervisor)


def test_listening_and_whispering_are_audited_with_the_call(
    room: Room, listened: Heard, whispered: Heard
) -> None:
    """By extensions; the citizen's card is not among what a supervisor reads."""
    rows = [(r["actor"], r["action"], r["subject"], r["call"], r["result"]) for r in room.audit()]
    assert (SUPERVISOR, "talks.listen", OPERATOR, listened.call, "ok") in rows
    assert (SUPERVISOR, "talks.whisper", OPERATOR, whispered.call, "ok") in rows


def test_the_trace_of_the_call_tells_who_listened(room: Room, listened: Heard, whispered: Heard) -> None:
    for heard, how in ((listened, "listens"), (whispered, "whispers")):
        trace = room.system.records.trace(heard.call)
        assert [e.outcome for e in trace if (e.kind, e.id) == ("supervisor", SUPERVISOR)] == [how]


@pytest.mark.parametrize(
    ("who", "whom", "refusal"),
    [
        pytest.param(COLLEAGUE, OPERATOR, "no_supervisor", id="an operator"),
        pytest.param(STRANGER, OPERATOR, "no_operator", id="another agency's supervisor"),
        pytest.param(SUPERVISOR, "799", "no_operator", id="nobody's extension"),
        pytest.param(SUPERVISOR, COLLEAGUE, "not_talking", id="an operator who does not talk"),
    ],
)
def test_who_may_not_listen_is_told_so_in_words(room: Room, who: str, whom: str, refusal: str) -> None:
    """And it is audited."""
    heard = room.dials(who, f"*31{whom}")
    assert was_heard(room.prompt(f"supervisor.{refusal}"), heard)
    row = next(row for row in room.audit() if row["actor"] == who)
    assert (row["action"], row["result"], row["call"]) == ("talks.listen", refusal, None)
