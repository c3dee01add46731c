"""No engine and nobody on duty: who presses 1 is called back when the engine is there again, and once."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from ivr.ports import Prompt
from tests.harness.duty import Duty
from tests.harness.listening import was_heard
from tests.harness.softphone import Softphone
from tests.harness.sounds import sound_of
from tests.harness.system import READY_SECONDS, System
from tests.harness.world import World, WorldCall, hang_up, keys, wait
from tests.line.conftest import e164, new_number

pytestmark = pytest.mark.line

PATIENCE = 90.0
ONE = (wait(12), keys("1"), wait(8), keys("1"))
"""Pressed when the sentence has been heard; once more for a machine that was slow to begin it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Open today; one caller at a time is asked; a program writes down each alarm."""
    told = tmp_path_factory.mktemp("alarms") / "told"
    command = f"/bin/sh -c 'cat >> {told}'"
    with System(emergency_at_once=1, alarm__command=command, digit_seconds=2) as system:
        system.open_today()
        system.demo_data()
        yield system


@pytest.fixture(scope="module")
def citizens(site: System) -> Iterator[World]:
    with World(site.line_port) as world:
        yield world


@contextmanager
def no_engine(site: System) -> Iterator[None]:
    """It is killed, and who would start it again sleeps."""
    supervisor = int((site.state / "run" / "supervisor.pid").read_text())
    os.kill(supervisor, signal.SIGSTOP)
    try:
        site.kill_engine()
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)
    site.ekc("status", "--wait", f"{READY_SECONDS:g}")


def waiting(site: System) -> list[Path]:
    return sorted((site.state / "spool" / "emergency").glob("*.sealed"))


def archived(site: System) -> list[Path]:
    return sorted((site.state / "spool" / "emergency" / "done").iterdir())


def heard(call: WorldCall, prompt: str, folder: Path) -> bool:
    return was_heard(sound_of(Prompt.of(prompt), folder), call.heard)


def callbacks_of(site: System, number: str) -> list[str]:
    """Their sources, as the command tells."""
    return [row["source"] for row in site.callbacks() if row["number"] == e164(number)]


def test_who_presses_1_without_an_engine_is_called_back_once(
    site: System, citizens: World, tmp_path: Path
) -> None:
    """The wish is sealed on the disk; the engine makes one callback of it, at the place of the arrival.

    It holds when the engine dies again right afterwards and reads all anew.
    """
    number = new_number()
    with no_engine(site):
        call = citizens.call(number, script=ONE).ended(PATIENCE)
        [path] = waiting(site)
        assert number[1:].encode() not in path.read_bytes()
    assert heard(call, "emergency.callback", tmp_path)
    assert heard(call, "emergency.confirmed", tmp_path)
    assert not heard(call, "emergency", tmp_path), "nobody was there to be connected with"
    site.wait_for(lambda: archived(site), PATIENCE, "the file to be taken")
    with no_engine(site):
        assert waiting(site) == []
    uniqueid = path.stem
    lived = site.wait_lived(uniqueid, PATIENCE)
    assert callbacks_of(site, number) == ["emergency"]
    assert lived.ended == ("callback", "lost_by_crash")
    assert lived.of("ask", "emergency.callback") == ["answered"]
    [callback] = site.records.callbacks(lived.card["id"])
    [arrival] = [arrival for arrival in site.arrivals() if arrival.call == uniqueid]
    assert abs((callback.arrived_at - datetime.fromisoformat(arrival.at)).total_seconds()) < 2


def test_who_hangs_up_after_1_is_called_back_and_who_presses_nothing_is_not(
    site: System, citizens: World, tmp_path: Path
) -> None:
    """And an unknown number is asked nothing."""
    hasty, silent = new_number(), new_number()
    with no_engine(site):
        calls = [
            citizens.call(hasty, script=(wait(5), keys("1"), hang_up())),
            citizens.call(silent),
            citizens.call(new_number(), privacy="id"),
        ]
        for call in calls:
            call.ended(PATIENCE)
    assert heard(calls[1], "emergency.later", tmp_path)
    assert not heard(calls[2], "emergency.callback", tmp_path)
    # the journals alone would make one unasked, too; the wish tells that it was asked for
    site.wait_for(lambda: callbacks_of(site, hasty) == ["emergency"], PATIENCE, "the wish to be taken")
    assert "emergency" not in callbacks_of(site, silent)


def test_of_many_callers_a_few_at_once_are_asked_and_all_are_kept(site: System, citizens: World) -> None:
    """One process at a time (`emergency_at_once`); the others hear music and get their turn."""
    numbers = [new_number() for _ in range(3)]
    script = tuple(step for _ in range(15) for step in (wait(2), keys("1")))
    most = 0
    with no_engine(site):
        calls = citizens.call_all(numbers, script=script)

        def all_over() -> bool:
            nonlocal most
            most = max(most, scripts(site))
            return all(call.over for call in calls)

        site.wait_for(all_over, PATIENCE, "all to have been asked", step=0.1)
        assert len(waiting(site)) == 3
    site.wait_for(lambda: not waiting(site), PATIENCE, "the files to be taken")
    assert most == 1
    assert [callbacks_of(site, number) for number in numbers] == [["emergency"]] * 3


def scripts(site: System) -> int:
    """Processes of the emergency script that live now."""
    commands = [process.cmdline() for process in site.processes() if process.is_running()]
    return sum(any(word.endswith("emergency.py") for word in words) for words in commands)


def test_with_an_operator_on_duty_the_caller_goes_to_the_general_queue(
    site: System, citizens: World, tmp_path: Path
) -> None:
    """The sentence, then the operator: no engine is needed for it, and nothing is kept."""
    duty = Duty(site)
    duty.hire("201", agency="soc")
    try:
        duty.log_in("201")
        with no_engine(site):
            call = citizens.call(new_number())
            duty.talk(lambda: call.over, timeout=PATIENCE)
            assert waiting(site) == []
        assert heard(call, "emergency", tmp_path)
        assert not heard(call, "emergency.callback", tmp_path)
        duty.log_out("201")
    finally:
        duty.abandon()


def test_a_supervisor_who_wants_to_listen_without_an_engine_is_told_to_try_later(
    site: System, tmp_path: Path
) -> None:
    """Nobody listens, for nobody can say who may; and the telephone is not just silent."""
    secret = site.add_operator("Старший", extension="301", agency="soc", supervisor=True)
    with Softphone("301", password=secret, server=site.operators) as phone:
        phone.register()
        with no_engine(site):
            for code in ("*31201", "*32201"):
                phone.dial(code)
                phone.wait_hung_up(20)
        later = sound_of(Prompt.of("supervisor.later"), tmp_path)
        assert [was_heard(later, recording) for recording in phone.heard()] == [True, True]
    assert site.records.audited("talks.listen") == []


def test_a_spool_that_cannot_be_used_keeps_no_call_and_is_told(
    site: System, citizens: World, tmp_path: Path
) -> None:
    """The caller hears that it did not work; afterwards an alarm stands, and the site's program was told."""
    spool, note = site.state / "spool" / "emergency", site.state / "spool" / "emergency.failed"
    spool.rename(spool.with_name("away"))
    spool.touch()
    try:
        with no_engine(site):
            call = citizens.call(new_number(), script=ONE).ended(PATIENCE)
        assert heard(call, "emergency.later", tmp_path)
        assert not heard(call, "emergency.confirmed", tmp_path)
        site.wait_for(lambda: _alarm(site, "spool: "), PATIENCE, "the alarm of the folder")
    finally:
        spool.unlink()
        spool.with_name("away").rename(spool)
    site.wait_for(lambda: _alarm(site, "could not be kept"), PATIENCE, "the alarm of the lost wish")
    note.unlink()
    site.wait_for(lambda: not _alarm(site, "could not be kept"), PATIENCE, "the end of the alarm")
    told = [json.loads(line) for line in _told(site).splitlines()]
    assert any(alarm["what"].startswith("spool: ") for alarm in told)
    assert any("engine ended with signal 9" in alarm["what"] for alarm in told)


