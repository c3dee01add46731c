"""What is known of the queues when a caller is handed over: places, waits, the turn of who was cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ivr.domain.callback import Callback
from ivr.domain.enquiry import Card, Level
from ivr.domain.estimate import Outlook, Told, handling
from ivr.domain.operators import GENERAL_QUEUE, OperatorState, agency_queue
from ivr.domain.queue_rules import Instead, QueueRules, default_rules
from ivr.domain.waiting import Turn, has_turn_back, may_go_on, place_among
from ivr.ports import LeftQueue, Member, MemberStatus, UnitOfWork, Waiting
from ivr.services import call_story
from ivr.services.floor import View
from ivr.services.unasked import kept_place

HANDLING_FROM = timedelta(hours=4)
"""How far back the handling time of a queue is learnt from."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whom a caller wants; without an agency anybody."""

    agency: str | None = None
    line: int = 1
    topic: str | None = None

    @property
    def queue(self) -> str:
        return GENERAL_QUEUE if self.agency is None else agency_queue(self.agency, self.line)


@dataclass(frozen=True, kw_only=True)
class WhoCalls:
    """The call that is handed over."""

    call: str
    card: str
    number: str | None
    arrived_at: datetime


@dataclass(frozen=True, kw_only=True)
class CutOff:
    """An enquiry that goes on when its caller calls again."""

    card: Card
    turn: Turn
    talked_with: str = ""
    """Extension of the operator whom the caller was talking with; empty: it was a wait."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How this caller enters a queue."""

    queue: str
    rules: QueueRules
    turn: Turn
    told: Told
    place: int | None = None
    """None: behind everybody."""
    level: Level = Level.NONE
    enquiry: str = "0000"
    """The last four digits of the registration number."""
    earlier: Card | None = None
    """The enquiry that was cut off and goes on now."""
    operator: str = ""
    """Extension of a free operator who is to be rung first, for the talk with this caller was cut off."""

    @property
    def penalty(self) -> int | None:
        return self.rules.topics.get(self.turn.topic or "")


@dataclass(frozen=True, kw_only=True)
class Waits:
    """The floor, as far as it is known: an engine without it hands over all the same."""

    view: View = field(default_factory=View)
    return_seconds: float = 600.0
    handling_seconds: float = 240.0

    # --- the turn of who was cut off ---

    def cut_off(self, uow: UnitOfWork, who: WhoCalls) -> CutOff | None:
        """The enquiry whose caller waited or talked, was cut off and now calls again from the same number.

        Calls in between that reached no queue do not count: they were cut off, too.
        """
        if who.number is None:
            return None
        within = timedelta(seconds=self.return_seconds)
        promised = kept_place(uow, who.number) is not None
        for id_, turn in uow.queues.earlier(who.number, besides=who.card):
            card = uow.cards.get(id_)
            if may_go_on(card, called_at=who.arrived_at, within=within):
                return _talk_cut_off(uow, card, turn, called_at=who.arrived_at, within=within)
            if not has_turn_back(card, called_at=who.arrived_at, within=within, promised=promised):
                return None
            if turn is not None:
                return CutOff(card=card, turn=turn)
        return None

    # --- handing over ---

    def plan(self, uow: UnitOfWork, who: WhoCalls, asked: Asked) -> Plan:
        """For a caller who comes from the conversation; `take_up` of who was cut off included."""
        turn = Turn(
            call=who.call,
            card=who.card,
            queue=asked.queue,
            first_arrived_at=who.arrived_at,
            agency=asked.agency,
            topic=asked.topic,
        )
        found = self.cut_off(uow, who)
        if found is None and (promised := kept_place(uow, who.number)) is not None:
            return self._planned(uow, _kept(turn, promised, asked), place=True)
        if found is None:
            return self._planned(uow, turn, place=False)
        taken_up = _taken_up(turn, found.turn, asked)
        plan = self._planned(uow, taken_up, place=True, earlier=found.card)
        same = taken_up.queue == found.turn.queue and self.is_free(found.talked_with)
        return replace(plan, operator=found.talked_with) if same else plan

    def again(self, uow: UnitOfWork, who: WhoCalls, queue: str) -> Plan:
        """For a caller whom a queue gave back and who goes on, there or elsewhere, in the same turn."""
        turn = uow.queues.turns([who.call]).get(who.call)
        known = turn or Turn(call=who.call, card=who.card, queue=queue, first_arrived_at=who.arrived_at)
        return self._planned(uow, _moved(known, queue), place=True)

    def _planned(self, uow: UnitOfWork, turn: Turn, *, place: bool, earlier: Card | None = None) -> Plan:
        waiting, rules = self.view.queue(turn.queue), rules_of(uow, turn.queue)
        wanted = self._place(uow, turn, waiting) if place else None
        outlook = self.outlook(
            turn.queue,
            handled=uow.queues.handling(turn.queue, since=turn.first_arrived_at - HANDLING_FROM),
            place=wanted or len(waiting) + 1,
            limit=rules.topics.get(turn.topic or ""),
        )
        card = uow.cards.get(turn.card)
        return Plan(
            queue=turn.queue,
            rules=rules,
            turn=turn,
            place=wanted,
            told=outlook.told,
            level=card.level,
            enquiry=card.registration_number[-4:],
            earlier=earlier,
        )

    @staticmethod
    def _place(uow: UnitOfWork, turn: Turn, waiting: Sequence[Waiting]) -> int:
        others = [w for w in waiting if w.call != turn.call and w.priority <= turn.priority]
        known = uow.queues.turns(w.call for w in others)
        before = sum(w.priority > turn.priority for w in waiting)
        return before + place_among(turn.first_arrived_at, [arrival(w, known) for w in others])

    # --- what awaits a caller ---

    def members(self, queue: str) -> Sequence[Member]:
        """Those whose telephone is there."""
        found = (m for m in self.view.members.values() if m.queue == queue)
        return [m for m in found if m.status is not MemberStatus.AWAY]

    def is_free(self, extension: str) -> bool:
        """Whether this operator could be rung now."""
        own = [member for member in self.view.members.values() if member.extension == extension]
        return bool(own) and all(m.status is MemberStatus.FREE and not m.paused for m in own)

    def outlook(self, queue: str, *, handled: Sequence[int], place: int, limit: int | None = None) -> Outlook:
        """At a place of this queue; handled: seconds of those who were served there lately.

        limit: the highest penalty of operators who may be rung; None: anybody.
        """
        working = [m for m in self.members(queue) if works(m) and (limit is None or m.penalty <= limit)]
        return Outlook(
            place=place,
            operators=len(working),
            free=sum(m.status is MemberStatus.FREE and not m.paused for m in working),
            handling=handling(handled, self.handling_seconds),
        )


