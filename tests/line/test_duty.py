"""An operator's day by softphone: in and out, pauses, wrap-up, missed and refused calls, restarts."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ivr.bootstrap import LocalSite
from ivr.domain.errors import EkcError
from ivr.settings import Settings
from tests.harness.duty import Duty
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.harness.voices import tones
from tests.harness.world import World, WorldCall, keys, wait
from tests.line.conftest import new_number

pytestmark = pytest.mark.line

RING_SECONDS, WRAPUP_SECONDS = 4, 8
PATIENCE = 60.0
"""Seconds for what should take a few."""
PROMPTS = (
    *("greeting", "menu", "connecting", "operator.logged_in", "operator.logged_out", "operator.ready"),
    *("operator.paused", "operator.was_paused", "operator.unreached"),
)
FREE = {"general": "", "soc-1": ""}


class Site:
    """One system, as its administrator sees it."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._site = LocalSite(Settings(state=system.state))

    def console(self, command: str) -> str:
        return self._site.node.console(command)

    def state(self, extension: str) -> tuple[str, str]:
        with self._site.closed_store().transaction() as uow:
            found = uow.operators.get(extension)
        return found.state.value, found.reason

    def queues(self, extension: str) -> dict[str, str]:
        """By queue why the operator is paused there, empty for one who may be rung."""
        found = {}
        for queue in ("general", "soc-1"):
            shown = self.console(f"queue show {queue}")
            row = next((line for line in shown.splitlines() if f"PJSIP/{extension} " in line), None)
            if row is not None:
                paused = re.search(r"\(paused(?::(\w*))?", row)
                found[queue] = (paused[1] or "yes") if paused else ""
        return found

    def waits_for(self, what: Callable[[], object], wanted: object) -> None:
        """Until it is so; a system that is just starting has nothing to say."""
        last: list[object] = [None]

        def same() -> bool:
            try:
                last[0] = what()
            except EkcError as error:
                last[0] = error
            return last[0] == wanted

        try:
            self.system.wait_for(same, PATIENCE, f"{wanted}", step=0.2)
        except AssertionError as late:
            raise AssertionError(f"{last[0]} instead of {wanted}\n{late}") from None

    def is_(self, extension: str, state: str, reason: str, queues: dict[str, str]) -> None:
        self.waits_for(lambda: (self.state(extension), self.queues(extension)), ((state, reason), queues))

    def mended(self, deed: str) -> float:
        name = f'ekc_duty_mended_total{{deed="{deed}"}}'
        found = re.search(
            rf"^{re.escape(name)} (\S+)$", httpx.get(f"{self.system.web}/metrics").text, re.MULTILINE
        )
        return float(found[1]) if found else 0.0

    def close(self) -> None:
        self._site.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    own = tones(tmp_path_factory.mktemp("tones"), PROMPTS)
    limits: dict[str, Any] = {"ring_seconds": RING_SECONDS, "wrapup_seconds": WRAPUP_SECONDS}
    with System(prompts_dir=own, **limits) as system:
        system.open_today()
        system.demo_data()
        made = Site(system)
        yield made
        made.close()


@pytest.fixture(scope="module")
def town(site: Site) -> Iterator[World]:
    with World(site.system.line_port) as world:
        yield world


@pytest.fixture(scope="module")
def staff(site: Site) -> Iterator[Duty]:
    staff = Duty(site.system)
    for extension in ("201", "202"):
        staff.hire(extension, agency="soc")
    yield staff
    staff.abandon()


@pytest.fixture
def duty(staff: Duty) -> Iterator[Duty]:
    yield staff
    staff.close()


def a_citizen(town: World, *script: str) -> WorldCall:
    """Somebody who wants any operator."""
    return town.call(new_number(), script=[wait(0.5), keys("0"), *script])


def a_talk(site: Site, town: World, phone: Softphone) -> WorldCall:
    """A citizen and this operator, in one bridge."""
    citizen = a_citizen(town)
    joined(site, phone)
    return citizen


def joined(site: Site, phone: Softphone) -> None:
    """The operator has heard the whisper, and talks with the citizen."""
    phone.wait_talking(PATIENCE)
    site.waits_for(lambda: set(site.queues(phone.user).values()), {"wrapup"})


# --- codes -------------------------------------------------------------------------------------------


