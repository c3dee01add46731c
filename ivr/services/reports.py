"""Figures of days, weeks, operators and queues (§9.1, §27-29), by the definitions of docs/metrics.md.

All come from contacts and passages, which settlement has drawn from the journals, and from the history of
operators' states. A call belongs to the time at which it arrived, a turn in a queue to its entering.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ivr.domain import periods
from ivr.domain.enquiry import Contact, ContactOutcome, Direction
from ivr.domain.figures import Fate, Limits, Offer, figures, occupancy, time_in_states
from ivr.domain.operators import Operator, OperatorState
from ivr.domain.passage import Passage
from ivr.domain.periods import Period
from ivr.ports import UnitOfWork

Row = Mapping[str, object]
INBOUND = (
    ContactOutcome.SELF_SERVICE,
    ContactOutcome.SERVED,
    ContactOutcome.TOO_SHORT,
    ContactOutcome.ABANDONED_IVR,
    ContactOutcome.ABANDONED_QUEUE,
    ContactOutcome.SILENCE,
    ContactOutcome.CLOSED_HOURS,
    ContactOutcome.REFUSED,
    ContactOutcome.TRANSFERRED,
    ContactOutcome.LOST_BY_CRASH,
)
IN_PROGRESS = "in_progress"
TOTAL = "total"
_LONGEST_CALL = timedelta(days=1)
"""A turn in a queue belongs to a call that arrived at most so long before it."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Rows of one kind, and all of them together."""

    kind: str
    since: datetime
    until: datetime
    rows: Sequence[Row]
    total: Row


def by_hour(uow: UnitOfWork, day: date, *, zone: ZoneInfo, limits: Limits) -> Report:
    """One day: the calls that arrived in each hour."""
    whole = periods.days(day, day, zone)
    return _of_calls(uow, "day", whole, periods.each_hour(day, zone), limits)


def by_day(uow: UnitOfWork, day: date, *, zone: ZoneInfo, limits: Limits) -> Report:
    """The week in which this day is, Monday to Sunday: the calls that arrived on each day."""
    first, last = periods.week_of(day)
    whole = periods.days(first, last, zone)
    return _of_calls(uow, "week", whole, periods.each_day(first, last, zone), limits)


def by_queue(uow: UnitOfWork, period: Period, *, limits: Limits) -> Report:
    """Turns in each queue: a citizen who passed several is in each of them."""
    turns = _turns(uow, period)
    queues = sorted({passage.queue for passage, _ in turns})
    rows = [
        {"queue": queue, **_view([offer for p, offer in turns if p.queue == queue], limits)}
        for queue in queues
    ]
    total = {"queue": TOTAL, **_view([offer for _, offer in turns], limits)}
    return Report(kind="queue", since=period.since, until=period.until, rows=rows, total=total)


def by_operator(uow: UnitOfWork, period: Period, *, now: datetime) -> Report:
    """What each operator did: everybody with an account, a talk or a ring in this time."""
    talks, missed = _talks(uow, period)
    states = time_in_states(uow.operators.history(since=period.since), period.since, min(period.until, now))
    known = {operator.extension: operator for operator in uow.operators.list()}
    extensions = sorted({*known, *talks, *missed}, key=lambda e: (len(e), e))
    rows = [
        _operator_row(e, known.get(e), talks.get(e, ()), missed.get(e, 0), states.get(e, {}))
        for e in extensions
    ]
    everybody = [offer for offers in talks.values() for offer in offers]
    together = _sums(states.values())
    total = _operator_row(TOTAL, None, everybody, sum(missed.values()), together)
    return Report(kind="operator", since=period.since, until=period.until, rows=rows, total=total)


# --- calls -------------------------------------------------------------------------------------------


def _of_calls(uow: UnitOfWork, kind: str, whole: Period, parts: Sequence[Period], limits: Limits) -> Report:
    contacts = [
        contact
        for contact in uow.cards.contacts(whole.since, whole.until)
        if contact.direction is Direction.INBOUND
    ]
    passages = _by_call(uow.passages.of_calls([contact.call for contact in contacts]))
    calls = [(contact, offer_of(contact, passages.get(contact.call, ()))) for contact in contacts]
    rows = [
        {"period": part.name, **_calls_row([call for call in calls if call[0].at in part], limits)}
        for part in parts
    ]
    total = {"period": TOTAL, **_calls_row(calls, limits)}
    return Report(kind=kind, since=whole.since, until=whole.until, rows=rows, total=total)


def _calls_row(calls: Sequence[tuple[Contact, Offer | None]], limits: Limits) -> dict[str, object]:
    """How the calls ended, summing to all of them, and the figures of those who wanted an operator."""
    outcomes = Counter(contact.outcome for contact, _ in calls)
    ended = {outcome.value: outcomes[outcome] for outcome in INBOUND}
    going = {IN_PROGRESS: len(calls) - sum(ended.values())}
    return {"calls": len(calls), **ended, **going, **_view([o for _, o in calls if o], limits)}