def works(member: Member) -> bool:
    """Whether an operator takes calls, now or after the wrap-up."""
    return not member.paused or member.reason == OperatorState.WRAPUP.value


def arrival(waiting: Waiting, turns: Mapping[str, Turn]) -> datetime:
    """When a waiting caller, or the first call of one who was cut off, arrived."""
    turn = turns.get(waiting.call)
    return waiting.since if turn is None else turn.first_arrived_at


def rules_of(uow: UnitOfWork, queue: str) -> QueueRules:
    return uow.queues.rules().get(queue) or default_rules(queue)


def instead(rules: QueueRules, left: LeftQueue) -> str | None:
    """The queue that comes after this one was left so; None: a callback."""
    ways = {
        LeftQueue.NO_OPERATOR: rules.no_operator,
        LeftQueue.PAUSED: rules.all_paused,
        LeftQueue.TIMEOUT: rules.too_long,
    }
    return rules.after(ways.get(left, Instead.CALLBACK))


def _talk_cut_off(
    uow: UnitOfWork, card: Card, turn: Turn | None, *, called_at: datetime, within: timedelta
) -> CutOff | None:
    """The last talk, if the journals tell that no side of ours has ended it, and that it was not long ago."""
    call = max(card.contacts, key=lambda contact: contact.at).call
    end = call_story.ending(call, uow.journal.of_linked(call))
    if turn is None or end is None or end.ours or called_at - end.at > within:
        return None
    return CutOff(card=card, turn=turn, talked_with=card.operator or "")


def _taken_up(turn: Turn, old: Turn, asked: Asked) -> Turn:
    """With the earlier turn's place, and its queue unless the caller has chosen another."""
    chosen = turn if asked.agency is not None else old
    return Turn(
        call=turn.call,
        card=turn.card,
        queue=chosen.queue,
        first_arrived_at=old.first_arrived_at,
        agency=chosen.agency,
        topic=chosen.topic,
        priority=old.priority,
    )


def _kept(turn: Turn, promised: Callback, asked: Asked) -> Turn:
    """The place of the callback that stands for this citizen, in its queue unless another one is chosen."""
    first = min(turn.first_arrived_at, promised.arrived_at)
    queue = turn.queue if asked.agency is not None else promised.queue
    return replace(turn, queue=queue, first_arrived_at=first)


def _moved(turn: Turn, queue: str) -> Turn:
    return Turn(
        call=turn.call,
        card=turn.card,
        queue=queue,
        first_arrived_at=turn.first_arrived_at,
        agency=turn.agency,
        topic=turn.topic,
        priority=turn.priority,
    )
