"""Callbacks that nobody had to ask for, and those that a served citizen needs no more (§9.6, §12).

Both happen in the transaction that settles a contact: a citizen is never settled and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.domain.callback import TRANSITIONS, Callback, Source, State
from ivr.domain.enquiry import Card, Contact, ContactOutcome, Direction
from ivr.domain.ids import new_id
from ivr.domain.operators import GENERAL_QUEUE
from ivr.domain.reconciliation import owed
from ivr.ports import TraceEvent, UnitOfWork
from ivr.services.audit import By
from ivr.services.calendar import calendar_of
from ivr.settings import Settings

ACTOR = "reconciliation"
ASK, LINKED, DECLINED = "ask", "callback.linked", "callback.declined"
"""Of a trace: the caller was promised a callback, and one stands for the number on an earlier card; the
caller was offered one, did not want it and was let go."""


def linked(call: str, at: datetime) -> TraceEvent:
    """What tells of it; to be added in the transaction that promises."""
    return TraceEvent(call=call, at=at, kind=ASK, id=LINKED, outcome="promised")


def declined(call: str, at: datetime) -> TraceEvent:
    return TraceEvent(call=call, at=at, kind=ASK, id=DECLINED, outcome="declined")


def asked_operator(events: Sequence[TraceEvent]) -> bool:
    """Whether a trace tells that the caller asked for an operator, or was being given to a queue."""
    return any(e.outcome == "operator" or (e.kind, e.outcome) == ("queue", "asked") for e in events)


@dataclass(frozen=True, kw_only=True)
class Unasked:
    """What follows for callbacks when an inbound contact has ended."""

    dialable: Callable[[str], bool]
    """Whether a number (E.164) may be called (domain/callback_rules.py)."""
    soonest: Callable[[UnitOfWork, datetime], datetime]
    """From this moment on, when somebody is there to call (§12)."""

    @classmethod
    def of(cls, settings: Settings, dialable: Callable[[str], bool]) -> Unasked:
        """By the site's calendar."""

        def soonest(uow: UnitOfWork, now: datetime) -> datetime:
            calendar = calendar_of(settings, uow.calendar.list())
            return now if calendar.is_open(now) else calendar.next_opening(now) or now

        return cls(dialable=dialable, soonest=soonest)

    def settled(
        self, uow: UnitOfWork, card: Card, contact: Contact, outcome: ContactOutcome, now: datetime
    ) -> bool:
        """Promise what this contact is owed, or take back what it has made needless.

        Whether a callback stands for the contact's enquiry now, be it on an earlier card.
        """
        if contact.direction is not Direction.INBOUND:
            return uow.callbacks.open_for_card(card.id) is not None
        if outcome is ContactOutcome.SERVED:
            self._supersede(uow, card, contact, now)
        asked = uow.callbacks.open_for_card(card.id) is not None
        events = [event for _, event in uow.traces.of_call(contact.call)]
        told = {event.id for event in events if event.kind == ASK}
        if asked or LINKED in told:
            return True
        if DECLINED in told:
            return False
        wanted = asked_operator(events) or bool(uow.queues.turns([contact.call]))
        source = owed(outcome, wanted=wanted)
        return source is not None and self.promise(uow, card, contact, source, now)

    def promise(self, uow: UnitOfWork, card: Card, contact: Contact, source: Source, now: datetime) -> bool:
        """At the place of the arrival's time; False where nobody can be called, or need not be.

        A number that has an open callback keeps that one: it stands for both enquiries.
        """
        if card.number is None or not self.dialable(card.number):
            return False
        if uow.standings.served_since(card.number, contact.at):
            return False  # called again, and was served meanwhile
        turn = uow.queues.turns([contact.call]).get(contact.call)
        callback = uow.callbacks.request(
            Callback(
                id=new_id(now),
                card=card.id,
                number=card.number,
                source=source,
                queue=turn.queue if turn is not None else GENERAL_QUEUE,
                arrived_at=contact.at if turn is None else min(contact.at, turn.first_arrived_at),
                due=self.soonest(uow, now),
            )
        )
        _note(uow, "callbacks.request", callback, contact.call, now, callback.source.value)
        return True

    def _supersede(self, uow: UnitOfWork, card: Card, contact: Contact, now: datetime) -> None:
        """The citizen who calls in and is served need not be called any more.

        What was agreed in this very call stands, and so does a deferred enquiry (§14), whose answer is still
        to be given; who is being talked with just now is left alone.
        """
        if card.number is None:
            return
        callback = uow.callbacks.open_for_number(card.number)
        if callback is None or callback.source is Source.DEFERRED:
            return
        needless = callback.card != card.id and callback.arrived_at <= contact.at
        if needless and State.SUPERSEDED in TRANSITIONS[callback.state]:
            uow.callbacks.save(callback.move(State.SUPERSEDED))
            _note(uow, "callbacks.supersede", callback, contact.call, now, "served")


def kept_place(uow: UnitOfWork, number: str | None) -> Callback | None:
    """The open callback of a citizen who calls in: its place is the caller's (flows/queueing.py)."""
    if number is None:
        return None
    return uow.callbacks.open_for_number(number)


def _note(uow: UnitOfWork, action: str, callback: Callback, call: str, now: datetime, result: str) -> None:
    By(actor=ACTOR, at=now).note(uow, action, callback.id, call=call, result=result)
