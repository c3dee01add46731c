"""Callers who wait: their turns, who was cut off and has the turn back, and what everybody is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.domain.enquiry import Card, ContactOutcome, Outcome

CUT_OFF = frozenset({Outcome.ABANDONED, Outcome.LOST_BY_CRASH})
"""How an enquiry ends whose caller waited in vain and was promised nothing."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """That a caller waits, or waited, for an operator; one for each call, the last queue counts."""

    call: str
    """Uniqueid of the citizen's leg."""
    card: str
    queue: str
    first_arrived_at: datetime
    """When this call arrived or, of one who was cut off, the first one: the place in the order."""
    agency: str | None = None
    topic: str | None = None
    priority: int = 0

    def __post_init__(self) -> None:
        if self.first_arrived_at.tzinfo is None:
            raise TypeError("a time without a zone names no moment")


def has_turn_back(card: Card, *, called_at: datetime, within: timedelta, promised: bool = False) -> bool:
    """Whether somebody who waited and calls again goes on where the earlier enquiry was cut off.

    promised: a callback for this citizen is open; who calls in has the place that it would have.
    """
    ended = card.closed_at
    cut_off = card.outcome in CUT_OFF or (promised and card.outcome is Outcome.CALLBACK)
    return cut_off and ended is not None and called_at - ended <= within


def may_go_on(card: Card, *, called_at: datetime, within: timedelta) -> bool:
    """Whether a talk of this enquiry, if it was cut off, may go on in a call that arrives now (§24).

    What the citizen confirmed to be answered is over. A card is closed some time after the talk, so this is
    no proof that the talk was so late; one that is open may be about a talk that goes on.
    """
    ended = card.closed_at
    talked = any(contact.outcome is ContactOutcome.SERVED for contact in card.contacts)
    return talked and card.confirmed is not True and (ended is None or called_at - ended <= within)


def place_among(first_arrived_at: datetime, others: list[datetime]) -> int:
    """The place, from 1, of a caller among those who wait, by the first arrivals."""
    return 1 + sum(other < first_arrived_at for other in others)


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What every caller hears after the greeting while it is in force."""

    id: str
    at: datetime
    text: str = ""
    """Spoken, unless there is a sound."""
    sound: str = ""
    """Hexadecimal SHA-256 of a recording; empty: the text is synthesised."""
    until: datetime | None = None
    """None: until it is taken back or replaced."""

    def in_force(self, now: datetime) -> bool:
        return self.until is None or now < self.until
