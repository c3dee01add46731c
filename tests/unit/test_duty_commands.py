"""`ekc operators pause`, `ready`, `logout`, `move`, `reasons`: the supervisor's side of an operator's day."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.domain.operators import NO_ANSWER, OperatorState, Place
from ivr.services import working_day
from ivr.services.audit import By
from ivr.services.working_day import Limits
from tests.unit.memory import Site

Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def run(site: Site) -> Run:
    """A command of `ekc operators`; 201 of szn is there and logged in."""

    def run_(*args: str) -> Result:
        return CliRunner().invoke(ekc, ["operators", *args, "--json"], input="tr0ub4dor&3", obj=site)

    assert run_("add", "Анна", "--extension", "201", "--agency", "szn", "--password-stdin").exit_code == 0
    log_in(site)
    return run_


def log_in(site: Site) -> None:
    by = By(actor="201", at=site.clock.now())
    with site.store.transaction() as uow:
        working_day.log_in(uow, by, "201", Limits.of(site.settings))
        uow.commit()


def said(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def actions(site: Site) -> list[tuple[str, str]]:
    rows = site.rows.audit.rows
    return [(row.action, row.subject) for row in rows if row.actor.startswith("cli:")][1:]


def test_a_pause_has_a_reason_of_the_directory(site: Site, run: Run) -> None:
    paused = said(run("pause", "201", "--reason", "1"))
    assert (paused["state"], paused["reason"]) == ("paused", "обед")
    assert said(run("ready", "201"))["state"] == "ready"
    assert said(run("logout", "201"))["state"] == "logged_out"
    assert actions(site) == [
        ("operators.pause", "201"),
        ("operators.ready", "201"),
        ("operators.logout", "201"),
    ]


def test_a_reason_that_is_not_there_is_refused_with_those_that_are(run: Run) -> None:
    refused = run("pause", "201", "--reason", "9")
    assert refused.exit_code == 1
    assert "1 обед" in refused.stderr


@pytest.mark.parametrize("command", ["pause", "ready"])
def test_who_is_not_logged_in_has_no_pause(run: Run, command: str) -> None:
    run("logout", "201")
    refused = run(command, "201")
    assert refused.exit_code == 1
    assert "*11" in refused.stderr


@pytest.mark.parametrize("command", ["pause", "ready", "logout", "move"])
def test_there_is_no_such_operator(run: Run, command: str) -> None:
    assert run(command, "299").exit_code == 4


def test_an_operator_moves_to_named_queues_and_back_to_the_usual_ones(site: Site, run: Run) -> None:
    moved = said(run("move", "201", "--queue", "szn-2:5", "--queue", "general"))
    assert moved["queues"] == ["general", "szn-2:5"]
    assert site.rows.operators.places() == {"201": [Place(queue="general"), Place(queue="szn-2", penalty=5)]}
    moved = said(run("move", "201", "--line", "2"))
    assert (moved["line"], moved["queues"]) == (2, ["szn-2"])
    assert moved["state"] == "ready"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 1, "--agency, --line or --queue"),
        (("--queue", "nowhere-1"), 1, "known: general, szn-1, szn-2"),
        (("--queue", "szn-1:101"), 1, "0 to 100"),
        (("--queue", "szn-1:many"), 2, "write it as soc-1"),
        (("--agency", "zags"), 1, "ekc agencies import"),
        (("--line", "3"), 2, "3"),
    ],
)
def test_what_is_no_place_is_refused_and_nothing_changes(
    site: Site, run: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    before = site.rows.operators.places()
    refused = run("move", "201", *arguments)
    assert (refused.exit_code, words in refused.stderr) == (code, True), refused.stderr
    assert site.rows.operators.places() == before


def test_reasons_are_listed_set_and_removed(site: Site, run: Run) -> None:
    assert said(run("reasons", "list"))[0] == {"number": "1", "reason": "обед"}
    said(run("reasons", "set", "7", " планёрка "))
    said(run("reasons", "remove", "1"))
    assert [row["number"] for row in said(run("reasons", "list"))] == ["2", "3", "4", "5", "7"]
    assert said(run("pause", "201", "--reason", "7"))["reason"] == "планёрка"
    assert run("reasons", "remove", "1").exit_code == 4


@pytest.mark.parametrize(("number", "title"), [("10", "обед"), ("x", "обед"), ("6", " "), ("6", NO_ANSWER)])
def test_what_is_no_reason_is_refused(run: Run, number: str, title: str) -> None:
    assert run("reasons", "set", number, title).exit_code == 1


def test_a_disabled_operator_is_not_logged_out_but_disabled(site: Site, run: Run) -> None:
    run("disable", "201")
    assert run("logout", "201").exit_code == 1
    assert site.rows.operators.get("201").state is OperatorState.DISABLED
