"""What a citizen may hear at level `personal` (§21): payments and notices of entitlement, and who that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from ivr.domain.enquiry import Application


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    PAID = "paid"  # sent to the citizen
    PLANNED = "planned"  # will be paid on its date
    RETURNED = "returned"  # came back to the payer


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One payment to one citizen."""

    snils: str
    """11 digits."""
    agency: str
    title: str
    amount: Decimal
    """Roubles, two decimals."""
    date: date
    status: PaymentStatus


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notice of entitlement (§2): a life event has given the citizen a right to a measure."""

    snils: str
    """11 digits."""
    agency: str
    event: str
    measure: str
    how_to_get: str
    valid_until: date | None
    """The last day; None: without end."""


@dataclass(frozen=True, kw_only=True)
class Citizen:
    """Who somebody is, as told when the secret code was set (§21). The code is nowhere, only its hashes."""

    snils: str
    """11 digits."""
    last_name: str = ""
    first_name: str = ""
    patronymic: str = ""
    birth_date: date | None = None
    phone: str | None = None
    """E.164: the number given when the code was set; None: unknown."""
    document_type: str = ""
    document_series: str = ""
    document_number: str = ""


@dataclass(frozen=True, kw_only=True)
class PersonalRecords:
    """Everything an information resource knows of one citizen (§22)."""

    payments: tuple[Payment, ...] = ()
    """Newest first."""
    applications: tuple[Application, ...] = ()
    """Newest first."""
    notices: tuple[Notice, ...] = ()