def test_a_file_that_nobody_can_open_is_told_and_keeps_no_call_and_no_other_file(
    site: System, citizens: World
) -> None:
    """A caller is served as ever, and a wish that comes after it is taken."""
    damaged = site.state / "spool" / "emergency" / "node1-1.1.sealed"
    damaged.write_bytes(b"EKC1 half of it is gone")
    try:
        site.wait_for(lambda: _alarm(site, damaged.name), PATIENCE, "the alarm of the file")
        number = new_number()
        call = citizens.call(number)
        site.wait_call(number)
        citizens.hang_up(call)
        wishes = new_number()
        with no_engine(site):
            citizens.call(wishes, script=ONE).ended(PATIENCE)
        site.wait_for(lambda: callbacks_of(site, wishes) == ["emergency"], PATIENCE, "the callback")
        assert damaged.exists()
    finally:
        damaged.unlink()
    site.wait_for(lambda: not _alarm(site, damaged.name), PATIENCE, "the end of the alarm")


def _alarm(site: System, what: str) -> bool:
    return any(what in alarm["what"] for alarm in site.status()["alarms"])


def _told(site: System) -> str:
    command = site.command_env["EKC_ALARM__COMMAND"]
    return Path(command.rpartition(">> ")[2].rstrip("'")).read_text("utf-8")
