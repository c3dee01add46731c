"""What `ekc identification` shows and takes back: the locks of guessing (§10, §11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ivr.domain import snils as form
from ivr.ports import UnitOfWork
from ivr.services.audit import By
from ivr.services.guesses import PAIR
from ivr.services.identification import NUMBER, OTHERS, OWN
from ivr.services.names import NAMES

SCOPES = {
    OWN: "SNILS, for calls from the number on file",
    OTHERS: "SNILS, for all other calls",
    NAMES: "SNILS, for full names that were said",
    NUMBER: "calling numbers, for identification",
    PAIR: "calling numbers, for receipts",
}
"""What can be locked, in words."""


def listed(uow: UnitOfWork, now: datetime) -> Sequence[dict[str, object]]:
    """A row for each scope: how many keys are locked, and until when; whose they are nobody can tell.

    That of names is there only while it has a lock: most sites ask none.
    """
    ends: dict[str, list[datetime]] = {scope: [] for scope in SCOPES if scope != NAMES}
    for lock in uow.guesses.locked(now):
        ends.setdefault(lock.scope, []).append(lock.locked_until)
    return [
        {
            "scope": scope,
            "what": SCOPES.get(scope, ""),
            "locked": len(until),
            "first_until": min(until, default=None),
            "last_until": max(until, default=None),
        }
        for scope, until in ends.items()
    ]


def unlock(uow: UnitOfWork, by: By, snils: str) -> None:
    """Forget the failures about a SNILS, known or not, and those of the number on file. Audited."""
    credentials = uow.citizens.credentials(snils)
    for scope in (OWN, OTHERS, NAMES):
        uow.guesses.clear(scope, snils)
    if credentials is not None and credentials.phone is not None:
        uow.guesses.clear(NUMBER, credentials.phone)
    by.note(uow, "identification.unlock", form.mask(snils))
