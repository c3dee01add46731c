"""Writing down how calls ended: contacts (§13), the last event of their traces, and cards.

A call that has an `end` event in its trace is settled, and never is again. What is still to be done is found
in the database, so that an engine that starts anew goes on where the old one fell.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from ivr.domain.enquiry import Card, Contact, ContactOutcome, Direction, Outcome, enquiry_outcome
from ivr.domain.passage import Passage
from ivr.observe import get_logger
from ivr.ports import Clock, JournalLine, Store, TraceEvent, UnitOfWork
from ivr.services import attempts, call_story, deferred, outbound_settlement, passages
from ivr.services.calling_rules import CallingRules
from ivr.services.calls import END
from ivr.services.journal_lines import boots
from ivr.services.settlement import Facts, Rules, Settlement, settle
from ivr.services.unasked import Unasked

LOOK_AROUND_SECONDS = 60.0
"""How often the database is asked for calls that nobody here has in mind."""
_AT_ONCE = 10
"""Calls settled in one transaction, some 20 statements each: callers wait for the database behind it."""
_log = get_logger("ivr.journal")


@dataclass(frozen=True, kw_only=True)
class _Done:
    """What came of looking at one call."""

    ended: ContactOutcome | None = None
    """It was settled just now."""
    passages: Sequence[Passage] = ()
    """Its own, if it was."""
    again_at: datetime | None = None
    """Its card completes itself then."""
    doubtful: bool = False
    """Only a start of Asterisk says that it is over."""


async def _unknown() -> None:
    """Where nobody knows which channels are up."""


class Settler:
    """Settles the calls of one node."""

    def __init__(
        self,
        store: Store,
        *,
        node: str,
        clock: Clock,
        rules: Rules,
        in_hand: Callable[[str], bool],
        first: Callable[[], Awaitable[None]],
        on_ended: Callable[[ContactOutcome], None],
        on_passages: Callable[[Sequence[Passage]], None],
        unasked: Unasked | None = None,
        calling: CallingRules | None = None,
        live: Callable[[], Awaitable[Set[str] | None]] = _unknown,
    ) -> None:
        """first: writes down what conversations have told so far; the end of a call stands behind it.

        unasked: what follows for callbacks; calling: for the one whose attempt has ended.
        live: uniqueids of the channels that are up; None: not known.
        """
        self._store = store
        self._node = node
        self._clock = clock
        self._rules = rules
        self._in_hand = in_hand
        self._first = first
        self._on_ended = on_ended
        self._on_passages = on_passages
        self._unasked = unasked
        self._calling = calling
        self._live = live
        self._fresh: set[str] = set()
        self._gone: set[str] = set()
        self._wrapping_up: dict[str, datetime] = {}
        self._looked: float | None = None

    def touch(self, calls: Iterable[str]) -> None:
        """There are new lines about these calls."""
        self._fresh.update(calls)

    def look_around(self) -> None:
        """Ask the database for all open cards with the next `settle`: Asterisk was started anew."""
        self._looked = None

    def give_up(self, calls: Iterable[str]) -> None:
        """These calls are over, whether or not a line tells of it: their channels are gone."""
        given_up = set(calls)
        self._gone |= given_up
        self._fresh |= given_up

    async def settle(self) -> None:
        """Settle what has ended, complete what is due. Raises StorageDown; what is undone stays in mind."""
        await self._find_open()
        now = self._clock.now()
        due = sorted(call for call in self._fresh if not self._in_hand(call))
        due += [call for call, at in self._wrapping_up.items() if at <= now and call not in self._fresh]
        if due:
            await self._first()
        for start in range(0, len(due), _AT_ONCE):
            part = due[start : start + _AT_ONCE]
            done = await self._store.run(lambda uow, part=part: self._look_at(uow, part, now))  # type: ignore[misc]
            for call, result in zip(part, done, strict=True):
                self._note(call, result)
            await self._decide([call for call, r in zip(part, done, strict=True) if r.doubtful], now)

    async def _decide(self, calls: Sequence[str], now: datetime) -> None:
        """A start of Asterisk ends the calls before it; but clocks are set, and a call may seem older than a
        start that it came after: whose channel is up goes on."""
        if not calls:
            return
        live = await self._live()
        over = [call for call in calls if live is None or call not in live]
        if over:
            self._gone.update(over)
            done = await self._store.run(lambda uow: self._look_at(uow, over, now))
            for call, result in zip(over, done, strict=True):
                self._note(call, result)

    async def _find_open(self) -> None:
        now = self._clock.monotonic()
        if self._looked is None or now - self._looked >= LOOK_AROUND_SECONDS:
            self._fresh.update(await self._store.run(lambda uow: uow.cards.unfinished(self._node)))
            self._looked = now

    def _note(self, call: str, result: _Done) -> None:
        self._fresh.discard(call)
        if not result.doubtful:
            self._gone.discard(call)
        self._wrapping_up.pop(call, None)
        if result.again_at is not None:
            self._wrapping_up[call] = result.again_at
        if result.ended is not None:
            _log.info("call_settled", call=call, outcome=result.ended.value)
            self._on_ended(result.ended)
            self._on_passages(result.passages)

    # --- in the transaction ---

    def _look_at(self, uow: UnitOfWork, calls: Sequence[str], now: datetime) -> list[_Done]:
        known = uow.cards.known(calls)
        if not known:
            return [_Done() for _ in calls]
        starts = [line.at for line in uow.journal.of_linked(boots(self._node))]
        return [self._one(uow, call, starts, now) if call in known else _Done() for call in calls]

    def _one(self, uow: UnitOfWork, call: str, starts: Sequence[datetime], now: datetime) -> _Done:
        contact = uow.cards.contact(call)
        if contact is None:
            return _Done()  # an operator's own call
        restarts = [at for at in starts if contact.at < at <= now]
        settled = [event.at for _, event in uow.traces.of_call(call) if event.kind == END]
        gone = settled or ([now] if call in self._gone else [])
        facts = Facts(recorded=contact.outcome, restarts=restarts or gone)
        lines = uow.journal.of_linked(call)
        told = _end_told(contact, lines)
        settlement = _settle(contact, lines, facts, self._rules)
        if settlement is not None and not gone and not told:
            return _Done(doubtful=True)
        card = uow.cards.of_call(call) if settlement is not None else None
        if settlement is None or card is None:
            return _Done()
        done, outcome = _Done(), contact.outcome
        if not settled:
            outcome = settlement.outcome
            _write(uow, call, card, settlement)
            self._follow_up(uow, card, contact, settlement, now)
            done = _Done(ended=outcome, passages=_put_passages(uow, call, lines, settlement))
        if outcome is not ContactOutcome.SERVED or uow.cards.get(card.id).outcome is not None:
            return done
        return replace(done, again_at=self._wrap_up(uow, card, contact, settlement, now))

    def _follow_up(
        self, uow: UnitOfWork, card: Card, contact: Contact, settlement: Settlement, now: datetime
    ) -> None:
        """Callbacks that are owed or needless now; then the card, unless an operator completes it."""
        outcome = settlement.outcome
        if contact.direction is Direction.OUTBOUND:
            self._end_attempt(uow, card, contact, settlement, now)
            return
        if self._unasked is not None:
            promised = self._unasked.settled(uow, card, contact, outcome, now)
        else:
            promised = uow.callbacks.open_for_card(card.id) is not None
        if outcome is not ContactOutcome.SERVED and card.outcome is None:
            come_to = deferred.outcome_of(uow, card.id, enquiry_outcome(outcome, callback=promised))
            uow.cards.close(card.id, outcome=come_to, at=settlement.at)

    def _end_attempt(
        self, uow: UnitOfWork, card: Card, contact: Contact, settlement: Settlement, now: datetime
    ) -> None:
        """The callback goes on or is done; then the card, closed by the promise, is the operator's again."""
        if self._calling is not None:
            attempts.ended(uow, contact.call, settlement.outcome, now, self._calling)
        if settlement.outcome is ContactOutcome.SERVED:
            uow.cards.change(card.id, outcome=None, closed_at=None)

    def _wrap_up(
        self, uow: UnitOfWork, card: Card, contact: Contact, settlement: Settlement, now: datetime
    ) -> datetime | None:
        """Complete the open card of a served call once its limit has passed (§13); else when that will be."""
        limit = timedelta(seconds=self._rules.wrapup)
        due = (settlement.talked_until or settlement.at) + limit
        if now < due:
            return due
        if contact.wrapup_s == 0:
            uow.cards.change_contact(contact.call, wrapup_s=ceil(limit.total_seconds()))
        uow.cards.close(card.id, outcome=deferred.outcome_of(uow, card.id, Outcome.SERVED), at=due)
        return None


