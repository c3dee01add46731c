"""Applications for social measures (§20), the embedded information resource of §22."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from sqlalchemy import select

from db.access import Access, Row, chunks
from db.tables import applications
from ivr.domain.enquiry import Application
from ivr.domain.ids import new_id

_IDENTITY, _RECEIPT, _SNILS = "applications identity", "applications receipt", "snils"
_TEXTS = ("service", "status", "decision", "refusal_reason")


class SqlApplications:
    """`ivr.ports.Applications`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def upsert(self, applications: Iterable[Application]) -> int:
        """See the port. The last of several rows with one identity counts."""
        self._db.serialise("applications")
        latest = {_identity(application): application for application in applications}
        return sum(self._upsert(dict(part)) for part in chunks(list(latest.items())))

    def _upsert(self, incoming: dict[str, Application]) -> int:
        known = self._known(incoming)
        new = {identity: a for identity, a in incoming.items() if identity not in known}
        self._db.insert(applications, [self._row(identity, a) for identity, a in new.items()])
        changed = [
            (known[identity][0], identity, a)
            for identity, a in incoming.items()
            if identity in known and known[identity][1] != a
        ]
        for id_, identity, application in changed:
            row = self._row(identity, application, id_)
            self._db.run(applications.update().where(applications.c.id == id_).values(row))
        return len(new) + len(changed)

    def _known(self, identities: Iterable[str]) -> dict[str, tuple[str, Application]]:
        """(row id, application) of those that are stored, by identity."""
        hashes = [h for identity in identities for h in self._db.vault.lookups(_IDENTITY, identity)]
        found: dict[str, tuple[str, Application]] = {}
        for part in chunks(hashes):
            for row in self._db.rows(select(applications).where(applications.c.identity_hash.in_(part))):
                application = self._open(row)
                found[_identity(application)] = (row["id"], application)
        return found

    def by_receipt(self, digits: str, accepted_on: date) -> Sequence[Application]:
        hashes = self._db.vault.lookups(_RECEIPT, _receipt(digits, accepted_on))
        statement = select(applications).where(applications.c.receipt_hash.in_(hashes))
        return [self._open(row) for row in self._db.rows(statement.order_by(applications.c.id))]

    def _row(self, identity: str, application: Application, id_: str | None = None) -> Row:
        id_ = id_ or new_id(datetime.now(UTC))
        vault = self._db.vault
        clear = {
            "snils": application.snils,
            "number": application.number,
            "accepted_on": application.accepted_on.isoformat(),
            **{name: getattr(application, name) or None for name in _TEXTS},
            "missing_documents": json.dumps(application.missing_documents, ensure_ascii=False)
            if application.missing_documents
            else None,
        }
        return {
            "id": id_,
            "identity_hash": vault.lookup(_IDENTITY, identity),
            "receipt_hash": vault.lookup(_RECEIPT, _receipt(application.number, application.accepted_on)),
            "snils_hash": vault.lookup(_SNILS, application.snils),
            "agency": application.agency,
            **vault.seal_row(applications, clear, row=id_),
        }

    def _open(self, row: Row) -> Application:
        clear = self._db.vault.open_row(applications, row)
        return Application(
            snils=clear["snils"],
            number=clear["number"],
            accepted_on=date.fromisoformat(clear["accepted_on"]),
            agency=clear["agency"],
            **{name: clear[name] or "" for name in _TEXTS},
            missing_documents=tuple(json.loads(clear["missing_documents"] or "[]")),
        )


def _digits(number: str) -> str:
    """A keypad has no hyphens: numbers are compared by digits only."""
    return re.sub(r"[^0-9]", "", number)


def _identity(application: Application) -> str:
    return "|".join((application.agency, _digits(application.number), application.snils))


def _receipt(number: str, accepted_on: date) -> str:
    return f"{_digits(number)}|{accepted_on.isoformat()}"
