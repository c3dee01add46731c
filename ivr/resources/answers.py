"""What a participant's service answers (docs/information-resource.md): checked strictly, then made ours.

Whatever is not exactly as the contract has it raises Wrong, whose reason names a field and a rule, never a
value. Lists must be there even when empty: a field that was renamed must not sound like «выплат нет».
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ivr.domain import snils as snils_rules
from ivr.domain.benefits import Notice, Payment, PaymentStatus, PersonalRecords
from ivr.domain.enquiry import Application
from ivr.domain.receipt import digits_of
from ivr.resources.failures import Wrong

MOST_TEXT = 1000
"""Characters of one text."""
MOST_NUMBER = 64
MOST_FOUND = 50
"""Applications on one receipt."""
MOST_ROWS = 500
"""Payments, applications or notices of one citizen."""
MOST_DOCUMENTS = 50


def _a_snils(text: str) -> str:
    if not snils_rules.is_valid(text):
        raise ValueError("no SNILS")
    return text


Snils = Annotated[str, AfterValidator(_a_snils)]
Text = Annotated[str, StringConstraints(max_length=MOST_TEXT, strip_whitespace=True)]
Named = Annotated[str, StringConstraints(min_length=1, max_length=MOST_TEXT, strip_whitespace=True)]
Number = Annotated[str, StringConstraints(min_length=1, max_length=MOST_NUMBER, strip_whitespace=True)]
Roubles = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$")]
"""A string: a binary fraction is no amount of money."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class _Application(_Strict):
    number: Number
    accepted_on: date
    service: Named
    status: Named
    decision: Text | None = None
    refusal_reason: Text | None = None
    missing_documents: Annotated[tuple[Named, ...], Field(max_length=MOST_DOCUMENTS)] = ()

    def ours(self, *, snils: str, agency: str) -> Application:
        return Application(
            snils=snils,
            number=self.number,
            accepted_on=self.accepted_on,
            agency=agency,
            service=self.service,
            status=self.status,
            decision=self.decision or "",
            refusal_reason=self.refusal_reason or "",
            missing_documents=self.missing_documents,
        )


class _FoundApplication(_Application):
    snils: Snils


class _Found(_Strict):
    applications: Annotated[tuple[_FoundApplication, ...], Field(max_length=MOST_FOUND)]


class _Payment(_Strict):
    title: Named
    amount: Roubles
    date: date
    status: PaymentStatus

    def ours(self, *, snils: str, agency: str) -> Payment:
        return Payment(
            snils=snils,
            agency=agency,
            title=self.title,
            amount=Decimal(self.amount).quantize(Decimal("0.01")),
            date=self.date,
            status=self.status,
        )


class _Notice(_Strict):
    event: Named
    measure: Named
    how_to_get: Text | None = None
    valid_until: date | None
    """Must be there: null says that the right has no end."""

    def ours(self, *, snils: str, agency: str) -> Notice:
        return Notice(
            snils=snils,
            agency=agency,
            event=self.event,
            measure=self.measure,
            how_to_get=self.how_to_get or "",
            valid_until=self.valid_until,
        )


class _Personal(_Strict):
    snils: Snils
    payments: Annotated[tuple[_Payment, ...], Field(max_length=MOST_ROWS)]
    applications: Annotated[tuple[_Application, ...], Field(max_length=MOST_ROWS)]
    notices: Annotated[tuple[_Notice, ...], Field(max_length=MOST_ROWS)]


def read_applications(body: bytes, *, agency: str, digits: str, accepted_on: date) -> Sequence[Application]:
    """The applications in an answer to a receipt's number and date; one told twice is one.

    Raises Wrong, also when one of them is not of this receipt: it would be somebody else's.
    """
    found = _parse(_Found, body).applications
    if any(digits_of(a.number) != digits or a.accepted_on != accepted_on for a in found):
        raise Wrong("an application of another receipt")
    return tuple(dict.fromkeys(a.ours(snils=a.snils, agency=agency) for a in found))


def read_personal(body: bytes, *, agency: str, snils: str) -> PersonalRecords:
    """Everything in an answer about one citizen.

    Raises Wrong, also when the answer does not repeat the SNILS it was asked for: a mixed-up answer would
    tell one citizen of another.
    """
    answer = _parse(_Personal, body)
    if answer.snils != snils:
        raise Wrong("an answer about another citizen")
    payments = sorted(answer.payments, key=lambda p: p.date, reverse=True)
    applications = sorted(answer.applications, key=lambda a: a.accepted_on, reverse=True)
    return PersonalRecords(
        payments=tuple(p.ours(snils=snils, agency=agency) for p in payments),
        applications=tuple(a.ours(snils=snils, agency=agency) for a in applications),
        notices=tuple(n.ours(snils=snils, agency=agency) for n in answer.notices),
    )


M = TypeVar("M", bound=BaseModel)


def _parse(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    # outside of `except`: the error, which has the answer in it, does not travel on with ours
    place = ".".join(str(part) for part in first["loc"])
    raise Wrong(f"{place} {first['type']}".strip())
