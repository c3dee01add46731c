"""Reports over a store in memory: which rows, whose figures, whatever zone the machine is in."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from cli import ekc
from ivr.domain import periods
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.figures import Limits
from ivr.domain.operators import Operator, OperatorState
from ivr.domain.passage import Passage
from ivr.services import reports
from ivr.testing import START, MemoryUnitOfWork
from tests.unit.memory import Site

LIMITS = Limits(answer=20, short=5)
ZONE = Site(Path("state")).settings.zone
DAY = date(2026, 11, 24)
TODAY = periods.days(DAY, DAY, ZONE)
SECOND = timedelta(seconds=1)


class Calls:
    """Calls that are over, made one by one."""

    def __init__(self, rows: MemoryUnitOfWork) -> None:
        self.rows = rows
        self.count = 0

    def add(
        self, *turns: Passage, at: datetime = START, outcome: ContactOutcome | None, wrapup: int = 0
    ) -> str:
        self.count += 1
        call = f"node1-1.{self.count}"
        self.rows.cards.open(call=call, node="node1", number=None, at=at)
        self.rows.cards.change_contact(call, outcome=outcome, wrapup_s=wrapup)
        if turns:
            self.rows.passages.put(call, [replace(turn, call=call) for turn in turns])
        return call


def turn(
    queue: str = "general", why: str = "connected", *, waited: float = 0, at: datetime = START, **more: Any
) -> Passage:
    if why == "connected":
        more = {"operator": "201", **more}
    return Passage(call="", queue=queue, entered=at, left=at + waited * SECOND, why=why, **more)


def day(rows: MemoryUnitOfWork) -> reports.Report:
    return reports.by_hour(rows, DAY, zone=ZONE, limits=LIMITS)  # type: ignore[arg-type]


@pytest.fixture
def calls() -> Calls:
    return Calls(MemoryUnitOfWork())


# --- calls -------------------------------------------------------------------------------------------


def test_a_call_stands_in_the_hour_of_its_arrival_by_the_sites_clock(calls: Calls) -> None:
    """START is 15:00 in Yekaterinburg."""
    calls.add(at=START, outcome=ContactOutcome.SELF_SERVICE)
    calls.add(at=START - SECOND, outcome=ContactOutcome.SILENCE)
    calls.add(at=TODAY.until, outcome=ContactOutcome.SILENCE)
    found = {row["period"]: row["calls"] for row in day(calls.rows).rows}
    assert len(found) == 24
    assert {period: count for period, count in found.items() if count} == {"14:00": 1, "15:00": 1}
    assert day(calls.rows).total["calls"] == 2


def test_a_week_has_its_seven_days(calls: Calls) -> None:
    calls.add(at=START, outcome=ContactOutcome.SELF_SERVICE)
    found = reports.by_day(calls.rows, DAY, zone=ZONE, limits=LIMITS)  # type: ignore[arg-type]
    assert [row["period"] for row in found.rows] == [f"2026-11-{n}" for n in range(23, 30)]
    assert [row["calls"] for row in found.rows] == [0, 1, 0, 0, 0, 0, 0]


def test_a_citizen_of_several_queues_is_one_offer_and_waited_by_the_clock_on_the_wall(calls: Calls) -> None:
    """10 s in one queue, 15 s of sentences, 5 s in another: 30 s, and not in time."""
    later = START + 25 * SECOND
    calls.add(
        turn(waited=10, why="timeout"),
        turn("soc-1", waited=5, at=later, talking_s=60, hold_s=4),
        turn("", waited=0, at=later + 40 * SECOND, talking_s=30, operator="202"),
        outcome=ContactOutcome.SERVED,
        wrapup=7,
    )
    total = day(calls.rows).total
    assert (total["offered"], total["answered"], total["answered_in_time"]) == (1, 1, 0)
    assert (total["asa_s"], total["aht_s"], total["service_time_s"]) == (30, 101, 131)


def test_who_never_wanted_an_operator_is_a_call_and_no_offer(calls: Calls) -> None:
    calls.add(outcome=ContactOutcome.SELF_SERVICE)
    calls.add(outcome=ContactOutcome.ABANDONED_IVR)
    total = day(calls.rows).total
    assert (total["calls"], total["offered"], total["service_level"]) == (2, 0, None)


def test_a_call_in_progress_is_counted_as_such(calls: Calls) -> None:
    calls.add(replace(turn(why=""), left=None, operator=None), outcome=None)
    total = day(calls.rows).total
    assert (total["calls"], total["in_progress"], total["waiting"], total["offered"]) == (1, 1, 1, 0)


OUTCOMES = st.sampled_from([*reports.INBOUND, None])


@given(st.lists(st.tuples(OUTCOMES, st.integers(0, 86399), st.booleans())))
def test_outcomes_sum_to_calls_in_every_row(some: list[tuple[ContactOutcome | None, int, bool]]) -> None:
    """Whatever came of whom, and whenever: the hours to the day, the outcomes to the calls."""
    calls = Calls(MemoryUnitOfWork())
    for outcome, second, queued in some:
        at = TODAY.since + second * SECOND
        calls.add(*([turn(at=at)] if queued else []), at=at, outcome=outcome)
    report = day(calls.rows)
    names = [*(outcome.value for outcome in reports.INBOUND), reports.IN_PROGRESS]
    for row in (*report.rows, report.total):
        assert sum(row[name] for name in names) == row["calls"]  # type: ignore[misc]
    for name in ("calls", "offered", *names):
        assert sum(row[name] for row in report.rows) == report.total[name]  # type: ignore[misc]
    assert report.total["calls"] == len(some)


# --- queues ------------------------------------------------------------------------------------------


def test_each_queue_has_its_own_turns(calls: Calls) -> None:
    """The wrap-up of the card belongs to the turn that led to the last talk."""
    calls.add(
        turn(waited=10, talking_s=20),
        turn("soc-2", waited=30, at=START + 60 * SECOND, talking_s=40, operator="202"),
        outcome=ContactOutcome.SERVED,
        wrapup=9,
    )
    calls.add(turn(why="abandoned", waited=4), outcome=ContactOutcome.ABANDONED_QUEUE)
    found = reports.by_queue(calls.rows, TODAY, limits=LIMITS)  # type: ignore[arg-type]
    general, second = found.rows
    assert (general["queue"], general["offered"], general["answered"], general["abandoned_short"]) == (
        "general",
        2,
        1,
        1,
    )
    assert (general["aht_s"], second["aht_s"], second["service_level"]) == (20, 49, 0)
    assert (found.total["queue"], found.total["offered"]) == ("total", 3)


def test_a_turn_belongs_to_the_day_it_was_entered_and_the_wrap_up_of_its_call_with_it(calls: Calls) -> None:
    """A call that arrives before midnight and waits after it."""
    entered = TODAY.since + 5 * SECOND
    calls.add(
        turn(at=entered, talking_s=10),
        at=TODAY.since - SECOND,
        outcome=ContactOutcome.SERVED,
        wrapup=3,
    )
    [row] = reports.by_queue(calls.rows, TODAY, limits=LIMITS).rows  # type: ignore[arg-type]
    assert (row["answered"], row["aht_s"]) == (1, 13)


# --- operators ---------------------------------------------------------------------------------------


def hire(rows: MemoryUnitOfWork, extension: str = "201") -> None:
    operator = Operator(extension=extension, name="Орлова", agency="szn", line=1, since=START)
    rows.operators.add(operator, "")


def test_an_operators_row_tells_talks_rings_and_time(calls: Calls) -> None:
    """One hour on duty, of it 10 minutes on a pause; 20 minutes of work."""
    hire(calls.rows)
    for minutes, state in ((0, "ready"), (20, "paused"), (30, "ready"), (60, "logged_out")):
        at = START + timedelta(minutes=minutes)
        calls.rows.operators.set_state("201", OperatorState(state), reason="", at=at)
    calls.add(turn(talking_s=900, hold_s=200, missed=("202",)), outcome=ContactOutcome.SERVED, wrapup=100)
    calls.add(turn(talking_s=300, missed=("201", "202")), outcome=ContactOutcome.SERVED)
    now = START + timedelta(hours=5)
    found = reports.by_operator(calls.rows, TODAY, now=now)  # type: ignore[arg-type]
    row, other = found.rows
    assert (row["extension"], row["name"], row["answered"], row["missed"]) == ("201", "Орлова", 2, 1)
    assert (row["talking_s"], row["hold_s"], row["wrapup_s"], row["aht_s"]) == (1200, 200, 100, 750)
    assert (row["logged_in_s"], row["paused_s"], row["occupancy"]) == (3600, 600, 0.5)
    assert (other["extension"], other["answered"], other["missed"]) == ("202", 0, 2)
    assert (found.total["answered"], found.total["missed"], found.total["occupancy"]) == (2, 3, 0.5)


def test_who_is_still_on_duty_is_so_until_now_and_no_longer(calls: Calls) -> None:
    hire(calls.rows)
    calls.rows.operators.set_state("201", OperatorState.READY, reason="", at=START)
    now = START + timedelta(minutes=2)
    [row] = reports.by_operator(calls.rows, TODAY, now=now).rows  # type: ignore[arg-type]
    assert (row["logged_in_s"], row["occupancy"]) == (120, 0)


def test_an_operator_reached_by_a_transfer_has_talked_too(calls: Calls) -> None:
    calls.add(turn("", operator="202", talking_s=50), outcome=ContactOutcome.SERVED)
    [row] = reports.by_operator(calls.rows, TODAY, now=START).rows  # type: ignore[arg-type]
    assert (row["extension"], row["name"], row["answered"], row["aht_s"]) == ("202", "", 1, 50)


# --- the command -------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    filled = Calls(made.rows)
    filled.add(turn(waited=3, talking_s=40), outcome=ContactOutcome.SERVED)
    filled.add(turn(why="abandoned", waited=30), outcome=ContactOutcome.ABANDONED_QUEUE)
    filled.add(at=TODAY.since, outcome=ContactOutcome.SELF_SERVICE)
    return made


@pytest.fixture
def run(site: Site) -> Callable[..., Result]:
    return lambda *args: CliRunner().invoke(ekc, ["report", *args], obj=site)


@pytest.fixture(params=["UTC", "Asia/Yekaterinburg", "America/St_Johns", "Pacific/Auckland"])
def machine_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("kind", ["day", "week", "queue", "operator"])
def test_a_report_is_the_same_in_every_zone_of_the_machine(
    run: Callable[..., Result], kind: str, machine_zone: str
) -> None:
    found = run(kind, "--json")
    assert found.exit_code == 0, found.stderr
    assert os.environ["TZ"] == machine_zone
    wanted = {"day": "2026-11-24", "queue": "2026-11-24", "operator": "2026-11-24", "week": "2026-11-23"}
    document = json.loads(found.stdout)
    assert document["from"] == f"{wanted[kind]}T00:00:00.000+05:00"
    calls = [row["calls"] for row in document["rows"] if row.get("calls")]
    assert calls == {"day": [1, 2], "week": [3]}.get(kind, [])


def test_csv_has_a_header_and_the_total_last(run: Callable[..., Result]) -> None:
    rows = list(csv.DictReader(io.StringIO(run("day", "2026-11-24", "--csv").stdout)))
    assert len(rows) == 25
    assert [rows[15][name] for name in ("period", "calls", "served", "service_level")] == [
        "15:00",
        "2",
        "1",
        "0.5",
    ]
    assert (rows[-1]["period"], rows[-1]["calls"]) == ("total", "3")


def test_a_table_for_people_names_the_figures(run: Callable[..., Result]) -> None:
    found = run("queue", "--from", "2026-11-23", "--to", "2026-11-24")
    assert found.exit_code == 0
    assert "service level" in found.stdout
    assert "general" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["day", "24.11.2026"], "write it as 2026-11-24"),
        (["queue", "--from", "2026-11-24", "--to", "2026-11-23"], "in their order"),
        (["week", "--csv", "--json"], "choose one"),
    ],
)
def test_wrong_usage_is_told_in_one_sentence(
    run: Callable[..., Result], arguments: list[str], why: str
) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    assert why in found.stderr


def test_a_day_of_another_time_is_empty(run: Callable[..., Result]) -> None:
    total = json.loads(run("day", "2025-01-09", "--json").stdout)["total"]
    assert (total["calls"], total["service_level"]) == (0, None)