def test_an_operator_comes_pauses_and_goes_by_codes(site: Site, duty: Duty) -> None:
    duty.log_in("201")
    site.is_("201", "ready", "", FREE)
    duty.dial("201", "*131")
    site.is_("201", "paused", "обед", {"general": "paused", "soc-1": "paused"})
    duty.dial("201", "*14")
    site.is_("201", "ready", "", FREE)
    duty.dial("201", "*12")
    site.is_("201", "logged_out", "", {})


def test_the_supervisor_does_the_same_by_commands(site: Site, duty: Duty) -> None:
    duty.log_in("201")
    site.system.ekc("operators", "pause", "201", "--reason", "3")
    site.is_("201", "paused", "обучение", {"general": "paused", "soc-1": "paused"})
    site.system.ekc("operators", "ready", "201")
    site.is_("201", "ready", "", FREE)
    moved = site.system.ekc("operators", "move", "201", "--queue", "general:5", "--json").json
    assert moved["queues"] == ["general:5"]
    site.waits_for(lambda: site.queues("201"), {"general": ""})
    assert "with penalty 5" in site.console("queue show general")
    site.system.ekc("operators", "move", "201", "--line", "1")
    site.is_("201", "ready", "", FREE)
    site.system.ekc("operators", "logout", "201")
    site.is_("201", "logged_out", "", {})


# --- wrap-up -----------------------------------------------------------------------------------------


def by_its_code(site: Site, duty: Duty) -> None:
    duty.dial("201", "*14")


def by_completing_the_card(site: Site, duty: Duty) -> None:
    def completed() -> bool:
        return site.system.ekc("cards", "edit", "last", "--complete", check=False).code == 0

    site.system.wait_for(completed, PATIENCE, "the card to be complete")


def by_its_limit(site: Site, duty: Duty) -> None:
    """Nobody does anything."""


@pytest.mark.parametrize("ends", [by_its_code, by_completing_the_card, by_its_limit])
def test_wrap_up_is_a_pause_from_before_the_talk_until_it_is_ended(
    site: Site, town: World, duty: Duty, ends: Callable[[Site, Duty], None]
) -> None:
    """§13: no next caller comes between the talk and its wrap-up, and three things end it."""
    phone = duty.log_in("201")
    a_talk(site, town, phone)
    assert site.state("201") == ("ready", "")
    phone.hang_up()
    resting = {"general": "wrapup", "soc-1": "wrapup"}
    site.is_("201", "wrapup", "", resting)
    ends(site, duty)
    site.is_("201", "ready", "", FREE)


def test_an_enquiry_whose_answer_takes_time_is_deferred_by_15_after_the_talk(
    site: Site, town: World, duty: Duty
) -> None:
    """§14: the supervisor finds it among the deferred ones, with nobody appointed yet."""
    phone = duty.log_in("201")
    citizen = a_talk(site, town, phone)
    phone.hang_up()
    citizen.ended(PATIENCE)
    duty.dial("201", "*15")
    site.waits_for(lambda: len(site.system.ekc("deferred", "list", "--json").json), 1)
    (owed,) = site.system.ekc("deferred", "list", "--json").json
    assert (owed["late"], owed["operator"]) == (False, None)
    card = site.system.ekc("cards", "show", str(owed["registration_number"]), "--json").json
    assert card["contacts"][0]["call"] == site.system.arrivals()[-1].call


def test_nobody_was_served_whom_the_operator_did_not_reach(site: Site, town: World, duty: Duty) -> None:
    """`*9` in the talk, however long it was."""
    phone = duty.log_in("201")
    citizen, began = a_talk(site, town, phone), time.monotonic()
    phone.press_all("*9")
    site.system.wait_for(lambda: _audited(site, "operators.not-reached"), PATIENCE, "the note of it")
    site.system.wait_for(lambda: time.monotonic() - began > 7, PATIENCE, "a talk that would be service")
    phone.hang_up()
    citizen.ended(PATIENCE)
    lived = site.system.wait_lived(site.system.arrivals()[-1].call, PATIENCE)
    assert lived.contact.talking_s >= 6
    assert lived.ended == ("callback", "too_short")


def _audited(site: Site, action: str) -> bool:
    rows = site.system.ekc("audit", "list", "--json").json
    return any(row["action"] == action for row in rows)


# --- calls that nobody takes -------------------------------------------------------------------------


