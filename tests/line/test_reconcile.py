"""Everything is killed while citizens call; afterwards arrivals, cards and callbacks agree."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.harness.duty import Duty
from tests.harness.restarts import wait_another_engine
from tests.harness.system import READY_SECONDS, System
from tests.harness.world import World, WorldCall, keys
from tests.line.conftest import e164, new_number

pytestmark = pytest.mark.line

PATIENCE = 90.0


class Site:
    """One operator is logged in and answers nobody: citizens wait."""

    def __init__(self, system: System, world: World) -> None:
        self.system, self.world = system, world

    def waits(self) -> tuple[str, WorldCall]:
        """A citizen who waits in the queue: the number, and the call."""
        number = new_number()
        citizen = self.world.call(number, script=(keys("0"),))
        self.system.wait_step(self.system.wait_call(number), "queue general entered", 60)
        return number, citizen

    def account(self, *, code: int = 0) -> Any:
        """What `ekc reconcile --json` says, and by which exit code."""
        done = self.system.ekc("reconcile", "--json", check=False, timeout=PATIENCE)
        assert done.code == code, f"exit {done.code}\n{done.out}\n{done.err}\n{self.system.log_tail()}"
        return done.json

    def ready(self) -> None:
        self.system.ekc("status", "--wait", f"{READY_SECONDS:g}")

    def promised(self, number: str) -> list[tuple[str, float]]:
        """Source of each callback, and seconds from the arrival to its place."""
        [arrival] = [a for a in self.system.arrivals() if a.number == number]
        lived = self.system.wait_lived(arrival.call, PATIENCE)
        assert lived.card["outcome"] == "callback"
        came = datetime.fromisoformat(arrival.at)
        found = [c for c in self.system.records.callbacks(lived.card["id"]) if c.number == e164(number)]
        return [(c.source.value, (c.arrived_at - came).total_seconds()) for c in found]

    def called_back_for(self, number: str, source: str) -> None:
        [(found, seconds)] = self.promised(number)
        assert found == source
        assert -1.1 < seconds < 0.1, "the place is the arrival's"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with System(wrapup_seconds=1, missed_rings=1000, heartbeat_seconds=2) as system:
        system.open_today()
        system.demo_data()
        duty = Duty(system)
        duty.hire("201", agency="soc")
        try:
            with World(system.line_port) as world:
                duty.log_in("201", answers=False)
                yield Site(system, world)
        finally:
            duty.abandon()


def test_who_gives_up_waiting_is_called_back_and_who_hangs_up_in_the_greeting_is_not(site: Site) -> None:
    number, citizen = site.waits()
    account = site.account()
    assert account["in_progress"] == 1
    site.world.hang_up(citizen)
    site.called_back_for(number, "abandoned")
    hasty = site.world.call(shy := new_number())
    call = site.system.wait_call(shy)
    site.world.hang_up(hasty)
    assert site.system.wait_lived(call, PATIENCE).ended == ("abandoned", "abandoned_ivr")
    assert site.system.records.callbacks(site.system.wait_card(call)["id"]) == []
    account = site.account()
    assert (account["in_progress"], account["lost"], account["unreachable"]) == (0, [], [])
    assert account["closed"] == account["arrivals"]


def test_an_engine_killed_while_a_citizen_waits_loses_nobody(site: Site) -> None:
    """The citizen gives up while there is no engine; the next one finds it in the journals."""
    number, citizen = site.waits()
    pid = site.system.kill_engine()
    site.world.hang_up(citizen)
    wait_another_engine(site.system, than=pid)
    site.called_back_for(number, "abandoned")
    site.account()


def test_asterisk_killed_with_citizens_waiting_calls_all_of_them_back(site: Site) -> None:
    """And one in the middle of the greeting; each at the place of the own arrival."""
    waiting = [site.waits() for _ in range(3)]
    talking = site.world.call(greeted := new_number())
    site.system.wait_call(greeted)
    site.system.signal_part("asterisk", signal.SIGKILL)
    site.ready()
    for number in (*(number for number, _ in waiting), greeted):
        site.called_back_for(number, "crash")
    for citizen in (*(citizen for _, citizen in waiting), talking):
        site.world.hang_up(citizen)
    account = site.account()
    assert (account["lost"], account["doubled"], account["in_progress"]) == ([], [], 0)


def test_everything_killed_at_once_is_told_meanwhile_and_mended_at_the_next_start(site: Site) -> None:
    """Without an engine `ekc reconcile` names who is lost; an unknown number is unreachable afterwards."""
    number, citizen = site.waits()
    before = len(site.system.arrivals())
    hidden = site.world.call(new_number(), script=(keys("0"),), privacy="id")
    site.system.wait_for(lambda: len(site.system.arrivals()) > before, 30, "the hidden one to have arrived")
    site.system.kill_supervisor()
    lost = site.account(code=1)["lost"]
    assert number not in str(lost), "numbers are masked"
    assert {row["why"] for row in lost} <= {"no_end", "no_card"}
    site.system.start()
    site.called_back_for(number, "crash")
    for call in (citizen, hidden):
        site.world.hang_up(call)
    account = site.account()
    assert account["lost"] == account["doubled"] == []
    assert [row["why"] for row in account["unreachable"]] == ["no_number"]
