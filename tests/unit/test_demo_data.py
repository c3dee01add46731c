"""Invented people: the same by the same seed, fit for the rules of the files, loaded once however often."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cli import ekc
from ivr.domain import phone, receipt, snils
from ivr.domain.codes import normalise
from ivr.domain.errors import BadInput
from ivr.domain.menu import Topic, check_topics
from ivr.services import demo_data, records_in
from ivr.services.audit import By
from ivr.services.citizens_in import Citizens
from ivr.services.demo_words import AGENCIES, SERVICES
from tests.unit.memory import START, Site

TODAY = START.date()
BY = By(actor="cli:test", at=START)
SEEDS = st.integers(-(2**40), 2**40)
TODAYS = st.dates(date(2025, 1, 1), date(2035, 12, 31))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def load(site: Site, people: Any, today: date = TODAY) -> int:
    citizens = Citizens(codes=site.codes, check_code=normalise, today=today)
    return demo_data.load(site.store, BY, people, citizens=citizens, today=today)


@given(SEEDS, TODAYS)
@settings(max_examples=20)
def test_the_same_seed_invents_the_same_people_on_every_day_of_a_month(seed: int, today: date) -> None:
    first = demo_data.invent(seed=seed, count=4, today=today.replace(day=1))
    assert demo_data.invent(seed=seed, count=4, today=today) == first
    assert demo_data.invent(seed=seed + 1, count=4, today=today) != first


@given(SEEDS, TODAYS)
@settings(max_examples=20)
def test_everybody_can_call_and_be_identified(seed: int, today: date) -> None:
    people = demo_data.invent(seed=seed, count=12, today=today)
    for person in people:
        who = person.citizen
        assert snils.is_valid(who["snils"])
        assert phone.normalise(who["phone"]) == who["phone"]
        assert who["phone"].startswith("+79")
        assert normalise(who["secret_code"])
        assert person.applications
    for name in ("snils", "phone", "document_number"):
        assert len({person.citizen[name] for person in people}) == len(people)
    receipts = [receipt.digits_of(a["number"]) for person in people for a in person.applications]
    assert len(set(receipts)) == len(receipts)


@given(SEEDS, TODAYS)
@settings(max_examples=20)
def test_receipts_are_of_the_past_and_a_planned_payment_lies_ahead(seed: int, today: date) -> None:
    for person in demo_data.invent(seed=seed, count=5, today=today):
        assert all(date.fromisoformat(a["accepted_on"]) < today for a in person.applications)
        for payment in person.payments:
            ahead = date.fromisoformat(payment["date"]) > today
            assert ahead == (payment["status"] == "planned")
        assert "planned" in {payment["status"] for payment in person.payments}


def test_twenty_people_show_every_state_and_codes_of_letters_and_of_digits() -> None:
    people = demo_data.invent(seed=1, count=20, today=TODAY)
    applications = [a for person in people for a in person.applications]
    for column in ("decision", "refusal_reason", "missing_documents"):
        assert any(a[column] for a in applications)
        assert not all(a[column] for a in applications)
    assert {p["status"] for person in people for p in person.payments} == {"paid", "planned", "returned"}
    assert {person.citizen["secret_code"].isdigit() for person in people} == {True, False}
    assert {a["agency"] for a in applications} == {"szn", "soc", "sfr"}
    assert any(person.notices for person in people)


def test_what_is_told_of_a_person_has_the_columns_of_the_files() -> None:
    [person] = demo_data.invent(seed=1, count=1, today=TODAY)
    told = person.view()
    assert list(told) == [*records_in.CITIZENS, "applications", "payments", "notices"]
    assert tuple(person.applications[0]) == records_in.APPLICATIONS
    assert tuple(person.payments[0]) == records_in.PAYMENTS


def test_the_invented_topics_make_a_menu_and_every_service_has_an_agency() -> None:
    check_topics(AGENCIES)
    assert SERVICES.keys() == {topic.agency for topic in AGENCIES}


def test_people_are_loaded_once_however_often(site: Site) -> None:
    people = demo_data.invent(seed=3, count=5, today=TODAY)
    assert load(site, people) > 5
    assert load(site, people) == 0
    assert len(site.codes.hashed) == 5
    first = people[0]
    assert [a.number for a in site.rows.applications.of(first.citizen["snils"])]
    assert len(site.rows.payments.of(first.citizen["snils"])) == len(first.payments)
    assert {row.subject for row in site.rows.audit.list()} == {"demo-data"}


def test_topics_and_names_of_the_site_stay_as_they_are(site: Site) -> None:
    before = site.rows.agencies.topics()
    load(site, demo_data.invent(seed=3, count=1, today=TODAY))
    after = site.rows.agencies.topics()
    assert set(before) <= set(after)
    check_topics(after)
    assert site.rows.agencies.codes() == ["sfr", "soc", "szn"]


def test_a_full_menu_is_told_with_the_remedy_and_nobody_is_loaded(site: Site) -> None:
    with site.store.transaction() as uow:
        full = [(group, item) for group in "2345" for item in "1234"]
        uow.agencies.rows.clear()
        uow.agencies.upsert(
            Topic(agency="own", agency_name="Своя", key=group + item, title=group + item, line=1)
            for group, item in full
        )
        uow.commit()
    with pytest.raises(BadInput, match="no room for sfr, soc; use a state of its own"):
        load(site, demo_data.invent(seed=3, count=1, today=TODAY))
    assert site.rows.citizens.rows == {}


@pytest.fixture
def as_json(site: Site) -> Callable[..., Any]:
    def as_json_(*args: str) -> Any:
        result = CliRunner().invoke(ekc, [*args, "--json"], obj=site)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return as_json_


def test_the_command_loads_and_prints_them_in_clear(site: Site, as_json: Callable[..., Any]) -> None:
    people = as_json("demo-data", "--seed", "7", "--count", "3")
    assert len(people) == 3
    who = people[0]
    assert site.rows.citizens.get(who["snils"]).phone == who["phone"]
    assert isinstance(who["applications"][0]["missing_documents"], list)
    assert site.applied == 1
    assert as_json("demo-data", "--seed", "7", "--count", "3") == people
    assert site.applied == 1


def test_for_people_it_prints_a_line_for_each_and_their_receipts(site: Site) -> None:
    result = CliRunner().invoke(ekc, ["demo-data", "--count", "2"], obj=site)
    [who, *_] = demo_data.invent(seed=1, count=2, today=TODAY)
    assert who.citizen["secret_code"] in result.stdout
    assert f"receipt {who.applications[0]['number']} of " in result.stdout
    assert result.exit_code == 0
