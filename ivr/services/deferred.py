"""Deferred enquiries (§14): marked, given to an operator, answered by an outbound call.

The deadline of an open one follows the calendar in force; that of one which is over stays as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.domain.callback import Source
from ivr.domain.callback import State as CallbackState
from ivr.domain.deferred import Deferred, Limits, State, call_at, in_order
from ivr.domain.enquiry import Card, Outcome, enquiry_outcome
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import OperatorState
from ivr.domain.worktime import WorkCalendar
from ivr.ports import UnitOfWork
from ivr.services.agreed import MOVABLE, callable_, number_of, request
from ivr.services.audit import By
from ivr.services.calendar import calendar_of
from ivr.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The limits of the site, and its calendar as it is in this transaction."""

    limits: Limits
    calendar: WorkCalendar
    prepare: timedelta

    @classmethod
    def of(cls, uow: UnitOfWork, settings: Settings) -> Rules:
        own = settings.deferred
        return cls(
            limits=Limits(working=timedelta(seconds=own.working_seconds), reminder=own.reminder),
            calendar=calendar_of(settings, uow.calendar.list()),
            prepare=timedelta(seconds=own.prepare_seconds),
        )

    def current(self, deferred: Deferred) -> Deferred:
        """With the deadline by the calendar in force, while it is open."""
        if not deferred.open:
            return deferred
        return replace(deferred, deadline=self.limits.deadline(deferred.registered_at, self.calendar))


# --- from the mark to the answer ---


def mark(uow: UnitOfWork, by: By, card: Card, settings: Settings) -> Deferred:
    """The answer takes time; marked twice is marked once. Raises BadInput where nobody could be called."""
    number_of(card, settings)
    before = uow.deferred.of_card(card.id)
    if before is not None and before.open:
        return before
    if before is not None:
        before.move(State.WAITING, by.at)
    rules = Rules.of(uow, settings)
    marked = Deferred(
        card=card.id,
        registered_at=card.registered_at,
        deadline=rules.limits.deadline(card.registered_at, rules.calendar),
        marked_at=by.at,
        marked_by=by.actor,
    )
    uow.deferred.put(marked)
    if card.outcome is not None:
        uow.cards.change(card.id, outcome=Outcome.DEFERRED)
    by.note(uow, "deferred.mark", card.id)
    return marked


def card_of_last_talk(uow: UnitOfWork, extension: str) -> Card | None:
    """Of this operator; None: there was no talk with a citizen. Raises NotFound."""
    last = uow.operators.get(extension).last_call
    return uow.cards.of_call(last) if last else None


def assign(
    uow: UnitOfWork, by: By, card: Card, extension: str, settings: Settings, *, at: datetime | None = None
) -> Deferred:
    """Appoint the operator who answers it, or another one; the citizen is called by a callback.

    at: when; None: after the time to prepare, at the latest when the reminder is due. Raises NotFound,
    BadInput.
    """
    if uow.operators.get(extension).state is OperatorState.DISABLED:
        raise BadInput(f"operator {extension} is disabled; appoint another one")
    rules = Rules.of(uow, settings)
    deferred = rules.current(_of(uow, card).move(State.ASSIGNED, by.at))
    due = _due(deferred, by.at, rules, at)
    deferred = replace(deferred, operator=extension, assigned_at=by.at)
    deferred = replace(deferred, callback=_call(uow, by, card, deferred, settings, due))
    uow.deferred.put(deferred)
    by.note(uow, "deferred.assign", card.id, result=extension)
    return deferred


def _due(deferred: Deferred, now: datetime, rules: Rules, at: datetime | None) -> datetime:
    if at is None:
        return call_at(deferred.registered_at, now, rules.calendar, rules.limits, rules.prepare)
    if at <= now:
        raise BadInput("the time of the outbound call is in the past; give one that is to come")
    if at > deferred.deadline:
        latest = deferred.deadline.astimezone(rules.calendar.zone)
        raise BadInput(f"the answer is due by {latest:%Y-%m-%dT%H:%M}; give a time before that")
    return at


