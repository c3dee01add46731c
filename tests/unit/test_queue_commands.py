"""`ekc queues list`, `show`, `set`, `announce`: rules are data, refused in one sentence, and audited."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.domain.queue_rules import Instead
from ivr.services import working_day
from ivr.services.audit import By
from ivr.services.queues import KEYS
from ivr.services.working_day import Limits
from ivr.settings import Settings
from tests.unit.memory import WORK, Site

Run = Callable[..., Result]
MOST_TEXT = 400


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def run(site: Site) -> Run:
    def run_(*args: str | Path) -> Result:
        return CliRunner().invoke(ekc, ["queues", *map(str, args), "--json"], obj=site)

    return run_


def said(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def audited(site: Site) -> list[tuple[str, str, str]]:
    return [(row.action, row.subject, row.result) for row in site.rows.audit.rows]


def hire(site: Site, extension: str) -> None:
    """An operator of szn's first line, on duty."""
    added = ["operators", "add", "Анна", "--extension", extension, "--agency", "szn", "--password-stdin"]
    assert CliRunner().invoke(ekc, added, input="tr0ub4dor&3", obj=site).exit_code == 0
    with site.store.transaction() as uow:
        by = By(actor=extension, at=site.clock.now())
        working_day.log_in(uow, by, extension, Limits.of(site.settings))
        uow.commit()


# --- what there is -----------------------------------------------------------------------------------


def test_every_queue_is_listed_with_the_keys_of_the_interface_and_its_operators(site: Site, run: Run) -> None:
    """`general` and two lines of each agency, whether or not anybody has set a rule."""
    hire(site, "201")
    hire(site, "202")
    with site.store.transaction() as uow:
        by = By(actor="202", at=site.clock.now())
        working_day.pause(uow, by, "202", "1", Limits.of(site.settings))
        uow.commit()
    rows = said(run("list"))
    assert [tuple(row) for row in rows] == [KEYS] * 3
    counts = {row["queue"]: (row["operators"], row["on_duty"], row["ready"]) for row in rows}
    assert counts == {"general": (2, 2, 1), "szn-1": (2, 2, 1), "szn-2": (0, 0, 0)}


def test_a_queue_without_rules_has_the_defaults(run: Run) -> None:
    """An empty second line leads to the first; else a callback; the longest wait is the site's."""
    first, second = said(run("show", "szn-1")), said(run("show", "szn-2"))
    assert (first["no_operator"], first["all_paused"], first["too_long"]) == ("callback",) * 3
    assert (second["no_operator"], second["all_paused"], second["too_long"]) == ("szn-1", "szn-1", "callback")
    site = int(Settings().queue_seconds)
    assert (first["longest_wait_s"], first["paused_s"], first["topics"]) == (site, 120, {})


def test_a_queue_that_is_none_has_an_exit_code_of_its_own(run: Run) -> None:
    for args in (["show", "szn-3"], ["set", "nobody-1", "--paused", "5"]):
        result = run(*args)
        assert result.exit_code == 4
        assert "`ekc queues list`" in result.stderr and result.stdout == ""


# --- rules -------------------------------------------------------------------------------------------


def test_rules_are_set_one_by_one_and_the_others_stay(site: Site, run: Run) -> None:
    said(run("set", "szn-2", "--longest-wait", "600", "--too-long", "general"))
    said(run("set", "szn-2", "--paused", "30", "--all-paused", "callback"))
    found = said(run("set", "szn-2", "--widen", "15", "--no-operator", "general"))
    wanted = {
        "longest_wait_s": 600,
        "too_long": "general",
        "paused_s": 30,
        "all_paused": "callback",
        "widen_s": 15,
        "no_operator": "general",
    }
    assert {key: found[key] for key in wanted} == wanted == {k: said(run("show", "szn-2"))[k] for k in wanted}
    assert site.rows.queues.rules()["szn-2"].too_long is Instead.GENERAL
    assert audited(site)[0] == ("queues.set", "szn-2", "longest_wait_seconds,too_long")
    assert said(run("show", "szn-1"))["longest_wait_s"] == site.settings.queue_seconds, (
        "another queue's rules are its own"
    )


