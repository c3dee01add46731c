"""Parts of the system die, hang, stop or lose their database while citizens call: nobody is lost."""

from __future__ import annotations

import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ivr.ports import Prompt
from ivr.services.calendar import calendar_of
from ivr.settings import Settings
from tests.harness.commands import ZONE
from tests.harness.duty import Duty
from tests.harness.listening import was_heard
from tests.harness.postgres import Postgres, cluster
from tests.harness.processes import wait_for
from tests.harness.records import Lived
from tests.harness.restarts import wait_another_engine
from tests.harness.sounds import sound_of
from tests.harness.system import READY_SECONDS, System
from tests.harness.world import World, WorldCall, keys
from tests.line.conftest import new_number

pytestmark = pytest.mark.line

PATIENCE = 90.0
HEARTBEAT = 2.0
DRAIN = 30.0
SETTINGS: dict[str, object] = {
    "wrapup_seconds": 1,
    "heartbeat_seconds": HEARTBEAT,
    "drain_seconds": DRAIN,
    "opens": "00:00",
    "closes": "24:00",
}


class Site:
    """A running system with one operator on duty and citizens who call."""

    def __init__(self, system: System, world: World, duty: Duty) -> None:
        self.system, self.world, self.duty = system, world, duty

    def call(self, *script: str) -> Caller:
        number = new_number()
        return Caller(self, number, self.world.call(number, script=script))

    def wait_ready(self) -> None:
        """Until the operator's wrap-up is over."""
        wait_for(lambda: self.duty.state("201") == "ready", PATIENCE, "the operator to be ready", step=0.5)

    def alarms(self) -> str:
        return "\n".join(alarm["what"] for alarm in self.system.status()["alarms"])


class Caller:
    """One of the citizens."""

    def __init__(self, site: Site, number: str, citizen: WorldCall) -> None:
        self.site, self.number, self.citizen = site, number, citizen

    @property
    def call(self) -> str:
        """Its uniqueid, as soon as it has arrived."""

        def arrived() -> str | None:
            found = [a.call for a in self.site.system.arrivals() if a.number.endswith(self.number[-10:])]
            return found[-1] if found else None

        return wait_for(arrived, 30, "the call to arrive")

    def talks_to_the_operator(self) -> None:
        """Until the operator hangs up."""
        self.site.duty.talk(lambda: self.citizen.over, timeout=PATIENCE)

    def heard(self, sound: Path) -> bool:
        return was_heard(sound, self.citizen.heard)

    def lived(self) -> Lived:
        return self.site.system.wait_lived(self.call, PATIENCE)


@contextmanager
def site_of(system: System) -> Iterator[Site]:
    system.open_today()
    system.demo_data()
    duty = Duty(system)
    duty.hire("201", agency="soc")
    try:
        with World(system.line_port) as world:
            duty.log_in("201")
            yield Site(system, world, duty)
    finally:
        duty.abandon()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with System(**SETTINGS) as system, site_of(system) as site:  # type: ignore[arg-type]
        yield site