def call_if_none(uow: UnitOfWork, by: By, deferred: Deferred, settings: Settings) -> Deferred:
    """An appointed operator whose call could not be promised yet, for the citizen had another one open.

    A number that may be called no more is left to the alarms of the deadline.
    """
    card, rules = uow.cards.get(deferred.card), Rules.of(uow, settings)
    if not callable_(card, settings):
        return deferred
    due = call_at(deferred.registered_at, by.at, rules.calendar, rules.limits, rules.prepare)
    called = replace(deferred, callback=_call(uow, by, card, deferred, settings, due))
    if called != deferred:
        uow.deferred.put(called)
    return called


def _call(
    uow: UnitOfWork, by: By, card: Card, deferred: Deferred, settings: Settings, due: datetime
) -> str | None:
    """The id of the callback in which the answer is given; None: the number has one for another enquiry."""
    number = number_of(card, settings)
    before = uow.callbacks.open_for_number(number)
    if before is None:
        return request(uow, by, card, number, Source.DEFERRED, due=due, operator=deferred.operator).id
    if before.card != card.id:
        return None
    if before.state in MOVABLE:
        agreed = before.source is Source.AGREED  # the time that the citizen agreed to stays (§13)
        moved = before if agreed else replace(before, source=Source.DEFERRED, due=due)
        uow.callbacks.save(replace(moved, operator=deferred.operator))
    return before.id


def finish(uow: UnitOfWork, by: By, card: Card, settings: Settings, *, answered: bool) -> Deferred:
    """By hand: answered in another way, or marked by mistake; the call is not made. Raises BadInput."""
    deferred = Rules.of(uow, settings).current(_of(uow, card))
    over = deferred.move(State.ANSWERED if answered else State.WITHDRAWN, by.at)
    callback = None if over.callback is None else uow.callbacks.get(over.callback)
    if callback is not None and callback.state in MOVABLE:
        uow.callbacks.save(callback.move(CallbackState.CANCELLED))
    uow.deferred.put(over)
    if card.outcome is Outcome.DEFERRED:
        uow.cards.change(card.id, outcome=Outcome.SERVED if answered else _without_mark(uow, card))
    by.note(uow, "deferred.done" if answered else "deferred.withdraw", card.id)
    return over


def _without_mark(uow: UnitOfWork, card: Card) -> Outcome:
    last = next((c.outcome for c in reversed(card.contacts) if c.outcome is not None), None)
    promised = uow.callbacks.open_for_card(card.id) is not None
    return Outcome.DEFERRED if last is None else enquiry_outcome(last, callback=promised)


def _of(uow: UnitOfWork, card: Card) -> Deferred:
    found = uow.deferred.of_card(card.id)
    if found is None:
        raise NotFound(
            f"card {card.registration_number} is not deferred; `ekc cards edit "
            f"{card.registration_number} --defer` marks it"
        )
    return found


# --- for those who settle calls ---


def outcome_of(uow: UnitOfWork, card: str, outcome: Outcome) -> Outcome:
    """What the card has come to: deferred as long as the answer is owed, whatever the call has come to."""
    found = uow.deferred.of_card(card)
    return Outcome.DEFERRED if found is not None and found.open else outcome


def answered(uow: UnitOfWork, card: str, at: datetime, settings: Settings) -> bool:
    """The citizen was served by an outbound call of this card; whether that was what was owed."""
    found = uow.deferred.of_card(card)
    if found is None or not found.open:
        return False
    uow.deferred.put(Rules.of(uow, settings).current(found).move(State.ANSWERED, at))
    if uow.cards.get(card).outcome is Outcome.DEFERRED:
        uow.cards.change(card, outcome=Outcome.SERVED)
    return True


# --- to be seen ---


def listed(
    uow: UnitOfWork, settings: Settings, *, open_only: bool = True, operator: str | None = None
) -> Sequence[Deferred]:
    """In the order of work; of one operator, or all."""
    rules = Rules.of(uow, settings)
    found = (rules.current(one) for one in uow.deferred.list(open_only=open_only))
    return in_order(one for one in found if operator in (None, one.operator))


def view(uow: UnitOfWork, deferred: Deferred, now: datetime) -> dict[str, object]:
    """With the keys of the outer interface, and what a supervisor asks next."""
    return {
        "card": deferred.card,
        "registration_number": uow.cards.get(deferred.card).registration_number,
        "operator": deferred.operator,
        "registered_at": deferred.registered_at,
        "deadline": deferred.deadline,
        "state": deferred.state.value,
        "late": deferred.late(now),
        "callback": deferred.callback,
    }
