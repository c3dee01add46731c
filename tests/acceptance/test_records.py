"""Agencies, applications, operators, cards, callbacks and the calendar through the command line."""

from __future__ import annotations

import csv
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.domain.callback import Callback, Source
from ivr.domain.enquiry import ContactOutcome, Outcome
from ivr.ports import TraceEvent
from tests.acceptance.conftest import APPLICATIONS, Ekc, site_of

NUMBER = "+79123456789"
MASKED = "+7912***6789"
PASSWORD = "Tr0ub4dor&3"
CALL = "1764000000.1"


def a_call(ekc: Ekc, *, ended: ContactOutcome | None = ContactOutcome.SELF_SERVICE) -> str:
    """A call as the telephone would have left it; the card's id."""
    now = datetime.now(UTC)
    with site_of(ekc) as site, site.store.transaction() as uow:
        card = uow.cards.open(call=CALL, node="node1", number=NUMBER, at=now - timedelta(minutes=1))
        events = [("prompt", "greeting"), ("ask", "menu"), ("key", "menu"), ("end", "hangup")]
        uow.traces.add(
            TraceEvent(call=CALL, at=now + timedelta(milliseconds=n), kind=kind, id=id_, outcome="ok")
            for n, (kind, id_) in enumerate(events)
        )
        if ended is not None:
            uow.cards.change_contact(CALL, outcome=ended)
        uow.commit()
    return str(card.id)


def actions(ekc: Ekc) -> list[tuple[str, str]]:
    return [(row["action"], row["subject"]) for row in ekc.json("audit", "list")]


# --- files in --------------------------------------------------------------------------------------


def test_importing_the_same_file_twice_changes_nothing(ekc: Ekc, agencies: Path, tmp_path: Path) -> None:
    file = tmp_path / "applications.csv"
    file.write_text(APPLICATIONS, encoding="utf-8")
    first = ekc.json("applications", "import", str(file))
    second = ekc.json("applications", "import", str(file))
    assert (first["accepted"], first["changed"], first["rejected"]) == (2, 2, 0)
    assert (second["accepted"], second["changed"], second["rejected"]) == (2, 0, 0)
    assert ekc.json("agencies", "import", str(agencies))["changed"] == 0


def test_rejected_rows_go_to_a_private_file_with_their_reason_and_the_rest_is_in(
    ekc: Ekc, agencies: Path, tmp_path: Path
) -> None:
    file, rejects = tmp_path / "applications.csv", tmp_path / "rejects.csv"
    file.write_text(APPLICATIONS + "123,56-1,2026-11-05,soc,Пособие,новое,,,\n", encoding="utf-8")
    done = ekc.run("applications", "import", str(file), "--rejects", str(rejects), "--json", code=1)
    found = json.loads(done.stdout)
    assert (found["accepted"], found["rejected"]) == (2, 1)
    assert "56-1" in rejects.read_text(encoding="utf-8")
    assert rejects.stat().st_mode & 0o777 == 0o600
    assert "Пособие" not in done.stderr


def test_a_file_that_is_not_there_fails_in_words(ekc: Ekc, tmp_path: Path) -> None:
    done = ekc.run("applications", "import", str(tmp_path / "none.csv"), code=None)
    assert done.returncode in (1, 2)
    assert "none.csv" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_data_is_loaded_and_the_same_seed_invents_the_same_people(ekc: Ekc, tmp_path: Path) -> None:
    people = ekc.json("demo-data", "--seed", "7", "--count", "3")
    again = Ekc(tmp_path / "other").json("demo-data", "--seed", "7", "--count", "3")
    assert people == again
    assert json.dumps(people) != json.dumps(Ekc(tmp_path / "third").json("demo-data", "--seed", "8"))


# --- operators -------------------------------------------------------------------------------------


