"""The line's calendar from settings and own exceptions, and the commands that show and check it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import ekc
from ivr.domain.errors import BadInput
from ivr.domain.worktime import DayException
from ivr.services.calendar import calendar_of, hours_in_words
from ivr.settings import Settings
from ivr.testing import VirtualClock
from tests.unit.memory import Site

Run = Callable[..., Result]
CLOSED = DayException(day=date(2026, 12, 30), opens=None, closes=None)
LONG = DayException(day=date(2026, 12, 31), opens=time(0), closes=None)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def run(site: Site) -> Run:
    return lambda *args: CliRunner().invoke(ekc, args, obj=site)


@pytest.fixture
def as_json(run: Run) -> Callable[..., Any]:
    return lambda *args: json.loads(run(*args, "--json").stdout)


def test_the_calendar_has_the_hours_of_the_settings_and_our_own_exceptions(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path, opens="08:30", closes="24:00")
    calendar = calendar_of(settings, [CLOSED])
    assert (calendar.opens, calendar.closes, calendar.zone) == (time(8, 30), None, settings.zone)
    assert calendar.hours_of(CLOSED.day).opens is None
    assert hours_in_words(calendar) == (time(8, 30), time(0))


def test_hours_in_the_settings_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        calendar_of(Settings(state=tmp_path, opens="9", closes="18"), [])


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        ("2026-11-24", {"open": True, "opens": "09:00", "closes": "18:00", "source": "regular", "name": ""}),
        (
            "2026-11-03",
            {"open": True, "opens": "09:00", "closes": "17:00", "source": "shortened", "name": ""},
        ),
        ("2026-11-21", {"open": False, "opens": None, "closes": None, "source": "weekend", "name": ""}),
        (
            "2026-11-04",
            {
                "open": False,
                "opens": None,
                "closes": None,
                "source": "holiday",
                "name": "День народного единства",
            },
        ),
    ],
)
def test_a_day_is_shown_with_its_hours_and_why(
    as_json: Callable[..., Any], day: str, shown: dict[str, object]
) -> None:
    assert as_json("calendar", "show", day) == {"date": day, **shown}


def test_own_exceptions_are_shown_in_the_order_of_days(
    site: Site, as_json: Callable[..., Any], run: Run
) -> None:
    assert as_json("calendar", "show") == []
    assert "no exceptions" in run("calendar", "show").stdout
    for exception in (LONG, CLOSED):
        site.rows.calendar.set(exception)
    assert as_json("calendar", "show") == [
        {"date": "2026-12-30", "open": False, "opens": None, "closes": None, "source": "own", "name": ""},
        {**as_json("calendar", "show", "2026-12-31"), "open": True, "opens": "00:00", "closes": "24:00"},
    ]
    assert as_json("calendar", "show", "2026-12-31")["source"] == "own"


def test_no_date_is_wrong_usage(run: Run) -> None:
    assert run("calendar", "show", "tomorrow").exit_code == 2


def test_a_coming_year_nobody_has_confirmed_is_warned_of_in_one_sentence(
    run: Run, as_json: Callable[..., Any]
) -> None:
    result = run("calendar", "check")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert "the production calendar of 2027 is not confirmed" in result.stderr
    assert "EKC_CONFIRMED_YEARS" in result.stderr
    assert [list(row) for row in as_json("calendar", "check")] == [["what", "remedy"]]


def test_two_unconfirmed_years_are_two_sentences(site: Site, run: Run) -> None:
    site.clock = VirtualClock(datetime(2027, 12, 31, 20, tzinfo=UTC))
    lines = run("calendar", "check").stderr.splitlines()
    assert [("2028" in line, "2029" in line) for line in lines] == [(True, False), (False, True)]
    assert all(line.startswith("ekc: ") for line in lines)


def test_the_year_begins_in_the_zone_of_the_site(site: Site, run: Run) -> None:
    """At 20:00 UTC the new year has begun in Yekaterinburg."""
    site.clock = VirtualClock(datetime(2026, 12, 31, 20, tzinfo=UTC))
    assert "2028" in run("calendar", "check").stderr


def test_a_confirmed_year_is_not_warned_of(site: Site, run: Run) -> None:
    site.settings = site.settings.model_copy(update={"confirmed_years": (2027,)})
    result = run("calendar", "check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "confirmed" in result.stdout


def test_years_are_confirmed_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EKC_CONFIRMED_YEARS", "[2027]")
    assert Settings(state=tmp_path).confirmed_years == (2027,)
