"""`ekc callbacks schedule`, `run-now` and `stats` over a site in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.domain.callback import Attempt, Callback, Source, State
from ivr.domain.enquiry import Outcome
from ivr.domain.ids import new_id
from tests.unit.memory import START, Site

Run = Callable[..., Result]
FIXED = "+7 (343) 200-00-01"
E164 = "+73432000001"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def run(site: Site) -> Run:
    return lambda *args: CliRunner().invoke(ekc, ("callbacks", *args), obj=site)


def scheduled(run: Run, number: str = FIXED, at: str = "2026-11-25T10:00", agency: str = "szn") -> Any:
    result = run("schedule", number, "--at", at, "--agency", agency, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def promised(site: Site, number: str = E164, **more: Any) -> Callback:
    card = site.rows.cards.register(number=number, at=START)
    fields: dict[str, Any] = {"source": Source.QUEUE, "queue": "general", "arrived_at": START, "due": START}
    return site.rows.callbacks.request(
        Callback(id=new_id(START), card=card.id, number=number, **(fields | more))
    )


# --- schedule ---------------------------------------------------------------------------------------


def test_a_scheduled_callback_is_agreed_and_has_a_card_of_its_own_without_a_call(
    site: Site, run: Run
) -> None:
    row = scheduled(run)
    assert (row["number"], row["source"], row["state"]) == ("+7343***0001", "agreed", "requested")
    assert row["due"] == "2026-11-25T10:00:00.000+05:00"
    card = site.rows.cards.get(row["card"])
    assert (card.number, card.agency, card.outcome, card.contacts) == (E164, "szn", Outcome.CALLBACK, ())
    assert site.rows.callbacks.get(row["id"]).queue == "szn-1"
    assert [audit.action for audit in site.rows.audit.rows] == ["callbacks.agree"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("8 800 600 00 00", "this is a number of our own; give the citizen's"),
        ("+78091234567", "numbers of this kind cost extra and are not called; ask for another one"),
        ("+442071838750", "only national numbers are called (callbacks.allowed); ask for another one"),
        ("+77172000000", "only national numbers are called (callbacks.allowed); ask for another one"),
        ("ноль", "this is no telephone number; write it as +79123456789"),
    ],
)
def test_a_number_that_is_not_called_is_refused_with_a_sentence_that_does_not_repeat_it(
    site: Site, run: Run, number: str, sentence: str
) -> None:
    result = run("schedule", number, "--at", "2026-11-25T10:00", "--agency", "szn")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"ekc: {sentence}\n")
    assert list(site.rows.cards.list()) == []


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-24T10:00", "in the past"),
        ("2026-11-28T10:00", "the line is closed then; the next free slot is 2026-11-30T09:00"),
    ],
)
def test_a_time_at_which_there_can_be_no_call_is_refused(run: Run, at: str, words: str) -> None:
    result = run("schedule", FIXED, "--at", at, "--agency", "szn")
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_who_is_going_to_be_called_already_is_not_promised_a_second_call(run: Run) -> None:
    first = scheduled(run)
    result = run("schedule", "83432000001", "--at", "2026-11-26T10:00", "--agency", "szn")
    assert result.exit_code == 1
    assert f"`ekc callbacks show {first['id']}`" in result.stderr


def test_an_agency_that_is_not_there_and_a_time_that_is_none_are_told_apart(run: Run) -> None:
    unknown = run("schedule", FIXED, "--at", "2026-11-25T10:00", "--agency", "xyz")
    assert (unknown.exit_code, "there is no agency xyz" in unknown.stderr) == (4, True)
    assert run("schedule", FIXED, "--at", "завтра", "--agency", "szn").exit_code == 2


# --- run-now ----------------------------------------------------------------------------------------


def test_running_now_makes_a_waiting_callback_due_and_is_audited(site: Site, run: Run) -> None:
    callback = promised(site, due=START + timedelta(hours=1))
    row = json.loads(run("run-now", callback.id, "--json").stdout)
    assert (row["state"], row["due"]) == ("waiting", "2026-11-24T15:00:00.000+05:00")
    assert [audit.action for audit in site.rows.audit.rows] == ["callbacks.run_now"]


def test_running_now_does_not_wake_anybody_nor_call_more_often_than_allowed(site: Site, run: Run) -> None:
    attempt = Attempt(at=START - timedelta(minutes=5), result="busy", leg=1)
    callback = promised(site, state=State.RETRY, attempts=(attempt,), due=START + timedelta(hours=1))
    result = run("run-now", callback.id)
    sentence = "ekc: this citizen may not be called before 2026-11-24T15:10+05:00\n"
    assert (result.exit_code, result.stderr) == (1, sentence)
    assert site.rows.callbacks.get(callback.id).due == START + timedelta(hours=1)


def test_there_is_nothing_to_run_where_a_callback_is_over(site: Site, run: Run) -> None:
    callback = promised(site, state=State.DONE)
    result = run("run-now", callback.id)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "is done: there is nothing to begin" in result.stderr
    assert run("run-now", "no-such").exit_code == 4


# --- stats ------------------------------------------------------------------------------------------


def test_stats_count_callbacks_and_what_they_have_cost(site: Site, run: Run) -> None:
    late = promised(site, state=State.WAITING, due=START - timedelta(minutes=2))
    promised(site, number="+73432000002", state=State.DONE)
    site.rows.cards.dialled(late.card, call="ekc-cb-x", node="node1", at=START - timedelta(minutes=5))
    site.rows.cards.change_contact("ekc-cb-x", talking_s=70)
    found = json.loads(run("stats", "--json").stdout)
    assert found["states"] == dict.fromkeys((state.value for state in State), 0) | {"waiting": 1, "done": 1}
    assert found["open_by_source"] == {"queue": 1}
    assert (found["due"], found["late_s"]) == (1, 120)
    assert (found["attempts_last_hour"], found["talking_s_last_hour"]) == (1, 70)
