"""A dialogue scenario in calls (§9.3): published between two of them, walked by keys, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ivr.ports import Prompt
from tests.harness.duty import Duty
from tests.harness.listening import was_heard
from tests.harness.records import Lived
from tests.harness.sounds import sound_of
from tests.harness.system import System
from tests.harness.world import World, WorldCall, hang_up, keys, until_told, wait
from tests.line.conftest import new_number, receipt_keys

pytestmark = pytest.mark.line

PATIENCE = 90.0
"""Seconds for what should take twenty: sentences are synthesised at the first call."""
FIRST = "До свидания. Берегите себя и своих близких."
SECOND = "Спасибо, что позвонили. Приходите к нам ещё."
SMALL = f"""\
scenario: consultation
title: Субсидии
start: topic
operator: anybody
states:
  topic:
    ask: Субсидия — один. Закончить — три.
    again: Один или три.
    choices:
      - {{key: 1, phrases: [субсидия], to: subsidy, means: Субсидии}}
      - {{key: 3, phrases: [закончить], to: bye}}
    unclear: anybody
  subsidy:
    answer: Заявление подают на портале.
    to: more
  more:
    ask: Ваше заявление — один. Закончить — три.
    again: Один или три.
    choices:
      - {{key: 1, phrases: [заявление], to: application, means: О своём заявлении}}
      - {{key: 3, phrases: [закончить], to: bye}}
    unclear: soc
    operator: soc
  application:
    look_up: applications
    level: application
    found: more
    nothing: soc
    refused: soc
    down: soc
    operator: soc
  soc:
    hand_over: Соединяю с отделом субсидий.
    agency: soc
    topic: Субсидии на оплату жилья
  anybody:
    hand_over: Соединяю с оператором.
  bye:
    end: {FIRST}
"""


@pytest.fixture
def folder(system: System, people: list[dict[str, Any]], tmp_path: Path) -> Iterator[Path]:
    """Where scenarios may be written; whatever is published is taken back: other tests ask for topics."""
    assert people
    yield tmp_path
    while system.ekc("scenarios", "rollback", "consultation", check=False).code == 0:
        pass


def publish(system: System, folder: Path, text: str = SMALL) -> Any:
    path = folder / "scenario.yaml"
    path.write_text(text, "utf-8")
    return system.ekc("scenarios", "publish", path, "--json").json


class Caller:
    """A citizen who takes the last step when told so."""

    def __init__(self, system: System, world: World, first: str, then: str) -> None:
        self.system, number = system, new_number()
        script = [wait(1), keys(first), until_told(PATIENCE), then]
        self.citizen: WorldCall = world.call(number, script=script)
        self.call = system.wait_call(number, PATIENCE)

    def goes_on_after(self, step: str) -> None:
        self.system.wait_step(self.call, step, PATIENCE)
        self.citizen.go_on()

    def lived(self) -> Lived:
        self.citizen.ended(PATIENCE)
        return self.system.wait_lived(self.call, PATIENCE)


def test_an_operator_talks_with_who_has_walked_a_scenario_and_sees_what_was_understood(
    system: System, world: World, duty: Duty, applications: list[dict[str, Any]], folder: Path
) -> None:
    """Topic, answer, an application by its receipt (§20), then `0`: the queue of the state's agency."""
    version = publish(system, folder)["version"]
    duty.log_in("201")
    caller = Caller(system, world, "311" + receipt_keys(applications[0]), keys("0"))
    caller.goes_on_after("prompt status.result played")
    duty.talk(lambda: caller.citizen.over, timeout=PATIENCE)
    lived = caller.lived()
    assert lived.ended == ("served", "served")
    card = lived.card
    assert (card["agency"], card["topics"]) == ("soc", ["Субсидии на оплату жилья"])
    assert (card["level"], card["operator"]) == ("application", "201")
    assert card["questions"] == "Консультация: Субсидии; О своём заявлении."
    wanted = [
        f"ask scenario.consultation version {version}",
        "ask scenario.consultation.topic answered",
        "key scenario.consultation.more 1",
        "prompt status.result played",
        "ask scenario.consultation.more operator",
        "prompt scenario.consultation.soc played",
        "queue soc-1 asked",
        "bridge 201 joined",
    ]
    assert [step for step in lived.steps if step in wanted] == wanted


def test_a_call_keeps_its_version_the_next_one_has_the_new_and_a_rollback_brings_the_old_back(
    system: System, world: World, folder: Path, tmp_path: Path
) -> None:
    """Nothing is restarted; without a version in force the imported topics are asked."""
    first = publish(system, folder)["version"]
    old = Caller(system, world, "3", keys("3"))
    system.wait_step(old.call, f"ask scenario.consultation version {first}", PATIENCE)
    second = publish(system, folder, SMALL.replace(FIRST, SECOND))
    assert second["before"] == first
    new = Caller(system, world, "3", keys("3"))
    system.wait_step(new.call, f"ask scenario.consultation version {second['version']}", PATIENCE)
    back = system.ekc("scenarios", "rollback", "consultation", "--json").json
    assert (back["from"], back["to"]) == (second["version"], first)
    again = Caller(system, world, "3", keys("3"))
    for caller, words in ((old, FIRST), (new, SECOND), (again, FIRST)):
        caller.goes_on_after("prompt scenario.consultation.topic played")
        assert caller.lived().ended == ("self_service", "self_service")
        said = sound_of(Prompt.of("scenario.consultation.bye", text=words), tmp_path)
        assert was_heard(said, caller.citizen.heard), words
    assert f"ask scenario.consultation version {first}" in again.lived().steps
    system.ekc("scenarios", "rollback", "consultation")
    topics = Caller(system, world, "3", hang_up())
    topics.goes_on_after("prompt topics played")
    topics.lived()
