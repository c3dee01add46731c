"""When a citizen may be called, how often, and what follows an attempt. Pure: every decision takes `now`.

A callback is dialled while the line is open (§12) and outside the quiet hours of the number's own time zone.
Mobile numbers say nothing of where their owner lives: for them, as for any number of an unknown zone, the day
begins later. Who has called us a moment ago is not asleep: then quiet hours do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as zones

from ivr.domain.callback import Attempt, Callback, Source
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.worktime import WorkCalendar

ALLOWED = ("+73", "+74", "+78", "+79")
"""Beginnings of numbers that may be dialled: national ones, geographic and mobile."""
BARRED = ("+7803", "+7804", "+7809")
"""Of those the ones that cost extra, or are nobody's telephone."""
_ROUNDS = 10
"""Opening hours and quiet hours push a time to and fro at most this often before there is none."""
_UNPLANNED = frozenset({Source.QUEUE, Source.ABANDONED, Source.CLOSED, Source.EMERGENCY, Source.CRASH})
_TOLD = frozenset({Source.AGREED, Source.CLOSED, Source.QUEUE})
"""The citizen has asked for the call and was told when it will be: at that hour nobody is asleep."""
_PLAN = {
    ContactOutcome.BUSY: timedelta(minutes=15),
    ContactOutcome.NO_ANSWER: timedelta(hours=1),
    ContactOutcome.MACHINE: timedelta(hours=2),
    ContactOutcome.INVALID: timedelta(hours=1),
    ContactOutcome.TOO_SHORT: timedelta(minutes=15),
    ContactOutcome.UNKNOWN: timedelta(hours=1),
}


# --- whom ---


@dataclass(frozen=True, kw_only=True)
class AllowList:
    """Which numbers may be dialled; dialplans/callbacks.conf holds the same once more."""

    allowed: Sequence[str] = ALLOWED
    barred: Sequence[str] = BARRED
    own: Sequence[str] = ()
    """E.164: the line's own numbers, whatever the lists say."""

    def refusal(self, number: str) -> str | None:
        """Why a number (E.164) is not dialled, one sentence without the number; None: it is."""
        if number in self.own:
            return "this is a number of our own; give the citizen's"
        if number.startswith("+7") and len(number) != len("+79123456789"):
            return "this is no complete number; write it as +79123456789"
        if number.startswith(tuple(self.barred)):
            return "numbers of this kind cost extra and are not called; ask for another one"
        if not number.startswith(tuple(self.allowed)):
            return "only national numbers are called (callbacks.allowed); ask for another one"
        return None


# --- when ---


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """The hours of the day in which a citizen may be called, by the clock where the citizen is."""

    earliest: time = time(9)
    latest: time = time(21)
    unknown_from: time = time(12)
    """By the site's clock, where the number does not say its zone."""
    site: tzinfo
    awake: timedelta = timedelta(hours=2)
    """So long after the citizen's own call there are no quiet hours."""

    def next_time(self, number: str, at: datetime, *, agreed: bool = False) -> datetime:
        """`at`, or when the quiet hours that it lies in are over.

        agreed: the citizen knows of the time (§13); then an unknown zone is taken for the site's.
        """
        zone = zone_of(number, at)
        known = agreed or zone is not None
        begins = self.earliest if known else max(self.unknown_from, self.earliest)
        local = at.astimezone(zone or self.site)
        start = local.replace(hour=begins.hour, minute=begins.minute, second=0, microsecond=0)
        if local.time() < begins:
            return start.astimezone(at.tzinfo)
        if local.time() >= self.latest:
            day = local.date() + timedelta(days=1)
            return datetime.combine(day, begins, tzinfo=local.tzinfo).astimezone(at.tzinfo)
        return at

    def count(self, callback: Callback, at: datetime) -> bool:
        """Whether they count for this callback then."""
        fresh = timedelta() <= at - callback.arrived_at <= self.awake
        return not (fresh and callback.source in _UNPLANNED)


@lru_cache(maxsize=4096)
def _zone_names(number: str) -> tuple[str, ...]:
    try:
        return tuple(zones.time_zones_for_number(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return ()


def zone_of(number: str, at: datetime) -> ZoneInfo | None:
    """The time zone of a number; None where it has several that differ, or none that is known."""
    try:
        found = [ZoneInfo(name) for name in _zone_names(number)]
    except (ZoneInfoNotFoundError, ValueError):
        return None
    offsets = {at.astimezone(zone).utcoffset() for zone in found}
    return found[0] if len(offsets) == 1 else None


def soonest(callback: Callback, at: datetime, calendar: WorkCalendar, quiet: QuietHours) -> datetime | None:
    """The first moment from `at` on at which the line is open and the citizen may be called.

    None: there is none, for the line does not open any more or never while the citizen is awake.
    """
    for _ in range(_ROUNDS):
        opens = at if calendar.is_open(at) else calendar.next_opening(at)
        if opens is None:
            return None
        agreed = callback.source in _TOLD
        counted = quiet.count(callback, opens)
        free = quiet.next_time(callback.number, opens, agreed=agreed) if counted else opens
        if free == opens:
            return opens.astimezone(at.tzinfo)
        at = free
    return None


# --- how often ---


@dataclass(frozen=True, kw_only=True)
class RetryPlan:
    """What follows an attempt that reached nobody."""

    after: Mapping[ContactOutcome, timedelta] = field(default_factory=lambda: dict(_PLAN))
    """By result, from the end of the attempt."""
    gap: timedelta = timedelta(minutes=15)
    """Between the beginnings of two attempts, whatever the result."""
    per_day: int = 3
    most: int = 9
    """In all; then the callback is given up."""
    invalid: int = 2
    """The network said so often that there is no such number: given up."""

    def wait(self, result: ContactOutcome) -> timedelta:
        """A result that the plan does not name is of unknown outcome."""
        return self.after.get(result, self.after[ContactOutcome.UNKNOWN])

    def exhausted(self, attempts: Sequence[Attempt]) -> bool:
        invalid = sum(attempt.result == ContactOutcome.INVALID.value for attempt in attempts)
        return len(attempts) >= self.most or invalid >= self.invalid

    def next_try(
        self, attempts: Sequence[Attempt], result: ContactOutcome, now: datetime, zone: tzinfo
    ) -> datetime | None:
        """When the next attempt may begin, the last one having just ended so; None: no more."""
        if self.exhausted(attempts):
            return None
        return self.not_before(attempts, max(now, now + self.wait(result)), zone)

    def not_before(self, attempts: Sequence[Attempt], at: datetime, zone: tzinfo) -> datetime:
        """`at`, or when the gap is over and a day with attempts left has begun (by the clock of `zone`)."""
        latest = max((attempt.at for attempt in attempts), default=None)
        if latest is not None:
            at = max(at, latest + self.gap)
        day = at.astimezone(zone).date()
        if sum(attempt.at.astimezone(zone).date() == day for attempt in attempts) < self.per_day:
            return at
        morning = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
        return max(at, morning).astimezone(at.tzinfo)


# --- how many in all ---


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What all callbacks together may cost in an hour: a fraud or a mistake of ours ends here."""

    attempts: int = 300
    minutes: float = 900.0
    window: timedelta = timedelta(hours=1)

    def reached(self, attempts: int, seconds: float) -> str | None:
        """Which cap these figures of the last hour reach, as a sentence; None: neither."""
        if attempts >= self.attempts:
            return f"{attempts} callbacks were dialled within an hour: no more until that is over"
        if seconds >= self.minutes * 60:
            return f"callbacks have talked for {seconds / 60:.0f} minutes within an hour: no more for now"
        return None
