"""Whole calls: what citizens dial, whom they reach, and what stands on their cards afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ivr.ports import Prompt
from ivr.speech.catalogue import text
from tests.harness.duty import Duty
from tests.harness.listening import RATE, samples, share_heard, was_heard
from tests.harness.processes import TooLate
from tests.harness.records import Lived, step
from tests.harness.sipp import HangUp, Key, Scenario, Sipp, dial, typed
from tests.harness.sounds import sound_of
from tests.harness.system import System
from tests.harness.world import World, WorldCall, hang_up, keys, wait
from tests.line.conftest import Person, e164, new_number, receipt_keys

pytestmark = pytest.mark.line

LISTENS = wait(3)
"""How long somebody who hangs up at a question has listened to it."""
SLACK = 15.0
"""Seconds more than the answer lasts, for it is looked up and synthesised first."""
FEW, MOST = 0.6, 0.8
"""Shares of an answer: what another one has in common with it, and what is enough to have heard it."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One call that is over: what both sides have of it."""

    number: str
    citizen: WorldCall
    lived: Lived


class Day:
    """Many citizens at once; `told` tells of each by name."""

    def __init__(self, system: System, world: World) -> None:
        self._system, self._world = system, world
        self._calls: dict[str, tuple[str, WorldCall]] = {}

    def calls(self, name: str, *script: str) -> None:
        number = new_number()
        self._calls[name] = (number, self._world.call(number, script=[wait(1), *script]))

    @property
    def over(self) -> bool:
        return all(citizen.over for _, citizen in self._calls.values())

    def going_on(self) -> dict[str, list[str]]:
        """What those live through whose calls are not over, for the message of a failure."""
        going = {name: number for name, (number, citizen) in self._calls.items() if not citizen.over}
        trace = self._system.records.trace
        return {name: [step(e) for e in trace(self._system.wait_call(n))] for name, n in going.items()}

    def told(self) -> dict[str, Told]:
        found = {}
        for name, (number, citizen) in self._calls.items():
            citizen.ended(120)
            lived = self._system.wait_lived(self._system.wait_call(number), 30)
            found[name] = Told(number=number, citizen=citizen, lived=lived)
        return found


# --- callers who reach an operator -------------------------------------------------------------------


QUESTIONS: Mapping[str, str] = {
    "greeting": "",
    "menu": "*",
    "status.menu": "1",
    "status.number": "11",
    "status.date": "111#",
    "snils": "12",
    "topics": "3",
    "topics 2": "32",
    "code": "2{snils}1",
    "document": "2{snils}1234#",
}
"""The keys that lead to each question."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The application that is asked for: of all invented ones the one whose answer is shortest."""

    application: dict[str, Any]
    sound: Path

    @property
    def keys(self) -> str:
        return keys("11" + receipt_keys(self.application))

    @property
    def hears_all(self) -> str:
        return wait(len(samples(self.sound)) / RATE + SLACK)


