"""While the database is down the line keeps the hours that were last known (§12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from ivr.domain.errors import StorageDown
from ivr.domain.worktime import DayException
from ivr.services.known_days import KnownDays
from ivr.testing import MemoryStore
from tests.unit.ringing import Line

SUNDAY = date(2026, 11, 29)
OPENED = DayException(day=SUNDAY, opens=time(10), closes=None)
CLOSED = DayException(day=date(2026, 11, 30), opens=None, closes=None)


def a_store(*days: DayException) -> MemoryStore:
    store = MemoryStore()
    for day in days:
        store.rows.calendar.set(day)
    return store


async def test_what_was_read_is_known_while_the_database_is_down_and_after_a_start_without_one(
    tmp_path: Path,
) -> None:
    path, store = tmp_path / "calendar.json", a_store(OPENED, CLOSED)
    known = KnownDays(store, path)
    assert list(known.days) == []
    await known.refresh()
    store.down = True
    with pytest.raises(StorageDown):
        await known.refresh()
    assert set(known.days) == {OPENED, CLOSED}
    assert set(KnownDays(store, path).days) == {OPENED, CLOSED}
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_day_that_was_cleared_is_forgotten(tmp_path: Path) -> None:
    path, store = tmp_path / "calendar.json", a_store(OPENED)
    known = KnownDays(store, path)
    await known.refresh()
    await store.run(lambda uow: uow.calendar.clear(SUNDAY))
    await known.refresh()
    assert list(known.days) == [] == list(KnownDays(store, path).days)


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"day": "soon", "opens": null, "closes": null}]', "[{}]"])
def test_a_file_that_cannot_be_read_leaves_the_production_calendar(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calendar.json"
    path.write_text(text)
    assert list(KnownDays(a_store(), path).days) == []


@pytest.mark.parametrize("known", [True, False])
async def test_a_sunday_that_the_site_has_opened_stays_open_without_the_database(
    tmp_path: Path, known: bool
) -> None:
    noon = datetime(2026, 11, 29, 7, tzinfo=UTC)
    line = Line(now=noon).knows(days=[OPENED])
    days = KnownDays(line.store, tmp_path / "calendar.json")
    if known:
        await days.refresh()
    line.office.desk = replace(line.desk, known_days=lambda: days.days)
    line.store.down = True
    heard = (await line.call()).heard
    assert heard == (["greeting", "emergency"] if known else ["closed", "goodbye"])
