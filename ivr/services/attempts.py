"""An attempt to call a citizen, from its promise to its end: the only place where it moves a callback.

The promise is a row before it is an INVITE (architecture.md, rule 7): `begin` is committed, then the citizen
is dialled. From there on the attempt counts, whatever becomes of us. How it ended is told by the journals
(services/settling.py), which call `ended` in the transaction that settles the outbound contact; until then
the callback is `dialling_citizen` or `talking`, and nobody else dials it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ivr.domain.callback import DIALLED_STATES, LEG_STATES, UNKNOWN, Attempt, Callback, State, leg_of
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import NotFound
from ivr.domain.ids import new_id
from ivr.observe import get_logger
from ivr.ports import UnitOfWork
from ivr.services import deferred
from ivr.services.calling_rules import CALL_HOURS, CallingRules

_log = get_logger("ivr.callbacks")


@dataclass(frozen=True, kw_only=True)
class Begun:
    """An attempt whose row is written: dial once it is committed, and only then."""

    callback: Callback
    attempt: Attempt

    @property
    def call(self) -> str:
        """Uniqueid of the leg, and of the outbound contact on the card."""
        return self.callback.call


# --- the promise ---


def begin(
    uow: UnitOfWork, id_: str, leg: int, now: datetime, rules: CallingRules, *, node: str
) -> Begun | None:
    """Promise that the citizen is dialled now, by this leg of a callback that has asked for it.

    None: nobody may be dialled, by this leg or at this time; then the caller hangs up. A callback that is
    only too early is due later. The outbound contact is on the card (`call_of(id, leg)`).
    """
    callback = _found(uow, id_)
    if callback is None or callback.state not in LEG_STATES or callback.leg != leg:
        _log.info("callback_not_dialled", callback=id_, leg=leg, why="not its leg")
        return None
    if (why := obstacle(uow, callback, now, rules)) is not None:
        _log.info("callback_not_dialled", callback=id_, leg=leg, why=why)
        uow.callbacks.save(postponed(uow, callback, now, rules))
        return None
    return dial(uow, callback, now, node=node)


def dial(uow: UnitOfWork, callback: Callback, now: datetime, *, node: str) -> Begun:
    """Write the attempt of the callback's last leg. Raises BadInput where the life cycle has no such step."""
    attempt = Attempt(at=now, leg=callback.leg)
    dialling = replace(
        callback.move(State.DIALLING_CITIZEN), attempts=(*callback.attempts, attempt), node=node
    )
    uow.callbacks.save(dialling)
    uow.cards.dialled(callback.card, call=dialling.call, node=node, at=now)
    return Begun(callback=dialling, attempt=attempt)


def obstacle(uow: UnitOfWork, callback: Callback, now: datetime, rules: CallingRules) -> str | None:
    """Why the citizen cannot be dialled now, a few words; None: nothing stands in the way."""
    if rules.numbers.refusal(callback.number) is not None:
        return "number not allowed"
    if rules.plan.exhausted(callback.attempts):
        return "plan exhausted"
    if rules.soonest(uow, callback, now) > now:
        return "too early"
    if uow.cards.on_the_line(callback.number, since=now - CALL_HOURS):
        return "on the line"
    if _being_dialled(uow, callback, now):
        return "being dialled"
    return "cap" if rules.capped(uow, now) is not None else None


def _being_dialled(uow: UnitOfWork, callback: Callback, now: datetime) -> bool:
    """Whether the telephone may still ring for another callback, one that was withdrawn a moment ago."""
    others = (other for other in uow.callbacks.of_number(callback.number) if other.id != callback.id)
    dialled = (uow.cards.contact(other.call) for other in others if other.attempt_of(other.leg) is not None)
    return any(c is not None and c.outcome is None and c.at > now - CALL_HOURS for c in dialled)


def postponed(uow: UnitOfWork, callback: Callback, now: datetime, rules: CallingRules) -> Callback:
    """The callback, its leg given up without an attempt: due as soon as it may be dialled, or given up."""
    if rules.numbers.refusal(callback.number) is not None or rules.plan.exhausted(callback.attempts):
        return callback.move(State.GIVEN_UP)
    due = rules.soonest(uow, callback, now + rules.again)
    return replace(callback if callback.state is State.WAITING else _retry(callback), due=due)


def _retry(callback: Callback) -> Callback:
    return callback if callback.state is State.RETRY else callback.move(State.RETRY)


# --- on the way ---


def operator_rings(uow: UnitOfWork, call: str, *, rings: bool) -> Callback | None:
    """An operator's telephone rings for this leg, or does no more; None: that is no news."""
    wanted, before = State.DIALLING_OPERATOR, State.QUEUED
    return _shift(uow, call, *((before, wanted) if rings else (wanted, before)))


def talking(uow: UnitOfWork, call: str) -> Callback | None:
    """Citizen and operator are in one bridge; whether that was service is settled at its end."""
    return _shift(uow, call, State.DIALLING_CITIZEN, State.TALKING)


