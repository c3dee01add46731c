"""`ekc scenarios list|show|diff|publish|rollback`: versions, what is in force, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.domain.menu import Topic
from ivr.domain.operators import Operator
from tests.unit.memory import START, Site
from tests.unit.test_scenarios_errors import GOOD

SOC = Topic(agency="soc", agency_name="Соцзащита", key="2", title="Пособия", line=1)
MINE = GOOD.replace("scenario: small", "scenario: consultation")
NEXT = MINE.replace("До свидания!", "Всего доброго!")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.rows.agencies.upsert([SOC])
    site.rows.operators.add(
        Operator(extension="201", name="Анна", agency="soc", line=1, since=START), "0" * 32
    )
    return site


def run(site: Site, *args: str | Path) -> Result:
    return CliRunner().invoke(ekc, ["scenarios", *map(str, args)], obj=site)


def told(site: Site, *args: str | Path) -> dict[str, object]:
    result = run(site, *args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def written(site: Site, text: str, name: str = "my.yaml") -> Path:
    path = site.settings.state / name
    path.write_text(text, "utf-8")
    return path


def versions(site: Site) -> list[tuple[str, int, str]]:
    listed = json.loads(run(site, "list", "--json").stdout)
    return [(row["scenario"], row["version"], row["state"]) for row in listed]


def deeds(site: Site) -> list[tuple[str, str, str]]:
    return [(row.action, row.subject, row.result) for row in reversed(site.rows.audit.list())]


def test_a_published_file_is_version_one_and_in_force(site: Site) -> None:
    done = told(site, "publish", written(site, MINE))
    assert done == {
        "scenario": "consultation",
        "version": 1,
        "before": None,
        "draft": False,
        "warnings": [],
    }
    assert versions(site) == [("consultation", 1, "published")]
    assert told(site, "show", "consultation")["text"] == MINE
    assert deeds(site) == [
        ("scenarios.save", "consultation@1", "ok"),
        ("scenarios.publish", "consultation@1", "ok"),
    ]


def test_a_second_one_takes_its_place_and_both_are_kept(site: Site) -> None:
    run(site, "publish", written(site, MINE))
    result = run(site, "publish", written(site, NEXT))
    assert result.stdout == (
        "consultation: version 2 is in force with the next call, instead of version 1. "
        "`ekc scenarios rollback consultation` goes back.\n"
    )
    assert versions(site) == [("consultation", 2, "published"), ("consultation", 1, "superseded")]
    assert deeds(site)[-1] == ("scenarios.publish", "consultation@2", "after 1")


def test_the_same_file_twice_changes_nothing(site: Site) -> None:
    run(site, "publish", written(site, MINE))
    result = run(site, "publish", written(site, MINE))
    assert (result.exit_code, "nothing changes" in result.stdout) == (0, True)
    assert versions(site) == [("consultation", 1, "published")]
    assert len(deeds(site)) == 2


def test_a_draft_is_kept_and_published_by_its_number(site: Site) -> None:
    run(site, "publish", written(site, MINE))
    assert told(site, "publish", written(site, NEXT), "--draft")["version"] == 2
    assert versions(site) == [("consultation", 2, "draft"), ("consultation", 1, "published")]
    assert told(site, "publish", "consultation", "--version", "2")["before"] == 1
    assert versions(site) == [("consultation", 2, "published"), ("consultation", 1, "superseded")]


def test_a_rollback_goes_back_to_the_version_before_and_says_which(site: Site) -> None:
    for text in (MINE, NEXT):
        run(site, "publish", written(site, text))
    result = run(site, "rollback", "consultation")
    assert result.stdout == (
        "consultation: version 2 is taken back; version 1 is in force with the next call.\n"
    )
    assert versions(site) == [("consultation", 2, "rolled_back"), ("consultation", 1, "published")]
    assert told(site, "rollback", "consultation") == {"scenario": "consultation", "from": 1, "to": None}
    assert deeds(site)[-2:] == [
        ("scenarios.rollback", "consultation@2", "to 1"),
        ("scenarios.rollback", "consultation@1", "to none"),
    ]
    assert run(site, "rollback", "consultation").exit_code == 4


def test_what_was_taken_back_can_be_published_again(site: Site) -> None:
    run(site, "publish", written(site, MINE))
    run(site, "rollback", "consultation")
    assert told(site, "publish", written(site, MINE))["version"] == 1
    assert versions(site) == [("consultation", 1, "published")]


def test_a_file_with_faults_is_not_published(site: Site) -> None:
    path = written(site, MINE.replace("start: topic", "start: topik"))
    result = run(site, "publish", path)
    assert (result.exit_code, result.stderr) == (
        1,
        f"ekc: {path}:3: there is no state `topik`; name one of the states here, or add it\n",
    )
    assert versions(site) == []


def test_an_agency_that_is_not_here_is_refused_with_its_line_and_those_that_are(site: Site) -> None:
    path = written(site, MINE.replace("agency: soc", "agency: sots"))
    result = run(site, "publish", path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"ekc: {path}:28: there is no agency `sots` (here are `soc`, `szn`)")
    assert versions(site) == []
    assert told(site, "publish", path, "--draft")["version"] == 1
    again = run(site, "publish", "consultation", "--version", "1")
    assert (again.exit_code, "consultation@1:28: there is no agency" in again.stderr) == (1, True)


def test_a_queue_that_nobody_serves_is_a_warning(site: Site) -> None:
    path = written(site, MINE.replace("line: 1", "line: 2"))
    result = run(site, "publish", path)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"ekc: warning: {path}:28: no operator serves soc-2; add one")


def test_words_that_the_model_does_not_know_are_warnings_with_their_line(site: Site) -> None:
    site.models.unknown = {"хочу"}
    result = run(site, "publish", written(site, MINE))
    assert result.exit_code == 0
    assert ":11: the model in use does not know «хочу»; say it in other words, too" in result.stderr


ALONE = MINE.replace(
    "    unclear: person", "      - phrases: [жильё]\n        to: more\n    unclear: person", 1
)
ALONE = ALONE.replace("  bye:", "  more:\n    answer: Сколько нужно.\n    to: bye\n  bye:")


def test_a_state_that_nobody_comes_to_with_this_model_is_refused(site: Site) -> None:
    site.models.unknown = {"жилье", "жильё"}
    result = run(site, "publish", written(site, ALONE))
    assert result.exit_code == 1
    assert ":32: nobody comes to state `more`: the model in use knows no phrase" in result.stderr
    assert versions(site) == []


def test_a_state_that_is_reached_by_voice_alone_is_a_warning(site: Site) -> None:
    result = run(site, "publish", written(site, ALONE))
    assert result.exit_code == 0
    assert ":32: by keys alone nobody comes to state `more`" in result.stderr


def test_a_shortcut_that_the_model_does_not_know_is_no_more_than_a_warning(site: Site) -> None:
    site.models.unknown = {"нет"}
    result = run(site, "publish", written(site, MINE))
    assert result.exit_code == 0
    assert ":13: the model in use does not know «нет»" in result.stderr


def test_one_known_spelling_of_yo_is_enough(site: Site) -> None:
    site.models.unknown = {"зеленый"}
    path = written(site, MINE.replace("[нет]", "[зелёный]"))
    assert told(site, "publish", path)["warnings"] == []


def test_check_tells_as_warnings_what_would_be_refused_here(site: Site) -> None:
    path = written(site, MINE.replace("agency: soc", "agency: sots"))
    site.models.unknown = {"хочу"}
    checked = told(site, "check", path)
    warnings = checked["warnings"]
    assert isinstance(warnings, list)
    assert (checked["faults"], [warning["line"] for warning in warnings]) == ([], [28, 11])


def test_check_works_without_a_database_and_says_what_it_could_not_do(site: Site) -> None:
    site.store.down = True
    result = run(site, "check", written(site, MINE))
    assert (result.exit_code, "is in order" in result.stdout) == (0, True)
    assert ":1: it was not compared with the agencies of this site: The database does not" in result.stderr


def test_a_scenario_that_no_key_leads_to_is_published_and_it_is_said(site: Site) -> None:
    result = run(site, "publish", written(site, GOOD))
    assert result.stdout == "small: version 1 is published; no key leads to it: calls play consultation.\n"


def test_diff_is_between_what_is_in_force_and_the_file(site: Site) -> None:
    run(site, "publish", written(site, MINE))
    path = written(site, NEXT, "next.yaml")
    lines = told(site, "diff", path)["lines"]
    assert isinstance(lines, list)
    assert lines[:2] == ["--- version 1", f"+++ {path}"]
    assert [line for line in lines[2:] if line[0] in "+-"] == [
        "-    end: До свидания!",
        "+    end: Всего доброго!",
    ]
    assert run(site, "diff", written(site, MINE)).stdout.endswith("says the same as version 1.\n")


def test_diff_is_between_two_versions(site: Site) -> None:
    for text in (MINE, NEXT):
        run(site, "publish", written(site, text))
    found = told(site, "diff", "consultation", "--from", "1", "--to", "2")
    assert (found["from"], found["to"], len(found["lines"])) == (1, 2, 8)  # type: ignore[arg-type]
    assert run(site, "diff", "consultation", "--to", "3").exit_code == 4


def test_diff_with_nothing_in_force_adds_everything(site: Site) -> None:
    found = told(site, "diff", written(site, MINE))
    assert found["from"] is None
    assert len(found["lines"]) == 3 + len(MINE.splitlines())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        (("show", "consultation"), 4, "no version of consultation is in force"),
        (("show", "consultation", "--version", "7"), 4, "there is no version 7 of consultation"),
        (("publish", "consultation", "--version", "7"), 4, "there is no version 7 of consultation"),
        (("publish", "consultation", "--version", "7", "--draft"), 2, "--draft keeps a file"),
        (("publish", "nothing"), 4, "there is no file nothing"),
        (("rollback", "consultation"), 4, "no version of consultation is in force"),
    ],
)
def test_what_is_not_there_is_said(site: Site, args: tuple[str, ...], code: int, what: str) -> None:
    result = run(site, *args)
    assert (result.exit_code, what in result.stderr) == (code, True), result.stderr


def test_an_empty_list_says_what_calls_do_and_how_to_begin(site: Site) -> None:
    assert "`ekc scenarios publish consultation`" in run(site, "list").stdout


def test_the_shipped_scenario_cannot_be_published_where_its_agencies_are_not(site: Site) -> None:
    result = run(site, "publish", "consultation")
    assert (result.exit_code, "there is no agency `sfr`" in result.stderr) == (1, True)
