"""Slots of agreed calls (§13): when a citizen may be promised a call at a time, and how many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from ivr.domain.callback_rules import QuietHours
from ivr.domain.worktime import WorkCalendar


@dataclass(frozen=True, kw_only=True)
class Slots:
    """The slots of the line. A slot begins at a multiple of `length` after midnight by the site's clock."""

    calendar: WorkCalendar
    quiet: QuietHours
    length: timedelta = timedelta(minutes=30)
    per_slot: int = 5
    ahead: timedelta = timedelta(days=14)

    def start_of(self, at: datetime) -> datetime:
        """The beginning of the slot that `at` lies in."""
        local = at.astimezone(self.calendar.zone)
        midnight = datetime.combine(local.date(), time(), tzinfo=local.tzinfo)
        return midnight + (local - midnight) // self.length * self.length

    def refusal(self, at: datetime, number: str, now: datetime, taken: Iterable[datetime]) -> str | None:
        """Why there can be no call then, without a full stop; None: there can.

        number: E.164. taken: the times of other agreed calls.
        """
        if at <= now:
            return "the time of the outbound call is in the past"
        if at > now + self.ahead:
            return f"the outbound call would be more than {self.ahead.days} days away"
        if not self.calendar.is_open(at):
            return "the line is closed then"
        if self.quiet.next_time(number, at, agreed=True) != at:
            return "it is too early or too late to call where the citizen is"
        start = self.start_of(at)
        if sum(self.start_of(other) == start for other in taken) >= self.per_slot:
            return f"the slot of {start:%H:%M} is full"
        return None

    def free(
        self, number: str, now: datetime, taken: Iterable[datetime], *, after: datetime | None = None
    ) -> Iterator[datetime]:
        """Beginnings of slots in which there can be a call, in order: from `after` on, and later than now."""
        counted = Counter(self.start_of(at).astimezone(UTC) for at in taken)
        at = self.start_of(max(now, after or now))
        while at <= now + self.ahead:
            full = counted[at.astimezone(UTC)] >= self.per_slot
            if not full and self.refusal(at, number, now, ()) is None and at >= (after or at):
                yield at
            at = self._next(at)

    def _next(self, at: datetime) -> datetime:
        """The next slot; while the line is closed the one of its opening, or the first after it."""
        following = self.start_of(at.astimezone(UTC) + self.length)
        if self.calendar.is_open(following):
            return following
        opening = self.calendar.next_opening(following)
        if opening is None:
            return at + self.ahead + self.length
        start = self.start_of(opening)
        return start if start == opening else self.start_of(opening.astimezone(UTC) + self.length)
