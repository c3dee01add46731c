"""Who is asked for a citizen's information, and what is made of several answers (§22)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from ivr.domain.benefits import Notice, Payment, PaymentStatus, PersonalRecords
from ivr.domain.enquiry import Application
from ivr.domain.errors import ResourceDown, StorageDown
from ivr.metrics import Metrics
from ivr.resources import ResourceHealth, Resources, build
from ivr.resources.breaker import BreakerState
from ivr.resources.embedded import EmbeddedResource
from ivr.settings import Settings
from ivr.testing.clock import VirtualClock
from ivr.testing.store import MemoryStore

SNILS = "11223344595"
DAY = date(2026, 3, 3)


def application(agency: str, day: date = DAY) -> Application:
    return Application(
        snils=SNILS, number="56-1", accepted_on=day, agency=agency, service="Выплата", status="рассмотрено"
    )


def payment(agency: str, day: date = DAY) -> Payment:
    return Payment(
        snils=SNILS,
        agency=agency,
        title="Пособие",
        amount=Decimal("1.00"),
        date=day,
        status=PaymentStatus.PAID,
    )


def notice(agency: str) -> Notice:
    return Notice(
        snils=SNILS, agency=agency, event="рождение", measure="выплата", how_to_get="", valid_until=None
    )


class Agency:
    """One agency's resource in memory."""

    def __init__(self, code: str, days: Sequence[date] = (DAY,)) -> None:
        self.code = code
        self.records = PersonalRecords(
            payments=tuple(payment(code, day) for day in days),
            applications=tuple(application(code, day) for day in days),
            notices=(notice(code),),
        )
        self.error: Exception | None = None
        self.closed = False
        self.meeting: asyncio.Barrier | None = None
        self.cancelled = False
        self.asked = asyncio.Event()

    async def _come(self) -> None:
        self.asked.set()
        try:
            if self.meeting is not None:
                await self.meeting.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.error is not None:
            raise self.error

    async def applications(self, digits: str, accepted_on: date) -> Sequence[Application]:
        await self._come()
        return [a for a in self.records.applications if a.accepted_on == accepted_on]

    async def personal(self, snils: str) -> PersonalRecords:
        await self._come()
        return self.records

    def health(self) -> ResourceHealth:
        return ResourceHealth(
            agency=self.code,
            breaker=BreakerState.CLOSED,
            silent=0,
            wrong=0,
            failing_since=None,
            last_failure="",
        )

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def store() -> MemoryStore:
    """Rows of `soc` and `pfr`."""
    store = MemoryStore()
    with store.transaction() as uow:
        uow.applications.upsert([application("soc"), application("pfr")])
        uow.payments.upsert([payment("soc"), payment("pfr")])
        uow.notices.upsert([notice("soc"), notice("pfr")])
        uow.commit()
    return store


async def test_the_embedded_resource_answers_from_our_tables(store: MemoryStore) -> None:
    embedded = EmbeddedResource(store)
    records = await embedded.personal(SNILS)

    assert {a.agency for a in await embedded.applications("561", DAY)} == {"soc", "pfr"}
    assert {p.agency for p in records.payments} == {a.agency for a in records.applications} == {"soc", "pfr"}
    assert {n.agency for n in records.notices} == {"soc", "pfr"}
    assert await embedded.personal("08765430300") == PersonalRecords()


async def test_a_database_that_is_down_stays_our_own_failure(store: MemoryStore) -> None:
    store.down = True

    with pytest.raises(StorageDown):
        await EmbeddedResource(store).applications("561", DAY)
    with pytest.raises(StorageDown):
        await Resources(EmbeddedResource(store), {}).personal(SNILS)


async def test_an_agency_with_a_service_is_answered_by_it_alone(store: MemoryStore) -> None:
    pfr = Agency("pfr", days=())
    resources = Resources(EmbeddedResource(store), {"pfr": pfr})
    pfr.records = replace(pfr.records, notices=())

    records = await resources.personal(SNILS)
    told = (*records.payments, *records.applications, *records.notices)
    assert [row.agency for row in told] == ["soc"] * 3
    assert [a.agency for a in await resources.applications("561", DAY)] == ["soc"]


