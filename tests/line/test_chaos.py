"""A minute in which everything is killed while citizens call: nobody is lost (docs/chaos.md)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.findings import Fault
from tests.harness.commands import PROJECT

pytestmark = pytest.mark.line

SEED, SECONDS = 1, 60
MOST = 900.0
"""Seconds for a run with all its rest, beside other tests on two cores."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command prints; logs and journals of a run that found something are kept by pytest."""
    keep: Path = tmp_path_factory.mktemp("chaos")
    argv = [sys.executable, "-m", "tests.chaos", "--seed", str(SEED), "--seconds", str(SECONDS), "--json"]
    done = subprocess.run(
        [*argv, "--keep", str(keep)], capture_output=True, text=True, timeout=MOST, cwd=PROJECT, check=False
    )
    assert done.stdout, f"the run broke (exit {done.returncode}):\n{done.stderr[-3000:]}"
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["clean"] else 1)
    return found


def test_nobody_is_lost_and_nothing_is_doubled_left_or_wrong(told: dict[str, Any]) -> None:
    assert told["findings"] == []
    assert {fault.value: told[fault.value] for fault in Fault if fault is not Fault.NO_BLOW} == {
        "lost": 0,
        "doubled": 0,
        "double_dialled": 0,
        "leaked_channels": 0,
        "leaked_fds": 0,
        "wrong_states": 0,
    }


def test_every_kind_of_blow_was_dealt_with_five_calls_in_progress(told: dict[str, Any]) -> None:
    assert told["kills"] and min(told["kills"].values()) >= 1
    assert told["fewest_calls_at_a_kill"] >= 5


def test_people_did_call_and_were_served_and_called_back(told: dict[str, Any]) -> None:
    """Else a run without findings would say nothing."""
    assert told["offered"] == told["called"] - told["not_reached"] > 50
    assert told["answered_by_line"] > 50
    assert min(told["served"], told["callbacks_by_state"]["done"]) >= 3
