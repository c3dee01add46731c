"""`ekc up` as an administrator meets it: one state, one system, and nothing of it stays behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

import httpx
import pytest

from tests.harness.commands import ZONE
from tests.harness.processes import HOST, port_is_free, wait_for
from tests.harness.system import READY_SECONDS, System

pytestmark = pytest.mark.line

THIS_YEAR = datetime.now(ZONE).year
SILENT = "false {input} {output}"
"""A synthesiser that makes nothing: the line starts without prompts, and sooner."""


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """A healthy one, its calendar confirmed."""
    with System(confirmed_years=[THIS_YEAR, THIS_YEAR + 1]) as running:
        running.open_today()
        yield running


@contextmanager
def closing_of(system: System) -> Iterator[System]:
    """One that is ended however its test ends."""
    try:
        yield system
    finally:
        system.close()


def test_status_says_ready_and_where(system: System) -> None:
    """interface.md's keys; pids are those of living processes."""
    status = system.status()
    assert status["ready"] is True
    assert status["sip"] == {"line": system.line, "operators": system.operators}
    pids = {process.pid for process in system.processes()}
    assert {status["asterisk"]["pid"], status["engine"]["pid"]} <= pids
    assert (status["database"]["backend"], status["calls"], status["alarms"]) == ("sqlite", 0, [])


def test_health_is_200_with_the_document_of_status(system: System) -> None:
    answer = httpx.get(f"{system.web}/health")
    assert answer.status_code == 200
    assert answer.json().keys() == system.status().keys()


def test_metrics_have_our_counters(system: System) -> None:
    """In Prometheus' text format."""
    answer = httpx.get(f"{system.web}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = ("ekc_calls_total", "ekc_agi_connections", "ekc_flows_broken_total", "ekc_ami_connected")
    assert [name for name in names if f"# TYPE {name.removesuffix('_total')}" not in answer.text] == []
    wait_for(lambda: "ekc_ami_connected 1.0" in httpx.get(f"{system.web}/metrics").text, 15, "AMI")


def test_doctor_finds_nothing_wrong_with_a_healthy_system(system: System) -> None:
    """Exit code 0."""
    done = system.ekc("doctor", "--json")
    assert done.json == []


def test_doctor_warns_of_a_year_that_nobody_has_compared_with_the_decree(system: System) -> None:
    """§12: the same system, had its calendar not been confirmed; that is the only finding."""
    with told(system, confirmed_years=f"[{THIS_YEAR}]"):
        done = system.ekc("doctor", "--json", check=False)
    assert done.code == 1
    (finding,) = done.json
    assert str(THIS_YEAR + 1) in finding["what"] and "calendar" in finding["remedy"]


@contextmanager
def told(system: System, **settings: object) -> Iterator[None]:
    """Commands get other settings than what runs has."""
    kept = system.command_env
    other = {f"EKC_{name.upper()}": str(value) for name, value in settings.items()}
    system.command_env = {**kept, **other}
    try:
        yield
    finally:
        system.command_env = kept


def test_nobody_else_may_look_into_a_running_state(system: System) -> None:
    """Directories 0700, files 0600, sockets too."""
    own = [path for path in system.state.rglob("*") if not path.is_symlink()]
    assert [path for path in own if path.exists() and path.stat().st_mode & 0o077] == []
    assert system.state.stat().st_mode & 0o077 == 0


def test_a_second_one_in_the_same_state_is_refused_in_one_sentence(system: System) -> None:
    """It names the first one's pid and the remedy; the first one goes on, and its files are as they were.

    Though the second one was told another port.
    """
    etc = system.state / "asterisk" / "etc"
    before = {path: path.read_bytes() for path in etc.rglob("*.conf")}
    with told(system, sip_port=system.line_port + 1):
        done = system.ekc("up", check=False)
    assert done.code == 1
    assert done.err.startswith("ekc: ") and done.err.count("\n") == 1
    assert "already run by another `ekc up`" in done.err and "--state" in done.err
    assert {path: path.read_bytes() for path in before} == before
    assert system.status()["ready"] is True


def test_two_systems_run_side_by_side(system: System) -> None:
    """Different states and ports are all it takes."""
    with System(synthesis_command=SILENT) as other:
        first, second = system.status(), other.status()
        assert (first["ready"], second["ready"]) == (True, True)
        assert first["asterisk"]["pid"] != second["asterisk"]["pid"]
    assert system.status()["ready"] is True


@pytest.mark.parametrize("name", ["sip_port", "operators_port", "web_port", "ami_port", "agi_port"])
def test_an_occupied_port_is_one_sentence_that_names_its_setting(name: str) -> None:
    """And nothing is left running."""
    with closing_of(System(synthesis_command=SILENT)) as system:
        with closing(socket.create_server((HOST, system.ports[name]))):
            code = system.launch().wait(READY_SECONDS)
        (said,) = [line for line in system.output.read_text().splitlines() if "occupied" in line]
        assert code == 1
        assert f"EKC_{name.upper()}" in said and str(system.ports[name]) in said
        assert "Traceback" not in system.output.read_text()
        assert system.processes() == []


def test_ctrl_c_leaves_no_process_and_no_port() -> None:
    """Exit code 0, and the same state starts again."""
    with closing_of(System(synthesis_command=SILENT)) as system:
        for _ in range(2):
            system.start()
            system.stop()
            assert system.processes() == []
            assert all(port_is_free(port) for port in system.ports.values())
            assert system.ekc("status", check=False).code == 3


def test_ctrl_c_while_it_starts_leaves_nothing_either() -> None:
    """As soon as the engine is there, before Asterisk is."""
    with closing_of(System()) as system:
        system.launch()
        wait_for((system.state / "run" / "supervisor.pid").exists, READY_SECONDS, "the supervisor")
        system.stop()
        assert system.processes() == []


def test_status_waits_until_the_line_is_ready() -> None:
    """3 at once where nothing runs, 0 as soon as it can take a call."""
    with closing_of(System(synthesis_command=SILENT)) as system:
        assert system.ekc("status", check=False).code == 3
        system.launch()
        assert system.ekc("status", "--wait", f"{READY_SECONDS:g}", "--json").json["ready"] is True
        system.stop()
