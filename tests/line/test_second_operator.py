"""Every shape of a talk in one day (§23): what the second operator gets; figures sum to the calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pytest

from ivr.bootstrap import LocalSite
from ivr.domain.operators import OperatorState, StateChange
from ivr.ports import Prompt
from ivr.services.reports import INBOUND
from ivr.settings import Settings
from tests.harness.duty import TALK_SECONDS, Duty
from tests.harness.listening import was_heard
from tests.harness.records import Lived
from tests.harness.scenario import HangUp, HungUpOn, Key, Step
from tests.harness.sipp import Scenario, Sipp
from tests.harness.sounds import sound_of
from tests.harness.system import System
from tests.line.conftest import new_number
from tests.line.transferring import ATTENDED, FIRST, QUEUE, SECOND, SOME_SECONDS, TITLE, Scene, quick_prompts

pytestmark = pytest.mark.line

WRAPUP_SECONDS, RING_SECONDS = 3, 4
CONSULTED, HELD = 4.0, 3.0
"""Seconds that operators talk with each other, and that a citizen is on hold."""
SHORT = 2
WAITED = 7.0
"""Of the citizen who gives up: in the queue for longer than a short abandonment."""
OUTCOMES = {"served": 6, "abandoned_queue": 1}


class Citizen(Scene):
    """A call of sipp's, who counts them."""

    def __init__(self, system: System, duty: Duty, *steps: Step) -> None:
        super().__init__(system, duty)
        self.number = new_number()
        scenario = Scenario(steps=[Key("0", 2.0), *(steps or (HungUpOn(90),))])
        self.sipp = Sipp(system.line, scenario, numbers=[self.number])
        self.call = system.wait_call(self.number)

    def talks(self) -> Self:
        self.reached(f"bridge {FIRST} joined", timeout=40)
        time.sleep(SOME_SECONDS)
        return self

    def consults(self) -> Self:
        """The operators have talked with each other for a while."""
        self.talks().transfer(ATTENDED)
        self.reached(f"transfer {QUEUE} consulting")
        time.sleep(CONSULTED)
        return self

    def over(self) -> Lived:
        counted = self.sipp.finish()
        assert len(counted) == 1
        return self.ended()


def connected(citizen: Citizen) -> None:
    """The first hands over after a word, the second ends the talk."""
    citizen.consults().decide("1")
    citizen.reached(f"bridge {SECOND} joined")
    time.sleep(TALK_SECONDS)
    citizen.second.hang_up()


def three_way(citizen: Citizen) -> None:
    citizen.consults().decide("2")
    citizen.reached(f"bridge {SECOND} joined")
    time.sleep(TALK_SECONDS)
    citizen.first.hang_up()
    time.sleep(SOME_SECONDS)
    citizen.second.hang_up()


def taken_back(citizen: Citizen) -> None:
    citizen.consults().decide("3")
    citizen.reached(f"bridge {FIRST} joined", count=2)
    time.sleep(TALK_SECONDS)
    citizen.first.hang_up()


def held(citizen: Citizen) -> None:
    citizen.talks().first.hold()
    time.sleep(HELD)
    citizen.first.resume()
    time.sleep(TALK_SECONDS)
    citizen.first.hang_up()


def again(citizen: Citizen) -> None:
    """Hung up in the menu: no queue leads the citizen back to the same operator."""
    citizen.talks().menu()
    citizen.first.hang_up()
    citizen.reached(f"bridge {FIRST} joined", count=2, timeout=30)
    time.sleep(TALK_SECONDS)
    citizen.first.hang_up()


def missed(citizen: Citizen) -> None:
    """Rung once in vain, then answered: the next ring follows within 10 ms."""
    citizen.first.wait_event("CALL_INCOMING", timeout=40)
    citizen.first.wait_event("CALL_CLOSED", timeout=RING_SECONDS + 5)
    citizen.first.answer(30)
    citizen.talks()
    time.sleep(TALK_SECONDS)
    citizen.first.hang_up()


def given_up(citizen: Citizen) -> None:
    """While the telephone rings."""


