"""Identification of a caller by keys (§21): which path, whether it fits, and how often one may try.

A SNILS that nobody has, a person without a code, a wrong code and a wrong document cost the same: the same
queries, one argon2, the same counters. Each attempt is counted as failed before it is made, so that many
calls at once cannot make more than one after another could, and a call that breaks off has had its try.

Counters: for the calling number; for the SNILS, one for calls from the number on file and another for all
other calls, so that nobody locks a citizen's own telephone out from elsewhere; and for the line. Callers
without a number share only the slow-down: a lock would be one for all of them.
"""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ivr.domain.caller import FAILED, Evidence, Path, Verdict, choose_path, is_number_on_file, judge
from ivr.domain.enquiry import Level
from ivr.domain.errors import StorageDown
from ivr.domain.guessing import Rule
from ivr.ports import Clock, CodeHashes, Credentials, Store, UnitOfWork
from ivr.services.audit import By
from ivr.services.guesses import (
    LINE,
    AlarmBoard,
    Counted,
    Limit,
    LineWatch,
    Sleep,
    caller_key,
    count,
    forgive_all,
    is_refused,
)
from ivr.settings import Settings

ATTEMPT = "identification.attempt"
"""The action of audit rows."""
NUMBER, OWN, OTHERS, ALL = (
    "identification.number",
    "identification.snils.own",
    "identification.snils.other",
    "identification.line",
)
"""Scopes of counters."""


class KeypadCodes(Protocol):
    """What compares codes (`ivr/services/codes.py`)."""

    async def keypad_matches(self, digits: str, code: CodeHashes | None) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How often may be failed, by what is counted."""

    number: Limit
    withheld: Limit
    own: Limit
    others: Limit

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        rules = settings.identification
        number = _locking(settings, rules.tries_per_number, success_clears=False)
        snils = _locking(settings, rules.tries_per_snils, success_clears=True)
        return cls(
            number=Limit(scope=NUMBER, rule=number),
            withheld=Limit(scope=NUMBER, rule=_slowing(settings)),
            own=Limit(scope=OWN, rule=snils),
            others=Limit(scope=OTHERS, rule=snils),
        )

    def for_number(self, number: str | None) -> Limit:
        return self.withheld if number is None else self.number

    def for_snils(self, *, own: bool) -> Limit:
        return self.own if own else self.others


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who is calling, as far as the telephone tells."""

    call: str
    card: str
    """Opaque id; empty while there is none."""
    number: str | None = field(repr=False)
    """E.164."""


@dataclass(kw_only=True)
class Ticket:
    """The right to try under one SNILS; good for as many attempts as the call allows."""

    caller: Caller
    snils: str = field(repr=False)
    path: Path
    unused: Counted | None
    """The choice of path was counted for the number; the first attempt takes its place."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of it."""

    verdict: Verdict
    locked: bool
    """Whether the next one would be refused, as this one may have been."""


@dataclass(frozen=True, kw_only=True)
class _Entered:
    """An attempt that is being made."""

    credentials: Credentials | None = field(repr=False)
    own: bool
    counted: tuple[Counted, ...]
    """For the number, the SNILS, the line."""


