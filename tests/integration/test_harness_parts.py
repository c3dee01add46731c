"""The parts of the harness that need no telephone: listening, searching, processes, the system's own care."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.harness.baresip import Netstrings, netstring
from tests.harness.commands import EKC, PROJECT
from tests.harness.forked import run_ekc
from tests.harness.listening import listen_for, was_heard
from tests.harness.markers import find_marker, marker_pattern, plant
from tests.harness.processes import Group, TooLate, free_ports, marked_processes, port_is_free, wait_for
from tests.harness.system import System
from tests.harness.voices import say


def test_a_netstring_is_read_whatever_the_cuts() -> None:
    """Any way of splitting the bytes gives the same strings."""
    data = netstring(b'{"a":1}') + netstring(b"") + netstring("ё".encode())
    for cut in range(len(data)):
        reader = Netstrings()
        assert reader.feed(data[:cut]) + reader.feed(data[cut:]) == [b'{"a":1}', b"", "ё".encode()]


# --- listening and searching -----------------------------------------------------------------------


def test_a_prompt_is_found_where_it_is(tmp_path: Path) -> None:
    """In a recording of one sentence after another the second one has its place."""
    sentence = say(tmp_path / "sentence.wav", "Единый контактный центр.")
    other = say(tmp_path / "other.wav", "Введите номер и решётку.")
    both = tmp_path / "both.wav"
    subprocess.run(["sox", other, sentence, both], check=True, timeout=30)
    length = float(subprocess.run(["soxi", "-D", other], check=True, capture_output=True, timeout=30).stdout)
    assert listen_for(sentence, both).at == pytest.approx(length, abs=0.05)
    assert not was_heard(sentence, other)


def test_sentences_that_share_most_words_are_told_apart(tmp_path: Path) -> None:
    """A synthesiser says the same word the same way each time; the proof does not fall for it."""
    one = say(tmp_path / "one.wav", "Чтобы узнать о заявлении, нажмите один.")
    two = say(tmp_path / "two.wav", "Чтобы узнать о выплатах, нажмите два.")
    assert was_heard(one, one)
    assert not was_heard(one, two)


@pytest.mark.parametrize(
    "marker", ["Ёжикова-Приметная", "31415926535", "Zebra Crossing", "пособие «Заметное»"]
)
def test_a_planted_marker_is_found_in_each_place(tmp_path: Path, marker: str) -> None:
    """The control run: none of the hiding places is overlooked."""
    planted = plant(tmp_path / "state", marker)
    missed = set(planted) - set(find_marker(tmp_path / "state", marker))
    assert not missed


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    """Another marker's hiding places say nothing."""
    plant(tmp_path, "Ёжикова-Приметная")
    assert find_marker(tmp_path, "Ужикова-Приметная") == []
    assert find_marker(tmp_path, "31415926535") == []


def test_a_number_is_found_through_its_separators(tmp_path: Path) -> None:
    """Grouping does not hide a SNILS."""
    (tmp_path / "a").write_text("снилс 314-159-265 35.")
    assert find_marker(tmp_path, "31415926535") == [tmp_path / "a"]
    with pytest.raises(ValueError, match="by chance"):
        marker_pattern("12")


# --- how tests are run -----------------------------------------------------------------------------

_BROKEN = """
import pathlib, pytest

@pytest.fixture(scope="module")
def system():
    with pathlib.Path("tries").open("a") as tries:
        tries.write("x")
    assert False, "no system today"

@pytest.mark.parametrize("n", [1, 2, 3])
def test_it(system, n): ...
"""


