"""Identification by SNILS and full name, said by the caller (§20), for level `application`.

An attempt is counted as failed before a name is asked, and taken back when all of it was right: under the
calling number and for the line together with the attempts by code, and for the SNILS under a counter of its
own: who knows a name must neither forget wrong codes by it nor lock the citizen's codes. An unknown SNILS is
asked the same questions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from ivr.domain.benefits import Citizen
from ivr.domain.errors import BadInput, NotFound
from ivr.domain.names import COMMON, LETTERS, NO_PATRONYMIC, Part
from ivr.domain.words import spelled, words
from ivr.observe import get_logger
from ivr.ports import Clock, Store, UnitOfWork
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
)
from ivr.services.identification import Caller, Limits, line_watch, note_attempt
from ivr.settings import Settings

NAMES = "identification.snils.name"
"""Scope of the counters of SNILS."""
LEAST_COMMON = 20
"""Names of each question that a model must know; with fewer to choose from it would take anything for the
citizen's own."""
UnknownWords = Callable[[Collection[str]], Awaitable[Collection[str]]]
_log = get_logger("ivr.names")


@dataclass(frozen=True, kw_only=True)
class NameAttempt:
    """One attempt, already counted."""

    caller: Caller
    own: Mapping[Part, str] = field(repr=False)
    """What the register has; empty texts where it has nothing, or no such citizen."""
    unknown: Collection[str] = field(repr=False)
    """Words that the model does not know."""
    counted: tuple[Counted, ...]

    def sayable(self, phrase: str) -> bool:
        """Whether the model knows every word of it, with «ё» or without."""
        return not (self._lacks(words(phrase)) and self._lacks(spelled(phrase)))

    def common(self, part: Part) -> tuple[str, ...]:
        """Other people's names that the model knows."""
        own = words(self.own[part])
        return tuple(name for name in COMMON[part] if words(name) != own and self.sayable(name))

    def letters(self) -> tuple[str, ...]:
        """What letters are called, as far as the model knows."""
        return tuple(said for names in LETTERS.values() for said in names if self.sayable(said))

    def _lacks(self, said: tuple[str, ...]) -> bool:
        return any(word in self.unknown for word in said)

    @property
    def has_enough_common(self) -> bool:
        """Whoever it is about."""
        return self.sayable(NO_PATRONYMIC) and all(len(self.common(part)) >= LEAST_COMMON for part in Part)

    @property
    def can_be_asked(self) -> bool:
        own = [name for name in self.own.values() if name]
        return self.has_enough_common and all(words(name) and self.sayable(name) for name in own)


class NameCheck:
    """Every method needs the store and raises StorageDown."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        limits: Limits,
        line: LineWatch,
        unknown_words: UnknownWords,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """unknown_words: those that the model in use does not know; raises BadInput, TimeoutError."""
        self._store = store
        self._clock = clock
        self._limits = limits
        self._line = line
        self._unknown_words = unknown_words
        self._sleep = sleep

    @classmethod
    def of(
        cls, settings: Settings, store: Store, clock: Clock, alarms: AlarmBoard, unknown_words: UnknownWords
    ) -> NameCheck:
        limits, line = Limits.of(settings), line_watch(settings, alarms, guessed="names or secret codes")
        return cls(store, clock, limits=limits, line=line, unknown_words=unknown_words)

    async def begin(self, caller: Caller, snils: str) -> NameAttempt | None:
        """Count an attempt and read the register's name; None: locked, or the model cannot understand it.

        A word of the name that it does not know costs the attempt, for that tells something of the name.
        """
        attempt = await self._store.run(lambda uow: self._enter(uow, caller, snils))
        if attempt is None:
            return None
        if delay := self._line.delay(attempt.counted[-1].after, self._clock.now()):
            await self._sleep(delay)
        try:
            attempt = replace(attempt, unknown=await self._unknown_words(_vocabulary(attempt.own)))
        except (BadInput, TimeoutError):
            _log.warning("names_words_not_read", call=caller.call)
            await self._take_back(attempt)
            return None
        if not attempt.has_enough_common:
            _log.warning("names_model_unfit", call=caller.call)
            await self._take_back(attempt)
            return None
        return attempt if attempt.can_be_asked else None

    async def _take_back(self, attempt: NameAttempt) -> None:
        """Our fault, so nobody's failure."""

        def work(uow: UnitOfWork) -> None:
            self._note(uow, attempt.caller, "impossible path=name")
            forgive_all(uow, attempt.counted)

        await self._store.run(work)

    def _enter(self, uow: UnitOfWork, caller: Caller, snils: str) -> NameAttempt | None:
        now = self._clock.now()
        own_rule = replace(self._limits.others.rule, success_clears=False)
        number = count(uow, self._limits.for_number(caller.number), caller_key(caller.number), now)
        about = count(uow, Limit(scope=NAMES, rule=own_rule), snils, now)
        line = count(uow, self._line.limit, LINE, now)
        if number is None or about is None or line is None:
            self._note(uow, caller, "locked")
            return None
        self._note(uow, caller, "begun path=name")
        return NameAttempt(
            caller=caller, own=_register(uow, snils), unknown=(), counted=(number, about, line)
        )

    async def settle(self, attempt: NameAttempt, *, right: bool) -> bool:
        """Write down what came of it. right: every part was; whether that is enough."""
        enough = right and bool(attempt.own[Part.SURNAME] and attempt.own[Part.FIRST])

        def work(uow: UnitOfWork) -> None:
            self._note(uow, attempt.caller, "application match_source=name" if enough else "failed path=name")
            if enough:
                forgive_all(uow, attempt.counted)

        await self._store.run(work)
        return enough

    def _note(self, uow: UnitOfWork, caller: Caller, result: str) -> None:
        note_attempt(uow, caller, self._clock.now(), result)


def _register(uow: UnitOfWork, snils: str) -> Mapping[Part, str]:
    try:
        citizen = uow.citizens.get(snils)
    except NotFound:
        citizen = Citizen(snils=snils)
    names = (citizen.last_name, citizen.first_name, citizen.patronymic)
    return {part: " ".join(name.lower().split()) for part, name in zip(Part, names, strict=True)}


def _vocabulary(own: Mapping[Part, str]) -> frozenset[str]:
    """Every word that the questions may take, with «ё» and without."""
    said = [*own.values(), NO_PATRONYMIC]
    said += [name for names in (*COMMON.values(), *LETTERS.values()) for name in names]
    return frozenset(word for phrase in said for word in (*words(phrase), *spelled(phrase)))
