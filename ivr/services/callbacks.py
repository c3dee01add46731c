"""Callbacks as the administrator sees them: list, show, schedule, begin now, cancel, count.

Dialling them is the dialler's (services/dialler.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ivr.domain import phone
from ivr.domain.callback import PENDING_STATES, Callback, State
from ivr.domain.enquiry import Outcome
from ivr.domain.errors import BadInput, NotFound
from ivr.ports import UnitOfWork
from ivr.services import agreed
from ivr.services.audit import By
from ivr.services.calling_rules import CallingRules
from ivr.settings import Settings


def listed(uow: UnitOfWork, *, open_only: bool = False) -> Sequence[Callback]:
    """In the order of due."""
    return uow.callbacks.list(open_only=open_only)


def schedule(
    uow: UnitOfWork, by: By, number: str, *, at: datetime, agency: str, settings: Settings
) -> Callback:
    """Call a citizen at a time that was agreed otherwise than by telephone, about a new enquiry (§13).

    number: as anybody writes it. Raises BadInput for one that is not dialled or has a callback already, and
    for a time at which there can be no call; NotFound for an agency that is not there.
    """
    number = phone.normalise(number)
    if (why := CallingRules.of(settings).numbers.refusal(number)) is not None:
        raise BadInput(why)
    if agency not in uow.agencies.codes():
        raise NotFound(f"there is no agency {agency}; see `ekc agencies import`")
    if (standing := uow.callbacks.open_for_number(number)) is not None:
        raise BadInput(f"this number is going to be called already; see `ekc callbacks show {standing.id}`")
    card = uow.cards.register(number=number, at=by.at)
    uow.cards.change(card.id, agency=agency)
    uow.cards.close(card.id, outcome=Outcome.CALLBACK, at=by.at)
    return agreed.agree(uow, by, uow.cards.get(card.id), at, settings)


def run_now(uow: UnitOfWork, by: By, id_: str, settings: Settings) -> Callback:
    """Let a waiting callback be due now, before its time or the retry plan's.

    What protects the citizen holds all the same: quiet hours, attempts a day, the gap between two. Raises
    NotFound; BadInput where there is nothing to begin, or when it may not be begun yet.
    """
    rules, callback = CallingRules.of(settings), uow.callbacks.get(id_)
    if callback.state is State.REQUESTED:
        callback = callback.move(State.WAITING)
    if callback.state not in PENDING_STATES:
        raise BadInput(f"callback {callback.id} is {callback.state.value}: there is nothing to begin")
    soonest = rules.soonest(uow, callback, by.at)
    if soonest > by.at:
        local = soonest.astimezone(settings.zone)
        raise BadInput(f"this citizen may not be called before {local.isoformat('T', 'minutes')}")
    due = replace(callback, due=by.at)
    uow.callbacks.save(due)
    by.note(uow, "callbacks.run_now", due.id)
    return due


def cancel(uow: UnitOfWork, by: By, id_: str) -> Callback:
    """Withdraw a callback. Raises NotFound, and BadInput where the life cycle has no way to `cancelled`."""
    callback = uow.callbacks.get(id_).move(State.CANCELLED)
    uow.callbacks.save(callback)
    by.note(uow, "callbacks.cancel", callback.id)
    return callback


def stats(uow: UnitOfWork, now: datetime, settings: Settings) -> dict[str, object]:
    """How many callbacks there are, how late they are, and what they have cost in the last hour."""
    counts = uow.callbacks.counts(now)
    contacts = uow.cards.outbound(now - CallingRules.of(settings).caps.window)
    late = 0.0 if counts.oldest_due is None else (now - counts.oldest_due).total_seconds()
    return {
        "states": {state.value: counts.by_state.get(state.value, 0) for state in State},
        "open_by_source": dict(sorted(counts.by_source.items())),
        "due": sum(uow.callbacks.due_queues(now).values()),
        "late_s": round(late),
        "attempts_last_hour": len(contacts),
        "talking_s_last_hour": sum(contact.talking_s for contact in contacts),
    }


def view(callback: Callback) -> dict[str, object]:
    """A callback with the keys of the outer interface; the number is in clear."""
    return {
        "id": callback.id,
        "card": callback.card,
        "number": callback.number,
        "source": callback.source.value,
        "state": callback.state.value,
        "due": callback.due,
        "attempts": [{"at": attempt.at, "result": attempt.result} for attempt in callback.attempts],
    }