def _shift(uow: UnitOfWork, call: str, before: State, after: State) -> Callback | None:
    callback = of_call(uow, call)
    if callback is None or callback.state is not before or callback.call != call:
        return None
    moved = callback.move(after)
    uow.callbacks.save(moved)
    return moved


def leg_gone(uow: UnitOfWork, call: str, now: datetime, rules: CallingRules) -> Callback | None:
    """This leg is over and the citizen was not dialled by it: no attempt. None: that is no news."""
    callback = of_call(uow, call)
    if callback is None or callback.state not in LEG_STATES or callback.call != call:
        return None
    later = postponed(uow, callback, now, rules)
    uow.callbacks.save(later)
    return later


# --- the end ---


def ended(
    uow: UnitOfWork, call: str, outcome: ContactOutcome, now: datetime, rules: CallingRules
) -> Callback | None:
    """The attempt of this call (uniqueid of the leg) has come to `outcome`: done, retry or given up.

    Told twice it changes nothing; told anew after `unknown`, the better knowledge counts, unless the next
    attempt has begun. A callback that was cancelled or superseded meanwhile keeps its state. None: the call
    is no attempt of a callback.
    """
    callback = of_call(uow, call)
    attempt = None if callback is None else callback.attempt_of(_leg(call))
    if callback is None or attempt is None:
        return None
    if outcome is ContactOutcome.UNKNOWN and attempt.result != UNKNOWN:
        return callback
    if outcome is ContactOutcome.SERVED:
        deferred.answered(uow, callback.card, now, rules.settings)
    told = replace(callback, attempts=_with_result(callback, attempt, outcome))
    after = _after(uow, told, attempt, outcome, now, rules)
    if after != callback:
        uow.callbacks.save(after)
        _log.info("callback_attempt_ended", callback=after.id, result=outcome.value, state=after.state.value)
    return after


def _after(
    uow: UnitOfWork,
    callback: Callback,
    attempt: Attempt,
    outcome: ContactOutcome,
    now: datetime,
    rules: CallingRules,
) -> Callback:
    if outcome is ContactOutcome.SERVED and callback.state in LEG_STATES:
        return callback.move(State.SUPERSEDED)  # the next leg has no one to dial any more
    if callback.leg != attempt.leg or callback.state not in DIALLED_STATES | {State.RETRY}:
        return callback
    if outcome is ContactOutcome.SERVED:
        return callback.move(State.DONE)
    if callback.state is State.RETRY and outcome.value == attempt.result:
        return callback
    due = rules.plan.next_try(callback.attempts, outcome, now, rules.zone)
    if due is None:
        return callback.move(State.GIVEN_UP)
    return replace(_retry(callback), due=rules.soonest(uow, callback, due))


def _with_result(callback: Callback, attempt: Attempt, outcome: ContactOutcome) -> tuple[Attempt, ...]:
    known = replace(attempt, result=outcome.value)
    return tuple(known if one.leg == attempt.leg else one for one in callback.attempts)


def lost(
    uow: UnitOfWork, call: str, now: datetime, rules: CallingRules, *, talked: float = 0.0
) -> Callback | None:
    """Nothing is left of this attempt's leg, and no journal has told its end in good time: it counts as made.

    talked: seconds in which citizen and operator were seen in one bridge; enough of them are service. An
    `unknown` is a guess that the journals may correct yet.
    """
    served = talked >= rules.settings.served_seconds
    outcome = ContactOutcome.SERVED if served else ContactOutcome.UNKNOWN
    contact = uow.cards.contact(call)
    if contact is not None and contact.outcome is None:
        uow.cards.change_contact(call, outcome=outcome, talking_s=int(talked))
    known = contact.outcome if contact is not None else None
    return ended(uow, call, known or outcome, now, rules)


def taken_back(uow: UnitOfWork, call: str, now: datetime, rules: CallingRules) -> Callback | None:
    """The operator says afterwards that it was a machine which the callback was done by (`*9`): a new one
    stands for the same enquiry, with the attempts made so far. None: there is nothing to take back, or the
    attempts are used up."""
    before = of_call(uow, call)
    attempt = None if before is None else before.attempt_of(_leg(call))
    if before is None or attempt is None or before.state is not State.DONE:
        return None
    made = _with_result(before, attempt, ContactOutcome.MACHINE)
    uow.callbacks.save(replace(before, attempts=made))
    due = rules.plan.next_try(made, ContactOutcome.MACHINE, now, rules.zone)
    if due is None:
        return None
    again = replace(before, id=new_id(now), state=State.REQUESTED, due=due, attempts=made)
    return uow.callbacks.request(again)


def of_call(uow: UnitOfWork, call: str) -> Callback | None:
    """The callback whose leg this uniqueid names."""
    found = leg_of(call)
    return None if found is None else _found(uow, found[0])


def _found(uow: UnitOfWork, id_: str) -> Callback | None:
    try:
        return uow.callbacks.get(id_)
    except NotFound:
        return None


def _leg(call: str) -> int:
    found = leg_of(call)
    return 0 if found is None else found[1]
