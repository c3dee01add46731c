"""What a row of a file says: citizens, applications, payments, notices and topics (docs/files.md).

Every function takes the row's `Fields` and raises BadInput with the column and what is wrong; no message
repeats a value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ivr.domain import phone, receipt, snils
from ivr.domain.benefits import Citizen, Notice, Payment, PaymentStatus
from ivr.domain.enquiry import Application
from ivr.domain.errors import BadInput
from ivr.domain.menu import Topic
from ivr.domain.operators import AGENCY_CODE
from ivr.services.rows import LIST_SEPARATOR

AGENCIES = ("code", "name", "topic_key", "topic", "line")
APPLICATIONS = (
    *("snils", "number", "accepted_on", "agency", "service", "status"),
    *("decision", "refusal_reason", "missing_documents"),
)
CITIZENS = (
    *("snils", "last_name", "first_name", "patronymic", "birth_date", "phone", "secret_code"),
    *("document_type", "document_series", "document_number"),
)
PAYMENTS = ("snils", "agency", "title", "amount", "date", "status")
NOTICES = ("snils", "agency", "event", "measure", "how_to_get", "valid_until")

SHORT, LONG, LONGEST = 100, 500, 2000
"""Characters: a name or number; a sentence that is spoken; an explanation."""
MOST_DOCUMENTS = 20
OLDEST_BIRTH = date(1900, 1, 1)
LAST_DAY = date(2199, 12, 31)
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Invisible characters that make a text look like another one."""
_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_NARROW_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2007": " "})


@dataclass(frozen=True)
class Fields:
    """The fields of one row by name, read one by one."""

    values: Mapping[str, str]

    def text(self, name: str, *, most: int = LONG, required: bool = False) -> str:
        """A field of plain text in composed form (Unicode NFC)."""
        text = unicodedata.normalize("NFC", self.values[name]).translate(_NARROW_SPACES).strip()
        if required and not text:
            raise BadInput(f"{name} is empty")
        if len(text) > most:
            raise BadInput(f"{name} is longer than {most} characters")
        if (wrong := _unprintable(text)) is not None:
            raise BadInput(f"{name} has the character U+{ord(wrong):04X}; write plain text on one line")
        return text

    def day(self, name: str, *, first: date, last: date, required: bool = False) -> date | None:
        """A day as ISO 8601 writes it."""
        text = self.text(name, most=SHORT, required=required)
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise BadInput(f"{name} is no date; write it as 2026-11-24") from None
        if not first <= day <= last:
            raise BadInput(f"{name} is no day between {first} and {last}")
        return day

    def required_day(self, name: str, *, first: date, last: date) -> date:
        day = self.day(name, first=first, last=last, required=True)
        assert day is not None  # noqa: S101  # required
        return day

    def snils(self) -> str:
        """The main identifier (§21)."""
        return _of("snils", snils.parse, self.text("snils", most=SHORT, required=True))

    def agency(self, known: Collection[str]) -> str:
        code = self.text("agency", most=SHORT, required=True)
        if code not in known:
            raise BadInput("agency is unknown; bring it in first with `ekc agencies import FILE`")
        return code


@dataclass(frozen=True, kw_only=True)
class CitizenRow:
    """A citizen, and the code that is to be hashed."""

    citizen: Citizen
    code: str
    """Empty: unknown, and whatever code there is stays. Never shown."""

    def __repr__(self) -> str:
        return "CitizenRow(…)"


def citizen(fields: Fields, *, today: date, check_code: Callable[[str], str]) -> CitizenRow:
    """check_code: the code in the form that is hashed; raises BadInput."""
    code = fields.text("secret_code", most=SHORT)
    number = fields.text("phone", most=SHORT)
    return CitizenRow(
        citizen=Citizen(
            snils=fields.snils(),
            last_name=fields.text("last_name", most=SHORT),
            first_name=fields.text("first_name", most=SHORT),
            patronymic=fields.text("patronymic", most=SHORT),
            birth_date=fields.day("birth_date", first=OLDEST_BIRTH, last=today),
            phone=_of("phone", phone.normalise, number) if number else None,
            document_type=fields.text("document_type", most=SHORT),
            document_series=fields.text("document_series", most=SHORT),
            document_number=fields.text("document_number", most=SHORT),
        ),
        code=_of("secret_code", check_code, code) if code else "",
    )


