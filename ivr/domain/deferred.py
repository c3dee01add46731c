"""Deferred enquiries (отложенные обращения, §14): their life, their deadline, their order.

The deadline is eight working hours after the registration of the enquiry. With days of 9-18: Monday 10:00 →
Monday 18:00, Monday 11:00 → Tuesday 10:00, Friday 17:00 → Monday 16:00, Saturday 12:00 → Monday 17:00.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ivr.domain.errors import BadInput
from ivr.domain.worktime import WorkCalendar

WORKING = timedelta(hours=8)
"""§14."""
REMINDER = 0.75
"""The part of the time after which a reminder is due."""


class State(StrEnum):
    """Where a deferred enquiry stands."""

    WAITING = "waiting"  # marked; nobody is appointed yet
    ASSIGNED = "assigned"  # an operator is appointed
    ANSWERED = "answered"  # the citizen has the answer
    WITHDRAWN = "withdrawn"  # marked by mistake


TRANSITIONS: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.ASSIGNED, State.ANSWERED, State.WITHDRAWN}),
    State.ASSIGNED: frozenset({State.ASSIGNED, State.ANSWERED, State.WITHDRAWN}),
    State.ANSWERED: frozenset({State.WAITING}),
    State.WITHDRAWN: frozenset({State.WAITING}),
}
"""Assigned again: to another operator. What is over may be marked again; its deadline is the same."""
OPEN_STATES = frozenset({State.WAITING, State.ASSIGNED})


class Urgency(StrEnum):
    """How near the deadline is."""

    CALM = "calm"
    SOON = "soon"  # the reminder is due
    LATE = "late"  # the deadline has passed


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The time that an answer may take."""

    working: timedelta = WORKING
    reminder: float = REMINDER

    def deadline(self, registered_at: datetime, calendar: WorkCalendar) -> datetime:
        """The last moment at which the answer is in time, by the calendar in force."""
        return calendar.add_working(registered_at, self.working)

    def remind_at(self, registered_at: datetime, calendar: WorkCalendar) -> datetime:
        """When three quarters of the working time have passed."""
        return calendar.add_working(registered_at, self.working * self.reminder)


@dataclass(frozen=True, kw_only=True)
class Deferred:
    """A deferred enquiry."""

    card: str
    registered_at: datetime
    """Of the enquiry, not of the mark."""
    deadline: datetime
    """By the calendar as it was when last looked at; it does not move any more once the enquiry is over."""
    state: State = State.WAITING
    marked_at: datetime
    marked_by: str
    """The actor: an operator's extension, `cli:<login>` …"""
    operator: str | None = None
    """Extension of the one who is appointed."""
    assigned_at: datetime | None = None
    callback: str | None = None
    """Id of the outbound call in which the answer is to be given."""
    finished_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN_STATES

    def move(self, to: State, at: datetime) -> Deferred:
        """In its next state; raises BadInput where there is no such step."""
        if to not in TRANSITIONS[self.state]:
            raise BadInput(f"the deferred enquiry is {self.state.value}; it cannot become {to.value}")
        return replace(self, state=to, finished_at=None if to in OPEN_STATES else at)

    def late(self, now: datetime) -> bool:
        """Whether the answer came, or for an open one comes, after the deadline."""
        return (self.finished_at or now) > self.deadline

    def urgency(self, now: datetime, remind_at: datetime) -> Urgency:
        """Of an open one."""
        if self.late(now):
            return Urgency.LATE
        return Urgency.SOON if now >= remind_at else Urgency.CALM


def in_order(found: Iterable[Deferred]) -> list[Deferred]:
    """The order of work (§14): by deadline, among equals the one that was registered first."""
    return sorted(found, key=lambda one: (one.deadline, one.registered_at, one.card))


def call_at(
    registered_at: datetime, now: datetime, calendar: WorkCalendar, limits: Limits, prepare: timedelta
) -> datetime:
    """When the appointed operator is to call: after the time to prepare, but no later than the reminder.

    Once the reminder is past, as soon as the line is open.
    """
    soonest = now if calendar.is_open(now) else calendar.next_opening(now) or now
    remind_at = limits.remind_at(registered_at, calendar)
    return max(soonest, min(calendar.add_working(now, prepare), remind_at))
