"""A program of the site's is told about each new alarm, and nobody waits for it."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ivr.services.alarm_command import WAITING, AlarmCommand, document
from ivr.services.alarms import Alarm, Alarms
from ivr.settings import AlarmSettings, load
from ivr.testing import START, VirtualClock

PATIENCE = 30.0
FULL = Alarm(since=START, what="the disk is full", remedy="make room; «место»")


def untold(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Why alarms were not told, as the log has it."""
    entries: list[Any] = [record.msg for record in caplog.records]
    return [entry["why"] for entry in entries if entry["event"] == "alarm_untold"]


def command(tmp_path: Path, script: str, **settings: float) -> AlarmCommand:
    """A shell script as the site's program."""
    program = tmp_path / "tell me"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return AlarmCommand(AlarmSettings(command=f"'{program}' one 'two three'", **settings))


def test_it_reads_what_is_wrong_as_a_line_of_json(tmp_path: Path) -> None:
    """With its own arguments, and without a shell."""
    out = tmp_path / "out"
    teller = command(tmp_path, f'echo "$2" > "{out}"; cat >> "{out}"')
    teller.tell("spool", FULL)
    teller.close(PATIENCE)
    first, second = out.read_text("utf-8").splitlines()
    assert first == "two three"
    assert json.loads(second) == {
        "since": "2026-11-24T10:00:00+00:00",
        "what": "the disk is full",
        "remedy": "make room; «место»",
    }


def test_each_new_alarm_is_told_once(tmp_path: Path) -> None:
    """One that stands is not new, whatever its words; one that comes back long after is."""
    told: list[str] = []
    alarms = Alarms(tmp_path, "engine", tell=lambda key, alarm: told.append(f"{key}: {alarm.what}"))
    alarms.set("a", "first", "mend it", START)
    alarms.set("a", "still", "mend it", START)
    alarms.set("b", "other", "mend it", START)
    alarms.clear("a")
    alarms.set("a", "again", "mend it", START)
    assert told == ["a: first", "b: other", "a: again"]


def test_it_is_told_even_if_the_alarm_cannot_be_written_down(tmp_path: Path) -> None:
    told: list[str] = []
    alarms = Alarms(tmp_path / "gone", "engine", tell=lambda key, _alarm: told.append(key))
    with pytest.raises(OSError, match="gone"):
        alarms.set("full", "the disk is full", "make room", START)
    assert told == ["full"]


def test_an_alarm_that_flutters_is_told_once_in_a_while(tmp_path: Path) -> None:
    out, clock = tmp_path / "out", VirtualClock()
    program = f"/bin/sh -c 'cat >> {out}'"
    teller = AlarmCommand(AlarmSettings(command=program, again_seconds=300), clock.monotonic)
    for seconds in (0, 299, 1):
        clock.forward(seconds)
        teller.tell("a", FULL)
    teller.tell("b", FULL)
    teller.close(PATIENCE)
    assert len(out.read_text().splitlines()) == 3


def test_a_program_that_hangs_is_ended_with_all_it_has_started_and_the_next_alarm_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`tell` itself returns at once."""
    out = tmp_path / "out"
    script = f'read line; echo "$line" >> "{out}"; case "$line" in *full*) sleep 600 & sleep 600;; esac'
    teller = command(tmp_path, script, seconds=0.5)
    begun = time.monotonic()
    teller.tell("a", FULL)
    teller.tell("b", Alarm(since=START, what="another", remedy="none"))
    assert time.monotonic() - begun < 0.4
    teller.close(PATIENCE)
    assert [json.loads(line)["what"] for line in out.read_text().splitlines()] == [FULL.what, "another"]
    assert untold(caplog) == ["it took more than 0.5 s"]


@pytest.mark.parametrize(
    ("program", "why"), [("/bin/false", "exit code 1"), ("/nowhere/tell", "No such file or directory")]
)
def test_a_program_that_fails_is_logged_and_no_more(
    program: str, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    teller = AlarmCommand(AlarmSettings(command=program))
    teller.tell("a", FULL)
    teller.close(PATIENCE)
    [told] = untold(caplog)
    assert why in told


def test_a_flood_of_alarms_is_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Further ones stand in `ekc status`; nothing waits for the program."""
    go_on = tmp_path / "go"
    teller = command(tmp_path, f'while [ ! -e "{go_on}" ]; do sleep 0.02; done')
    for n in range(WAITING + 10):
        teller.tell(f"alarm {n}", FULL)
    go_on.touch()
    teller.close(PATIENCE)
    assert set(untold(caplog)) == {"too many wait"}
    assert 9 <= len(untold(caplog)) <= 10


def test_without_a_command_nothing_runs() -> None:
    before = threading.active_count()
    teller = AlarmCommand(AlarmSettings())
    teller.tell("a", FULL)
    assert threading.active_count() == before
    teller.close(0)


def test_a_command_line_that_is_none_is_refused_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EKC_ALARM__COMMAND", "tell 'half")
    with pytest.raises(Exception, match=r"alarm\.command.*a quote is not closed"):
        load(tmp_path)


def test_the_document_is_one_line_whatever_the_words() -> None:
    alarm = Alarm(since=datetime(2026, 11, 24, tzinfo=UTC), what="two\nlines", remedy="none")
    assert document(alarm).count(b"\n") == 1
