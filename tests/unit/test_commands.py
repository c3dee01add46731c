"""The command line over a site in memory: what is printed, what is audited, which exit code it ends with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.commands import calls as calls_commands
from ivr.commands import parts as parts_commands
from ivr.commands.output import cell, masked, plain
from ivr.domain.callback import Callback, Source
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import BadInput, NotRunning, StorageDown
from ivr.ports import TraceEvent
from tests.unit.memory import START, Finding, Site

NUMBER = "+79123456789"
PASSWORD = "Tr0ub4dor&3"
Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.delenv("EKC_LOG_LEVEL", raising=False)
    return Site(tmp_path)


@pytest.fixture
def run(site: Site) -> Run:
    def run_(*args: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(ekc, args, input=stdin, obj=site)

    return run_


@pytest.fixture
def as_json(run: Run) -> Callable[..., Any]:
    def as_json_(*args: str, stdin: str | None = None) -> Any:
        result = run(*args, "--json", stdin=stdin)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return as_json_


def a_call(site: Site, call: str = "1764000000.1") -> str:
    return site.rows.cards.open(call=call, node="node1", number=NUMBER, at=START).id


def deeds(site: Site) -> list[tuple[str, str, str]]:
    return [(row.action, row.subject, row.result) for row in site.rows.audit.rows]


# --- how a run ends --------------------------------------------------------------------------------


def test_help_names_every_group(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    groups = "up, serve, status, doctor, calendar, operators, calls, audit, cards, callbacks, db, asterisk"
    for name in groups.split(", "):
        assert f"\n  {name} " in result.stdout


@pytest.mark.parametrize(
    "args",
    [
        ("nonsense",),
        ("cards", "show"),
        ("cards", "list", "--since", "yesterday"),
        ("cards", "list", "--limit", "0"),
        ("cards", "list", "--outcome", "gone"),
        ("cards", "edit", "last", "--topic", "no colon"),
        ("cards", "export", "--csv", "--json"),
        ("calendar", "set", "2026-12-01"),
        ("calendar", "set", "2026-12-01", "--open", "9-18"),
        ("calendar", "set", "2026-12-01", "--open", "18:00-09:00"),
        ("calendar", "set", "2026-12-01", "--open", "09:00-25:00"),
        ("calendar", "set", "2026-12-01", "--open", "09:00-18:00", "--closed"),
        ("calendar", "set", "2026-13-01", "--closed"),
        ("operators", "add", "Анна", "--extension", "201", "--agency", "szn", "--line", "3"),
        ("operators", "add", "Анна", "--extension", "201", "--agency", "szn"),
        ("status", "--wait", "-1"),
        ("asterisk", "console", "--json"),
    ],
)
def test_wrong_usage_ends_with_2_and_prints_nothing_on_stdout(run: Run, args: Sequence[str]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage:" in result.stderr or "Error:" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("cards", "show", "no-such"),
        ("cards", "show", "last"),
        ("calls", "trace", "last"),
        ("calls", "trace", "1.1"),
        ("callbacks", "show", "no-such"),
        ("callbacks", "cancel", "no-such"),
        ("operators", "disable", "299"),
        ("calendar", "clear", "2026-12-01"),
    ],
)
def test_no_such_thing_ends_with_4_and_one_sentence(run: Run, args: Sequence[str]) -> None:
    result = run(*args, "--json")
    assert result.exit_code == 4
    assert result.stdout == ""
    assert result.stderr.startswith("ekc: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code"), [(NotRunning(), 3), (StorageDown(), 1), (BadInput("no such command"), 1)]
)
def test_every_error_of_ours_is_one_sentence_and_a_code(
    site: Site, run: Run, error: Exception, code: int
) -> None:
    site.node.error = error
    result = run("asterisk", "console", "core show version")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"ekc: {error}\n")


def test_an_unexpected_error_tells_where_its_place_is_kept_but_not_what_it_was_about(
    site: Site, run: Run
) -> None:
    site.settings.log_dir.mkdir()
    site.node.error = RuntimeError(f"about {NUMBER}")
    result = run("asterisk", "console", "core show version")
    log = site.settings.log_dir / "cli.log"
    assert result.exit_code == 1
    assert str(log) in result.stderr
    assert "RuntimeError" in log.read_text()
    assert NUMBER not in log.read_text() + result.stderr
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_traceback_is_shown_to_who_asked_for_it(
    site: Site, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EKC_LOG_LEVEL", "debug")
    site.node.error = RuntimeError("boom")
    result = run("asterisk", "console", "core show version")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert result.stdout == ""


def test_an_interrupted_command_fails_with_one_sentence(site: Site, run: Run) -> None:
    site.node.error = KeyboardInterrupt()  # type: ignore[assignment]
    result = run("asterisk", "console", "core show version")
    assert (result.exit_code, result.stderr) == (1, "ekc: Interrupted.\n")


# --- the whole system ------------------------------------------------------------------------------


@pytest.mark.parametrize(("ready", "code"), [(True, 0), (False, 3)])
def test_status_prints_its_document_and_ends_with_0_or_3(
    site: Site, run: Run, ready: bool, code: int
) -> None:
    site.ready = ready
    result = run("status", "--wait", "5", "--json")
    assert result.exit_code == code
    assert json.loads(result.stdout)["ready"] is ready
    assert site.waited == 5


def test_status_for_people_shows_alarms_with_their_remedy(run: Run) -> None:
    assert "Asterisk does not run" in run("status").stdout


def test_a_healthy_installation_has_no_findings(run: Run, as_json: Callable[..., Any]) -> None:
    assert as_json("doctor") == []
    assert run("doctor").stdout == "All is well.\n"


def test_findings_are_printed_with_their_remedies_and_end_with_1(site: Site, run: Run) -> None:
    site.findings = [Finding(what="the disk is full", remedy="make room")]
    result = run("doctor", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [{"what": "the disk is full", "remedy": "make room"}]


def test_serve_ends_with_the_exit_code_of_the_engine(run: Run) -> None:
    assert run("up").exit_code == 0
    assert run("serve").exit_code == 7


def test_the_parts_can_be_worked_one_by_one(site: Site, as_json: Callable[..., Any]) -> None:
    assert as_json("db", "upgrade") == {"revision": "0001"}
    assert as_json("db", "check") == []
    assert as_json("asterisk", "install") == {"version": "22.10.1"}
    assert as_json("asterisk", "start") == {"pid": 4711}
    assert as_json("asterisk", "render") == {"folder": str(site.settings.asterisk_dir)}
    assert site.applied == 1
    assert as_json("asterisk", "console", "core", "show", "uptime") == {"output": "said: core show uptime"}


def test_a_database_at_odds_with_the_program_fails_with_the_remedy(site: Site, run: Run) -> None:
    site.findings = [Finding(what="the database is at revision 1", remedy="run `ekc db upgrade`")]
    result = run("db", "check")
    assert result.exit_code == 1
    assert result.stderr == "ekc: the database is at revision 1: run `ekc db upgrade`\n"


def test_stopping_an_asterisk_that_does_not_run_ends_with_3(site: Site, run: Run) -> None:
    assert run("asterisk", "stop").exit_code == 0
    site.node.error = NotRunning("Asterisk does not run")
    assert run("asterisk", "stop").exit_code == 3


def test_the_console_takes_over_the_process(site: Site, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(parts_commands.os, "execv", lambda path, argv: started.append((path, argv)))
    run("asterisk", "console")
    assert started == [("/usr/sbin/asterisk", ["/usr/sbin/asterisk", "-r"])]


# --- operators -------------------------------------------------------------------------------------


def add_operator(run: Run, extension: str = "201") -> Result:
    return run(
        *("operators", "add", "Анна Орлова", "--extension", extension, "--agency", "szn", "--password-stdin"),
        stdin=PASSWORD + "\n",
    )


def test_an_added_operator_is_told_to_asterisk_and_the_password_is_shown_nowhere(
    site: Site, run: Run, as_json: Callable[..., Any]
) -> None:
    result = add_operator(run)
    assert result.exit_code == 0
    assert site.applied == 1
    assert PASSWORD not in result.output
    [row] = as_json("operators", "list")
    assert row == {
        "extension": "201",
        "name": "Анна Орлова",
        "agency": "szn",
        "line": 1,
        "state": "logged_out",
        "reason": "",
        "since": "2026-11-24T15:00:00.000+05:00",
        "calls_today": 0,
    }


def test_an_extension_that_is_taken_fails_and_changes_nothing(site: Site, run: Run) -> None:
    add_operator(run)
    assert add_operator(run).exit_code == 1
    assert site.applied == 1


def test_a_disabled_operator_is_no_member_of_anything_for_the_engine_sees_the_state(
    site: Site, run: Run
) -> None:
    add_operator(run)
    assert run("operators", "disable", "201").exit_code == 0
    assert (site.node.commands, site.applied) == ([], 2)
    assert site.rows.operators.get("201").state == "disabled"


def test_an_operator_can_be_disabled_and_enabled_while_nothing_runs(site: Site, run: Run) -> None:
    add_operator(run)
    site.node.error = NotRunning()
    assert run("operators", "disable", "201").exit_code == 0
    assert run("operators", "enable", "201").exit_code == 0
    assert site.rows.operators.get("201").state == "logged_out"


def test_a_new_password_is_taken_from_standard_input(site: Site, run: Run) -> None:
    add_operator(run)
    before = site.rows.operators.secrets["201"]
    assert run("operators", "set-password", "201", "--password-stdin", stdin="another one\n").exit_code == 0
    assert site.rows.operators.secrets["201"] != before
    assert site.applied == 2


# --- cards, calls, callbacks -----------------------------------------------------------------------


def test_numbers_are_masked_and_revealing_one_is_audited(site: Site, as_json: Callable[..., Any]) -> None:
    card = a_call(site)
    assert as_json("calls", "list")[0]["number"] == "+7912***6789"
    assert deeds(site) == []
    assert as_json("calls", "list", "--reveal")[0]["number"] == NUMBER
    assert deeds(site) == [("calls.reveal", card, "ok")]


def test_showing_a_card_masks_its_number_and_is_audited_with_the_login(
    site: Site, as_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("LOGNAME", "anna")
    card = a_call(site)
    assert as_json("cards", "show", card)["number"] == "+7912***6789"
    [row] = site.rows.audit.rows
    assert (row.actor, row.action, row.subject, row.result) == ("cli:anna", "cards.show", card, "ok")


def test_revealing_a_card_leaves_a_row_of_its_own(site: Site, as_json: Callable[..., Any]) -> None:
    card = a_call(site)
    assert as_json("cards", "show", "last", "--reveal")["number"] == NUMBER
    assert [deed[0] for deed in deeds(site)] == ["cards.show", "cards.reveal"]
    assert as_json("cards", "list", "--reveal")[0]["id"] == card
    assert deeds(site)[-1] == ("cards.reveal", card, "ok")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--number", "8 912 345-67-89"), 1),
        (("--number", "89990000000"), 0),
        (("--snils", "112-233-445 95"), 1),
        (("--agency", "szn", "--topic", "Работа", "--until", "1h"), 1),
        (("--agency", "soc"), 0),
        (("--operator", "201"), 0),
        (("--outcome", "served"), 0),
    ],
)
def test_cards_are_searched_by_what_options_name(
    site: Site, as_json: Callable[..., Any], options: tuple[str, ...], found: int
) -> None:
    card = a_call(site)
    site.rows.cards.identified(card, snils="11223344595")
    site.rows.cards.add_topic(card, agency="szn", topic="Работа")
    site.clock.forward(2 * 3600)
    assert len(as_json("cards", "list", *options)) == found


def test_a_card_is_edited_and_the_table_shows_no_text(
    site: Site, run: Run, as_json: Callable[..., Any]
) -> None:
    a_call(site)
    edited = as_json("cards", "edit", "last", "--comment", "Секрет Марии", "--topic", "szn:Работа")
    assert (edited["comment"], edited["topics"]) == ("Секрет Марии", ["Работа"])
    table = run("cards", "list").stdout
    assert "Работа" in table
    assert "Секрет" not in table


def test_a_time_without_offset_is_in_the_sites_zone(site: Site, as_json: Callable[..., Any]) -> None:
    a_call(site)
    edited = as_json("cards", "edit", "last", "--callback-at", "2026-11-25T10:00")
    assert edited["callback_at"] == "2026-11-25T10:00:00.000+05:00"


@pytest.mark.parametrize(
    ("since", "found"),
    [("1h", 0), ("3h", 1), ("2026-11-24", 1), ("2026-11-24T15:00:01", 0), ("2026-11-24T10:00:00+00:00", 1)],
)
def test_since_takes_times_and_ages(site: Site, as_json: Callable[..., Any], since: str, found: int) -> None:
    a_call(site)
    site.clock.forward(2 * 3600)
    assert len(as_json("cards", "list", "--since", since)) == found


def test_an_export_is_private_masked_and_audited(site: Site, run: Run, tmp_path: Path) -> None:
    a_call(site)
    file = tmp_path / "cards.csv"
    file.write_text("older")
    file.chmod(0o644)
    assert run("cards", "export", str(file)).exit_code == 0
    header, row = file.read_text().splitlines()
    assert header.startswith("id,registration_number,registered_at")
    assert "+7912***6789" in row
    assert file.stat().st_mode & 0o777 == 0o600
    assert deeds(site)[0][0] == "cards.export"


def test_an_export_to_stdout_is_one_json_document(site: Site, as_json: Callable[..., Any]) -> None:
    a_call(site)
    [card] = as_json("cards", "export")
    assert card["contacts"][0]["call"] == "1764000000.1"


def test_an_export_to_a_file_in_json_says_how_many(
    site: Site, as_json: Callable[..., Any], tmp_path: Path
) -> None:
    a_call(site)
    file = tmp_path / "cards.json"
    assert as_json("cards", "export", str(file)) == {"file": str(file), "cards": 1}
    assert len(json.loads(file.read_text())) == 1


def test_a_file_that_cannot_be_written_fails_in_words(site: Site, run: Run, tmp_path: Path) -> None:
    result = run("cards", "export", str(tmp_path / "nowhere" / "cards.csv"))
    assert result.exit_code == 1
    assert "cannot write" in result.stderr


def test_a_callback_is_listed_shown_and_cancelled(site: Site, run: Run, as_json: Callable[..., Any]) -> None:
    card = a_call(site)
    site.rows.callbacks.request(
        Callback(
            id="cb1",
            card=card,
            number=NUMBER,
            source=Source.CLOSED,
            queue="general",
            arrived_at=START,
            due=START + timedelta(hours=1),
        )
    )
    expected = {
        "id": "cb1",
        "card": card,
        "number": "+7912***6789",
        "source": "closed",
        "state": "requested",
        "due": "2026-11-24T16:00:00.000+05:00",
        "attempts": [],
    }
    assert as_json("callbacks", "list") == [expected]
    assert as_json("callbacks", "show", "cb1", "--reveal") == {**expected, "number": NUMBER}
    assert as_json("callbacks", "cancel", "cb1")["state"] == "cancelled"
    assert as_json("callbacks", "list", "--open") == []
    assert run("callbacks", "cancel", "cb1").exit_code == 1
    assert [deed[0] for deed in deeds(site)] == ["callbacks.reveal", "callbacks.cancel"]


def lived(site: Site, *kinds: str) -> None:
    site.rows.traces.add(
        [
            TraceEvent(call="1764000000.1", at=START, kind=kind, id="greeting", outcome="heard")
            for kind in kinds
        ]
    )


def test_a_trace_is_json_lines(site: Site, run: Run) -> None:
    a_call(site)
    lived(site, "prompt", "key")
    lines = [json.loads(line) for line in run("calls", "trace", "last", "--json").stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["prompt", "key"]
    assert list(lines[0]) == ["at", "kind", "id", "outcome"]


def test_a_trace_for_people_has_the_words_of_its_prompts(site: Site, run: Run) -> None:
    a_call(site)
    lived(site, "prompt", "end")
    assert "«greeting»" in run("calls", "trace", "last").stdout


def test_following_ends_with_the_call(site: Site, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    a_call(site)
    lived(site, "prompt")
    coming = iter([("key",), (), ("end",)])
    monkeypatch.setattr(calls_commands.time, "sleep", lambda _seconds: lived(site, *next(coming)))
    lines = run("calls", "trace", "last", "--follow", "--json").stdout.splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["prompt", "key", "end"]


def test_following_a_call_cut_off_ends_once_it_is_settled(
    site: Site, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_call(site)
    lived(site, "prompt")
    lost = {"outcome": ContactOutcome.LOST_BY_CRASH}
    monkeypatch.setattr(
        calls_commands.time, "sleep", lambda _s: site.rows.cards.change_contact("1764000000.1", **lost)
    )
    result = run("calls", "trace", "last", "--follow", "--json")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)


def test_ctrl_c_is_the_way_to_stop_following(site: Site, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    a_call(site)
    monkeypatch.setattr(calls_commands.time, "sleep", interrupt)
    assert run("calls", "trace", "last", "--follow").exit_code == 0


# --- the audit and the calendar --------------------------------------------------------------------


def test_the_audit_is_listed_newest_first(site: Site, run: Run, as_json: Callable[..., Any]) -> None:
    card = a_call(site)
    run("cards", "show", card)
    site.clock.forward(1)
    run("cards", "edit", card, "--comment", "x")
    rows = as_json("audit", "list", "--limit", "5")
    assert [row["action"] for row in rows] == ["cards.edit", "cards.show"]
    assert list(rows[0]) == ["at", "actor", "action", "subject", "call", "result"]


@pytest.mark.parametrize(
    ("given", "opens", "closes"),
    [("09:00-16:00", "09:00", "16:00"), ("00:00-24:00", "00:00", "24:00")],
)
def test_an_exception_to_the_calendar_is_set_and_cleared(
    site: Site, as_json: Callable[..., Any], given: str, opens: str, closes: str
) -> None:
    found = as_json("calendar", "set", "2026-12-31", "--open", given)
    assert (found["date"], found["open"], found["opens"], found["closes"]) == (
        "2026-12-31",
        True,
        opens,
        closes,
    )
    assert as_json("calendar", "clear", "2026-12-31")["cleared"] is True
    assert site.rows.calendar.rows == {}
    assert [deed[0] for deed in deeds(site)] == ["calendar.set", "calendar.clear"]


def test_a_day_is_closed(as_json: Callable[..., Any]) -> None:
    assert as_json("calendar", "set", "2026-12-31", "--closed")["open"] is False


# --- printing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+79123456789", "+7912***6789"), ("+3725551234", "+3725***1234"), ("112", "***12"), (None, None)],
)
def test_a_masked_number_keeps_its_beginning_and_end(number: str | None, shown: str | None) -> None:
    assert masked(number) == shown


def test_a_time_without_a_zone_is_not_printed(site: Site) -> None:
    with pytest.raises(BadInput):
        plain(START.replace(tzinfo=None), site.settings.zone)


def test_control_characters_never_reach_the_terminal(site: Site) -> None:
    assert cell("a\x1b[2Jb", site.settings.zone) == "a?[2Jb"


def test_shared_options_stand_before_or_after_the_command(run: Run) -> None:
    assert run("--json", "callbacks", "list").stdout == run("callbacks", "list", "--json").stdout == "[]\n"