async def test_all_answers_are_put_together_newest_first() -> None:
    first, second = date(2026, 1, 1), date(2026, 9, 1)
    resources = Resources(Agency("soc"), {"pfr": Agency("pfr", [second]), "mfc": Agency("mfc", [first])})

    records = await resources.personal(SNILS)

    assert [p.agency for p in records.payments] == ["pfr", "soc", "mfc"]
    assert [a.agency for a in records.applications] == ["pfr", "soc", "mfc"]
    assert [n.agency for n in records.notices] == ["soc", "pfr", "mfc"]


async def test_all_are_asked_at_once() -> None:
    agencies = [Agency("soc"), Agency("pfr"), Agency("mfc")]
    together = asyncio.Barrier(3)
    for agency in agencies:
        agency.meeting = together
    resources = Resources(agencies[0], {a.code: a for a in agencies[1:]})

    async with asyncio.timeout(10):  # one after the other they would wait for each other for ever
        assert len(await resources.applications("561", DAY)) == 3
        await resources.personal(SNILS)


async def test_a_caller_who_hangs_up_takes_all_questions_back() -> None:
    soc, pfr = Agency("soc"), Agency("pfr")
    soc.meeting = pfr.meeting = asyncio.Barrier(3)
    asking = asyncio.create_task(Resources(soc, {"pfr": pfr}).personal(SNILS))
    await soc.asked.wait()
    await pfr.asked.wait()
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert soc.cancelled and pfr.cancelled


@pytest.mark.parametrize("error", [ResourceDown(), StorageDown()])
async def test_what_was_found_counts_even_if_another_resource_is_down(error: Exception) -> None:
    soc, pfr, mfc = Agency("soc"), Agency("pfr"), Agency("mfc")
    soc.error = mfc.error = error

    found = await Resources(soc, {"mfc": mfc, "pfr": pfr}).applications("561", DAY)

    assert [a.agency for a in found] == ["pfr"]


async def test_nothing_found_while_a_resource_is_down_is_not_nothing() -> None:
    soc, pfr = Agency("soc", days=()), Agency("pfr")
    pfr.error = ResourceDown("pfr is down")

    with pytest.raises(ResourceDown, match="pfr is down"):
        await Resources(soc, {"pfr": pfr}).applications("561", DAY)


async def test_a_part_of_what_a_citizen_has_is_never_told_for_the_whole() -> None:
    soc, pfr, mfc = Agency("soc"), Agency("pfr"), Agency("mfc")
    mfc.error = ResourceDown("mfc is down")

    with pytest.raises(ResourceDown, match="mfc is down"):
        await Resources(soc, {"pfr": pfr, "mfc": mfc}).personal(SNILS)


async def test_an_error_of_ours_is_not_taken_for_a_resource_that_is_down() -> None:
    soc, pfr = Agency("soc"), Agency("pfr")
    pfr.error = KeyError("ours")

    with pytest.raises(KeyError):
        await Resources(soc, {"pfr": pfr}).applications("561", DAY)


async def test_health_is_told_for_each_service_in_the_order_of_codes_and_closing_closes_all() -> None:
    pfr, mfc = Agency("pfr"), Agency("mfc")
    resources = Resources(Agency("soc"), {"pfr": pfr, "mfc": mfc})

    assert [health.agency for health in resources.health()] == ["mfc", "pfr"]
    await resources.aclose()
    assert pfr.closed and mfc.closed


async def test_without_settings_everything_comes_from_our_tables(store: MemoryStore, tmp_path: Path) -> None:
    resources = build(Settings(state=tmp_path), store, VirtualClock())

    assert len(await resources.applications("561", DAY)) == 2
    assert resources.health() == []
    await resources.aclose()


async def test_a_service_of_the_settings_is_asked_counted_and_watched(
    store: MemoryStore, tmp_path: Path
) -> None:
    (tmp_path / "ekc.toml").write_text('[resources.pfr]\nurl = "http://127.0.0.1:1/"\nbreaker_failures = 1\n')
    metrics, clock = Metrics.create(), VirtualClock()
    resources = build(Settings(state=tmp_path), store, clock, metrics)

    assert [a.agency for a in await resources.applications("561", DAY)] == ["soc"]
    with pytest.raises(ResourceDown):
        await resources.personal(SNILS)
    await resources.aclose()

    (health,) = resources.health()
    assert (health.agency, health.ok, health.failing_since) == ("pfr", False, clock.now())
    shown = metrics.render().decode()
    assert 'ekc_resource_questions_total{agency="pfr",result="silent"} 1.0' in shown
    assert 'ekc_resource_questions_total{agency="pfr",result="not_asked"} 1.0' in shown
