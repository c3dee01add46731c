"""Agreed times (§13) and deferred enquiries (§14), as a script of a stranger's uses them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.conftest import Ekc, site_of

ZONE = ZoneInfo("Asia/Yekaterinburg")
NUMBERS = ("+79123456789", "+79123450000")
PASSWORD = "Tr0ub4dor&3"


def cards(ekc: Ekc, *, at: datetime | None = None) -> list[str]:
    """Of two citizens who have just called; their ids."""
    with site_of(ekc) as site:
        site.store.upgrade()
        with site.store.transaction() as uow:
            made = [
                uow.cards.open(call=f"node1-{n}.1", node="node1", number=number, at=at or datetime.now(ZONE))
                for n, number in enumerate(NUMBERS)
            ]
            uow.commit()
    return [card.id for card in made]


@pytest.fixture
def day(ekc: Ekc) -> date:
    """The day after tomorrow, which is open from nine to eighteen; tomorrow is closed."""
    today = datetime.now(ZONE).date()
    for days, hours in ((1, ["--closed"]), (2, ["--open", "09:00-18:00"])):
        ekc.run("calendar", "set", (today + timedelta(days=days)).isoformat(), *hours)
    return today + timedelta(days=2)


def test_an_agreed_time_is_a_callback_and_a_full_or_closed_one_is_refused_with_another(
    ekc: Ekc, day: date
) -> None:
    ekc.environment["EKC_AGREED__PER_SLOT"] = "1"
    first, second = cards(ekc)
    edited = ekc.json("cards", "edit", first, "--callback-at", f"{day}T10:00")
    assert edited["callback_at"] == f"{day}T10:00:00.000+05:00"
    [row] = ekc.json("callbacks", "list")
    assert (row["card"], row["source"], row["due"]) == (first, "agreed", edited["callback_at"])
    full = ekc.run("cards", "edit", second, "--callback-at", f"{day}T10:15", code=1)
    assert full.stderr == f"ekc: the slot of 10:00 is full; the next free slot is {day}T10:30\n"
    closed = ekc.run("cards", "edit", second, "--callback-at", f"{day - timedelta(days=1)}T12:00", code=1)
    assert closed.stderr == f"ekc: the line is closed then; the next free slot is {day}T09:00\n"
    assert ekc.json("cards", "show", second)["callback_at"] is None
    moved = ekc.json("cards", "edit", first, "--callback-at", f"{day}T11:00")
    assert [one["due"] for one in ekc.json("callbacks", "list")] == [moved["callback_at"]]


def test_deferred_enquiries_are_marked_given_out_and_reported(ekc: Ekc, agencies: object) -> None:
    """Eleven on one working day makes ten on the next one; both are past, so the answer is late."""
    assert agencies
    first = datetime.now(ZONE).date() - timedelta(days=7)
    for day in (first, first + timedelta(days=1)):
        ekc.run("calendar", "set", day.isoformat(), "--open", "09:00-18:00")
    card, _ = cards(ekc, at=datetime.combine(first, time(11), tzinfo=ZONE))
    ekc.run(
        "operators",
        "add",
        "Анна Орлова",
        "--extension",
        "201",
        "--agency",
        "szn",
        "--password-stdin",
        stdin=PASSWORD,
    )
    ekc.run("cards", "edit", card, "--topic", "szn:Поиск работы", "--defer")
    assigned = ekc.json("deferred", "assign", card, "201")
    assert (assigned["operator"], assigned["state"]) == ("201", "assigned")
    assert assigned["deadline"] == f"{first + timedelta(days=1)}T10:00:00.000+05:00"
    assert ekc.json("deferred", "list") == [assigned]
    [callback] = ekc.json("callbacks", "list")
    assert (callback["source"], callback["card"]) == ("deferred", card)
    ekc.run("deferred", "done", card)
    assert ekc.json("deferred", "list") == []
    assert ekc.json("callbacks", "list", "--open") == []
    made = ekc.json("deferred", "report", "--from", first.isoformat())
    [row] = made["rows"]
    assert (row["agency"], row["topic"], row["answered"], row["late"]) == ("szn", "Поиск работы", 1, 1)
    assert [one["card"] for one in made["late"]] == [card]
    actions = {row["action"] for row in ekc.json("audit", "list")}
    assert actions >= {"deferred.mark", "deferred.assign", "deferred.done"}