@pytest.fixture(scope="module")
def asked(applications: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Asked:
    shortest = min(applications, key=lambda one: len(text(result_of(one))))
    return Asked(application=shortest, sound=sound_of(result_of(shortest), tmp_path_factory.mktemp("answer")))


@pytest.fixture(scope="module")
def day(
    system: System, world: World, accounts: Duty, people: list[Person], asked: Asked
) -> Iterator[dict[str, Told]]:
    """Twenty citizens and three operators, all at once."""
    for extension in ("201", "202", "203"):
        accounts.log_in(extension)
    day = Day(system, world)
    call_operators(day, people, asked)
    hang_up_at_questions(day, people, asked)
    try:
        accounts.talk(lambda: day.over, timeout=180)
    except TooLate as late:
        raise TooLate(f"{late}: {day.going_on()}") from None
    yield day.told()
    accounts.close()


def call_operators(day: Day, people: list[Person], asked: Asked) -> None:
    day.calls("topic", keys("322"))
    day.calls("receipt", asked.keys, asked.hears_all, keys("0"))
    day.calls("snils", keys("12" + people[0]["snils"]))
    day.calls("zero", keys("0"))
    day.calls("zero in topics", keys("30"))
    day.calls("zero and hash", keys("110#"))
    day.calls("two stars", keys("11**"))
    day.calls("wrong", keys("777"))


def hang_up_at_questions(day: Day, people: list[Person], asked: Asked) -> None:
    for question, path in QUESTIONS.items():
        typed_ahead = path.format(snils=people[0]["snils"])
        day.calls(f"gone at {question}", *([keys(typed_ahead)] if path else []), LISTENS, hang_up())
    day.calls("status.more", asked.keys, asked.hears_all, hang_up())
    day.calls("wrong once", keys("9"), wait(12), hang_up())


def operators_talk(told: Told) -> tuple[object, ...]:
    """Who talked, as the card says, and how the call ended."""
    return (told.lived.ended, told.citizen.ended_by)


SERVED = (("served", "served"), "them")


def test_a_topic_leads_to_an_operator_of_the_agency_that_answers_for_it(day: dict[str, Told]) -> None:
    """The topic stands on the card, and nobody else's telephone rings for it (§3в, §23)."""
    told = day["topic"]
    assert operators_talk(told) == SERVED
    assert told.lived.of("queue", "soc-1")[:2] == ["asked", "entered"]
    assert (told.lived.card["agency"], told.lived.card["topics"]) == ("soc", ["Субсидии на оплату жилья"])
    assert told.lived.card["operator"] == "201"


def test_status_by_snils_leads_to_an_operator_who_knows_it_already(
    day: dict[str, Told], people: list[Person]
) -> None:
    """§20 wants the full name as well: the operator asks it, and sees the SNILS on the card."""
    told = day["snils"]
    assert operators_talk(told) == SERVED
    assert people[0]["snils"] in told.lived.card["comment"]
    assert told.lived.card["level"] == "none"


@pytest.mark.parametrize("where", ["zero", "zero in topics", "zero and hash", "two stars", "wrong"])
def test_the_way_to_an_operator_is_open_from_everywhere(day: dict[str, Told], where: str) -> None:
    """0 in menus, a lone 0 or two stars among digits, and three wrong answers (interface.md)."""
    told = day[where]
    assert operators_talk(told) == SERVED
    assert told.lived.of("queue", "general")[:2] == ["asked", "entered"], told.lived.steps


def test_the_card_of_a_served_call_tells_all_of_it(day: dict[str, Told], asked: Asked) -> None:
    """§13, §15: level and agency of the self-service, operator, times, outcome."""
    told, application = day["receipt"], asked.application
    card, contact = told.lived.card, told.lived.contact
    assert told.lived.of("prompt", "status.result") == ["played"]
    assert told.lived.of("queue", f"{application['agency']}-1")[:1] == ["asked"]
    assert (card["level"], card["agency"], card["outcome"]) == (
        "application",
        application["agency"],
        "served",
    )
    assert card["operator"] in ("201", "202", "203")
    assert card["number"] == e164(told.number)
    assert 5 <= contact.talking_s <= 12
    assert 0 <= contact.waiting_s <= 60
    assert contact.wrapup_s == 1
    assert card["closed_at"] >= told.lived.trace[-1].at


def test_the_trace_tells_question_queue_talk_and_end_in_their_order(day: dict[str, Told]) -> None:
    """What the caller lived through can be read from top to bottom."""
    steps = day["topic"].lived.steps
    wanted = [
        "ask menu answered",
        "ask topics answered",
        "queue soc-1 asked",
        "queue soc-1 entered",
        "queue soc-1 left:connected",
        "bridge 201 joined",
        "bridge 201 left",
        "end call served",
    ]
    assert sorted(wanted, key=steps.index) == wanted
    assert steps[-1] == "end call served"


def test_the_caller_hears_that_an_operator_is_called(day: dict[str, Told], tmp_path: Path) -> None:
    assert was_heard(sound_of(Prompt.of("connecting"), tmp_path), day["zero"].citizen.heard)


# --- callers who hang up -----------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS)
def test_hanging_up_at_any_question_is_written_down(day: dict[str, Told], question: str) -> None:
    """The card is closed as abandoned, and the trace names the question and ends."""
    lived = day[f"gone at {question}"].lived
    name = question.split()[0]
    assert lived.ended == ("abandoned", "abandoned_ivr")
    assert lived.card["closed_at"] is not None
    assert lived.steps[-1] == "end call abandoned_ivr"
    assert set(lived.steps[-3:-1]) & {f"prompt {name} hangup", f"ask {name} hangup"}, lived.steps


def test_who_has_heard_the_answer_and_hangs_up_has_served_himself(day: dict[str, Told]) -> None:
    told = day["status.more"]
    assert told.lived.ended == ("self_service", "self_service")
    assert told.lived.card["level"] == "application"
    assert told.lived.of("ask", "status.more") == ["hangup"]


def test_the_answer_to_number_and_date_of_the_receipt_is_heard(
    day: dict[str, Told], asked: Asked, applications: list[dict[str, Any]], tmp_path: Path
) -> None:
    """§20: the very words of this application, not only that something was played."""
    another = next(one for one in applications if differs(one, asked.application))
    sounds = [asked.sound, sound_of(result_of(another), tmp_path)]
    heard, other = [share_heard(sound, day["status.more"].citizen.heard) for sound in sounds]
    assert heard >= MOST and other <= FEW, (heard, other)


def differs(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """In everything that is said of it."""
    names = ("service", "status", "accepted_on")
    return all(one[name] != other[name] for name in names)


def test_a_wrong_key_is_answered_by_a_sentence_and_the_question_again(
    day: dict[str, Told], tmp_path: Path
) -> None:
    """Not by the reminder that silence gets."""
    told = day["wrong once"]
    assert told.lived.of("prompt", "no_match") == ["played"]
    assert told.lived.of("prompt", "silence.reminder") == []
    assert was_heard(sound_of(Prompt.of("no_match"), tmp_path), told.citizen.heard)
    assert "prompt menu" in [step.rpartition(" ")[0] for step in told.lived.steps][-3:]


def result_of(application: dict[str, Any]) -> Prompt:
    names = ("service", "status", "decision", "refusal_reason")
    return Prompt.of(
        "status.result",
        **{name: application[name] for name in names},
        accepted_on=date.fromisoformat(application["accepted_on"]),
        missing_documents=tuple(application["missing_documents"]),
    )


# --- SIP ---------------------------------------------------------------------------------------------


def called(system: System, **how: Any) -> Lived:
    """A call by sipp that hangs up in the greeting."""
    numbers = how.pop("numbers", [new_number()])
    (call,) = dial(system.line, Scenario(steps=[HangUp(1.0)], **how), numbers=numbers)
    assert call.status == 200
    system.wait_for(lambda: system.records.has(system.call_of(call.call_id)), 15, "its card", step=0.05)
    return system.wait_lived(system.call_of(call.call_id))


def test_keys_by_sip_info_are_keys(system: System, asked: Asked) -> None:
    """RFC 2976; the other tests' keys are RFC 4733."""
    script = typed("11" + receipt_keys(asked.application), first=1.0, gap=0.15)
    (call,) = dial(system.line, Scenario(steps=[*script, HangUp(6.0)]), numbers=[new_number()])
    assert (call.status, call.refused_keys) == (200, 0)
    lived = system.wait_lived(system.call_of(call.call_id))
    assert lived.of("prompt", "status.result") == ["hangup"]
    assert lived.card["level"] == "application"


def test_a_number_that_is_not_ours_is_not_found(system: System) -> None:
    """404, and nobody has arrived."""
    before = len(system.arrivals())
    assert dial(system.line, Scenario(to="79990001122", expects=404))[0].status == 404
    assert len(system.arrivals()) == before


def test_every_spelling_of_a_number_is_one_number(system: System) -> None:
    """8…, 7… and +7… come from one person (interface.md)."""
    ten = new_number()[1:]
    spellings = [f"8{ten}", f"7{ten}", f"+7{ten}"]
    lives = [called(system, numbers=[spelling]) for spelling in spellings]
    assert {lived.card["number"] for lived in lives} == {f"+7{ten}"}


def test_the_asserted_number_beats_the_one_in_from(system: System) -> None:
    """RFC 3325: the network vouches for P-Asserted-Identity."""
    asserted = new_number()
    assert called(system, asserted=asserted).card["number"] == e164(asserted)


@pytest.mark.parametrize(
    "how",
    [{"anonymous": True}, {"asserted": "79510009999", "privacy": "id"}, {"numbers": ["anonymous"]}],
    ids=["anonymous", "privacy", "no number"],
)
def test_a_withheld_number_is_unknown_to_us(system: System, how: dict[str, Any]) -> None:
    """RFC 3323: whatever the network knows, nobody here writes it down."""
    assert called(system, **how).card["number"] is None


@pytest.mark.usefixtures("day")
def test_a_caller_who_calls_himself_an_operator_is_still_a_caller(system: System) -> None:
    """From is an operator's extension, and that operator is on duty meanwhile."""
    lived = called(system, numbers=["201"])
    assert lived.of("prompt", "greeting") == ["hangup"]
    assert (lived.card["operator"], lived.card["number"]) == (None, None)


def test_dialling_a_code_of_operators_from_the_line_is_not_found(system: System) -> None:
    """No way leads from the trunk to the operators' codes."""
    with Sipp(system.line, Scenario(to="*11", expects=404, steps=[Key("1")]), numbers=["201"]) as sipp:
        assert sipp.finish()[0].status == 404