SHAPES: Mapping[str, Callable[[Citizen], None]] = {
    "attended_transfer": connected,
    "three_way": three_way,
    "taken_back": taken_back,
    "hold_in_talk": held,
    "operator_again": again,
    "missed_ring": missed,
    "given_up": given_up,
}
"""In this order: from `missed` on the telephone does not answer by itself."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """All that was lived, by shape."""

    system: System
    lived: Mapping[str, Lived]
    numbers: Mapping[str, str]
    recordings: list[Path]
    """What the second operator heard, call by call."""
    displays: set[tuple[str, str]]
    """Number and name on the second operator's telephone."""
    changes: list[StateChange]

    def report(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = self.system.ekc("report", *arguments, "--json").json
        return found

    def rested(self, extension: str, after: datetime) -> float:
        """How long the operator was in wrap-up that began at most a second after this."""
        own = [change for change in self.changes if change.extension == extension]
        for begun, ended in pairwise(own):
            late = (begun.at - after).total_seconds()
            if begun.state is OperatorState.WRAPUP and -0.5 <= late <= 1.5:
                return (ended.at - begun.at).total_seconds()
        return 0.0


def left(lived: Lived, extension: str) -> datetime:
    """When this operator talked with the citizen no more."""
    return max(e.at for e in lived.trace if (e.kind, e.id, e.outcome) == ("bridge", extension, "left"))


def rung_in_vain(system: System, extension: str) -> int:
    """By the journal: `missed`, and perhaps once more before the last citizen gives up."""
    log = (system.state / "asterisk" / "log" / "queue_log").read_text()
    return log.count(f"|PJSIP/{extension}|RINGNOANSWER|")


def history(system: System, since: datetime) -> list[StateChange]:
    site = LocalSite(Settings(state=system.state))
    with site.closed_store().transaction() as uow:
        found = list(uow.operators.history(since=since))
    site.close()
    return found


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    prompts = quick_prompts(tmp_path_factory.mktemp("prompts"))
    (prompts / "whisper.wav").unlink()
    limits: dict[str, Any] = {
        "ring_seconds": RING_SECONDS,
        "missed_rings": 4,
        "transfer_seconds": 12,
        "short_abandon_seconds": SHORT,
    }
    with System(wrapup_seconds=WRAPUP_SECONDS, prompts_dir=prompts, **limits) as system:
        system.open_today()
        system.demo_data(seed=1)
        duty = Duty(system)
        try:
            duty.hire(FIRST, agency="soc")
            duty.hire(SECOND, agency="szn", line=2)
            second = duty.log_in(SECOND)
            duty.log_in(FIRST)
            lived, numbers = {}, {}
            for name, shape in SHAPES.items():
                if shape is missed:
                    duty.phones.pop(FIRST).close()
                    duty.phone(FIRST, answers=False)
                citizen = Citizen(system, duty, *([HangUp(WAITED)] if shape is given_up else []))
                shape(citizen)
                lived[name], numbers[name] = citizen.over(), citizen.number
            time.sleep(WRAPUP_SECONDS + 1)  # what follows the last talk is part of the day
            yield Day(
                system=system,
                lived=lived,
                numbers=numbers,
                recordings=second.heard(),
                displays={(event.peer, event.display) for event in second.events},
                changes=history(system, lived["attended_transfer"].contact.at),
            )
        finally:
            duty.abandon()


def test_outcomes_sum_to_the_calls_that_sipp_counted(day: Day) -> None:
    """One call, one contact, one outcome, whoever talked with whom."""
    total = day.report("day")["total"]
    assert total["calls"] == len(SHAPES)
    assert {outcome.value: n for outcome in INBOUND if (n := total[outcome.value])} == OUTCOMES
    assert total["in_progress"] == 0


def test_a_consultation_offers_no_citizen_to_a_queue(day: Day) -> None:
    """Nobody but the operator asked there; the figures know citizens."""
    rows = day.report("queue")["rows"]
    assert [(row["queue"], row["offered"], row["answered"], row["abandoned"]) for row in rows] == [
        ("general", len(SHAPES), len(SHAPES) - 1, 1)
    ]


def test_each_operator_has_the_own_talks_and_holds(day: Day) -> None:
    """The second one's are talks, though no queue led to them; a consultation is the first one's hold."""
    by_extension = {row["extension"]: row for row in day.report("operator")["rows"]}
    first, second = by_extension[FIRST], by_extension[SECOND]
    assert (first["answered"], second["answered"]) == (7, 2)
    assert (first["missed"], second["missed"]) == (rung_in_vain(day.system, FIRST), 0)
    assert first["missed"] > 0
    assert first["hold_s"] >= 3 * CONSULTED + HELD - 4
    assert second["hold_s"] == 0
    assert second["talking_s"] >= 2 * TALK_SECONDS - 2


@pytest.mark.parametrize("shape", ["attended_transfer", "three_way", "taken_back", "hold_in_talk"])
def test_hold_is_part_of_the_cards_talk(day: Day, shape: str) -> None:
    """§13: answering includes it; the trace shows how long the citizen was out of any talk."""
    lived = day.lived[shape]
    joined = min(e.at for e in lived.trace if e.kind == "bridge" and e.outcome == "joined")
    whole = (max(left(lived, FIRST), lived.trace[-1].at) - joined).total_seconds()
    assert whole - 3 <= lived.contact.talking_s <= whole + 1


def test_the_second_operator_hears_who_comes_before_the_first_word(day: Day, tmp_path: Path) -> None:
    """Topic and level, before the operators talk: at the beginning of the recording."""
    whisper = sound_of(Prompt.of("whisper", topic=TITLE, level="none"), tmp_path)
    assert [was_heard(whisper, recording) for recording in day.recordings[-3:]] == [True] * 3


@pytest.mark.parametrize("shape", ["attended_transfer", "three_way", "taken_back"])
def test_the_second_operators_display_shows_number_and_level(day: Day, shape: str) -> None:
    name = f"без кода {day.lived[shape].card['registration_number'][-4:]}"
    assert any(day.numbers[shape] in peer and shown == name for peer, shown in day.displays)


@pytest.mark.parametrize(
    ("shape", "extension"),
    [
        ("attended_transfer", SECOND),
        ("three_way", FIRST),
        ("three_way", SECOND),
        ("taken_back", FIRST),
        ("operator_again", FIRST),
    ],
)
def test_everybody_rests_after_the_own_talk_for_as_long_as_may_be(
    day: Day, shape: str, extension: str
) -> None:
    """From the end of the last talk with the citizen, however it had come about."""
    rested = day.rested(extension, left(day.lived[shape], extension))
    assert WRAPUP_SECONDS - 1 <= rested <= WRAPUP_SECONDS + 2
