"""Applications for social measures (§20), the embedded information resource of §22."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from db import tables
from db.access import Access, Row
from db.crypto import Keyed
from db.repositories.upserts import SNILS, Kind, Upserts
from ivr.domain.enquiry import Application
from ivr.domain.receipt import digits_of

_IDENTITY, _RECEIPT = "applications identity", "applications receipt"
_TEXTS = ("service", "status", "decision", "refusal_reason")


class SqlApplications:
    """`ivr.ports.Applications`."""

    def __init__(self, access: Access) -> None:
        self._rows = Upserts(access, APPLICATIONS)

    def upsert(self, applications: Iterable[Application]) -> int:
        """See the port. The last of several rows with one identity counts."""
        return self._rows.upsert(applications)

    def by_receipt(self, digits: str, accepted_on: date) -> Sequence[Application]:
        return self._rows.find("receipt_hash", _receipt(digits, accepted_on))

    def of(self, snils: str) -> Sequence[Application]:
        found = self._rows.find("snils_hash", (SNILS, snils))
        return sorted(found, key=lambda application: application.accepted_on, reverse=True)


def _hashes(application: Application) -> Mapping[str, Keyed]:
    """A keypad has no hyphens: numbers are compared by digits only."""
    identity = "|".join((application.agency, digits_of(application.number), application.snils))
    return {
        "identity_hash": (_IDENTITY, identity),
        "receipt_hash": _receipt(application.number, application.accepted_on),
        "snils_hash": (SNILS, application.snils),
    }


def _receipt(number: str, accepted_on: date) -> Keyed:
    return _RECEIPT, f"{digits_of(number)}|{accepted_on.isoformat()}"


def _clear(application: Application) -> Row:
    """An empty text is NULL: nothing is not worth a seal."""
    missing = application.missing_documents
    return {
        "agency": application.agency,
        "snils": application.snils,
        "number": application.number,
        "accepted_on": application.accepted_on.isoformat(),
        **{name: getattr(application, name) or None for name in _TEXTS},
        "missing_documents": json.dumps(missing, ensure_ascii=False) if missing else None,
    }


def _record(clear: Row) -> Application:
    return Application(
        snils=clear["snils"],
        number=clear["number"],
        accepted_on=date.fromisoformat(clear["accepted_on"]),
        agency=clear["agency"],
        **{name: clear[name] or "" for name in _TEXTS},
        missing_documents=tuple(json.loads(clear["missing_documents"] or "[]")),
    )


APPLICATIONS = Kind(
    table=tables.applications, identity="identity_hash", hashes=_hashes, clear=_clear, record=_record
)