def offer_of(contact: Contact, passages: Sequence[Passage]) -> Offer | None:
    """The whole call of a citizen as one offer, its wait by the wall clock; None for who reached no queue."""
    turns = [passage for passage in passages if passage.queue]
    if not turns:
        return None
    answered = next((turn for turn in turns if turn.fate is Fate.ANSWERED), None)
    last = answered or turns[-1]
    over = last if last is turns[0] else replace(last, entered=turns[0].entered)
    return Offer(
        fate=last.fate or Fate.WAITING,
        waited_s=over.waited_s,
        talking_s=sum(passage.talking_s for passage in passages),
        hold_s=sum(passage.hold_s for passage in passages),
        wrapup_s=contact.wrapup_s,
    )


# --- queues and operators ----------------------------------------------------------------------------


def _turns(uow: UnitOfWork, period: Period) -> Sequence[tuple[Passage, Offer]]:
    """Each turn in a queue; the wrap-up belongs to the turn that led to the last talk."""
    return [
        (
            passage,
            Offer(
                fate=passage.fate,
                waited_s=passage.waited_s,
                talking_s=passage.talking_s,
                hold_s=passage.hold_s,
                wrapup_s=wrapup,
            ),
        )
        for passage, wrapup in _with_wrapup(uow, period)
        if passage.fate is not None
    ]


def _talks(uow: UnitOfWork, period: Period) -> tuple[Mapping[str, Sequence[Offer]], Mapping[str, int]]:
    """Talks and vain rings, by extension; a talk's wait is the citizen's in the last queue."""
    talks: dict[str, list[Offer]] = {}
    missed: dict[str, int] = {}
    for passage, wrapup in _with_wrapup(uow, period):
        for extension in passage.missed:
            missed[extension] = missed.get(extension, 0) + 1
        if passage.operator is not None:
            offer = Offer(
                fate=Fate.ANSWERED,
                waited_s=passage.waited_s,
                talking_s=passage.talking_s,
                hold_s=passage.hold_s,
                wrapup_s=wrapup,
            )
            talks.setdefault(passage.operator, []).append(offer)
    return talks, missed


def _with_wrapup(uow: UnitOfWork, period: Period) -> Iterable[tuple[Passage, int]]:
    """Each passage of this time with the wrap-up that it led to: a card's belongs to its last talk."""
    entered = uow.passages.entered(period.since, period.until)
    contacts = uow.cards.contacts(period.since - _LONGEST_CALL, period.until)
    wrapups = {contact.call: contact.wrapup_s for contact in contacts if contact.wrapup_s}
    last = {
        call: [passage for passage in passages if passage.operator is not None][-1:]
        for call, passages in _by_call(uow.passages.of_calls(list(wrapups))).items()
    }
    for passage in entered:
        yield passage, wrapups.get(passage.call, 0) if [passage] == last.get(passage.call) else 0


def _operator_row(
    extension: str,
    operator: Operator | None,
    talks: Sequence[Offer],
    missed: int,
    states: Mapping[OperatorState, float],
) -> Row:
    of_talks = figures(talks, Limits())
    ready, paused, wrapup = (
        states.get(state, 0.0) for state in (OperatorState.READY, OperatorState.PAUSED, OperatorState.WRAPUP)
    )
    return {
        "extension": extension,
        "name": operator.name if operator is not None else "",
        "agency": operator.agency if operator is not None else "",
        "answered": of_talks.answered,
        "missed": missed,
        "talking_s": of_talks.talking_s,
        "hold_s": of_talks.hold_s,
        "wrapup_s": of_talks.wrapup_s,
        "aht_s": _rounded(of_talks.aht_s),
        "logged_in_s": round(ready + paused + wrapup),
        "ready_s": round(ready),
        "paused_s": round(paused),
        "occupancy": _rounded(occupancy(sum(talk.handling_s for talk in talks), states)),
    }


def _sums(states: Iterable[Mapping[OperatorState, float]]) -> Mapping[OperatorState, float]:
    found: dict[OperatorState, float] = {}
    for spent in states:
        for state, seconds in spent.items():
            found[state] = found.get(state, 0.0) + seconds
    return found


# --- shared ------------------------------------------------------------------------------------------


def _by_call(passages: Iterable[Passage]) -> Mapping[str, Sequence[Passage]]:
    found: dict[str, list[Passage]] = {}
    for passage in passages:
        found.setdefault(passage.call, []).append(passage)
    return found


def _view(offers: Sequence[Offer], limits: Limits) -> dict[str, object]:
    return {name: _rounded(value) for name, value in asdict(figures(offers, limits)).items()}


def _rounded(value: object) -> object:
    """Ratios to a hundredth of a per cent; means of seconds get no better by it."""
    return round(value, 4) if isinstance(value, float) else value