def test_two_missed_calls_are_a_pause_with_an_alarm_until_the_operator_is_ready(
    site: Site, town: World, duty: Duty
) -> None:
    phone = duty.log_in("201", answers=False)
    citizen = a_citizen(town)
    site.is_("201", "paused", "не отвечает", {"general": "paused", "soc-1": "paused"})
    assert sum(event.type == "CALL_INCOMING" for event in phone.events) == 2
    site.waits_for(lambda: [a for a in _alarms(site) if "operator 201" in a] != [], True)
    duty.dial("201", "*14")
    phone.answer(PATIENCE)
    joined(site, phone)
    phone.hang_up()
    citizen.ended(PATIENCE)
    site.waits_for(lambda: [a for a in _alarms(site) if "operator 201" in a], [])


def _alarms(site: Site) -> list[str]:
    return [alarm["what"] for alarm in site.system.status()["alarms"]]


def test_a_refused_call_goes_to_the_other_operator_at_once(site: Site, town: World, duty: Duty) -> None:
    """201 is always asked first; one refusal is no pause."""
    first = duty.log_in("201", answers=False)
    second = duty.log_in("202")
    site.system.ekc("operators", "move", "202", "--queue", "general:1", "--queue", "soc-1:1")
    site.system.wait_for(lambda: "with penalty 1" in site.console("queue show general"), PATIENCE)
    citizen = a_citizen(town)
    site.system.wait_for(lambda: first.state == "ringing", PATIENCE, "the first to ring", step=0.05)
    first.hang_up()
    refused = max(event.at for event in first.events)
    second.wait_talking(PATIENCE)
    taken = max(event.at for event in second.events if event.type == "CALL_ESTABLISHED")
    assert taken - refused < RING_SECONDS
    assert site.state("201") == ("ready", "")
    joined(site, second)
    second.hang_up()
    citizen.ended(PATIENCE)
    site.system.ekc("operators", "move", "202", "--line", "1")


# --- restarts and other hands ------------------------------------------------------------------------


def test_after_a_killed_asterisk_members_are_back_as_they_were(site: Site, duty: Duty) -> None:
    duty.log_in("201")
    duty.log_in("202")
    duty.dial("202", "*132")
    site.system.ekc("operators", "move", "201", "--queue", "general:3")
    site.waits_for(lambda: site.queues("201"), {"general": ""})
    before = site.system.signal_part("asterisk", signal.SIGKILL)
    site.system.wait_for(lambda: _gone(before), PATIENCE, "Asterisk to be gone")
    site.is_("201", "ready", "", {"general": ""})
    site.is_("202", "paused", "перерыв", {"general": "paused", "soc-1": "paused"})
    site.waits_for(lambda: "with penalty 3" in site.console("queue show general"), True)
    assert site.system.pid("asterisk") != before
    site.system.ekc("operators", "move", "201", "--line", "1")
    site.system.ekc("status", "--wait", "60")


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def test_an_engine_that_was_killed_in_a_talk_ends_its_wrap_up_once_it_is_back(
    site: Site, town: World, duty: Duty
) -> None:
    phone = duty.log_in("201")
    citizen = a_talk(site, town, phone)
    site.system.kill_engine()
    phone.hang_up()
    citizen.ended(PATIENCE)
    site.is_("201", "wrapup", "", {"general": "wrapup", "soc-1": "wrapup"})
    site.is_("201", "ready", "", FREE)


def test_codes_work_without_the_engine_which_hears_of_them_later(site: Site, duty: Duty) -> None:
    duty.log_in("201")
    site.system.ekc("status", "--wait", "60")
    site.system.kill_engine()
    duty.dial("201", "*132")
    assert set(site.queues("201").values()) != {""}
    site.is_("201", "paused", "перерыв", {"general": "paused", "soc-1": "paused"})
    site.system.ekc("status", "--wait", "60")
    duty.dial("201", "*14")
    site.is_("201", "ready", "", FREE)


def test_what_somebody_changes_at_the_console_is_put_right_and_counted(site: Site, duty: Duty) -> None:
    duty.log_in("201")
    added, unpaused = site.mended("add"), site.mended("unpause")
    site.console("queue remove member PJSIP/201 from soc-1")
    site.waits_for(lambda: site.mended("add") > added, True)
    site.is_("201", "ready", "", FREE)
    site.console("queue pause member PJSIP/201 queue general")
    site.waits_for(lambda: site.mended("unpause") > unpaused, True)
    site.is_("201", "ready", "", FREE)
