"""Looks after deferred enquiries (§14): a reminder, an alarm at the breach, and no answer without a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.domain.deferred import Deferred, State, Urgency, in_order
from ivr.ports import Clock, Store, UnitOfWork
from ivr.services import deferred as service
from ivr.services.audit import By
from ivr.services.duty_alarms import Board
from ivr.services.working_day import ENGINE
from ivr.settings import Settings

MOST_ALARMS = 20
"""Enquiries that have an alarm of their own; one more tells how many others there are."""
_WORDS = {
    Urgency.SOON: "deferred enquiry {number} is to be answered by {deadline:%d.%m. %H:%M}",
    Urgency.LATE: "deferred enquiry {number} was to be answered by {deadline:%d.%m. %H:%M} (§14)",
}
_APPOINT = "appoint an operator: `ekc deferred assign {number} EXTENSION`"
_ASK = "ask operator {operator}; `ekc deferred list` shows all of them"
_MORE = "{count} more deferred enquiries are due soon or late"
_SEE = "`ekc deferred list`"


@dataclass(frozen=True, kw_only=True)
class _Owed:
    """An answer that is owed."""

    deferred: Deferred
    number: str
    """Of registration."""
    urgency: Urgency
    since: datetime
    """Of its urgency."""


class DeferredWatch:
    """Of one engine."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        alarms: Board,
        settings: Settings,
        *,
        on_counted: Callable[[Mapping[str, int]], None] = lambda _counted: None,
    ) -> None:
        """on_counted: told how many are open, by urgency."""
        self._store = store
        self._clock = clock
        self._alarms = alarms
        self._settings = settings
        self._on_counted = on_counted
        self._standing: set[str] = set()

    async def look(self) -> None:
        """Raise and clear alarms, promise calls that could not be promised before.

        Raises StorageDown, and OSError for alarms that cannot be written.
        """
        now = self._clock.now()
        owed = await self._store.run(lambda uow: self._owed(uow, now))
        self._tell([one for one in owed if one.urgency is not Urgency.CALM])
        counted = Counter(one.urgency for one in owed)
        self._on_counted({urgency.value: counted[urgency] for urgency in Urgency})

    def _owed(self, uow: UnitOfWork, now: datetime) -> Sequence[_Owed]:
        rules = service.Rules.of(uow, self._settings)
        return [
            self._looked_at(uow, rules, one, now)
            for one in in_order(rules.current(found) for found in uow.deferred.list(open_only=True))
        ]

    def _looked_at(self, uow: UnitOfWork, rules: service.Rules, deferred: Deferred, now: datetime) -> _Owed:
        if deferred.state is State.ASSIGNED and deferred.callback is None:
            by = By(actor=ENGINE, at=now)
            deferred = service.call_if_none(uow, by, deferred, self._settings)
        remind_at = rules.limits.remind_at(deferred.registered_at, rules.calendar)
        urgency = deferred.urgency(now, remind_at)
        return _Owed(
            deferred=deferred,
            number=uow.cards.get(deferred.card).registration_number,
            urgency=urgency,
            since=deferred.deadline if urgency is Urgency.LATE else remind_at,
        )

    def _tell(self, urgent: Sequence[_Owed]) -> None:
        standing = set()
        for one in urgent[:MOST_ALARMS]:
            key = f"deferred.{one.urgency.value}.{one.deferred.card}"
            deadline = one.deferred.deadline.astimezone(self._settings.zone)
            what = _WORDS[one.urgency].format(number=one.number, deadline=deadline)
            self._alarms.set(key, what, _remedy(one), one.since)
            standing.add(key)
        if more := urgent[MOST_ALARMS:]:
            self._alarms.set("deferred.more", _MORE.format(count=len(more)), _SEE, more[0].since)
            standing.add("deferred.more")
        for key in self._standing - standing:
            self._alarms.clear(key)
        self._standing = standing


def _remedy(one: _Owed) -> str:
    if one.deferred.operator is None:
        return _APPOINT.format(number=one.number)
    return _ASK.format(operator=one.deferred.operator)