@pytest.fixture(scope="module")
def emergency(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sound_of(Prompt.of("emergency"), tmp_path_factory.mktemp("emergency"))


def served(lived: Lived) -> tuple[Any, ...]:
    """How it ended, with whom, and the ends in the trace; a held database may learn of a queue later."""
    return (lived.ended, lived.card["operator"], [event.kind for event in lived.trace if event.kind == "end"])


SERVED = (("served", "served"), "201", ["end"])


# --- the engine --------------------------------------------------------------------------------------


def test_an_engine_killed_in_mid_call_loses_nobody(site: Site, emergency: Path) -> None:
    """The caller hears that something has failed and talks to an operator; the card is there afterwards."""
    caller = site.call()
    in_conversation(site, caller)
    pid = site.system.kill_engine()
    caller.talks_to_the_operator()
    assert caller.heard(emergency)
    wait_another_engine(site.system, than=pid)
    assert "engine ended with signal 9 (SIGKILL)" in site.alarms()
    assert served(caller.lived()) == SERVED


def test_an_engine_that_hangs_is_killed_in_time_and_its_caller_goes_on(site: Site, emergency: Path) -> None:
    """SIGSTOP: more than the heartbeat's limit without one, and the watchdog acts; the caller is served."""
    caller = site.call()
    in_conversation(site, caller)
    stopped = time.monotonic()
    pid = site.system.stop_engine_signal(signal.SIGSTOP)
    wait_for(lambda: not alive(pid), 3 * HEARTBEAT, "the hung engine to be killed")
    assert time.monotonic() - stopped > HEARTBEAT / 2
    caller.talks_to_the_operator()
    assert caller.heard(emergency)
    wait_another_engine(site.system, than=pid)
    assert "engine hung" in site.alarms()
    assert served(caller.lived()) == SERVED


def test_an_engine_told_to_stop_finishes_its_calls_and_takes_no_new_ones(site: Site, emergency: Path) -> None:
    """SIGTERM: who is in conversation goes on as if nothing was; who comes now takes the dialplan's way."""
    before = site.call(keys("1"))
    site.system.wait_step(before.call, "ask menu answered", 30)
    pid = site.system.signal_part("engine", signal.SIGTERM)
    site.system.wait_for(lambda: not agi_accepts(site.system), 10, "the engine to refuse calls", step=0.05)
    assert alive(pid)
    after = site.call()
    site.world.press(before.citizen, "0")
    site.duty.talk(lambda: before.citizen.over and after.citizen.over, timeout=2 * PATIENCE)
    assert (before.heard(emergency), after.heard(emergency)) == (False, True)
    wait_another_engine(site.system, than=pid)
    first, second = before.lived(), after.lived()
    assert first.of("queue", "general")[:1] == ["asked"]
    assert [served(first), served(second)] == [SERVED, SERVED]


def in_conversation(site: Site, caller: Caller) -> None:
    """The engine has opened the card and is in the middle of the greeting."""
    call = caller.call
    site.system.wait_for(lambda: site.system.records.has(call), 30, "the card", step=0.05)
    assert site.system.records.trace(call) == ()


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def agi_accepts(system: System) -> bool:
    try:
        socket.create_connection(("127.0.0.1", system.ports["agi_port"]), timeout=2).close()
    except OSError:
        return False
    return True


# --- the database ------------------------------------------------------------------------------------


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program holds SQLite's lock and does not let go."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def test_a_locked_database_does_not_keep_a_caller_from_the_operator(site: Site, tmp_path: Path) -> None:
    """No self-service, for nothing personal can be looked up; the card is made when the lock is gone.

    The operator is ready before: the end of a wrap-up is written down, and that has to wait for the lock.
    """
    site.wait_ready()
    with locked(site.system.state / "ekc.db"):
        caller = site.call()
        goes_on_without_storage(site, caller, tmp_path)
    if open_by_the_production_calendar():
        assert served(caller.lived()) == SERVED
    else:
        assert caller.lived().contact.outcome is not None


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with cluster() as running:
        yield running


def test_a_database_server_that_is_down_does_not_keep_a_caller_from_the_operator(
    postgres: Postgres, tmp_path: Path
) -> None:
    """PostgreSQL stops in mid-service; when it is back, the card of the meantime is made."""
    url = postgres.url(postgres.create())
    with System(database_url=url, **SETTINGS) as system, site_of(system) as site:  # type: ignore[arg-type]
        postgres.stop()
        caller = site.call()
        goes_on_without_storage(site, caller, tmp_path)
        postgres.start()
        assert caller.lived().contact.outcome is not None
        system.ekc("status", "--wait", f"{READY_SECONDS:g}")


def goes_on_without_storage(site: Site, caller: Caller, folder: Path) -> None:
    """The caller hears that something has failed and talks to the operator.

    Own exceptions to the calendar are out of reach: on a day off by the production calendar the caller hears
    that the line is closed instead.
    """
    caller.talks_to_the_operator()
    if open_by_the_production_calendar():
        assert caller.heard(sound_of(Prompt.of("emergency"), folder))
        assert caller.citizen.duration > 10
    else:
        assert caller.heard(sound_of(Prompt.of("goodbye", reason="closed"), folder))


def open_by_the_production_calendar() -> bool:
    settings = Settings(**{name: SETTINGS[name] for name in ("opens", "closes")})  # type: ignore[arg-type]
    return calendar_of(settings, ()).is_open(datetime.now(ZONE))