def add(ekc: Ekc, extension: str = "201", *, password: str = PASSWORD, code: int = 0) -> str:
    args = (
        "operators",
        "add",
        "Анна Орлова",
        "--extension",
        extension,
        "--agency",
        "szn",
        "--password-stdin",
    )
    return ekc.run(*args, stdin=password + "\n", code=code).stderr


def test_an_operator_is_added_by_standard_input_and_listed(ekc: Ekc, agencies: Path) -> None:
    add(ekc)
    [row] = ekc.json("operators", "list")
    assert " ".join(row) == "extension name agency line state reason since calls_today"
    assert (row["extension"], row["agency"], row["line"], row["state"]) == ("201", "szn", 1, "logged_out")
    assert ekc.json("operators", "disable", "201")["state"] == "disabled"
    assert ekc.json("operators", "list")[0]["state"] == "disabled"


def test_an_operators_password_is_nowhere_in_the_state(ekc: Ekc, agencies: Path) -> None:
    add(ekc)
    for path in ekc.state.rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("extension", "password"), [("201", "short"), ("12", PASSWORD), ("201", "пароль длинный")]
)
def test_a_bad_account_is_refused_in_words_and_not_made(
    ekc: Ekc, agencies: Path, extension: str, password: str
) -> None:
    complaint = add(ekc, extension, password=password, code=1)
    assert complaint.startswith("ekc: ")
    assert password not in complaint or password == PASSWORD
    assert ekc.json("operators", "list") == []


def test_an_operator_of_an_unknown_agency_is_told_the_remedy(ekc: Ekc) -> None:
    assert "ekc agencies import" in add(ekc, code=1)


# --- cards and calls -------------------------------------------------------------------------------


def test_a_call_is_listed_with_its_number_masked_and_revealing_it_is_audited(ekc: Ekc) -> None:
    card = a_call(ekc)
    [row] = ekc.json("calls", "list")
    assert " ".join(row) == "call at number card state outcome"
    assert (row["call"], row["number"], row["card"], row["state"]) == (CALL, MASKED, card, "ended")
    assert actions(ekc) == []
    assert ekc.json("calls", "list", "--reveal")[0]["number"] == NUMBER
    assert actions(ekc) == [("calls.reveal", card)]


def test_a_trace_is_json_lines_and_following_ends_with_the_call(ekc: Ekc) -> None:
    a_call(ekc)
    for args in (("last",), (CALL, "--follow")):
        lines = [json.loads(line) for line in ekc.run("calls", "trace", *args, "--json").stdout.splitlines()]
        assert [line["kind"] for line in lines] == ["prompt", "ask", "key", "end"]
        assert list(lines[0]) == ["at", "kind", "id", "outcome"]


def test_a_trace_for_people_is_russian_where_a_prompt_was_heard(ekc: Ekc) -> None:
    a_call(ekc)
    assert "нажмите" in ekc.run("calls", "trace", "last").stdout


def test_a_card_has_the_keys_of_the_interface_and_reading_it_is_audited(ekc: Ekc) -> None:
    card = a_call(ekc)
    shown = ekc.json("cards", "show", "last")
    assert " ".join(shown) == (
        "id registration_number registered_at closed_at number level agency topics questions comment "
        "callback_at answer_source answer confirmed operator outcome contacts"
    )
    assert (shown["id"], shown["number"]) == (card, MASKED)
    [contact] = shown["contacts"]
    assert " ".join(contact) == "call direction at waiting_s talking_s wrapup_s outcome"
    assert datetime.fromisoformat(shown["registered_at"]).utcoffset() == timedelta(hours=5)
    [row] = ekc.json("audit", "list")
    assert (row["action"], row["subject"], row["result"]) == ("cards.show", card, "ok")
    assert row["actor"].startswith("cli:")


