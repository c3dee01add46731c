"""Limits of guessing (§10, §11) over the stored counters: of receipts' pairs, and of identification.

Whoever fails too often under one key waits; what all callers share, the line, only slows down and alarms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ivr.domain.guessing import (
    GuessCounter,
    Rule,
    after_failure,
    after_success,
    is_alarming,
    is_locked,
    without,
)
from ivr.observe import get_logger
from ivr.ports import Clock, Store, UnitOfWork
from ivr.settings import Settings

UNKNOWN = "unknown"
"""The key that all withheld and unknown numbers share."""
LINE = "line"
"""The key of what everybody shares."""
PAIR, PAIR_LINE = "pair", "pair.line"
"""Scopes of counters of receipts' pairs."""
_REMEDY = "look at `ekc identification status` and `ekc calls list`; bar the callers at the trunk"

_log = get_logger("ivr.guesses")

Sleep = Callable[[float], Awaitable[None]]


class AlarmBoard(Protocol):
    """Where alarms are raised (ivr/services/alarms.py)."""

    def set(self, key: str, what: str, remedy: str, now: datetime) -> None: ...

    def clear(self, key: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A rule and the scope its counters stand under."""

    scope: str
    rule: Rule


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A failure that was counted before its attempt was made."""

    limit: Limit
    key: str = field(repr=False)
    before: GuessCounter | None
    after: GuessCounter


def caller_key(number: str | None) -> str:
    """The key of a calling number, E.164 or None."""
    return number or UNKNOWN


def is_refused(uow: UnitOfWork, limit: Limit, key: str, now: datetime) -> bool:
    return is_locked(uow.guesses.get(limit.scope, key), now)


def count(uow: UnitOfWork, limit: Limit, key: str, now: datetime) -> Counted | None:
    """Count a failure; None and nothing counted while the key is locked."""
    before = uow.guesses.get(limit.scope, key)
    if is_locked(before, now):
        return None
    after = after_failure(before, now, limit.rule)
    uow.guesses.put(limit.scope, key, after)
    return Counted(limit=limit, key=key, before=before, after=after)


def forgive(uow: UnitOfWork, counted: Counted) -> None:
    """The attempt was right: its failure was none, and a rule may forget the others with it."""
    counter = uow.guesses.get(counted.limit.scope, counted.key)
    _succeed(uow, counted.limit, counted.key, without(counter, before=counted.before, after=counted.after))


def forgive_all(uow: UnitOfWork, attempt: Sequence[Counted]) -> None:
    """What one attempt counted in several places."""
    for counted in attempt:
        forgive(uow, counted)


def forget(uow: UnitOfWork, limit: Limit, key: str) -> None:
    """Somebody was right: earlier failures are forgotten if the rule has it so."""
    _succeed(uow, limit, key, uow.guesses.get(limit.scope, key))


def _succeed(uow: UnitOfWork, limit: Limit, key: str, counter: GuessCounter | None) -> None:
    left = after_success(counter, limit.rule)
    if left is None:
        uow.guesses.clear(limit.scope, key)
    else:
        uow.guesses.put(limit.scope, key, left)


class LineWatch:
    """What happens while the whole line is guessed at: everybody's attempts get slow, an alarm stands."""

    def __init__(self, limit: Limit, alarms: AlarmBoard, *, delay_s: float, what: str) -> None:
        """what: the sentence of the alarm, which says what is being guessed."""
        self.limit = limit
        self._alarms = alarms
        self._delay_s = delay_s
        self._what = what

    def delay(self, counter: GuessCounter | None, now: datetime) -> float:
        """Seconds that an attempt has to wait; raises the alarm or clears it."""
        alarming = is_alarming(counter, self.limit.rule, now)
        try:
            if alarming:
                self._alarms.set(self.limit.scope, self._what, _REMEDY, now)
            else:
                self._alarms.clear(self.limit.scope)
        except OSError as error:  # a full disk must not end a call
            _log.error("alarm_unwritten", scope=self.limit.scope, error=str(error))
        return self._delay_s if alarming else 0.0


class GuessGuard:
    """Limits of wrong pairs of a receipt's number and date (§20), per calling number and for the line."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        caller: Limit,
        line: LineWatch,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._caller = caller
        self._line = line
        self._sleep = sleep

    @classmethod
    def of(
        cls,
        settings: Settings,
        store: Store,
        clock: Clock,
        alarms: AlarmBoard,
        *,
        sleep: Sleep = asyncio.sleep,
    ) -> GuessGuard:
        line = LineWatch(
            Limit(
                scope=PAIR_LINE, rule=_line_rule(settings.pair_tries_per_line, settings.pair_window_seconds)
            ),
            alarms,
            delay_s=settings.guess_delay_seconds,
            what="numbers and dates of receipts are being guessed on the line",
        )
        return cls(store, clock, caller=Limit(scope=PAIR, rule=_pair_rule(settings)), line=line, sleep=sleep)

    async def allowed(self, number: str | None) -> bool:
        """Whether this caller may try a pair; slow while the line is guessed at. Raises StorageDown."""
        now, key = self._clock.now(), caller_key(number)

        def work(uow: UnitOfWork) -> tuple[bool, GuessCounter | None]:
            return is_refused(uow, self._caller, key, now), uow.guesses.get(self._line.limit.scope, LINE)

        refused, line = await self._store.run(work)
        if delay := self._line.delay(line, now):
            await self._sleep(delay)
        return not refused

    async def failed(self, number: str | None) -> None:
        """A pair was wrong. Raises StorageDown."""
        now, key = self._clock.now(), caller_key(number)

        def work(uow: UnitOfWork) -> None:
            count(uow, self._caller, key, now)
            count(uow, self._line.limit, LINE, now)

        await self._store.run(work)

    async def succeeded(self, number: str | None) -> None:
        """A pair was right. Wrong ones stay counted unless the rule says otherwise: having a receipt of one's
        own proves nothing about others'. Raises StorageDown."""
        await self._store.run(lambda uow: forget(uow, self._caller, caller_key(number)))


def _pair_rule(settings: Settings) -> Rule:
    return Rule(
        tries=settings.pair_tries_per_caller,
        window_s=settings.pair_window_seconds,
        lock_s=settings.pair_lock_seconds,
        lock_cap_s=settings.pair_lock_cap_seconds,
    )


def _line_rule(tries: int, window_s: float) -> Rule:
    return Rule(tries=tries, window_s=window_s, lock_s=0, lock_cap_s=0)