def test_a_topic_has_a_penalty_until_everybody_serves_it(run: Run) -> None:
    assert said(run("set", "szn-1", "--topic", WORK.title, "--penalty", "2"))["topics"] == {WORK.title: 2}
    assert said(run("set", "szn-1", "--topic", WORK.title, "--everybody"))["topics"] == {}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["general", "--too-long", "general"], "leads from general to itself"),
        (["szn-1", "--no-operator", "first-line"], "choose callback"),
        (["szn-1", "--longest-wait", "0"], "from 1 to 14400 seconds"),
        (["szn-1", "--paused", "14401"], "from 1 to 14400 seconds"),
        (["szn-1", "--topic", "Небылицы", "--penalty", "1"], "`ekc agencies import FILE`"),
        (["szn-1", "--topic", WORK.title, "--penalty", "101"], "from 0 to 100"),
        (["szn-1"], "name a rule"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence_and_changes_nothing(
    site: Site, run: Run, args: list[str], words: str
) -> None:
    result = run("set", *args)
    assert result.exit_code == 1
    assert words in result.stderr and result.stdout == ""
    assert (site.rows.queues.rules(), audited(site)) == ({}, [])


@pytest.mark.parametrize(
    "args",
    [
        ["--topic", WORK.title],
        ["--penalty", "1"],
        ["--topic", WORK.title, "--penalty", "1", "--everybody"],
        ["--widen", "16"],
        ["--too-long", "music"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(site: Site, run: Run, args: list[str]) -> None:
    assert run("set", "szn-1", *args).exit_code == 2
    assert site.rows.queues.rules() == {}


# --- announcements -----------------------------------------------------------------------------------


def test_an_announcement_is_in_force_until_it_is_replaced_over_or_taken_back(site: Site, run: Run) -> None:
    first = said(run("announce", "--text", "Сегодня до полудня.", "--until", "2026-11-24T18:00"))
    assert (first["text"], first["recording"]) == ("Сегодня до полудня.", False)
    assert first["until"].startswith("2026-11-24T18:00:00")
    site.clock.forward(1)
    assert said(run("announce", "--text", "Завтра закрыто."))["until"] is None
    current = site.rows.queues.announcement(site.clock.now())
    assert current is not None and current.text == "Завтра закрыто."
    site.clock.forward(1)
    assert said(run("announce", "--off")) == {"taken_back": True}
    site.clock.forward(1)
    assert site.rows.queues.announcement(site.clock.now()) is None
    assert said(run("announce", "--off")) == {"taken_back": False}
    assert [(action, result) for action, _, result in audited(site)] == [
        ("queues.announce", "text"),
        ("queues.announce", "text"),
        ("queues.announce", "taken back"),
    ]


def test_a_recording_is_taken_over_whole(site: Site, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "told.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 8000))
    assert said(run("announce", "--file", file))["recording"] is True
    current = site.rows.queues.announcement(site.clock.now())
    assert current is not None and site.rows.queues.recording(current.sound) == file.read_bytes()


def test_a_file_that_is_no_recording_says_how_to_make_one(site: Site, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "told.mp3"
    file.write_bytes(b"ID3")
    result = run("announce", "--file", file)
    assert result.exit_code == 1 and "sox" in result.stderr
    assert site.rows.queues.announcement(site.clock.now()) is None


def test_a_time_that_is_past_and_a_text_that_is_none_are_refused(site: Site, run: Run) -> None:
    past = (site.clock.now() - timedelta(minutes=1)).isoformat()
    assert "to come" in run("announce", "--text", "Поздно.", "--until", past).stderr
    for text in (" ", "я" * (MOST_TEXT + 1)):
        assert f"1 to {MOST_TEXT}" in run("announce", "--text", text).stderr
    assert audited(site) == []


@pytest.mark.parametrize("args", [[], ["--text", "Слово", "--off"]])
def test_one_thing_is_announced_or_taken_back(run: Run, args: list[str]) -> None:
    assert run("announce", *args).exit_code == 2