def test_a_card_is_edited_and_completed(ekc: Ekc, agencies: Path) -> None:
    a_call(ekc)
    ekc.run("cards", "edit", "last", "--questions", "Где пособие?", "--topic", "soc:Детские пособия")
    ekc.run("cards", "edit", "last", "--answer", "На рассмотрении", "--confirmed", "--complete")
    card = ekc.json("cards", "show", "last")
    assert (card["questions"], card["answer"], card["confirmed"]) == ("Где пособие?", "На рассмотрении", True)
    assert "Детские пособия" in card["topics"]
    assert card["closed_at"] is not None
    assert card["outcome"] == Outcome.SELF_SERVICE
    results = [row["result"] for row in ekc.json("audit", "list") if row["action"] == "cards.edit"]
    assert results == ["answer,confirmed,complete", "questions,topics"]


def test_a_wrong_value_loses_nothing_of_a_card(ekc: Ekc) -> None:
    a_call(ekc, ended=None)
    ekc.run("cards", "edit", "last", "--comment", "первое")
    ekc.run("cards", "edit", "last", "--comment", "второе", "--callback-at", "2020-01-01T10:00", code=1)
    ekc.run("cards", "edit", "last", "--comment", "второе", "--callback-at", "завтра", code=2)
    ekc.run("cards", "edit", "last", "--comment", "второе", "--complete", code=1)
    assert ekc.json("cards", "show", "last")["comment"] == "первое"


def test_cards_are_listed_since_a_time(ekc: Ekc) -> None:
    a_call(ekc)
    assert len(ekc.json("cards", "list", "--since", "1h")) == 1
    assert ekc.json("cards", "list", "--since", "10s") == []
    assert ekc.json("cards", "list", "--since", "2999-01-01") == []


def test_cards_are_exported_to_a_private_file(ekc: Ekc, tmp_path: Path) -> None:
    card = a_call(ekc)
    file = tmp_path / "cards.csv"
    ekc.run("cards", "export", "--csv", str(file))
    with file.open(encoding="utf-8", newline="") as lines:
        [row] = csv.DictReader(lines)
    assert (row["id"], row["number"]) == (card, MASKED)
    assert file.stat().st_mode & 0o777 == 0o600
    assert actions(ekc) == [("cards.export", card)]


def test_a_callback_is_listed_and_cancelled_once(ekc: Ekc) -> None:
    card, now = a_call(ekc), datetime.now(UTC)
    with site_of(ekc) as site, site.store.transaction() as uow:
        asked = Callback(
            id=str(uuid.uuid4()),
            card=card,
            number=NUMBER,
            source=Source.CLOSED,
            queue="general",
            arrived_at=now,
            due=now + timedelta(hours=1),
        )
        asked = uow.callbacks.request(asked)
        uow.commit()
    [row] = ekc.json("callbacks", "list")
    assert " ".join(row) == "id card number source state due attempts"
    assert (row["number"], row["source"], row["state"]) == (MASKED, "closed", "requested")
    assert ekc.json("callbacks", "cancel", row["id"])["state"] == "cancelled"
    ekc.run("callbacks", "cancel", row["id"], code=1)
    assert ekc.json("callbacks", "list", "--open") == []
    assert actions(ekc) == [("callbacks.cancel", row["id"])]


# --- the calendar ----------------------------------------------------------------------------------


def test_a_holiday_is_opened_shown_and_given_back(ekc: Ekc) -> None:
    """1 January is closed by the production calendar; an exception opens it until it is cleared."""
    assert ekc.json("calendar", "show", "2027-01-01")["open"] is False
    ekc.run("calendar", "set", "2027-01-01", "--open", "00:00-24:00")
    opened = ekc.json("calendar", "show", "2027-01-01")
    assert (opened["open"], opened["opens"], opened["closes"]) == (True, "00:00", "24:00")
    ekc.run("calendar", "clear", "2027-01-01")
    assert ekc.json("calendar", "show", "2027-01-01")["open"] is False


def test_a_shortened_day_ends_an_hour_earlier(ekc: Ekc) -> None:
    assert ekc.json("calendar", "show", "2026-11-03")["closes"] == "17:00"
