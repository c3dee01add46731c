"""`ekc identification` and `ekc citizens set-code` over a site in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.domain.benefits import Citizen
from ivr.domain.guessing import GuessCounter
from ivr.services.identification import NUMBER, OTHERS, OWN
from tests.unit.memory import START, Site

SNILS, WRITTEN, MASKED = "11223344595", "112-233-445 95", "***-***-*** 95"
UNKNOWN = "00100199800"
MINE, STRANGE = "+79123456789", "+79990000000"
CODE = "Мама1"
Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    with site.store.transaction() as uow:
        uow.citizens.upsert([Citizen(snils=SNILS, phone=MINE)])
        uow.commit()
    return site


@pytest.fixture
def run(site: Site) -> Run:
    def run_(*args: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(ekc, args, input=stdin, obj=site)

    return run_


def lock(site: Site, scope: str, key: str, *, minutes: int) -> None:
    until = START + timedelta(minutes=minutes)
    counter = GuessCounter(failures=0, since=until, locked_until=until, locks=1)
    with site.store.transaction() as uow:
        uow.guesses.put(scope, key, counter)
        uow.commit()


def deeds(site: Site) -> list[tuple[str, str, str]]:
    return [(row.action, row.subject, row.result) for row in site.rows.audit.rows]


def rows(run: Run) -> dict[str, dict[str, Any]]:
    result = run("identification", "status", "--json")
    assert result.exit_code == 0, result.stderr
    return {row["scope"]: row for row in json.loads(result.stdout)}


def test_status_counts_the_locks_in_force_of_each_kind(site: Site, run: Run) -> None:
    lock(site, OTHERS, SNILS, minutes=15)
    lock(site, OTHERS, UNKNOWN, minutes=30)
    lock(site, NUMBER, STRANGE, minutes=-1)
    shown = rows(run)
    assert {scope: row["locked"] for scope, row in shown.items()} == {OWN: 0, OTHERS: 2, NUMBER: 0, "pair": 0}
    assert shown[OTHERS]["first_until"] == "2026-11-24T15:15:00.000+05:00"
    assert shown[OTHERS]["last_until"] == "2026-11-24T15:30:00.000+05:00"
    assert shown[OWN]["first_until"] is None


def test_status_never_tells_whose_the_locks_are(site: Site, run: Run) -> None:
    lock(site, OWN, SNILS, minutes=15)
    lock(site, NUMBER, MINE, minutes=15)
    for args in (("--json",), ()):
        shown = run("identification", "status", *args).stdout
        assert SNILS not in shown and MINE[2:] not in shown and "number" in shown


def test_unlock_lets_one_citizen_try_again_and_nobody_else(site: Site, run: Run) -> None:
    for scope, key in ((OWN, SNILS), (OTHERS, SNILS), (NUMBER, MINE), (NUMBER, STRANGE), (OTHERS, UNKNOWN)):
        lock(site, scope, key, minutes=15)
    result = run("identification", "unlock", WRITTEN)
    assert result.exit_code == 0 and MASKED in result.stdout and SNILS not in result.stdout
    assert set(site.rows.guesses.rows) == {(NUMBER, STRANGE), (OTHERS, UNKNOWN)}
    assert deeds(site) == [("identification.unlock", MASKED, "ok")]


def test_unlocking_an_unknown_snils_looks_like_any(site: Site, run: Run) -> None:
    lock(site, OTHERS, UNKNOWN, minutes=15)
    assert run("identification", "unlock", UNKNOWN, "--json").exit_code == 0
    assert site.rows.guesses.rows == {}


def test_a_code_from_standard_input_replaces_the_old_one_and_is_shown_nowhere(site: Site, run: Run) -> None:
    for code in ("старый", CODE):
        result = run("citizens", "set-code", WRITTEN, "--stdin", stdin=f"{code}\n")
        assert result.exit_code == 0, result.stderr
        assert code not in result.output and SNILS not in result.output
    credentials = site.rows.citizens.credentials(SNILS)
    assert credentials is not None and credentials.code == site.codes.hashes(CODE)
    assert deeds(site) == [("citizens.set-code", MASKED, "ok")] * 2


def test_a_code_for_nobody_ends_with_4_and_names_no_snils(site: Site, run: Run) -> None:
    result = run("citizens", "set-code", UNKNOWN, "--stdin", stdin=CODE)
    assert result.exit_code == 4 and result.stdout == ""
    assert UNKNOWN not in result.stderr and deeds(site) == []


@pytest.mark.parametrize("command", [("citizens", "set-code"), ("identification", "unlock")])
def test_what_is_no_snils_is_refused_in_one_sentence(site: Site, run: Run, command: tuple[str, str]) -> None:
    extra = ("--stdin",) if command[0] == "citizens" else ()
    result = run(*command, "11223344596", *extra, stdin=CODE)
    assert result.exit_code == 1 and "11223344596" not in result.stderr
    assert result.stderr.count("\n") == 1 and deeds(site) == []


def test_a_code_is_not_taken_from_nowhere(run: Run) -> None:
    result = run("citizens", "set-code", SNILS, stdin=CODE)
    assert result.exit_code == 2 and "--stdin" in result.stderr
