"""Enquiry, its card and its contacts (§13, §15): one enquiry, one card, one or more contacts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Level(StrEnum):
    """What the caller may be told (§20, §21)."""

    NONE = "none"  # general information only
    APPLICATION = "application"  # status, refusal reasons, decision, missing documents of one application
    PERSONAL = "personal"  # everything; by phone and after the secret code only


class Outcome(StrEnum):
    """How an enquiry ended; None while it is open."""

    SELF_SERVICE = "self_service"  # answered by the machine
    SERVED = "served"  # talked with an operator
    CALLBACK = "callback"  # promised a callback
    DEFERRED = "deferred"  # an operator works on it (§14)
    ABANDONED = "abandoned"  # hung up before being served
    SILENCE = "silence"  # more than the silence limit without an answer (§19)
    CLOSED_HOURS = "closed_hours"  # outside working hours, no callback wanted
    REFUSED = "refused"  # turned away by a rule
    LOST_BY_CRASH = "lost_by_crash"  # our failure ended the call


class ContactOutcome(StrEnum):
    """How one contact ended; None while it is in progress."""

    SELF_SERVICE = "self_service"  # answered by the machine
    SERVED = "served"  # in one bridge with an operator for at least 5 s
    TOO_SHORT = "too_short"  # in one bridge with an operator, but for less
    ABANDONED_IVR = "abandoned_ivr"  # hung up in greeting, menu or self-service
    ABANDONED_QUEUE = "abandoned_queue"  # hung up while waiting
    SILENCE = "silence"  # ended by the silence rule (§19)
    CLOSED_HOURS = "closed_hours"  # outside working hours
    REFUSED = "refused"  # turned away by a rule
    TRANSFERRED = "transferred"  # went on as another contact
    LOST_BY_CRASH = "lost_by_crash"  # our failure ended the call
    BUSY = "busy"  # outbound only, as are the rest
    NO_ANSWER = "no_answer"
    INVALID = "invalid"
    MACHINE = "machine"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One call of an enquiry, with the three times of §13."""

    call: str
    """Uniqueid of the citizen's leg."""
    direction: Direction
    at: datetime
    waiting_s: int = 0
    """Seconds in queues until an operator answered or the wait ended."""
    talking_s: int = 0
    """Seconds in a bridge with an operator."""
    wrapup_s: int = 0
    """Seconds from the end of the talk until the card was completed, at most the wrap-up limit."""
    outcome: ContactOutcome | None = None


@dataclass(frozen=True, kw_only=True)
class Card:
    """The card of an enquiry (§15); personal fields are in clear here and sealed in the database."""

    id: str
    registration_number: str
    registered_at: datetime
    closed_at: datetime | None = None
    number: str | None = None
    """E.164, None when unknown."""
    level: Level = Level.NONE
    agency: str | None = None
    topics: tuple[str, ...] = ()
    questions: str = ""
    comment: str = ""
    callback_at: datetime | None = None
    answer_source: str = ""
    answer: str = ""
    confirmed: bool | None = None
    """§24: the citizen confirmed a satisfactory answer; None: not recorded."""
    operator: str | None = None
    """Extension."""
    outcome: Outcome | None = None
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Application:
    """An application for a social measure, as the receipt names it (§20)."""

    snils: str
    """11 digits."""
    number: str
    accepted_on: date
    agency: str
    service: str
    status: str
    decision: str = ""
    refusal_reason: str = ""
    missing_documents: tuple[str, ...] = field(default=())


def enquiry_outcome(contact: ContactOutcome, *, callback: bool) -> Outcome:
    """The enquiry's outcome when its (only or last) contact ends.

    callback: an open callback stands for this enquiry, which then outweighs every outcome but served.
    """
    if callback and contact is not ContactOutcome.SERVED:
        return Outcome.CALLBACK
    return _BY_CONTACT[contact]


_BY_CONTACT = {
    ContactOutcome.SELF_SERVICE: Outcome.SELF_SERVICE,
    ContactOutcome.SERVED: Outcome.SERVED,
    ContactOutcome.TOO_SHORT: Outcome.ABANDONED,
    ContactOutcome.ABANDONED_IVR: Outcome.ABANDONED,
    ContactOutcome.ABANDONED_QUEUE: Outcome.ABANDONED,
    ContactOutcome.SILENCE: Outcome.SILENCE,
    ContactOutcome.CLOSED_HOURS: Outcome.CLOSED_HOURS,
    ContactOutcome.REFUSED: Outcome.REFUSED,
    ContactOutcome.TRANSFERRED: Outcome.SERVED,
    ContactOutcome.LOST_BY_CRASH: Outcome.LOST_BY_CRASH,
    ContactOutcome.BUSY: Outcome.ABANDONED,
    ContactOutcome.NO_ANSWER: Outcome.ABANDONED,
    ContactOutcome.INVALID: Outcome.ABANDONED,
    ContactOutcome.MACHINE: Outcome.ABANDONED,
    ContactOutcome.UNKNOWN: Outcome.ABANDONED,
}
