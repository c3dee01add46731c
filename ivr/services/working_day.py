"""Operators' states, and what changes them: by telephone, by the supervisor, by the end of a talk.

Each function changes the database in the caller's transaction and writes the audit; services/duty.py brings
the queues to what stands there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Self

from ivr.domain.enquiry import ContactOutcome, Direction, enquiry_outcome
from ivr.domain.errors import BadInput
from ivr.domain.operators import (
    NO_ANSWER,
    ON_DUTY,
    PAUSE,
    REFUSES,
    Operator,
    OperatorState,
    may,
)
from ivr.ports import UnitOfWork
from ivr.services import attempts, deferred
from ivr.services.audit import By
from ivr.services.calling_rules import CallingRules
from ivr.settings import Settings

ENGINE = "engine"
"""The actor in audit rows of what the engine does by itself."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When the engine itself changes a state."""

    wrapup: float
    """Seconds after a talk (§13)."""
    missed: int
    """Rings in vain in a row."""
    refused: int
    """Refused calls in a row."""
    ring: float
    """Seconds after which a ringing is in vain; what ends earlier was refused."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            wrapup=settings.wrapup_seconds,
            missed=settings.missed_rings,
            refused=settings.refused_calls,
            ring=settings.ring_seconds,
        )


def log_in(uow: UnitOfWork, by: By, extension: str, limits: Limits) -> Operator:
    """Ready, whatever it was; the operator as before. Raises NotFound, BadInput for a disabled account."""
    operator = uow.operators.get(extension)
    _change(uow, by, operator, OperatorState.READY, limits, "operators.login")
    return operator


def log_out(uow: UnitOfWork, by: By, extension: str, limits: Limits) -> Operator:
    """Out of all queues; twice is as good as once. Raises NotFound, BadInput."""
    operator = uow.operators.get(extension)
    _change(uow, by, operator, OperatorState.LOGGED_OUT, limits, "operators.logout")
    return operator


def ready(uow: UnitOfWork, by: By, extension: str, limits: Limits) -> Operator:
    """Ends a pause or the wrap-up. Raises NotFound, BadInput for one who is not logged in."""
    operator = _on_duty(uow, extension)
    _change(uow, by, operator, OperatorState.READY, limits, "operators.ready")
    return operator


def pause(uow: UnitOfWork, by: By, extension: str, key: str, limits: Limits) -> Operator:
    """A pause for a reason of the directory; the operator as it is now. Raises NotFound, BadInput."""
    operator, known = _on_duty(uow, extension), uow.reasons.list(PAUSE)
    if key not in known:
        names = ", ".join(f"{number} {title}" for number, title in known.items()) or "none"
        raise BadInput(f"there is no reason {key!r} for a pause; known: {names}")
    _change(uow, by, operator, OperatorState.PAUSED, limits, "operators.pause", reason=known[key])
    return uow.operators.get(extension)


def talk_begins(uow: UnitOfWork, extension: str, call: str, at: datetime, limits: Limits) -> bool:
    """The operator talks with the citizen of this call; whether a wrap-up is over by that.

    The wrap-up of a call comes after its last talk: what another operator has spent on it before is no more.
    Raises NotFound.
    """
    operator = uow.operators.get(extension)
    wrapping_up = operator.state is OperatorState.WRAPUP
    if wrapping_up:
        _change(uow, By(actor=ENGINE, at=at), operator, OperatorState.READY, limits, "operators.ready")
    uow.operators.note_talk(extension, call)
    contact = uow.cards.contact(call)
    if contact is not None and contact.wrapup_s > 0:
        uow.cards.change_contact(call, wrapup_s=0)
    return wrapping_up


def talk_ends(uow: UnitOfWork, extension: str, at: datetime) -> bool:
    """The wrap-up begins; whether it does: the card may be complete already, or the operator on a pause."""
    operator = uow.operators.get(extension)
    contact = uow.cards.contact(operator.last_call) if operator.last_call else None
    complete = contact is not None and contact.wrapup_s > 0
    if operator.state is not OperatorState.READY or complete:
        return False
    uow.operators.set_state(extension, OperatorState.WRAPUP, reason="", at=at)
    return True


def end_wrapups(uow: UnitOfWork, now: datetime, limits: Limits, *, talking: frozenset[str]) -> list[str]:
    """Make ready who has wrapped up for as long as may be, and does not talk; their extensions."""
    limit, by = timedelta(seconds=limits.wrapup), By(actor=ENGINE, at=now)
    due = [
        operator
        for operator in uow.operators.list()
        if operator.state is OperatorState.WRAPUP
        and now - operator.since >= limit
        and operator.extension not in talking
    ]
    for operator in due:
        _change(uow, by, operator, OperatorState.READY, limits, "operators.ready")
    return [operator.extension for operator in due]


def card_completed(uow: UnitOfWork, by: By, calls: Iterable[str], operator: str | None) -> None:
    """The card of these calls is complete: the wrap-up after the talk about it is over.

    operator: who is on the card, for a talk that was not about one of the calls (a transferred one).
    """
    about = set(calls)
    for one in uow.operators.list():
        last = one.last_call
        strange = one.extension == operator and uow.cards.contact(last) is None
        if one.state is OperatorState.WRAPUP and (last in about or strange):
            uow.operators.set_state(one.extension, OperatorState.READY, reason="", at=by.at)
            by.note(uow, "operators.ready", one.extension)


def rang_in_vain(uow: UnitOfWork, extension: str, seconds: float, at: datetime, limits: Limits) -> str | None:
    """Count a ring that nobody took; the reason of the pause that it leads to, if it does.

    seconds: how long it rang; what ends before the queue's own limit was refused. Raises NotFound.
    """
    operator = uow.operators.get(extension)
    refused = seconds < limits.ring - 1  # app_queue counts whole seconds
    count, most = (-1, limits.refused) if refused else (1, limits.missed)
    same = operator.missed * count > 0
    missed = operator.missed + count if same else count
    uow.operators.note_missed(extension, missed)
    if abs(missed) < most or operator.state not in (OperatorState.READY, OperatorState.WRAPUP):
        return None
    reason = REFUSES if refused else NO_ANSWER
    by = By(actor=ENGINE, at=at)
    _change(uow, by, operator, OperatorState.PAUSED, limits, "operators.pause", reason=reason)
    return reason


def not_reached(uow: UnitOfWork, by: By, extension: str, calling: CallingRules | None = None) -> bool:
    """`*9`: the citizen of the last talk was not reached, so it was no service; whether there was a talk.

    Said in the talk or after it, and what was settled as served by then is taken back. Where we have called,
    a machine has answered. calling: by which a callback that was done goes on.
    """
    operator = uow.operators.get(extension)
    contact = uow.cards.contact(operator.last_call) if operator.last_call else None
    card = uow.cards.of_call(operator.last_call) if contact is not None else None
    if contact is None or card is None:
        return False
    inbound = contact.direction is Direction.INBOUND
    outcome = ContactOutcome.TOO_SHORT if inbound else ContactOutcome.MACHINE
    uow.cards.change_contact(contact.call, outcome=outcome)
    if contact.outcome is ContactOutcome.SERVED:
        if calling is not None:
            attempts.taken_back(uow, contact.call, by.at, calling)
        promised = uow.callbacks.open_for_card(card.id) is not None
        come_to = deferred.outcome_of(uow, card.id, enquiry_outcome(outcome, callback=promised))
        uow.cards.close(card.id, outcome=come_to, at=by.at)
    by.note(uow, "operators.not-reached", card.id, call=contact.call)
    return True


def _on_duty(uow: UnitOfWork, extension: str) -> Operator:
    operator = uow.operators.get(extension)
    if operator.state not in ON_DUTY:
        raise BadInput(f"operator {extension} is not logged in; the telephone does it with *11")
    return operator


def _change(
    uow: UnitOfWork,
    by: By,
    operator: Operator,
    state: OperatorState,
    limits: Limits,
    action: str,
    *,
    reason: str = "",
) -> None:
    if operator.state is OperatorState.DISABLED or not may(operator.state, state):
        raise BadInput(f"operator {operator.extension} is {operator.state.value} and cannot be {state.value}")
    if operator.state is OperatorState.WRAPUP and state is not OperatorState.WRAPUP:
        _measure_wrapup(uow, operator, by.at, limits)
    if (operator.state, operator.reason) != (state, reason):
        uow.operators.set_state(operator.extension, state, reason=reason, at=by.at)
    if state is not OperatorState.PAUSED and operator.missed:
        uow.operators.note_missed(operator.extension, 0)
    by.note(uow, action, operator.extension)


def _measure_wrapup(uow: UnitOfWork, operator: Operator, now: datetime, limits: Limits) -> None:
    """§13: once; the card's own completion may have been first, and tells the same time.

    Of the operator who talked last: who has transferred the citizen rests, too, but not for this call.
    """
    contact = uow.cards.contact(operator.last_call) if operator.last_call else None
    card = uow.cards.of_call(contact.call) if contact is not None else None
    last = card is None or card.operator in (None, operator.extension)
    if contact is not None and last and contact.wrapup_s == 0:
        spent = max((now - operator.since).total_seconds(), 0.0)
        uow.cards.change_contact(contact.call, wrapup_s=ceil(min(spent, limits.wrapup)))
