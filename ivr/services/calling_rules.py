"""The rules of calling citizens, as this site's settings and calendar make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ivr.domain.callback import Callback
from ivr.domain.callback_rules import AllowList, Caps, QuietHours, RetryPlan, soonest
from ivr.domain.enquiry import ContactOutcome
from ivr.ports import UnitOfWork
from ivr.services.calendar import calendar_of
from ivr.settings import CallbackSettings, Settings

CALL_HOURS = timedelta(hours=4)
"""No call is longer: an inbound one that seems to go on for so long has lost its end."""
LATER = timedelta(minutes=5)
"""When nothing says when it will be possible, it is looked at again then."""


@dataclass(frozen=True, kw_only=True)
class CallingRules:
    """What may be dialled when. The settings are the site's, the calendar is read where it is needed."""

    settings: Settings
    numbers: AllowList = field(default_factory=AllowList)
    quiet: QuietHours
    plan: RetryPlan = field(default_factory=RetryPlan)
    caps: Caps = field(default_factory=Caps)

    @classmethod
    def of(cls, settings: Settings) -> CallingRules:
        own = settings.callbacks
        return cls(
            settings=settings,
            numbers=AllowList(
                allowed=own.allowed,
                barred=own.barred,
                own=(*own.own_numbers, settings.trunk.outbound_cli),
            ),
            quiet=QuietHours(
                earliest=own.earliest,
                latest=own.latest,
                unknown_from=own.unknown_zone_from,
                site=settings.zone,
                awake=timedelta(seconds=own.awake_seconds),
            ),
            plan=_plan(own),
            caps=Caps(attempts=own.attempts_per_hour, minutes=own.minutes_per_hour),
        )

    @property
    def zone(self) -> ZoneInfo:
        return self.settings.zone

    @property
    def again(self) -> timedelta:
        return timedelta(seconds=self.settings.callbacks.again_seconds)

    def soonest(self, uow: UnitOfWork, callback: Callback, at: datetime) -> datetime:
        """The first moment from `at` on when this callback may be dialled; `at` itself: then."""
        at = self.plan.not_before(callback.attempts, at, self.zone)
        calendar = calendar_of(self.settings, uow.calendar.list())
        return soonest(callback, at, calendar, self.quiet) or at + LATER

    def capped(self, uow: UnitOfWork, now: datetime) -> str | None:
        """Which cap of all callbacks is reached now, as a sentence; None: none."""
        contacts = uow.cards.outbound(now - self.caps.window)
        going_on = sum((now - c.at).total_seconds() for c in contacts if c.outcome is None)
        return self.caps.reached(len(contacts), going_on + sum(c.talking_s for c in contacts))


def _plan(own: CallbackSettings) -> RetryPlan:
    seconds = {
        ContactOutcome.BUSY: own.busy_seconds,
        ContactOutcome.NO_ANSWER: own.no_answer_seconds,
        ContactOutcome.MACHINE: own.machine_seconds,
        ContactOutcome.INVALID: own.invalid_seconds,
        ContactOutcome.TOO_SHORT: own.too_short_seconds,
        ContactOutcome.UNKNOWN: own.unknown_seconds,
    }
    return RetryPlan(
        after={result: timedelta(seconds=wait) for result, wait in seconds.items()},
        gap=timedelta(seconds=own.gap_seconds),
        per_day=own.per_day,
        most=own.most_attempts,
        invalid=own.invalid_attempts,
    )
