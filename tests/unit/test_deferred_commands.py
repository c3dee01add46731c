"""`ekc deferred` and `ekc cards edit --defer`, over a site in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.domain.operators import Operator
from tests.unit.memory import START, Site

NUMBER = "+79123456789"
Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    operator = Operator(extension="201", name="Анна Орлова", agency="szn", line=1, since=START)
    site.rows.operators.add(operator, "x")
    site.rows.cards.open(call="1.1", node="node1", number=NUMBER, at=START - timedelta(hours=4))
    return site


@pytest.fixture
def run(site: Site) -> Run:
    return lambda *args: CliRunner().invoke(ekc, args, obj=site)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_an_enquiry_is_marked_appointed_and_listed_with_the_keys_of_the_interface(
    site: Site, run: Run
) -> None:
    card = told(run("cards", "edit", "last", "--defer", "--json"))["id"]
    assigned = told(run("deferred", "assign", "last", "201", "--json"))
    [listed] = told(run("deferred", "list", "--json"))
    assert listed == assigned
    assert {key: listed[key] for key in ("card", "operator", "registered_at", "deadline", "state")} == {
        "card": card,
        "operator": "201",
        "registered_at": "2026-11-24T11:00:00.000+05:00",
        "deadline": "2026-11-25T10:00:00.000+05:00",
        "state": "assigned",
    }
    [callback] = told(run("callbacks", "list", "--json"))
    assert (callback["source"], callback["id"]) == ("deferred", listed["callback"])


def test_the_sentences_say_what_follows(run: Run) -> None:
    assert "changed: defer" in run("cards", "edit", "last", "--defer").stdout
    assert run("deferred", "assign", "last", "201").stdout == (
        "Enquiry 2026-000001 is operator 201's; the answer is due by 2026-11-25T10:00.\n"
    )
    assert "is answered" in run("deferred", "done", "last").stdout
    assert run("deferred", "list").stdout == "There are no deferred enquiries.\n"
    assert "2026-000001" in run("deferred", "list", "--all").stdout


def test_a_list_may_be_of_one_operator(run: Run) -> None:
    run("cards", "edit", "last", "--defer")
    assert told(run("deferred", "list", "--operator", "201", "--json")) == []
    run("deferred", "assign", "last", "201")
    assert len(told(run("deferred", "list", "--operator", "201", "--json"))) == 1


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (("assign", "last", "201"), 4, "not deferred; `ekc cards edit 2026-000001 --defer` marks it"),
        (("assign", "nobody", "201"), 4, "no card nobody"),
        (("done", "last"), 4, "not deferred"),
        (("withdraw", "last"), 4, "not deferred"),
        (("report", "--from", "2026-11-24", "--to", "2026-11-23"), 2, "does not end before it begins"),
        (("report", "--csv", "--json"), 2, "one of --csv and --json"),
        (("assign", "last", "201", "--at", "soon"), 2, "no time"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(
    run: Run, args: tuple[str, ...], code: int, sentence: str
) -> None:
    result = run("deferred", *args)
    assert result.exit_code == code
    assert sentence in result.stderr


def test_an_operator_who_is_not_there_is_told(run: Run) -> None:
    run("cards", "edit", "last", "--defer")
    assert run("deferred", "assign", "last", "299").exit_code == 4


def test_the_report_is_json_csv_or_a_table(run: Run) -> None:
    run("cards", "edit", "last", "--topic", "szn:Работа", "--defer")
    made = told(run("deferred", "report", "--json"))
    assert list(made) == ["kind", "from", "to", "rows", "total", "late"]
    assert made["from"] == "2026-10-26T00:00:00.000+05:00"
    assert (made["rows"][0]["topic"], made["total"]["open"]) == ("Работа", 1)
    assert run("deferred", "report", "--csv").stdout.splitlines() == [
        "agency,topic,deferred,answered,open,withdrawn,late,mean_s,longest_s",
        "szn,Работа,1,0,1,0,0,,",
        ",,1,0,1,0,0,,",
    ]
    assert "Работа" in run("deferred", "report").stdout
    assert told(run("deferred", "report", "--from", "2026-11-23", "--json"))["rows"] == []


def test_an_agreed_time_that_cannot_be_is_refused_with_the_next_free_slot(run: Run) -> None:
    refused = run("cards", "edit", "last", "--callback-at", "2026-11-28T12:00")
    assert refused.exit_code == 1
    assert refused.stderr == "ekc: the line is closed then; the next free slot is 2026-11-30T09:00\n"
    agreed = told(run("cards", "edit", "last", "--callback-at", "2026-11-30T09:00", "--json"))
    assert agreed["callback_at"] == "2026-11-30T09:00:00.000+05:00"
    [callback] = told(run("callbacks", "list", "--json"))
    assert (callback["source"], callback["due"]) == ("agreed", agreed["callback_at"])
