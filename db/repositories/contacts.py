"""Rows of contacts and their values."""

from __future__ import annotations

from datetime import datetime

from db.access import Row
from ivr.domain.enquiry import Contact, ContactOutcome, Direction
from ivr.domain.ids import new_id

CONTACT_FIELDS = frozenset(("waiting_s", "talking_s", "wrapup_s", "outcome"))
"""What may change while a call goes on."""


def new_contact(
    *, card: str, node: str, call: str, at: datetime, direction: Direction = Direction.INBOUND
) -> Row:
    """The row of a call that has just begun."""
    return {
        "id": new_id(at),
        "card": card,
        "node": node,
        "call": call,
        "direction": direction.value,
        "at": at,
        "waiting_s": 0,
        "talking_s": 0,
        "wrapup_s": 0,
    }


def to_contact(row: Row) -> Contact:
    """The contact of a row."""
    return Contact(
        call=row["call"],
        direction=Direction(row["direction"]),
        at=row["at"],
        waiting_s=row["waiting_s"],
        talking_s=row["talking_s"],
        wrapup_s=row["wrapup_s"],
        outcome=ContactOutcome(row["outcome"]) if row["outcome"] else None,
    )
