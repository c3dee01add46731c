"""Payments and notices of entitlement (§21), the embedded information resource of §22."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from db import tables
from db.access import Access, Row
from db.crypto import Keyed
from db.repositories.upserts import SNILS, Kind, Upserts
from ivr.domain.benefits import Notice, Payment, PaymentStatus


class SqlPayments:
    """`ivr.ports.Payments`."""

    def __init__(self, access: Access) -> None:
        self._rows = Upserts(access, PAYMENTS)

    def upsert(self, payments: Iterable[Payment]) -> int:
        return self._rows.upsert(payments)

    def of(self, snils: str) -> Sequence[Payment]:
        found = self._rows.find("snils_hash", (SNILS, snils))
        return sorted(found, key=lambda payment: payment.date, reverse=True)


class SqlNotices:
    """`ivr.ports.Notices`."""

    def __init__(self, access: Access) -> None:
        self._rows = Upserts(access, NOTICES)

    def upsert(self, notices: Iterable[Notice]) -> int:
        return self._rows.upsert(notices)

    def of(self, snils: str) -> Sequence[Notice]:
        return self._rows.find("snils_hash", (SNILS, snils))


def _joined(*parts: str) -> str:
    """Parts as one text, and no two lists of parts as the same: titles may have any character in them."""
    return json.dumps(parts, ensure_ascii=False)


def _payment_hashes(payment: Payment) -> Mapping[str, Keyed]:
    amount = f"{payment.amount.normalize():f}"  # 100.5 and 100.50 are the same money
    identity = _joined(payment.snils, payment.agency, payment.title, payment.date.isoformat(), amount)
    return {"identity_hash": ("payments identity", identity), "snils_hash": (SNILS, payment.snils)}


def _payment_clear(payment: Payment) -> Row:
    return {
        "agency": payment.agency,
        "snils": payment.snils,
        "title": payment.title,
        "amount": str(payment.amount),
        "date": payment.date.isoformat(),
        "status": payment.status.value,
    }


def _payment(clear: Row) -> Payment:
    return Payment(
        snils=clear["snils"],
        agency=clear["agency"],
        title=clear["title"],
        amount=Decimal(clear["amount"]),
        date=date.fromisoformat(clear["date"]),
        status=PaymentStatus(clear["status"]),
    )


def _notice_hashes(notice: Notice) -> Mapping[str, Keyed]:
    identity = _joined(notice.snils, notice.agency, notice.event, notice.measure)
    return {"identity_hash": ("notices identity", identity), "snils_hash": (SNILS, notice.snils)}


def _notice_clear(notice: Notice) -> Row:
    return {
        "agency": notice.agency,
        "snils": notice.snils,
        "event": notice.event,
        "measure": notice.measure,
        "how_to_get": notice.how_to_get or None,
        "valid_until": notice.valid_until and notice.valid_until.isoformat(),
    }


def _notice(clear: Row) -> Notice:
    until = clear["valid_until"]
    return Notice(
        snils=clear["snils"],
        agency=clear["agency"],
        event=clear["event"],
        measure=clear["measure"],
        how_to_get=clear["how_to_get"] or "",
        valid_until=until and date.fromisoformat(until),
    )


PAYMENTS = Kind(
    table=tables.payments,
    identity="identity_hash",
    hashes=_payment_hashes,
    clear=_payment_clear,
    record=_payment,
)
NOTICES = Kind(
    table=tables.notices,
    identity="identity_hash",
    hashes=_notice_hashes,
    clear=_notice_clear,
    record=_notice,
)
