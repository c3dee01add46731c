"""`ekc keys rotate`: what it prints, its exit codes, and the trace it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from ivr.domain.errors import BadInput
from ivr.ports import KeyRotation
from tests.unit.memory import Site

DONE = KeyRotation(resumed=False, rows=120, removed=2, kept=1, unreadable=0)


class RotatingSite(Site):
    """A site whose rotation ends as it is told."""

    def __init__(self, state: Path) -> None:
        super().__init__(state)
        self.result = DONE
        self.refusal: BadInput | None = None
        self.asked: list[bool] = []

    def rotate_keys(self, *, pepper: bool, progress: Callable[[int, int], None]) -> KeyRotation:
        self.asked.append(pepper)
        if self.refusal is not None:
            raise self.refusal
        progress(0, 0)
        progress(120, 120)
        return self.result


@pytest.fixture
def site(tmp_path: Path) -> RotatingSite:
    return RotatingSite(tmp_path)


def run(site: RotatingSite, *args: str) -> Result:
    return CliRunner().invoke(cli.ekc, ["keys", "rotate", *args], obj=site)


def deeds(site: RotatingSite) -> list[tuple[str, str]]:
    return [(row.action, row.result) for row in reversed(site.rows.audit.list())]


def test_a_rotation_is_told_in_numbers_and_leaves_its_beginning_and_end_in_the_audit(
    site: RotatingSite,
) -> None:
    result = run(site, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "resumed": False,
        "rows": 120,
        "removed": 2,
        "kept": 1,
        "unreadable": 0,
    }
    assert deeds(site) == [("keys.rotate", "begun"), ("keys.rotate", "ok")]
    assert site.asked == [False]


def test_people_read_one_sentence_and_whether_it_was_an_interrupted_one(site: RotatingSite) -> None:
    assert run(site, "--pepper").stdout.startswith("There are new keys. Rows sealed anew: 120; ")
    site.result = replace(DONE, resumed=True)
    assert "interrupted is finished" in run(site).stdout
    assert site.asked == [True, False]


def test_rows_that_do_not_open_end_with_1_and_the_remedy(site: RotatingSite) -> None:
    site.result = replace(DONE, removed=0, unreadable=3)
    result = run(site)
    assert result.exit_code == 1
    assert "rows that do not open: 3" in result.stderr and "restore" in result.stderr
    assert deeds(site)[-1] == ("keys.rotate", "unreadable")


def test_a_rotation_that_is_refused_leaves_only_its_beginning_in_the_audit(site: RotatingSite) -> None:
    site.refusal = BadInput("keys are being rotated by another program; wait for its end")
    result = run(site)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"ekc: {site.refusal}\n"
    assert deeds(site) == [("keys.rotate", "begun")]
