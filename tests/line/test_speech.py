"""Callers who speak, on a real line: by RTP and A-law, with voices that the model was not trained with."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.harness.recogniser import MODEL, BadWay
from tests.line.speaking import LONG_SECONDS, Citizen, Line, listening
from tests.line.test_scenarios import SMALL

pytestmark = pytest.mark.line

SILENCE_SECONDS = 30
STREAMS = 3
SHORT = (
    "greeting",
    "status.menu",
    "status.number",
    "status.date",
    "nothing_found",
    "snils",
    "code",
    "silence.reminder",
    "speech.again",
    "speech.keys_only",
    "connecting",
)
"""Prompts that are half a second long here."""
SNILS, SAID = "11223344595", "сто двенадцать двести тридцать три четыреста сорок пять девяносто пять"


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """One line for all of these tests, with the model in use."""
    settings = {"silence_seconds": SILENCE_SECONDS, "speech__streams": STREAMS}
    with listening(tmp_path_factory.mktemp("speech"), SHORT, **settings) as line:
        yield line


@pytest.fixture(scope="module")
def silent(line: Line) -> Citizen:
    """Somebody who says nothing, while the other tests run."""
    return line.calls("f3")


# --- what is understood -------------------------------------------------------------------------------


def test_the_status_tells_what_the_line_listens_with(line: Line, silent: Citizen) -> None:
    status = line.system.ekc("status", "--json").json
    assert status["speech"] == MODEL
    assert status["speech_streams"] == {"limit": STREAMS, "taken": 1}
    assert silent.call


def test_a_menu_and_a_snils_with_a_correction_are_said_and_confirmed(line: Line) -> None:
    citizen = line.calls("belinda")
    citizen.says("статус заявления", "ask menu answered")
    assert "prompt menu.voice interrupted" in citizen.steps
    citizen.says("номер снилс", "ask status.menu answered")
    citizen.says(f"{SAID} нет шесть нет пять", "ask snils answered")
    citizen.says("да", "ask snils.readback kept")
    citizen.lives("queue general")
    citizen.hangs_up()
    assert SNILS in str(citizen.card()["comment"])
    assert not [one for one in citizen.steps if "name." in one]  # speech.names_by_voice is off


def test_a_receipt_is_named_by_its_number_which_is_said_back_and_its_date(line: Line) -> None:
    citizen = line.calls("f3")
    citizen.says("статус", "ask menu answered")
    citizen.says("номер и дата расписки", "ask status.menu answered")
    citizen.says("сто двадцать три четыреста пять", "speech status.number told_back")
    citizen.says("да", "ask status.number answered")
    citizen.says("пятое марта две тысячи двадцать шестого года", "ask status.date answered")
    citizen.lives("prompt nothing_found")
    citizen.hangs_up()


def test_a_snils_that_was_misheard_is_discarded_by_no(line: Line) -> None:
    citizen = line.calls("m4")
    citizen.says("выплаты", "ask menu answered")
    citizen.says(SAID, "ask snils answered")
    citizen.says("нет", "ask snils.readback discarded")
    citizen.says("оператор", "speech snils operator")
    citizen.lives("queue general")
    citizen.hangs_up()


def test_a_key_in_the_middle_of_speech_wins(line: Line) -> None:
    citizen = line.calls("Mario")
    citizen.begins_to_say(SAID)
    time.sleep(1.5)
    citizen.presses("1")
    citizen.lives("key menu 1")
    citizen.lives("ask menu answered")
    assert not [one for one in citizen.steps if one.startswith("speech")]
    citizen.hangs_up()


def test_two_callers_at_once_are_each_understood(line: Line) -> None:
    menu = {"статус": line.calls("steph2"), "выплаты": line.calls("klatt3")}
    for words, citizen in menu.items():
        citizen.begins_to_say(words)
    for words, citizen in menu.items():
        citizen.has_said(words, "ask menu answered")
    menu["статус"].says("номер и дата расписки", "ask status.menu answered")
    menu["выплаты"].says(SAID, "ask snils answered")
    for citizen in menu.values():
        citizen.hangs_up()


def test_who_finds_no_free_stream_is_asked_by_keys_alone(line: Line) -> None:
    """It is counted; the next caller is listened to again."""
    line.all_streams_free()
    others = [line.calls("f3") for _ in range(STREAMS)]
    assert line.system.ekc("status", "--json").json["speech_streams"]["taken"] == STREAMS
    citizen = line.calls("m4")
    citizen.begins_to_say("статус заявления")
    citizen.lives("prompt menu played", timeout=2 * LONG_SECONDS)
    citizen.presses("1")
    citizen.lives("prompt status.menu played")
    assert not [one for one in citizen.steps if one.startswith("speech") or ".voice" in one]
    assert "ekc_speech_refused_total 1.0" in line.metrics
    for one in (*others, citizen):
        one.hangs_up()
    line.all_streams_free()
    again = line.calls("m4")
    again.says("статус заявления", "ask menu answered")
    again.hangs_up()


def test_a_scenario_is_walked_by_voice(line: Line) -> None:
    """From the next call on; «оператор» leads where the scenario says (§9.3)."""
    path = line.system.state / "scenario.yaml"
    path.write_text(SMALL.replace("    agency: soc\n", ""), "utf-8")
    line.system.ekc("scenarios", "publish", path)
    citizen = line.calls("linda")
    citizen.says("консультация", "ask scenario.consultation version 1")
    citizen.says("субсидия", "speech scenario.consultation.topic recognised")
    citizen.lives("prompt scenario.consultation.subsidy played")
    citizen.says("оператор", "speech scenario.consultation.more operator")
    citizen.lives("queue general")
    citizen.hangs_up()
    assert citizen.card()["questions"] == "Консультация: Субсидии."


# --- what is not --------------------------------------------------------------------------------------


def test_noise_is_neither_an_answer_nor_a_failure(line: Line) -> None:
    citizen = line.calls("linda")
    citizen.makes_noise(SILENCE_SECONDS)
    citizen.lives("prompt silence.reminder.voice", count=2)
    assert not [one for one in citizen.steps if one.startswith("speech")]
    citizen.hangs_up()


def test_after_unknown_words_keys_alone_are_left_and_the_operator(line: Line) -> None:
    citizen = line.calls("paul")
    citizen.says("велосипед сломался", "speech menu failed")
    citizen.lives("prompt speech.again")
    citizen.says("покупаю картошку", "speech menu failed")
    citizen.lives("prompt speech.keys_only")
    citizen.says("оператор", "speech menu operator")
    citizen.lives("queue general")
    citizen.hangs_up()


def test_a_recogniser_that_is_killed_in_the_middle_of_a_word_loses_one_answer(line: Line) -> None:
    citizen = line.calls("Andy")
    citizen.says("выплаты", "ask menu answered")
    citizen.begins_to_say("сто двенадцать двести тридцать три")  # 3.4 s; then the line is asked to repeat
    time.sleep(2.5)
    for pid in line.workers:
        os.kill(pid, signal.SIGKILL)
    citizen.lives("speech snils lost")
    citizen.says(SAID, "ask snils answered")
    citizen.hangs_up()
    assert "ekc_speech_worker_deaths_total 1.0" in line.metrics


@pytest.mark.parametrize("way", ["refused", "silent"])
def test_a_recogniser_that_refuses_or_hangs_leaves_keys_alone(line: Line, way: str) -> None:
    with BadWay(line.system, "silent") as bad:
        if way == "refused":
            bad.refuse()
        citizen = line.calls("Alicia")
        citizen.presses("1")
        citizen.lives("ask menu answered")
        citizen.lives("prompt status.menu played")
        citizen.hangs_up()
    assert "prompt menu interrupted" in citizen.steps or "prompt menu played" in citizen.steps


def test_a_recogniser_that_is_cut_off_leaves_keys_alone(line: Line) -> None:
    with BadWay(line.system, "open") as way:
        citizen = line.calls("Alicia")
        citizen.says("статус", "ask menu answered")
        citizen.lives("prompt status.menu.voice")
        way.cut()
        citizen.lives("prompt status.menu played", timeout=2 * SILENCE_SECONDS)
        citizen.presses("1")
        citizen.lives("ask status.menu answered")
        citizen.lives("prompt status.number played")
        citizen.hangs_up()


def test_nothing_that_was_said_is_in_a_log(line: Line) -> None:
    state = line.system.state
    logs = [path for path in (*state.glob("log/*"), *state.glob("asterisk/log/**/*")) if path.is_file()]
    texts = "\n".join(path.read_text(errors="replace") for path in logs)
    assert len(logs) > 3 and "двенадцать" not in texts and SNILS not in texts


def test_who_says_nothing_is_silent_and_gives_the_stream_back(line: Line, silent: Citizen) -> None:
    silent.is_silent()
    assert [one for one in silent.steps if "reminder" in one] == ["prompt silence.reminder.voice played"] * 3
    line.all_streams_free()
