"""What every store must do, continued: citizens with their codes, payments and notices (§21)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import event

from db.crypto import Vault
from db.store import SqlStore
from ivr.domain.benefits import Citizen, PaymentStatus
from ivr.domain.errors import NotFound, StorageDown
from ivr.ports import CodeHashes, Credentials, Store
from tests.integration.conftest import Database
from tests.integration.filling import (
    APPLICATION,
    CITIZEN,
    NOTICE,
    OTHER,
    PAYMENT,
    PHONE,
    SNILS,
    a_code,
    fill,
    read,
)
from tests.integration.storing import do

# --- citizens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("citizen", [CITIZEN, Citizen(snils=OTHER)])
def test_a_citizen_comes_back_as_given_and_the_same_again_changes_nothing(
    store: Store, citizen: Citizen
) -> None:
    assert do(store, lambda uow: uow.citizens.upsert([citizen])) == 1
    assert do(store, lambda uow: uow.citizens.get(citizen.snils)) == citizen
    assert do(store, lambda uow: uow.citizens.upsert([citizen])) == 0


def test_of_many_citizens_only_those_that_differ_are_changed(store: Store) -> None:
    many = [Citizen(snils=f"{n:011}", last_name=f"Фамилия{n}") for n in range(1200)]
    assert do(store, lambda uow: uow.citizens.upsert(many)) == 1200
    many[700] = replace(many[700], last_name="", phone="+79990000000")
    assert do(store, lambda uow: uow.citizens.upsert(iter(many))) == 1
    assert do(store, lambda uow: uow.citizens.get(many[700].snils)) == many[700]
    assert do(store, lambda uow: uow.citizens.get(many[701].snils)) == many[701]


def test_of_one_citizen_twice_in_a_file_the_last_counts(store: Store) -> None:
    last = replace(CITIZEN, phone=None)
    assert do(store, lambda uow: uow.citizens.upsert([CITIZEN, last])) == 1
    assert do(store, lambda uow: uow.citizens.get(SNILS)) == last


def test_an_unknown_snils_is_told_without_being_repeated(store: Store) -> None:
    for work in (
        lambda uow: uow.citizens.get(SNILS),
        lambda uow: uow.citizens.set_code(SNILS, a_code(store)),
    ):
        with pytest.raises(NotFound) as error:
            do(store, work)
        assert SNILS not in str(error.value)
    assert do(store, lambda uow: uow.citizens.credentials(SNILS)) is None


# --- credentials and codes -------------------------------------------------------------------------


def test_credentials_are_the_number_the_documents_digits_and_the_code(store: Store) -> None:
    do(store, lambda uow: uow.citizens.upsert([CITIZEN]))
    nothing_set = Credentials(phone=PHONE, document="5307814263", code=None)
    assert do(store, lambda uow: uow.citizens.credentials(SNILS)) == nothing_set
    code = a_code(store)
    do(store, lambda uow: uow.citizens.set_code(SNILS, code))
    assert do(store, lambda uow: uow.citizens.credentials(SNILS)) == replace(nothing_set, code=code)


def test_credentials_of_somebody_of_whom_nothing_is_known_are_empty(store: Store) -> None:
    do(store, lambda uow: uow.citizens.upsert([Citizen(snils=OTHER)]))
    empty = Credentials(phone=None, document="", code=None)
    assert do(store, lambda uow: uow.citizens.credentials(OTHER)) == empty


def test_a_new_code_replaces_the_old_one_and_an_import_leaves_it_alone(store: Store) -> None:
    do(store, lambda uow: uow.citizens.upsert([CITIZEN]))
    first, second = a_code(store), a_code(store, "2")
    for code in (first, second):
        do(store, lambda uow, c=code: uow.citizens.set_code(SNILS, c))
    assert do(store, lambda uow: uow.citizens.upsert([replace(CITIZEN, phone=None)])) == 1
    found = do(store, lambda uow: uow.citizens.credentials(SNILS))
    assert found is not None and (found.phone, found.code) == (None, second)


def test_a_code_made_with_a_pepper_that_is_not_in_use_is_refused(database: Database) -> None:
    store = database.open()
    do(store, lambda uow: uow.citizens.upsert([CITIZEN]))
    good = a_code(store)
    for code in (
        CodeHashes(keypad="0000000000$argon2id$k", exact="0000000000$argon2id$e"),
        replace(good, exact="0000000000$argon2id$e"),
        CodeHashes(keypad="$argon2id$k", exact="$argon2id$e"),
    ):
        with pytest.raises(StorageDown, match="set the code again"):
            do(store, lambda uow, c=code: uow.citizens.set_code(SNILS, c))
    assert store.peppers.key(store.peppers.current()) != b""


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("snils", [SNILS, OTHER, "00000000001"])
def test_credentials_take_one_query_and_as_many_openings_whether_or_not_the_snils_is_known(
    database: Database, monkeypatch: pytest.MonkeyPatch, snils: str, known: bool
) -> None:
    store = database.open()
    if known:
        fill(store)
    opened: list[bytes] = []
    plain = Vault.open

    def counting(self: Vault, sealed: bytes, **place: str) -> str:
        opened.append(sealed)
        return plain(self, sealed, **place)

    monkeypatch.setattr(Vault, "open", counting)
    statements: list[str] = []
    with store.transaction() as uow:
        engine = store._engine
        event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        found = uow.citizens.credentials(snils)
    assert (found is not None) == (known and snils in (SNILS, OTHER))
    assert (len(statements), len(opened)) == (1, 5)
    assert statements[0].startswith("SELECT")


# --- payments and notices --------------------------------------------------------------------------


def test_payments_of_a_citizen_are_read_newest_first_and_nobody_elses(store: Store) -> None:
    days = [date(2026, 9, 1), date(2026, 12, 1), date(2026, 10, 1)]
    many = [replace(PAYMENT, date=day) for day in days]
    stranger = replace(PAYMENT, snils=OTHER)
    assert do(store, lambda uow: uow.payments.upsert([*many, stranger])) == 4
    assert do(store, lambda uow: uow.payments.of(SNILS)) == [many[1], many[2], many[0]]
    assert do(store, lambda uow: uow.payments.of(OTHER)) == [stranger]
    assert do(store, lambda uow: uow.payments.of("00000000001")) == []


def test_a_payment_is_known_again_by_its_money_however_it_is_written(store: Store) -> None:
    planned = replace(PAYMENT, amount=Decimal("100.50"), status=PaymentStatus.PLANNED)
    do(store, lambda uow: uow.payments.upsert([planned]))
    assert do(store, lambda uow: uow.payments.upsert([replace(planned, amount=Decimal("100.5"))])) == 0
    paid = replace(planned, status=PaymentStatus.PAID)
    assert do(store, lambda uow: uow.payments.upsert([paid])) == 1
    assert do(store, lambda uow: uow.payments.of(SNILS)) == [paid]


@pytest.mark.parametrize(
    "other",
    [
        replace(PAYMENT, agency="szn"),
        replace(PAYMENT, title="Другое"),
        replace(PAYMENT, amount=Decimal("1000")),
        replace(PAYMENT, date=date(2026, 11, 21)),
    ],
)
def test_a_payment_that_differs_in_what_identifies_it_is_another_one(store: Store, other: object) -> None:
    assert do(store, lambda uow: uow.payments.upsert([PAYMENT, other])) == 2
    assert len(do(store, lambda uow: uow.payments.of(SNILS))) == 2


def test_notices_of_a_citizen_are_read_in_the_order_they_were_given(store: Store) -> None:
    many = [replace(NOTICE, measure=f"Мера {n}") for n in (3, 1, 2)]
    forever = replace(NOTICE, event="Пенсия", valid_until=None, how_to_get="")
    assert do(store, lambda uow: uow.notices.upsert([*many, forever])) == 4
    assert do(store, lambda uow: uow.notices.of(SNILS)) == [*many, forever]
    assert do(store, lambda uow: uow.notices.of(OTHER)) == []


def test_a_notice_is_changed_where_event_and_measure_agree(store: Store) -> None:
    do(store, lambda uow: uow.notices.upsert([NOTICE]))
    longer = replace(NOTICE, valid_until=date(2027, 6, 30), how_to_get="Онлайн")
    assert do(store, lambda uow: uow.notices.upsert([longer])) == 1
    assert do(store, lambda uow: uow.notices.upsert([longer])) == 0
    assert do(store, lambda uow: uow.notices.of(SNILS)) == [longer]


def test_texts_that_look_alike_when_joined_are_told_apart(store: Store) -> None:
    one = replace(NOTICE, event='а", "б', measure="в")
    other = replace(NOTICE, event="а", measure='б", "в')
    assert do(store, lambda uow: uow.notices.upsert([one, other])) == 2


# --- applications ----------------------------------------------------------------------------------


def test_applications_of_a_citizen_are_read_newest_first(store: Store) -> None:
    newer = replace(APPLICATION, number="57", accepted_on=date(2026, 11, 3))
    stranger = replace(APPLICATION, snils=OTHER)
    do(store, lambda uow: uow.applications.upsert([APPLICATION, newer, stranger]))
    assert do(store, lambda uow: uow.applications.of(SNILS)) == [newer, APPLICATION]


# --- several programs ------------------------------------------------------------------------------


def test_two_programs_read_what_the_other_one_stored(database: Database) -> None:
    first, second = database.open(), database.open(node="node2")
    fill(first)
    assert read(second) == read(first)
    assert isinstance(second, SqlStore) and second.check() == []
