"""Parts that live and do not work: each is found, ended and started again in under half a minute."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from ivr.asterisk import conf
from ivr.settings import load
from tests.harness.freezing import freeze, threads
from tests.harness.listening import FRAME, QUIET, RATE, loudness, samples
from tests.harness.postgres import Postgres, cluster
from tests.harness.system import READY_SECONDS, System
from tests.harness.world import World
from tests.line.conftest import new_number
from tests.line.test_accidents import locked

pytestmark = pytest.mark.line

IN_TIME = 30.0
"""Seconds from the trouble to a new process (issue 6)."""
PATIENCE = 90.0
DATABASE_SECONDS = 3.0
SLACK = 4.0
"""For a call to be set up, and for a busy machine."""


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with System(opens="00:00", closes="24:00", wrapup_seconds=1) as running:
        running.open_today()
        running.demo_data()
        yield running


@pytest.fixture(scope="module")
def world(system: System) -> Iterator[World]:
    with World(system.line_port) as outside:
        yield outside


def started_again(system: System, trouble: Callable[[int], None]) -> float:
    """Seconds from the trouble with Asterisk to another process; afterwards the line is ready."""
    old = system.pid("asterisk")
    began = time.monotonic()
    trouble(old)

    def another() -> bool:
        try:
            return system.pid("asterisk") != old
        except FileNotFoundError:
            return False

    system.wait_for(another, PATIENCE, "another Asterisk", step=0.1)
    took = time.monotonic() - began
    system.ekc("status", "--wait", f"{READY_SECONDS:g}")
    return took


def alarms(system: System) -> str:
    return "\n".join(alarm["what"] for alarm in system.status()["alarms"])


# --- Asterisk ----------------------------------------------------------------------------------------


def test_an_asterisk_that_is_stopped_is_started_again_and_its_calls_are_settled(
    system: System, world: World
) -> None:
    """SIGSTOP: the process is there and its ports are open, but nobody answers."""
    number = new_number()
    world.call(number)
    call = system.wait_call(number)
    assert started_again(system, lambda pid: os.kill(pid, signal.SIGSTOP)) < IN_TIME
    assert "asterisk does not answer SIP for 12 s, killed" in alarms(system)
    assert system.wait_lived(call, PATIENCE, closed=False).contact.outcome is not None
    answers_calls(system, world)


def test_an_asterisk_that_lives_but_hears_no_sip_is_started_again(system: System, world: World) -> None:
    """The one thread that reads SIP stands still; the manager interface and the console work."""
    assert started_again(system, lambda pid: freeze(threads(pid, name="SIP"))) < IN_TIME
    assert "asterisk does not answer SIP for 12 s, killed" in alarms(system)
    answers_calls(system, world)


def test_an_asterisk_whose_manager_interface_is_silent_is_started_again(system: System, world: World) -> None:
    """Connections are accepted by the kernel, and nobody serves them; SIP works."""
    took = started_again(system, lambda pid: freeze(threads(pid, waits_in="poll_schedule_timeout")))
    assert took < IN_TIME
    assert "asterisk does not answer its manager interface for 15 s, killed" in alarms(system)
    answers_calls(system, world)


def answers_calls(system: System, world: World) -> None:
    number = new_number()
    call = world.call(number)
    system.wait_call(number)
    world.hang_up(call)
    call.ended(PATIENCE)


def test_the_supervisors_own_calls_are_nobodys(system: System) -> None:
    """They reach Asterisk, leave no arrival, no card and no row, and ring nobody."""
    probe = conf.probe_extension(load(system.state))
    before = len(system.arrivals())
    seen = len(probes(system, probe))
    system.wait_for(lambda: len(probes(system, probe)) > seen, PATIENCE, "a call of the supervisor's")
    assert len(system.arrivals()) == before
    known = {row["call"] for row in system.ekc("calls", "list", "--json").json}
    assert known.isdisjoint(call for call in probes(system, probe))
    assert probe not in (system.state / "asterisk" / "log" / "messages.log").read_text()


def probes(system: System, extension: str) -> list[str]:
    """Uniqueids of calls to the probe's extension."""
    return [row[2] for row in system.cel() if row[0] == "CHAN_START" and row[6] == extension]


# --- the database ------------------------------------------------------------------------------------


def test_a_database_held_for_fifteen_seconds_delays_each_of_many_callers_by_seconds(
    system: System, world: World
) -> None:
    """They hear the line within the limit, however many ask before them, and the event loop never waits."""
    engine = system.pid("engine")
    with locked(system.state / "ekc.db"):
        until = time.monotonic() + 15
        calls = world.call_all([new_number() for _ in range(5)])
        worst = 0.0
        while time.monotonic() < until:
            worst = max(worst, loop_lag(system))
            time.sleep(0.5)
    assert worst < 1.0
    assert system.pid("engine") == engine
    for call in calls:
        world.hang_up(call)
        call.ended(PATIENCE)
    assert max(silence_before(call.heard) for call in calls) < DATABASE_SECONDS + SLACK


def loop_lag(system: System) -> float:
    found = re.search(r"^ekc_event_loop_lag_seconds (\S+)$", httpx.get(f"{system.web}/metrics").text, re.M)
    assert found is not None
    return float(found[1])


def silence_before(recording: Path) -> float:
    """Seconds of a call until something is heard."""
    levels = loudness(samples(recording))
    return next((n for n, level in enumerate(levels) if level > QUIET), len(levels)) * FRAME / RATE


@contextmanager
def stopped(server: Postgres) -> Iterator[None]:
    """With all its processes: each connection has one, in a group of its own."""
    main = psutil.Process(server.pid)
    all_of_it = [main, *main.children(recursive=True)]
    for process in all_of_it:
        process.suspend()
    try:
        yield
    finally:
        for process in all_of_it:
            process.resume()


def test_a_database_server_that_is_stopped_does_not_stop_the_line() -> None:
    """SIGSTOP: connections stand, and no question is answered. Callers hear the line all the same, and when
    the server goes on, their cards are made."""
    with cluster() as postgres:
        settings = {"database_url": postgres.url(postgres.create()), "opens": "00:00", "closes": "24:00"}
        with System(**settings) as system, World(system.line_port) as world:  # type: ignore[arg-type]
            system.open_today()
            with stopped(postgres):
                calls = world.call_all([new_number() for _ in range(3)])
                time.sleep(12)  # what is heard meanwhile is judged
                assert all(call.answered for call in calls)
                for call in calls:
                    world.hang_up(call)
                    call.ended(PATIENCE)
            assert max(silence_before(call.heard) for call in calls) < DATABASE_SECONDS + SLACK
            for arrival in system.arrivals():
                lived = system.wait_lived(arrival.call, PATIENCE, closed=False)
                assert lived.contact.outcome is not None