class Identification:
    """Every method needs the store and raises StorageDown."""

    def __init__(
        self,
        store: Store,
        codes: KeypadCodes,
        clock: Clock,
        *,
        limits: Limits,
        line: LineWatch,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._store = store
        self._codes = codes
        self._clock = clock
        self._limits = limits
        self._line = line
        self._sleep = sleep

    @classmethod
    def of(
        cls, settings: Settings, store: Store, codes: KeypadCodes, clock: Clock, alarms: AlarmBoard
    ) -> Identification:
        line = line_watch(settings, alarms, guessed="secret codes")
        return cls(store, codes, clock, limits=Limits.of(settings), line=line)

    async def choose_path(self, caller: Caller, snils: str) -> Ticket | None:
        """What this caller has to give, before any secret is asked; None: locked, which is an attempt, too.

        The choice tells who calls from a citizen's own number (or forges it) that the two belong together:
        so it counts in that number's limit until an attempt takes its place.
        """
        now = self._clock.now()

        def work(uow: UnitOfWork) -> Ticket | None:
            credentials = uow.citizens.credentials(snils)
            phone = credentials.phone if credentials else None
            own = is_number_on_file(caller.number, phone)
            probe = count(uow, self._limits.for_number(caller.number), caller_key(caller.number), now)
            if is_refused(uow, self._limits.for_snils(own=own), snils, now) or probe is None:
                note_attempt(uow, caller, now, "locked")
                return None
            has_code = credentials is not None and credentials.code is not None
            path = choose_path(caller.number, phone, has_code=has_code)
            return Ticket(caller=caller, snils=snils, path=path, unused=probe)

        return await self._store.run(work)

    async def check(self, ticket: Ticket, *, code: str, document: str) -> Attempt:
        """Compare everything at once.

        code: digits of its keypad form; document: digits of series and number, empty where not asked.
        """
        entered = await self._enter(ticket)
        if entered is None:
            return Attempt(verdict=FAILED, locked=True)
        if delay := self._line.delay(entered.counted[-1].after, self._clock.now()):
            await self._sleep(delay)
        evidence = await self._compare(entered, code, document)
        return await self._settle(ticket, entered, judge(ticket.path, evidence))

    async def _enter(self, ticket: Ticket) -> _Entered | None:
        """Count the attempt; None where it is refused."""
        now, caller = self._clock.now(), ticket.caller
        unused, ticket.unused = ticket.unused, None

        def work(uow: UnitOfWork) -> _Entered | None:
            credentials = uow.citizens.credentials(ticket.snils)
            own = is_number_on_file(caller.number, credentials.phone if credentials else None)
            number = unused or count(
                uow, self._limits.for_number(caller.number), caller_key(caller.number), now
            )
            snils = count(uow, self._limits.for_snils(own=own), ticket.snils, now)
            line = count(uow, self._line.limit, LINE, now)
            if number is None or snils is None or line is None:
                note_attempt(uow, caller, now, "locked")
                return None
            return _Entered(credentials=credentials, own=own, counted=(number, snils, line))

        return await self._store.run(work)

    async def _compare(self, entered: _Entered, code: str, document: str) -> Evidence:
        """One argon2 and one comparison, whoever it is about."""
        credentials = entered.credentials
        try:
            matches = await self._codes.keypad_matches(code, credentials.code if credentials else None)
        except StorageDown:  # our fault, so nobody's failure
            await self._store.run(lambda uow: forgive_all(uow, entered.counted))
            raise
        on_file = credentials.document if credentials else ""
        same = hmac.compare_digest(document.encode(), on_file.encode())
        return Evidence(number=entered.own, code=matches, document=same and bool(on_file))

    async def _settle(self, ticket: Ticket, entered: _Entered, verdict: Verdict) -> Attempt:
        """Write down what came of it."""
        now = self._clock.now()

        def work(uow: UnitOfWork) -> bool:
            note_attempt(uow, ticket.caller, now, _result(ticket, verdict))
            if verdict.level is Level.PERSONAL:
                forgive_all(uow, entered.counted)
            locks = [is_refused(uow, counted.limit, counted.key, now) for counted in entered.counted]
            return any(locks)  # all were read: every failure costs as many queries as any other

        locked = await self._store.run(work)
        return Attempt(verdict=verdict, locked=locked)


def line_watch(settings: Settings, alarms: AlarmBoard, *, guessed: str) -> LineWatch:
    """Over the attempts of everybody. guessed: what the alarm says is being guessed."""
    return LineWatch(
        Limit(scope=ALL, rule=_slowing(settings)),
        alarms,
        delay_s=settings.guess_delay_seconds,
        what=f"{guessed} are being guessed on the line",
    )


def _result(ticket: Ticket, verdict: Verdict) -> str:
    if verdict.match_source is None:
        return f"failed path={ticket.path}"
    return f"{verdict.level} match_source={verdict.match_source}"


def note_attempt(uow: UnitOfWork, caller: Caller, now: datetime, result: str) -> None:
    """The audit row of an attempt, whichever way it was made (§21)."""
    By(actor="ivr", at=now).note(uow, ATTEMPT, caller.card or caller.call, call=caller.call, result=result)


def _locking(settings: Settings, tries: int, *, success_clears: bool) -> Rule:
    rules = settings.identification
    return Rule(
        tries=tries,
        window_s=rules.window_seconds,
        lock_s=rules.lock_seconds,
        lock_cap_s=rules.lock_cap_seconds,
        success_clears=success_clears,
    )


def _slowing(settings: Settings) -> Rule:
    rules = settings.identification
    return Rule(tries=rules.tries_per_line, window_s=rules.line_window_seconds, lock_s=0, lock_cap_s=0)