def test_a_shared_fixture_that_fails_is_not_tried_again_by_every_test(tmp_path: Path) -> None:
    """Nor by every rerun of it; each test fails with the reason."""
    (tmp_path / "conftest.py").write_text((PROJECT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_broken.py").write_text(_BROKEN)
    argv = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", tmp_path, "--reruns=2", "."]
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert "3 errors" in done.stdout
    assert done.stdout.count("system failed 2 times, at last with: AssertionError('no system today") >= 3
    assert len((tmp_path / "tries").read_text()) == 2


# --- processes -------------------------------------------------------------------------------------


def test_ports_that_were_given_are_free_and_given_once() -> None:
    """Neighbouring blocks of ten ports are free from the first to the last."""
    first, second = free_ports(3), free_ports(3)
    assert all(port_is_free(p) for p in range(first, first + 30))
    assert not set(range(first, first + 30)) & set(range(second, second + 30))


def test_a_group_dies_with_its_children(tmp_path: Path) -> None:
    """Killing a group takes the children of the program with it."""
    group = Group(
        ["sh", "-c", "sleep 100 & wait"], output=tmp_path / "out", env={"PATH": "/bin", "MARK": "m-1"}
    )
    wait_for(lambda: len(marked_processes("MARK", "m-1")) == 2, 5, "both processes")
    group.kill()
    wait_for(lambda: not marked_processes("MARK", "m-1"), 5, "no process")


def test_waiting_in_vain_is_a_failure() -> None:
    """What does not come is told by name."""
    with pytest.raises(TooLate, match="Godot"):
        wait_for(lambda: False, 0.05, "Godot")


# --- commands ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (("nonsense",), ""),
        (("calls", "list", "--json"), ""),
        (("calendar", "set", "2026-12-31", "--closed"), ""),
        (("operators", "add", "Анна", "--extension", "201", "--agency", "szn", "--password-stdin"), "Tr0ub4"),
    ],
)
def test_a_forked_command_says_and_does_what_the_script_does(
    tmp_path: Path, words: tuple[str, ...], given: str
) -> None:
    """Exit code, both streams, standard input and environment."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("EKC_")}
    found = []
    for state in (tmp_path / "a", tmp_path / "b"):
        how: dict[str, Any] = {"env": mine | {"EKC_STATE": str(state)}, "cwd": tmp_path, "timeout": 60}
        run = run_ekc if state.name == "a" else partial(_run_script, EKC)
        done = run(words, input=given, **how)
        found.append((done.returncode, done.stdout, done.stderr, sorted(p.suffix for p in state.rglob("*"))))
    assert found[0] == found[1]


def test_a_forked_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """As subprocess.run does it."""
    env = {**os.environ, "EKC_STATE": str(tmp_path)}
    with pytest.raises(subprocess.TimeoutExpired):
        run_ekc(["status", "--wait", "60"], env=env, cwd=tmp_path, timeout=1.0)


# --- the system under test, played by a script -------------------------------------------------------


def _run_script(script: Path, arguments: Sequence[str], **how: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([script, *arguments], capture_output=True, text=True, check=False, **how)


def play_ekc(folder: Path, monkeypatch: pytest.MonkeyPatch, up: str) -> System:
    """A System whose `ekc` is a shell script: always ready, and `up` does what is said."""
    script = folder / "ekc"
    script.write_text(f"#!/bin/bash\nif [ $1 = up ]; then {up}; else echo '{{}}'; fi\n")
    script.chmod(0o700)
    monkeypatch.setattr("tests.harness.system.EKC", script)
    monkeypatch.setattr("tests.harness.commands.run_ekc", partial(_run_script, script))
    return System(state=folder / "state")


def test_a_system_that_ends_cleanly_is_stopped_without_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 0 after SIGINT, and nothing left."""
    with play_ekc(tmp_path, monkeypatch, "trap 'kill $!; exit 0' INT; sleep 60 & wait") as system:
        assert system.ekc("status").json == {}
        wait_for(lambda: len(system.processes()) == 2, 5, "it and its child")
    assert system.processes() == []


def test_a_process_left_behind_is_found_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that has left the session is known by its environment."""
    system = play_ekc(tmp_path, monkeypatch, "setsid sleep 60 & trap 'exit 0' INT; sleep 60 & wait")
    with pytest.raises(AssertionError, match="left processes behind"), system:
        wait_for(lambda: len(system.processes()) == 3, 5, "the children")
    wait_for(lambda: not system.processes(), 5, "their end")


def test_another_exit_code_than_0_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are told."""
    system = play_ekc(tmp_path, monkeypatch, "trap 'echo alas; kill $!; exit 7' INT; sleep 60 & wait")
    with pytest.raises(AssertionError, match=r"exited 7(?s:.*)alas"), system:
        wait_for(lambda: len(system.processes()) == 2, 5, "its child")


def test_settings_reach_the_system_and_ours_do_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only the settings that the test names are in force."""
    monkeypatch.setenv("EKC_SIP_PORT", "5060")
    monkeypatch.setenv("EKC_NO_INPUT", "operator")
    system = System(state=tmp_path / "s", silence_seconds=6, trunk__identity="from")
    assert system.command_env["EKC_SILENCE_SECONDS"] == "6"
    assert system.command_env["EKC_TRUNK__IDENTITY"] == "from"
    assert system.command_env["EKC_SIP_PORT"] == str(system.line_port) != "5060"
    assert "EKC_NO_INPUT" not in system.command_env
    system.close()
