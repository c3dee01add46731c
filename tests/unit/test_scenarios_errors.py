"""Each error of a scenario's file is told with its line and with what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ivr.scenarios import load
from ivr.scenarios.loading import MOST_FAULTS
from ivr.scenarios.yaml_lines import LARGEST

GOOD = """\
scenario: small
title: Субсидии
start: topic
operator: person
states:
  topic:
    ask: Вы хотите узнать о субсидии?
    again: Скажите «да» или «нет».
    choices:
      - key: 1
        phrases: [да, хочу]
        to: mine
      - phrases: [нет]
        to: bye
    unclear: person
  mine:
    look_up: applications
    level: application
    found: bye
    nothing: person
    refused: told
    down: person
  told:
    answer: Нужна расписка.
    to: person
  person:
    hand_over: Соединяю с оператором.
    agency: soc
    line: 1
  bye:
    end: До свидания!
"""
DOCS = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"


def faults(text: str | bytes) -> list[tuple[int, str]]:
    loaded = load(text if isinstance(text, bytes) else text.encode())
    assert (loaded.scenario is None) == bool(loaded.faults)
    return [(fault.line, fault.what) for fault in loaded.faults]


def test_a_scenario_in_order_has_no_faults() -> None:
    assert faults(GOOD) == []


def test_the_example_of_the_documentation_is_in_order() -> None:
    example = re.search(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert example is not None
    assert faults(example[1]) == []


FORM = [
    ("title: Субсидии", "title: Субсидии\ncolour: red", 3, "unknown field `colour`; known here: `scenario`"),
    ("    again: Ска", "    repeat: Ска", 8, "unknown field `repeat`; known here: `ask`"),
    ("        to: mine", "        too: mine", 12, "unknown field `too`; known here: `key`"),
    ("        to: mine\n", "", 10, "`to` is missing here; add `to: …`"),
    ("    again: Скажите «да» или «нет».\n", "", 6, "`again` is missing here"),
    ("ask: Вы хотите узнать о субсидии?", "ask:", 7, "`ask` is empty; write the question"),
    ("answer: Нужна расписка.", "answer: '  '", 24, "`answer` is empty; write the words"),
    ("hand_over: Соединяю с оператором.", "hand_over:", 27, "`hand_over` is empty; write"),
    ("end: До свидания!", "end:", 31, "`end` is empty; write the last words"),
    ("    end: До свидания!", "    unclear: bye", 30, "state `bye` does nothing; give it one of `ask`"),
    ("    end: До свидания!", "    - а", 30, "state `bye` does nothing"),
    ("  told:", "  Told:", 23, "`Told` cannot be this; write a name: small Latin letters"),
    ("to: mine", "to: моё", 12, "`to` cannot be this; write a name"),
    ("key: 1", "key: 0", 10, "`key` cannot be this; write one key from 1 to 9"),
    ("agency: soc", "agency: СОЦ", 28, "`agency` cannot be this; write an agency's code"),
    ("line: 1", "line: 3", 29, "`line` is too large; write 1 or 2"),
    ("line: 1", "line: 0", 29, "`line` is too small; write 1 or 2"),
    ("line: 1", "line: one", 29, "`line` is not a number; write 1 or 2"),
    ("look_up: applications", "look_up: debts", 17, "`look_up` is none of 'applications', 'payments'"),
    ("level: application\n", "level: all\n", 18, "`level` is none of"),
    ("look_up: applications", "look_up: payments", 16, "tells payments below `level: personal`"),
    ("phrases: [нет]", "means: Нет", 13, "`choice 2` can be given neither by key nor by voice; add `key`"),
    ("[нет]", "[no]", 13, "`phrase 1` is not made of Russian words; write it as it is spoken"),
    ("[нет]", "[номер 5]", 13, "`phrase 1` is not made of Russian words"),
    ("[нет]", "[позовите оператора]", 13, "means an operator at every question already; take it out"),
    ("[нет]", "нет", 13, "`phrases` is not a list; look at the indents"),
    ("title: Субсидии", 'title: "а\\e[2J"', 2, "`title` has a control character in it; take it out"),
    ("Нужна расписка.", '"а\\0"', 24, "`answer` has a control character in it; take it out"),
    ("Нужна расписка.", '"\\ud83d"', 24, "`answer` has a character that is none; write it without"),
    ("title: Субсидии", 'title: Субсидии\n"\\e[2J": а', 3, "unknown field `?[2J`"),
    ("title: Субсидии", "title: [а]", 2, "`title` is not a text"),
    ("Нужна расписка.", "я" * 801, 24, "`answer` is longer than 800 characters; shorten it"),
    ("[нет]", f"[{', '.join(['нет'] * 41)}]", 13, "`phrases` has more than 40 entries; divide it"),
]
MEANING = [
    ("        to: mine", "        to: main", 12, "there is no state `main`; name one of the states"),
    ("start: topic", "start: begin", 3, "there is no state `begin`"),
    ("operator: person", "operator: nobody", 4, "there is no state `nobody`"),
    ("    down: person", "    down: dawn", 22, "there is no state `dawn`"),
    ("        to: mine", "        to: bye", 16, "nothing leads to state `mine`; lead a choice there"),
    ("[нет]", "[нет, 'Хочу!']", 13, "`phrase 2` is not made of Russian words"),
    ("[нет]", "[нет, ХОЧУ]", 13, "«ХОЧУ» means choice 1 of state `topic`, too; leave it in one"),
    ("[нет]", "[один]", 13, "«один» means choice 1 of state `topic`, too"),
    ("- phrases: [нет]", "- key: 1", 13, "key 1 is taken in state `topic`; take another one"),
    (
        "Нужна расписка.\n    to: person",
        "Нужна расписка.\n    to: told",
        23,
        "dead end: from state `told` no way",
    ),
    ("Нужна расписка.\n    to: person", "Нет.\n    to: told", 23, "comes back to itself without a question"),
    ("Нужна расписка.\n    to: person", "Нет.\n    to: mine", 16, "comes back to itself without a question"),
]
PROMISES = [
    ("operator: person", "operator: bye", 4, "`operator` has to lead to a `hand_over`, at most over answers"),
    ("    refused: told", "    refused: topic", 21, "`refused` has to lead to a `hand_over`"),
    ("    unclear: person", "    unclear: person\n    operator: mine", 16, "`mine` does not"),
    ("    down: person", "    down: person\n    operator: bye", 23, "`bye` does not"),
]
YAML = [
    ("title: Субсидии", "title: &a Субсидии", 2, "anchors (`&`, `*`) are not read"),
    ("title: Субсидии", "title: *a", 2, "anchors (`&`, `*`) are not read"),
    ("title: Субсидии", "title: !!python/name:os.system Субсидии", 2, "tags (`!`) are not read"),
    ("title: Субсидии", "title: 'Субсидии", 2, "this is no YAML"),
    ("title: Субсидии", "title: а: б", 2, "this is no YAML (mapping values are not allowed here)"),
    ("title: Субсидии", 'title: "\\U00110000"', 1, "a text has an escape (`\\U`) that is no character"),
    ("title: Субсидии", "title: [" + "а," * 20_001 + "]", 2, "more than 20000 texts stand in the file"),
    ("title: Субсидии", "title: " + "[" * 9, 2, "more than 8 levels stand in each other"),
    ("title: Субсидии", "title: Суб\x07сидии", 2, "a control character stands here; take it out"),
    ("  told:", "  mine:", 23, "`mine` stands on line 16 already; rename one of them"),
    ("title: Субсидии", "[а]: Субсидии", 2, "a name is expected before the colon"),
    ("    end: До свидания!", "    end: До свидания!\n---\nscenario: b", 32, "a second document begins here"),
]


@pytest.mark.parametrize(("old", "new", "line", "what"), [*FORM, *MEANING, *PROMISES, *YAML])
def test_an_error_is_told_with_its_line_and_a_remedy(old: str, new: str, line: int, what: str) -> None:
    assert old in GOOD
    found = faults(GOOD.replace(old, new, 1))
    assert any(at == line and what in told for at, told in found), found
    assert all("; " in told for _, told in found)


def test_a_question_without_choices_is_a_dead_end() -> None:
    head, rest = GOOD.split("    choices:\n")
    text = head + "    unclear" + rest.split("    unclear", 1)[1]
    assert (
        6,
        "dead end: state `topic` asks, but understands nothing; add `choices`, or use `answer`",
    ) in faults(text)


def test_a_question_that_comes_back_to_itself_is_a_dead_end_though_an_operator_is_one_word_away() -> None:
    text = (
        GOOD.replace("to: mine", "to: topic")
        .replace("to: bye", "to: topic")
        .replace("unclear: person", "unclear: topic")
    )
    assert any("dead end: from state `topic`" in what for _, what in faults(text))


def test_the_operators_state_is_unreachable_when_every_question_names_another_one() -> None:
    text = GOOD.replace("unclear: person", "unclear: person\n    operator: person", 1)
    text = (
        text.replace("operator: person\nstates:", "operator: other\nstates:")
        + "  other:\n    hand_over: Да.\n"
    )
    assert [what for _, what in faults(text)] == [
        "nothing leads to state `other`; lead a choice there, or take it out"
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "- а\n", "слово\n", "states: {}\n", "states: []\n"])
def test_a_file_of_another_shape_is_refused(text: str) -> None:
    assert all(line == 1 and "; " in what for line, what in faults(text))
    assert faults(text)


def test_bytes_that_are_not_utf_8_are_refused_with_their_line() -> None:
    assert faults(b"title: a\nstart: \xcf\xf0") == [(2, "this is not UTF-8; save the file as UTF-8")]


def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert faults(b"[" * (LARGEST + 1)) == [(1, "the file is larger than 256 KiB; make two scenarios of it")]


def test_more_states_than_a_scenario_may_have_are_refused() -> None:
    states = "".join(f"  s{number}:\n    end: Нет.\n" for number in range(201))
    assert any("`states` has more than 200 entries" in what for _, what in faults(GOOD + states))


def test_a_file_that_is_wrong_everywhere_is_told_of_in_a_bounded_number_of_lines() -> None:
    assert len(faults(GOOD + "".join(f"x{number}: а\n" for number in range(200)))) == MOST_FAULTS


def test_faults_are_told_in_the_order_of_the_file() -> None:
    found = faults(
        GOOD.replace("to: bye", "to: by")
        .replace("down: p", "down: q")
        .replace("start: topic", "start: topik")
    )
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    assert len(found) == 3
