"""What had to be deferred (§14): for the content manager, whose articles may spare the next one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from ivr.domain.deferred import Deferred, State
from ivr.domain.periods import Period
from ivr.domain.worktime import WorkCalendar
from ivr.ports import UnitOfWork
from ivr.services.deferred import Rules
from ivr.settings import Settings

COLUMNS = ("agency", "topic", "deferred", "answered", "open", "withdrawn", "late", "mean_s", "longest_s")
"""Durations are working time from registration to the answer, of those that are answered."""


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One deferred enquiry of the time."""

    deferred: Deferred
    agency: str | None
    topics: tuple[str, ...]
    number: str
    """Of registration."""
    late: bool
    took: timedelta | None
    """Working time until the answer; None: there is none."""


def report(uow: UnitOfWork, period: Period, settings: Settings, now: datetime) -> Mapping[str, object]:
    """Of the enquiries registered in this time: by agency and topic, in all, and each that was late.

    An enquiry of several topics (§23) is in a row for each of them, and once in the total.
    """
    rules = Rules.of(uow, settings)
    found = [rules.current(one) for one in uow.deferred.registered(period.since, period.until)]
    cases = [_case(uow, one, rules.calendar, now) for one in found]
    return {
        "kind": "deferred",
        "from": period.since,
        "to": period.until,
        "rows": _by_topic(cases),
        "total": _row(None, None, cases),
        "late": _breaches(cases, rules.calendar, now),
    }


def _case(uow: UnitOfWork, deferred: Deferred, calendar: WorkCalendar, now: datetime) -> _Case:
    card = uow.cards.get(deferred.card)
    answered = deferred.finished_at if deferred.state is State.ANSWERED else None
    took = None if answered is None else _worked(calendar, deferred.registered_at, answered)
    return _Case(
        deferred=deferred,
        agency=card.agency,
        topics=card.topics,
        number=card.registration_number,
        late=deferred.state is not State.WITHDRAWN and deferred.late(now),
        took=took,
    )


def _by_topic(cases: Iterable[_Case]) -> Sequence[Mapping[str, object]]:
    grouped: dict[tuple[str, str], list[_Case]] = {}
    for case in cases:
        for topic in case.topics or ("",):
            grouped.setdefault((case.agency or "", topic), []).append(case)
    return [
        _row(agency or None, topic or None, of_topic) for (agency, topic), of_topic in sorted(grouped.items())
    ]


def _row(agency: str | None, topic: str | None, cases: Sequence[_Case]) -> Mapping[str, object]:
    took = [case.took for case in cases if case.took is not None]
    states = [case.deferred.state for case in cases]
    values = (
        agency,
        topic,
        len(cases),
        states.count(State.ANSWERED),
        sum(case.deferred.open for case in cases),
        states.count(State.WITHDRAWN),
        sum(case.late for case in cases),
        _seconds(sum(took, timedelta()) / len(took)) if took else None,
        _seconds(max(took)) if took else None,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _breaches(
    cases: Iterable[_Case], calendar: WorkCalendar, now: datetime
) -> Sequence[Mapping[str, object]]:
    """The latest first."""
    late = sorted((case for case in cases if case.late), key=lambda case: case.deferred.deadline)
    found = [_breach(case, calendar, now) for case in late]
    return sorted(found, key=lambda breach: breach["late_s"], reverse=True)


def _breach(case: _Case, calendar: WorkCalendar, now: datetime) -> dict[str, Any]:
    """`late_s`: working time after the deadline, so far if it is not answered yet."""
    deferred = case.deferred
    until = deferred.finished_at or now
    return {
        "card": deferred.card,
        "registration_number": case.number,
        "agency": case.agency,
        "topics": list(case.topics),
        "operator": deferred.operator,
        "registered_at": deferred.registered_at,
        "deadline": deferred.deadline,
        "answered_at": deferred.finished_at,
        "late_s": _seconds(_worked(calendar, deferred.deadline, until)),
    }


def _worked(calendar: WorkCalendar, since: datetime, until: datetime) -> timedelta:
    return calendar.working_time_between(since, max(since, until))


def _seconds(duration: timedelta) -> int:
    return ceil(duration.total_seconds())
