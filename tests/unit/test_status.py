"""The status document says whether the line can take a call, and why not."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr.domain.errors import StorageDown
from ivr.services import status
from ivr.services.alarms import Alarm, Alarms
from ivr.services.probes import pid_from
from ivr.services.status import (
    AsteriskState,
    DatabaseState,
    LineState,
    Place,
    Probes,
    collect,
    from_files,
    wait_ready,
)
from ivr.settings import Settings

NOW = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
OPENING = datetime(2026, 11, 25, 4, tzinfo=UTC)


def says(value: Any) -> Callable[[], Awaitable[Any]]:
    async def probe() -> Any:
        return value

    return probe


def raises(error: Exception) -> Callable[[], Awaitable[Any]]:
    async def probe() -> Any:
        raise error

    return probe


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place.of(Settings(state=tmp_path))
    place.run_dir.mkdir()
    return place


@pytest.fixture
def probes() -> Probes:
    return Probes(
        line=says(LineState(open=False, next_opening=OPENING)),
        asterisk=says(AsteriskState(version="22.10.1", pid=41)),
        sip_line=says(True),
        sip_operators=says(True),
        agi=says(True),
        database=says(DatabaseState(backend="sqlite", revision="0001")),
        calls=says(0),
    )


async def test_the_document_has_the_keys_of_the_interface_and_is_json(place: Place, probes: Probes) -> None:
    document = await collect(place, probes, engine_pid=42, now=NOW)
    assert json.loads(json.dumps(document)) == {
        "ready": True,
        "line": {"open": False, "next_opening": "2026-11-25T09:00:00+05:00"},
        "sip": {"line": "127.0.0.1:5060", "operators": "127.0.0.1:5070"},
        "web": "http://127.0.0.1:8080/",
        "asterisk": {"version": "22.10.1", "pid": 41},
        "engine": {"pid": 42},
        "database": {"backend": "sqlite", "revision": "0001", "pid": None},
        "calls": 0,
        "speech": None,
        "speech_streams": None,
        "alarms": [],
    }


@pytest.mark.parametrize("part", ["asterisk", "sip_line", "sip_operators", "agi"])
@pytest.mark.parametrize("probe", [raises(ConnectionRefusedError()), raises(TimeoutError())])
async def test_without_one_of_these_the_line_is_not_ready_and_an_alarm_tells(
    place: Place, probes: Probes, part: str, probe: Any
) -> None:
    document = await collect(place, replace(probes, **{part: probe}), engine_pid=42, now=NOW)
    assert document["ready"] is False
    (alarm,) = document["alarms"]
    assert alarm["since"] == "2026-11-24T23:30:00+05:00"
    assert alarm["what"] and alarm["remedy"]


async def test_a_port_that_does_not_answer_is_not_ready(place: Place, probes: Probes) -> None:
    document = await collect(place, replace(probes, sip_line=says(False)), engine_pid=42, now=NOW)
    assert document["ready"] is False
    assert "127.0.0.1:5060" in document["alarms"][0]["what"]


async def test_without_a_database_calls_are_still_taken_and_an_alarm_tells(
    place: Place, probes: Probes
) -> None:
    down = raises(StorageDown())
    probes = replace(probes, database=down, line=down, calls=down)
    document = await collect(place, probes, engine_pid=42, now=NOW)
    assert document["ready"] is True
    assert document["database"] == {"backend": "sqlite", "revision": None, "pid": None}
    assert document["line"] == {"open": None, "next_opening": None}
    assert document["calls"] is None
    assert status.DATABASE_DOWN in [a["what"] for a in document["alarms"]]


async def test_a_probe_that_hangs_costs_its_own_time_limit_only(
    place: Place, probes: Probes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "PROBE_SECONDS", 0.01)
    never = asyncio.Event()

    async def hang() -> int:
        await never.wait()
        return 0

    document = await collect(place, replace(probes, calls=hang), engine_pid=42, now=NOW)
    assert (document["ready"], document["calls"]) == (True, None)


async def test_alarms_of_other_processes_are_part_of_it(place: Place, probes: Probes) -> None:
    Alarms(place.run_dir, "supervisor").set("x", "engine ended", "see the log", NOW - timedelta(hours=1))
    document = await collect(place, probes, engine_pid=42, now=NOW)
    assert document["alarms"] == [
        {"since": "2026-11-24T22:30:00+05:00", "what": "engine ended", "remedy": "see the log"}
    ]


def test_a_mistake_of_ours_is_not_hidden_as_a_part_that_is_down(place: Place, probes: Probes) -> None:
    with pytest.raises(ExceptionGroup, match="TaskGroup"):
        asyncio.run(collect(place, replace(probes, agi=raises(KeyError("x"))), engine_pid=1, now=NOW))


def test_nothing_running_has_the_same_keys_and_is_not_ready(place: Place, probes: Probes) -> None:
    document = from_files(place, now=NOW)
    assert list(document) == list(asyncio.run(collect(place, probes, engine_pid=1, now=NOW)))
    assert document["ready"] is False
    assert [a["what"] for a in document["alarms"]] == ["the engine does not run", "Asterisk does not run"]
    assert {a["remedy"] for a in document["alarms"]} == {"start it with `ekc up`"}


def test_an_engine_that_lives_and_does_not_answer_is_told_by_its_pid(place: Place) -> None:
    (place.run_dir / "engine.pid").write_text(f"{os.getpid()}\n")
    document = from_files(place, now=NOW)
    assert document["engine"] == {"pid": os.getpid()}
    assert document["alarms"][0]["what"] == "the engine does not answer over HTTP"


@pytest.mark.parametrize("text", ["", "x", "-5", "0", "999999999"])
def test_a_pid_file_without_a_live_process_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.pid").write_text(text)
    assert pid_from(tmp_path / "x.pid") is None
    assert pid_from(tmp_path / "missing.pid") is None


def test_a_process_younger_than_its_pid_file_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "x.pid"
    path.write_text(f"{os.getpid()}\n")
    assert pid_from(path) == os.getpid()
    long_ago = time.time() - 1e6
    os.utime(path, (long_ago, long_ago))
    assert pid_from(path) is None


class Time:
    """A clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("ready_at", "seconds", "ready", "took"),
    [(0.0, 0.0, True, 0.0), (1e9, 0.0, False, 0.0), (1.0, 10.0, True, 1.0), (1e9, 2.2, False, 2.2)],
)
def test_waiting_ends_with_readiness_or_with_the_time(
    ready_at: float, seconds: float, ready: bool, took: float
) -> None:
    clock = Time()
    found = wait_ready(
        lambda: {"ready": clock.now >= ready_at},
        seconds=seconds,
        monotonic=clock.monotonic,
        sleep=clock.sleep,
    )
    assert found["ready"] is ready
    assert clock.now == pytest.approx(took)


@pytest.mark.parametrize(
    ("bind", "sip", "web"),
    [
        ("127.0.0.1", "127.0.0.1:5060", "http://127.0.0.1:8080/"),
        ("::", "[::]:5060", "http://[::1]:8080/"),
        ("::1", "[::1]:5060", "http://[::1]:8080/"),
    ],
)
def test_addresses_are_told_as_they_can_be_used(tmp_path: Path, bind: str, sip: str, web: str) -> None:
    place = Place.of(Settings(state=tmp_path).model_copy(update={"bind": bind}))
    assert (place.sip_line, place.web) == (sip, web)


async def test_an_alarm_that_could_not_be_written_is_told_all_the_same(place: Place, probes: Probes) -> None:
    """On a full disk the engine's file stays as it was; what stands in both is told once."""
    alarms = Alarms(place.run_dir, "engine")
    alarms.set("old", "an old alarm", "mend it", NOW - timedelta(hours=1))
    full = Alarm(since=NOW, what="the disk is full", remedy="make room")
    document = await collect(place, probes, engine_pid=1, now=NOW, own=[*alarms.list(), full])
    assert [alarm["what"] for alarm in document["alarms"]] == ["an old alarm", "the disk is full"]
