"""`ekc operators` for supervisors (§9.1), over a site in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import ekc
from ivr.domain.menu import Topic
from tests.unit.memory import Site

TOPIC = Topic(agency="szn", agency_name="Центр занятости", key="1", title="Работа", line=1)
Run = Callable[..., Any]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    with site.store.transaction() as uow:
        uow.agencies.upsert([TOPIC])
        uow.commit()
    return site


@pytest.fixture
def run(site: Site) -> Run:
    """Runs a command of `ekc operators`; what it says as JSON."""

    def run_(*args: str) -> Any:
        done = CliRunner().invoke(ekc, ["operators", *args, "--json"], input="tr0ub4dor&3", obj=site)
        return json.loads(done.stdout) if done.exit_code == 0 else done.exit_code

    return run_


def add(run: Run, extension: str, *more: str) -> None:
    name = f"Сотрудник {extension}"
    run("add", name, "--extension", extension, "--agency", "szn", "--password-stdin", *more)


def test_only_supervisors_are_listed_when_they_are_asked_for(run: Run) -> None:
    add(run, "201")
    add(run, "301", "--supervisor")
    assert [row["extension"] for row in run("list")] == ["201", "301"]
    assert [row["extension"] for row in run("list", "--supervisors")] == ["301"]


def test_an_operator_is_appointed_and_dismissed(run: Run) -> None:
    add(run, "201")
    assert run("appoint", "201")["extension"] == "201"
    assert [row["extension"] for row in run("list", "--supervisors")] == ["201"]
    run("dismiss", "201")
    assert run("list", "--supervisors") == []


def test_who_became_a_supervisor_stands_in_the_audit(site: Site, run: Run) -> None:
    add(run, "201")
    add(run, "301", "--supervisor")
    run("appoint", "201")
    run("dismiss", "301")
    with site.store.transaction() as uow:
        rows = [(row.action, row.subject) for row in reversed(uow.audit.list())]
    assert [row for row in rows if row[0] in ("operators.appoint", "operators.dismiss")] == [
        ("operators.appoint", "301"),
        ("operators.appoint", "201"),
        ("operators.dismiss", "301"),
    ]


def test_nobody_who_is_unknown_is_appointed(run: Run) -> None:
    assert run("appoint", "299") == 4
