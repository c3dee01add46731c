"""Figures of calls whose course is known, on real telephony: outcomes sum to the calls that sipp counted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ivr.services.reports import INBOUND
from tests.harness.duty import TALK_SECONDS, Duty
from tests.harness.scenario import HangUp, HungUpOn, Key, Step
from tests.harness.sipp import Scenario, Sipp, SippCall, dial
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.line.conftest import new_number

pytestmark = pytest.mark.line

HOLD_SECONDS = 3.0
WAIT_SECONDS = 8.0
"""Of the citizen who gives up: more than a short abandonment (2 s here)."""
TO_THE_QUEUE = Key("0", 2.0)
OUTCOMES = {"served": 2, "abandoned_queue": 1, "abandoned_ivr": 2}


@dataclass(frozen=True, kw_only=True)
class Day:
    """A system on which five citizens have called, and what was seen meanwhile."""

    system: System
    calls: list[SippCall]
    board: dict[str, Any]
    """While 201 talked and a citizen waited."""
    metrics: str

    def report(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = self.system.ekc("report", *arguments, "--json").json
        return found

    @property
    def contacts(self) -> list[dict[str, Any]]:
        return [contact for card in self.system.cards() for contact in card["contacts"]]


class Citizen:
    """One who wants an operator."""

    def __init__(self, system: System, *steps: Step) -> None:
        self.system, self.number = system, new_number()
        self.sipp = Sipp(system.line, Scenario(steps=[TO_THE_QUEUE, *steps]), numbers=[self.number])

    def talks(self) -> None:
        """In one bridge with the operator: before it the operator has heard who it is."""
        self.system.wait_step(self.system.wait_call(self.number), "bridge 201 joined", 40)


def served_while_another_gives_up(system: System, phone: Softphone) -> tuple[list[SippCall], dict[str, Any]]:
    first = Citizen(system, HungUpOn(90))
    first.talks()
    second = Citizen(system, HangUp(WAIT_SECONDS))
    board = system.wait_for(lambda: talk_and_wait(system), 30, "the board to show talk and wait")
    gone = second.sipp.finish()
    phone.hang_up()
    return [*first.sipp.finish(), *gone], board


def talk_and_wait(system: System) -> dict[str, Any] | None:
    """From the file that `ekc board` prints: a process for each look would be too slow."""
    board: dict[str, Any] = json.loads((system.state / "run" / "board.json").read_text("utf-8"))
    waits = any(queue["waiting"] for queue in board["queues"])
    return board if waits and any(operator["talking_s"] for operator in board["operators"]) else None


def served_with_a_hold(system: System, phone: Softphone) -> list[SippCall]:
    citizen = Citizen(system, HungUpOn(90))
    citizen.talks()
    time.sleep(TALK_SECONDS / 2)
    phone.hold()
    time.sleep(HOLD_SECONDS)
    phone.resume()
    time.sleep(TALK_SECONDS / 2)
    phone.hang_up()
    return citizen.sipp.finish()


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    """Two hang up in the greeting, one is served while another gives up waiting, one is put on hold."""
    with System(wrapup_seconds=1, short_abandon_seconds=2) as system, ExitStack() as phones:
        system.open_today()
        system.demo_data()
        duty = Duty(system)
        phones.callback(duty.abandon)
        duty.hire("201", agency="soc")
        phone = duty.log_in("201")
        hasty = dial(system.line, Scenario(steps=[HangUp(1.0)]), numbers=[new_number(), new_number()])
        first, board = served_while_another_gives_up(system, phone)
        calls = [*hasty, *first, *served_with_a_hold(system, phone)]
        for call in calls:
            system.wait_lived(system.call_of(call.call_id), 30)
        metrics = httpx.get(f"{system.web}/metrics").text
        duty.close()
        yield Day(system=system, calls=calls, board=board, metrics=metrics)


def test_outcomes_sum_to_the_calls_that_sipp_counted(day: Day) -> None:
    """Each once: by the hour, by the day, by the week."""
    for kind in ("day", "week"):
        report = day.report(kind)
        total = report["total"]
        assert total["calls"] == len(day.calls) == 5
        assert {outcome.value: n for outcome in INBOUND if (n := total[outcome.value])} == OUTCOMES
        assert sum(row["calls"] for row in report["rows"]) == 5
        assert total["in_progress"] == 0


def test_the_figures_of_the_day_are_those_of_its_calls(day: Day) -> None:
    """Three wanted an operator, two got one; means are those of the cards."""
    total = day.report("day")["total"]
    served = [contact for contact in day.contacts if contact["outcome"] == "served"]
    assert (total["offered"], total["answered"], total["answered_in_time"]) == (3, 2, 2)
    assert (total["abandoned"], total["abandoned_short"]) == (1, 0)
    assert total["service_level"] == round(2 / 3, 4)
    assert (total["service_level_without_early"], total["service_level_with_early"]) == (1.0, 1.0)
    assert total["abandonment"] == round(1 / 3, 4)
    assert total["asa_s"] == sum(contact["waiting_s"] for contact in served) / 2
    assert total["wrapup_s"] == sum(contact["wrapup_s"] for contact in served)


def test_talk_and_hold_stand_apart_and_sum_to_the_cards_talk(day: Day) -> None:
    total = day.report("day")["total"]
    on_cards = sum(contact["talking_s"] for contact in day.contacts)
    assert HOLD_SECONDS - 1 <= total["hold_s"] <= HOLD_SECONDS + 2
    assert on_cards - 2 <= total["talking_s"] + total["hold_s"] <= on_cards


def test_queue_and_operator_have_the_same_two_talks(day: Day) -> None:
    [queue] = day.report("queue")["rows"]
    [operator] = day.report("operator")["rows"]
    assert (queue["queue"], queue["offered"], queue["answered"], queue["abandoned"]) == ("general", 3, 2, 1)
    assert (operator["extension"], operator["answered"], operator["missed"]) == ("201", 2, 0)
    assert (operator["talking_s"], operator["hold_s"]) == (queue["talking_s"], queue["hold_s"])
    assert operator["aht_s"] == queue["aht_s"]
    assert operator["logged_in_s"] > operator["talking_s"] + operator["hold_s"]
    assert 0 < operator["occupancy"] <= 1


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_the_zone_of_the_machine_changes_nothing(
    day: Day, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = day.report("day")
    monkeypatch.setattr(day.system, "command_env", {**day.system.command_env, "TZ": zone})
    assert day.report("day") == before


def test_the_board_showed_the_talk_and_who_waited(day: Day) -> None:
    [operator] = [row for row in day.board["operators"] if row["extension"] == "201"]
    assert (day.board["live"], operator["doing"], operator["queue"]) == (True, "talking", "general")
    general = next(row for row in day.board["queues"] if row["queue"] == "general")
    assert (general["waiting"], general["operators"]) == (1, {"talking": 1})


def test_the_command_shows_the_board_of_now(day: Day) -> None:
    now = day.system.ekc("board", "--json").json
    general = next(row for row in now["queues"] if row["queue"] == "general")
    assert (general["waiting"], general["today"]["answered"]) == (0, 2)
    assert "general" in day.system.ekc("board").out


def test_metrics_have_counted_the_same(day: Day) -> None:
    assert 'ekc_queue_answered_total{queue="general"} 2.0' in day.metrics
    assert 'ekc_queue_abandoned_total{queue="general"} 1.0' in day.metrics
    assert 'ekc_queue_wait_seconds_count{queue="general"} 2.0' in day.metrics