def _settle(contact: Contact, lines: Sequence[JournalLine], facts: Facts, rules: Rules) -> Settlement | None:
    outbound = contact.direction is Direction.OUTBOUND
    return (outbound_settlement.settle if outbound else settle)(contact.call, lines, facts, rules)


def _end_told(contact: Contact, lines: Sequence[JournalLine]) -> bool:
    """Whether the journals tell of the end; if not, only a start of Asterisk does."""
    if contact.direction is Direction.OUTBOUND:
        return outbound_settlement.ended(lines) is not None
    return call_story.ending(contact.call, lines) is not None


def _put_passages(
    uow: UnitOfWork, call: str, lines: Sequence[JournalLine], settlement: Settlement
) -> Sequence[Passage]:
    """In the transaction that settles: what the figures count and what the card says end together."""
    found = passages.passages(call, lines, until=settlement.known_until, outcome=settlement.outcome)
    if found:
        uow.passages.put(call, found)
    return found


def _write(uow: UnitOfWork, call: str, card: Card, settlement: Settlement) -> None:
    """The contact with its times, the end of its trace, and who talked."""
    outcome = settlement.outcome
    uow.cards.change_contact(
        call, waiting_s=settlement.waiting_s, talking_s=settlement.talking_s, outcome=outcome
    )
    uow.traces.add([TraceEvent(call=call, at=settlement.at, kind=END, id="call", outcome=outcome.value)])
    if settlement.operator is not None and settlement.operator != card.operator:
        uow.cards.change(card.id, operator=settlement.operator)
