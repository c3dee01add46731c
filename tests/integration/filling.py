"""A database with something in every column that is sealed or hashed, and what a program reads of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from db.store import SqlStore
from ivr.domain.benefits import Citizen, Notice, Payment, PaymentStatus
from ivr.domain.enquiry import Application
from ivr.domain.guessing import GuessCounter
from ivr.domain.operators import Operator
from ivr.domain.versions import Version
from ivr.ports import CardSearch, CodeHashes, Store, UnitOfWork
from tests.integration.storing import AT, a_callback, do

SNILS = "11223344595"
OTHER = "08765430200"
PHONE = "+79123456789"
CITIZEN = Citizen(
    snils=SNILS,
    last_name="Метелицына",
    first_name="Аграфена",
    patronymic="Поликарповна",
    birth_date=date(1951, 3, 8),
    phone=PHONE,
    document_type="паспорт РФ",
    document_series="53 07",
    document_number="814 263",
)
PAYMENT = Payment(
    snils=SNILS,
    agency="soc",
    title="Компенсация за капремонт",
    amount=Decimal("48213.57"),
    date=date(2026, 11, 20),
    status=PaymentStatus.PAID,
)
NOTICE = Notice(
    snils=SNILS,
    agency="soc",
    event="Рождение правнука",
    measure="Набор новорождённого",
    how_to_get="Приходите в Калитинское отделение",
    valid_until=date(2027, 1, 31),
)
APPLICATION = Application(
    snils=SNILS,
    number="56-904417/Б",
    accepted_on=date(2026, 11, 2),
    agency="soc",
    service="Ежемесячное пособие прабабушке",
    status="рассматривается комиссией",
    decision="отказано окончательно",
    refusal_reason="доход выше порогового",
    missing_documents=("справка о доходах", "копия завещания"),
)
CARD_TEXTS = {
    "questions": "Почему отказали правнуку?",
    "comment": "Плохо слышит левым ухом",
    "answer_source": "Приказ девяносто первый",
    "answer": "Обжаловать через суд",
}
VERSION = Version(
    scenario="consultation",
    number=1,
    text="scenario: consultation\ntitle: Консультация\n",
    sha256="0" * 64,
    saved_at=AT,
    saved_by="cli:anna",
)
HA1 = "5f4dcc3b5aa765d61d8327deb882cf99"
MARKERS = (
    *(SNILS, PHONE, "48213.57", "814263", "Метелицына", "Аграфена", "Поликарповна", "1951-03-08"),
    *("капремонт", "правнука", "новорождённого", "Калитинское", "2027-01-31"),
    *("56-904417", "прабабушке", "комиссией", "окончательно", "порогового", "завещания"),
    *(*CARD_TEXTS.values(), HA1, "argon2id"),
)
"""Pieces of every personal value that `fill` stores."""


def a_code(store: Store, name: str = "1") -> CodeHashes:
    """Hashes as services/codes.py makes them: made with the store's current pepper where it has any."""
    pepper = store.peppers.current() if isinstance(store, SqlStore) else "0" * 10
    return CodeHashes(keypad=f"{pepper}$argon2id$keypad{name}", exact=f"{pepper}$argon2id$exact{name}")


def fill(store: Store) -> None:
    """Everything once, and a second citizen of whom nothing is known."""
    code = a_code(store)
    do(store, lambda uow: _fill(uow, code))


def _fill(uow: UnitOfWork, code: CodeHashes) -> None:
    card = uow.cards.open(call="node1-7.7", node="node1", number=PHONE, at=AT)
    uow.cards.change(card.id, **CARD_TEXTS)
    uow.cards.identified(card.id, snils=SNILS)
    uow.cards.open(call="node1-8.8", node="node1", number=None, at=AT)
    uow.callbacks.request(a_callback(card.id, number=PHONE))
    operator = Operator(extension="201", name="Анна Орлова", agency="soc", line=1, since=AT)
    uow.operators.add(operator, HA1)
    uow.applications.upsert([APPLICATION])
    uow.citizens.upsert([CITIZEN, Citizen(snils=OTHER)])
    uow.citizens.set_code(SNILS, code)
    uow.payments.upsert([PAYMENT])
    uow.notices.upsert([NOTICE])
    uow.guesses.put("code", SNILS, a_counter())
    uow.scenarios.add(VERSION.published(at=AT, by="cli:anna"))


def a_counter(*, ago: timedelta = timedelta(0)) -> GuessCounter:
    since = datetime.now(UTC) - ago
    return GuessCounter(failures=2, since=since, locked_until=None, locks=0)


def read(store: Store) -> dict[str, object]:
    """All that `fill` stored, found by what it is looked up by."""
    return do(store, _read)


def _read(uow: UnitOfWork) -> dict[str, object]:
    return {
        "cards": sorted(uow.cards.list(), key=lambda card: card.registration_number),
        "by number": list(uow.cards.search(CardSearch(number=PHONE))),
        "by SNILS": list(uow.cards.search(CardSearch(snils=SNILS))),
        "callbacks": list(uow.callbacks.list()),
        "again": uow.callbacks.request(a_callback(uow.callbacks.list()[0].card, number=PHONE)),
        "accounts": list(uow.operators.sip_accounts()),
        "by receipt": list(uow.applications.by_receipt("56904417", APPLICATION.accepted_on)),
        "applications": list(uow.applications.of(SNILS)),
        "citizens": [uow.citizens.get(SNILS), uow.citizens.get(OTHER)],
        "credentials": [uow.citizens.credentials(SNILS), uow.citizens.credentials(OTHER)],
        "payments": list(uow.payments.of(SNILS)),
        "notices": list(uow.notices.of(SNILS)),
        "guesses": uow.guesses.get("code", SNILS),
        "scenarios": list(uow.scenarios.list()),
    }