def application(fields: Fields, *, today: date, agencies: Collection[str]) -> Application:
    """today: the present day in the site's zone: a receipt is never of a later one."""
    number = fields.text("number", most=SHORT, required=True)
    if not receipt.digits_of(number):
        raise BadInput("number has no digit; a telephone's keys can say digits only")
    return Application(
        snils=fields.snils(),
        number=number,
        accepted_on=fields.required_day("accepted_on", first=receipt.EARLIEST, last=today),
        agency=fields.agency(agencies),
        service=fields.text("service", required=True),
        status=fields.text("status", required=True),
        decision=fields.text("decision"),
        refusal_reason=fields.text("refusal_reason"),
        missing_documents=_documents(fields),
    )


def payment(fields: Fields, *, agencies: Collection[str]) -> Payment:
    return Payment(
        snils=fields.snils(),
        agency=fields.agency(agencies),
        title=fields.text("title", required=True),
        amount=_amount(fields),
        date=fields.required_day("date", first=receipt.EARLIEST, last=LAST_DAY),
        status=_payment_status(fields),
    )


def notice(fields: Fields, *, agencies: Collection[str]) -> Notice:
    return Notice(
        snils=fields.snils(),
        agency=fields.agency(agencies),
        event=fields.text("event", required=True),
        measure=fields.text("measure", required=True),
        how_to_get=fields.text("how_to_get", most=LONGEST),
        valid_until=fields.day("valid_until", first=receipt.EARLIEST, last=LAST_DAY),
    )


def topic(fields: Fields) -> Topic:
    """One topic of an agency; whether its key fits the menu is another question (ivr/domain/menu.py)."""
    code = fields.text("code", most=SHORT, required=True)
    if not AGENCY_CODE.fullmatch(code):
        raise BadInput("code is no code: a small latin letter, then small letters, digits, `_`")
    line = fields.text("line", most=SHORT, required=True)
    if line not in ("1", "2"):
        raise BadInput("line is 1 or 2")
    return Topic(
        agency=code,
        agency_name=fields.text("name", most=SHORT, required=True),
        key=fields.text("topic_key", most=SHORT, required=True),
        title=fields.text("topic", most=SHORT, required=True),
        line=int(line),
    )


def _of(name: str, check: Callable[[str], str], text: str) -> str:
    """The field in its one form; the column is named where it has none."""
    try:
        return check(text)
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from None


def _documents(fields: Fields) -> tuple[str, ...]:
    text = fields.text("missing_documents", most=LONGEST)
    documents = tuple(item.strip() for item in text.split(LIST_SEPARATOR) if item.strip())
    if len(documents) > MOST_DOCUMENTS:
        raise BadInput(f"missing_documents names more than {MOST_DOCUMENTS}")
    return documents


def _amount(fields: Fields) -> Decimal:
    text = fields.text("amount", most=SHORT, required=True)
    if not _AMOUNT.fullmatch(text):
        raise BadInput("amount is no amount of roubles; write it as 1234.50")
    return Decimal(text).quantize(Decimal("0.01"))


def _payment_status(fields: Fields) -> PaymentStatus:
    try:
        return PaymentStatus(fields.text("status", most=SHORT, required=True))
    except ValueError:
        raise BadInput(f"status is one of {', '.join(PaymentStatus)}") from None


def _unprintable(text: str) -> str | None:
    """The first character that is none of a plain text on one line."""
    if text.isprintable() and _BIDI.isdisjoint(text):
        return None
    return next((c for c in text if unicodedata.category(c) in _UNPRINTABLE or c in _BIDI), None)
