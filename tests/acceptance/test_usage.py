"""Exit codes, streams and states: what every script around the product relies on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import PROGRAM, Ekc, Installed


@pytest.fixture
def ekc(tmp_path: Path) -> Ekc:
    return Installed(tmp_path / "state")


def test_help_needs_no_state_and_makes_none(ekc: Ekc) -> None:
    """Asking for help leaves nothing behind."""
    assert "calendar" in ekc.run("--help").stdout
    assert not ekc.state.exists()


@pytest.mark.parametrize("args", [("nonsense",), ("cards", "show"), ("calendar", "set", "2026-12-01")])
def test_wrong_usage_ends_with_2_on_stderr_alone(ekc: Ekc, args: tuple[str, ...]) -> None:
    done = ekc.run(*args, "--json", code=2)
    assert done.stdout == ""
    assert "Error" in done.stderr


def test_a_line_that_does_not_run_ends_with_3_and_still_tells_its_state(ekc: Ekc) -> None:
    done = ekc.run("status", "--json", code=3)
    status = json.loads(done.stdout)
    named = "ready line sip web asterisk engine database calls speech speech_streams alarms"
    assert " ".join(status) == named
    assert status["ready"] is False
    assert status["sip"].keys() == {"line", "operators"}
    assert "ekc up" in done.stderr


@pytest.mark.parametrize("args", [("asterisk", "stop"), ("asterisk", "console", "core show uptime")])
def test_what_needs_a_running_asterisk_ends_with_3_without_one(ekc: Ekc, args: tuple[str, ...]) -> None:
    assert ekc.run(*args, code=3).stderr.startswith("ekc: ")


@pytest.mark.parametrize(
    "args",
    [
        ("cards", "show", "no-such"),
        ("calls", "trace", "last"),
        ("callbacks", "cancel", "no-such"),
        ("operators", "disable", "299"),
        ("scenarios", "rollback", "consultation"),
        ("scenarios", "check", "no-such.yaml"),
        ("calendar", "clear", "2026-12-01"),
    ],
)
def test_no_such_thing_ends_with_4_and_one_sentence(ekc: Ekc, args: tuple[str, ...]) -> None:
    done = ekc.run(*args, code=4)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_wrong_settings_fail_with_one_sentence_that_names_them(ekc: Ekc) -> None:
    done = Installed(ekc.state, {"EKC_SIP_PORT": "99999"}).run("calls", "list", code=1)
    assert "sip_port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("what", ["calls", "cards", "callbacks", "operators", "scenarios", "audit"])
def test_a_new_system_lists_nothing_as_an_empty_document(ekc: Ekc, what: str) -> None:
    done = ekc.run(what, "list", "--json")
    assert json.loads(done.stdout) == []
    assert done.stderr == ""


def test_the_state_is_private_to_its_owner(ekc: Ekc) -> None:
    ekc.run("calls", "list")
    assert ekc.state.stat().st_mode & 0o777 == 0o700
    for path in ekc.state.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_option_outweighs_the_environment_before_and_after_the_command(ekc: Ekc, tmp_path: Path) -> None:
    other = tmp_path / "other"
    ekc.run("--state", str(other), "calendar", "set", "2026-12-31", "--closed")
    assert ekc.run("calendar", "clear", "2026-12-31", code=4)
    assert ekc.run("calendar", "clear", "2026-12-31", "--state", str(other))


def test_two_systems_stand_side_by_side(ekc: Ekc, agencies: Path, tmp_path: Path) -> None:
    """An operator of one state is unknown in the other."""
    secret = "Tr0ub4dor&3"
    add = ("operators", "add", "Анна", "--extension", "201", "--agency", "szn", "--password-stdin")
    ekc.run(*add, stdin=secret)
    other = Installed(tmp_path / "other")
    assert len(ekc.json("operators", "list")) == 1
    assert other.json("operators", "list") == []


def test_a_reader_that_goes_away_ends_it_quietly(ekc: Ekc) -> None:
    """`ekc … | head -0` neither complains nor fails."""
    with subprocess.Popen(
        [*PROGRAM, "--state", str(ekc.state), "audit", "list", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read()
    assert (process.returncode, complaint) == (0, "")


def test_the_database_is_brought_up_and_found_in_order(ekc: Ekc) -> None:
    assert ekc.json("db", "upgrade")["revision"]
    assert ekc.json("db", "check") == []
