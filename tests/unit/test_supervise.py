"""The supervisor's decisions on a virtual clock, and what it writes about them."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.domain.errors import BadInput
from ivr.services.alarms import Alarm, Alarms, read_alarms
from ivr.supervisor import Part
from ivr.supervisor.decisions import Backoff, Verdict, Watch
from ivr.supervisor.part import describe_end
from ivr.supervisor.supervisor import only_one

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_the_wait_doubles_from_half_a_second_to_thirty() -> None:
    backoff, waits = Backoff(), []
    for _ in range(9):
        backoff = backoff.died(ready_at=None, now=0.0)
        waits.append(backoff.delay)
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_thousand_deaths_still_have_a_finite_wait() -> None:
    assert Backoff(deaths=1000).delay == 30.0


@pytest.mark.parametrize(("lived", "deaths"), [(59.9, 4), (60.0, 1), (3600.0, 1)])
def test_sixty_healthy_seconds_forget_earlier_deaths(lived: float, deaths: int) -> None:
    assert Backoff(deaths=3).died(ready_at=100.0, now=100.0 + lived).deaths == deaths


def test_a_part_that_never_became_ready_is_never_healthy() -> None:
    assert not Backoff(deaths=1).recovered(ready_at=None, now=1e6)
    assert Backoff(deaths=3).died(ready_at=None, now=1e6).deaths == 4


def _looks(watch: Watch, *times: float) -> tuple[Watch, list[Verdict]]:
    verdicts = []
    for now in times:
        watch, verdict = watch.look(now)
        verdicts.append(verdict)
    return watch, verdicts


def _half_seconds(start: float, end: float) -> list[float]:
    return [start + 0.5 * n for n in range(int((end - start) / 0.5) + 1)]


def test_silence_of_exactly_the_period_is_not_yet_hung_and_more_is() -> None:
    watch, verdicts = _looks(Watch.start(period=5.0, now=0.0), *_half_seconds(0.5, 5.0))
    assert set(verdicts) == {Verdict.FINE}
    assert watch.look(5.01)[1] is Verdict.HUNG


def test_each_beat_gives_a_full_period() -> None:
    watch, _ = _looks(Watch.start(period=5.0, now=0.0), *_half_seconds(0.5, 4.5))
    watch, verdicts = _looks(watch.beat(4.6), *_half_seconds(5.0, 9.5))
    assert set(verdicts) == {Verdict.FINE}
    assert watch.look(9.7)[1] is Verdict.HUNG


def test_a_late_look_gives_a_fresh_period_instead_of_a_kill() -> None:
    watch, verdicts = _looks(Watch.start(period=5.0, now=0.0), 0.5, 1.0, 61.0)
    assert verdicts[-1] is Verdict.LATE_LOOK
    watch, verdicts = _looks(watch, *_half_seconds(61.5, 66.0))
    assert set(verdicts) == {Verdict.FINE}
    assert watch.look(66.1)[1] is Verdict.HUNG


def test_a_look_within_twice_the_tick_counts_as_on_time() -> None:
    watch = Watch.start(period=5.0, now=0.0)
    assert watch.look(1.0)[1] is Verdict.FINE
    assert watch.look(1.1)[1] is Verdict.LATE_LOOK


def test_an_old_beat_does_not_turn_the_clock_back() -> None:
    assert Watch.start(period=5.0, now=10.0).beat(3.0).beat_at == 10.0


def test_a_part_without_heartbeats_cannot_be_watched() -> None:
    with pytest.raises(BadInput):
        Part(name="x", argv=["x"], watchdog_seconds=5.0)


@pytest.mark.parametrize(
    ("code", "text"), [(1, "exit code 1"), (-9, "signal 9 (SIGKILL)"), (-99, "signal 99")]
)
def test_an_end_is_told_in_words(code: int, text: str) -> None:
    assert describe_end(code) == text


def test_one_state_has_one_supervisor(tmp_path: Path) -> None:
    with (
        only_one(tmp_path / "run"),
        pytest.raises(BadInput, match=rf"pid {os.getpid()}.*--state"),
        only_one(tmp_path / "run"),
    ):
        pytest.fail("two supervisors on one state")
    with only_one(tmp_path / "run"):
        assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_alarms_of_all_processes_are_merged_oldest_first(tmp_path: Path) -> None:
    supervisor, engine = Alarms(tmp_path, "supervisor"), Alarms(tmp_path, "engine")
    engine.set("db", "the database does not answer", "see `ekc doctor`", NOW + timedelta(minutes=1))
    supervisor.set("part:engine", "engine ended", "see the log", NOW)
    assert [a.what for a in read_alarms(tmp_path)] == ["engine ended", "the database does not answer"]
    assert stat.S_IMODE((tmp_path / "alarms-engine.json").stat().st_mode) == 0o600
    supervisor.clear("part:engine")
    assert [a.what for a in read_alarms(tmp_path)] == ["the database does not answer"]


def test_an_alarm_that_stands_keeps_its_beginning(tmp_path: Path) -> None:
    alarms = Alarms(tmp_path, "engine")
    alarms.set("db", "down", "wait", NOW)
    alarms.set("db", "still down", "wait", NOW + timedelta(hours=1))
    assert alarms.list() == [Alarm(since=NOW, what="still down", remedy="wait")]
    assert read_alarms(tmp_path) == alarms.list()


def test_a_new_process_forgets_the_alarms_of_the_old_one(tmp_path: Path) -> None:
    Alarms(tmp_path, "engine").set("db", "down", "wait", NOW)
    Alarms(tmp_path, "engine")
    assert read_alarms(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', '[{"since": "x"}]', "[1]"])
def test_an_unreadable_alarm_file_is_an_alarm(tmp_path: Path, text: str) -> None:
    (tmp_path / "alarms-engine.json").write_text(json.dumps(1) if text == "1" else text)
    (alarm,) = read_alarms(tmp_path)
    assert "alarms-engine.json" in alarm.what


def test_an_alarms_time_has_a_zone() -> None:
    with pytest.raises(BadInput):
        Alarm(since=datetime(2026, 1, 1), what="x", remedy="y")
