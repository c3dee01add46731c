"""`ekc scenarios check` and `try`: a scenario in the terminal, without a call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from tests.unit.memory import Site
from tests.unit.test_scenarios_errors import GOOD


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(GOOD, "utf-8")
    return path


def run(tmp: Path, *args: str | Path, said: str = "") -> Result:
    return CliRunner().invoke(ekc, ["scenarios", *map(str, args)], obj=Site(tmp), input=said)


def test_check_says_that_a_file_is_in_order(tmp_path: Path, file: Path) -> None:
    result = run(tmp_path, "check", file)
    assert (result.exit_code, result.stdout) == (0, f"{file}: scenario small of 5 states is in order.\n")


def test_check_names_file_and_line_of_every_fault(tmp_path: Path, file: Path) -> None:
    file.write_text(
        GOOD.replace("start: topic", "start: topik").replace("down: person", "down: dawn"), "utf-8"
    )
    result = run(tmp_path, "check", file)
    assert result.exit_code == 1
    assert [line.split(" there")[0] for line in result.stderr.splitlines()] == [
        f"ekc: {file}:3:",
        f"ekc: {file}:22:",
    ]


def test_check_tells_faults_as_json(tmp_path: Path, file: Path) -> None:
    file.write_text(GOOD.replace("start: topic", "start: topik"), "utf-8")
    result = run(tmp_path, "check", file, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["scenario"], [fault["line"] for fault in told["faults"]]) == (1, None, [3])


def test_the_shipped_scenario_is_found_by_its_name_and_is_in_order(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, "check", "consultation", "--json").stdout)
    assert (told["scenario"], told["faults"]) == ("consultation", [])


def test_a_file_that_is_not_there_is_no_such_thing_and_ours_are_named(tmp_path: Path) -> None:
    result = run(tmp_path, "check", "../shipped/consultation")
    assert result.exit_code == 4
    assert "the scenarios of the program are consultation" in result.stderr


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    assert run(tmp_path, "check", tmp_path).stderr == f"ekc: cannot read {tmp_path}: Is a directory\n"


def test_an_endless_file_is_refused(tmp_path: Path) -> None:
    assert "larger than 256 KiB" in run(tmp_path, "check", "/dev/zero").stderr


def test_try_prints_what_the_line_says_until_the_end(tmp_path: Path, file: Path) -> None:
    result = run(tmp_path, "try", file, said="да\nrefused\n")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Вы хотите узнать о субсидии?",
        "[look-up of applications, level application: answer found, nothing, refused, down]",
        "Нужна расписка.",
        "Соединяю с оператором.",
        "[ended: hand_over, state: person, agency: soc, line: 1]",
    ]


def test_try_shows_what_an_operator_would_get(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, "try", "consultation", "--json", said="субсидия\n0\n").stdout)
    assert [turn["heard"] for turn in told["turns"]] == [None, "субсидия", "0"]
    del told["turns"]
    assert told == {
        "scenario": "consultation",
        "ended": "hand_over",
        "state": "housing_operator",
        "understood": ["Субсидии на оплату жилья"],
        "agency": "soc",
        "line": 1,
        "topic": "Субсидии на оплату жилья",
    }


def test_try_ends_with_its_input_and_an_empty_line_is_silence(tmp_path: Path, file: Path) -> None:
    result = run(tmp_path, "try", file, said="\n")
    assert result.stdout.splitlines()[-2:] == ["Скажите «да» или «нет».", "[ended: input, state: topic]"]


def test_try_refuses_a_result_that_no_look_up_has(tmp_path: Path, file: Path) -> None:
    result = run(tmp_path, "try", file, said="1\nда\n")
    assert (result.exit_code, result.stderr) == (
        1,
        "ekc: a look-up is answered by one of found, nothing, refused, down; write one of them\n",
    )


def test_try_plays_nothing_that_is_not_in_order(tmp_path: Path, file: Path) -> None:
    file.write_text(GOOD.replace("start: topic", "start: topik"), "utf-8")
    result = run(tmp_path, "try", file)
    assert (result.exit_code, result.stdout) == (1, "")
