"""What callers asked for while there was no engine (agi_scripts/emergency.py): files become callbacks.

A file is taken in one transaction and then put into the archive beside it, so that a crash in between takes
it twice; the call's trace, which tells that the caller was asked, says that it was taken already.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from ivr.domain import phone
from ivr.domain.callback import Callback, Source
from ivr.domain.enquiry import Card, Outcome
from ivr.domain.errors import BadInput, EkcError, Unavailable
from ivr.domain.ids import new_id
from ivr.domain.operators import GENERAL_QUEUE
from ivr.observe import get_logger
from ivr.ports import Clock, Store, TraceEvent, UnitOfWork
from ivr.services.audit import By
from ivr.services.calendar import calendar_of
from ivr.settings import Settings

ACTOR = "emergency"
ASK, QUESTION = "ask", "emergency.callback"
"""What the trace tells of it, and by which it is known again."""
ARCHIVE = "done"
SUFFIX = ".sealed"
AT_ONCE = 200
"""Files taken in one turn, so that a long backlog lets go of the loop in between."""
DRAFT_AGE = timedelta(hours=1)
"""A file that was being written so long ago never will be: nothing was promised."""
_LOST = frozenset({Outcome.ABANDONED, Outcome.LOST_BY_CRASH})
_UNASKED = frozenset({Source.ABANDONED, Source.CRASH})
_LAST_SECOND = 4102444800  # of the year 2099
_log = get_logger("ivr.spool")


class Opener(Protocol):
    """Opens what is sealed to this site (db/spool_keys.py)."""

    def open(self, sealed: bytes) -> bytes:
        """Raises KeyLost, SealBroken."""
        ...


class Taken(StrEnum):
    """What became of a file."""

    CALLBACK = "callback"  # the citizen will be called
    AGAIN = "again"  # it was taken before a crash
    UNREACHABLE = "unreachable"  # there is no such number


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A caller who wants to be called back."""

    call: str
    number: str
    """As the trunk sent it."""
    arrived_at: datetime
    at: datetime
    """When it was written down."""


@dataclass(frozen=True, kw_only=True)
class _Found:
    """One file: its wish, or why it has none."""

    path: Path
    wish: Wish | None = None
    trouble: str = ""


class Spool:
    """The folder of one node. `take` is called again and again, by one task at a time."""

    def __init__(
        self,
        store: Store,
        opener: Opener,
        clock: Clock,
        settings: Settings,
        *,
        on_taken: Callable[[Taken], None] = lambda _taken: None,
        on_unreadable: Callable[[int], None] = lambda _files: None,
    ) -> None:
        """on_unreadable: told each time how many files there are that cannot be read."""
        self._store = store
        self._opener = opener
        self._clock = clock
        self._settings = settings
        self._folder = settings.emergency_spool
        self._on_taken = on_taken
        self._on_unreadable = on_unreadable

    async def take(self) -> int:
        """Make callbacks of what is there; how many files were taken.

        Raises StorageDown, and then they stay; Unavailable when a file cannot be read, when the folder
        cannot be written, or when a caller's wish could not be kept: all others are taken before it is
        raised. OSError for the folder itself.
        """
        found = await asyncio.to_thread(self._look)
        wishes = [(file.path, file.wish) for file in found if file.wish is not None]
        for path, wish in wishes:
            taken = await self._store.run(lambda uow, w=wish: self._promise(uow, w))  # type: ignore[misc]
            await asyncio.to_thread(path.rename, self._folder / ARCHIVE / path.name)
            _log.info("wish_taken", call=wish.call, taken=taken.value)
            self._on_taken(taken)
        bad = [file for file in found if file.wish is None]
        self._on_unreadable(len(bad))
        await asyncio.to_thread(self._inspect, bad)
        return len(wishes)

    # --- files ---

    def _look(self) -> Sequence[_Found]:
        """Files in their order, up to so many wishes: those that cannot be read hold up nobody."""
        found: list[_Found] = []
        for path in sorted(path for path in self._folder.iterdir() if path.suffix == SUFFIX):
            found.append(self._read(path))
            if sum(file.wish is not None for file in found) == AT_ONCE:
                break
        return found

    def _read(self, path: Path) -> _Found:
        try:
            return _Found(path=path, wish=_parsed(self._opener.open(path.read_bytes()), path.stem))
        except OSError as error:
            return _Found(path=path, trouble=error.strerror or type(error).__name__)
        except EkcError as error:
            return _Found(path=path, trouble=str(error))

    def _inspect(self, bad: Sequence[_Found]) -> None:
        """Erase what is old and see whether all is well. Raises Unavailable with all that is not."""
        self._tidy()
        troubles = [*_unreadable(bad), *self._unwritable(), *self._failed()]
        if troubles:
            raise Unavailable("; ".join(troubles))

    def _failed(self) -> Iterator[str]:
        note = self._settings.emergency_failed
        if (at := _touched(note)) is not None:
            local = at.astimezone(self._settings.zone).isoformat("T", "seconds")
            yield (
                f"a caller's wish for a callback could not be kept at {local}: when whom `ekc reconcile` "
                f"names is called back, remove {note}"
            )

    def _unwritable(self) -> Iterator[str]:
        probe = self._folder / ".probe"
        try:
            with probe.open("wb") as file:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            yield f"{self._folder} cannot be written ({error.strerror}): no callback could be promised"
        finally:
            probe.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Erase what was never finished, and from the archive what is old enough."""
        now, kept = self._clock.now(), timedelta(days=self._settings.emergency_keep_days)
        drafts = (path for path in self._folder.glob(".*.*") if path.name != ".probe")
        for paths, age in ((drafts, DRAFT_AGE), ((self._folder / ARCHIVE).iterdir(), kept)):
            for path in paths:
                at = _touched(path)
                if at is not None and now - at > age:
                    path.unlink(missing_ok=True)

    # --- in the transaction ---

    def _promise(self, uow: UnitOfWork, wish: Wish) -> Taken:
        number = phone.from_trunk(wish.number)
        card = uow.cards.open(call=wish.call, node=self._settings.node, number=number, at=wish.arrived_at)
        if number is None:
            return Taken.UNREACHABLE
        if any((event.kind, event.id) == (ASK, QUESTION) for _, event in uow.traces.of_call(wish.call)):
            return Taken.AGAIN
        callback = _asked_for(uow, self._request(uow, card, number, wish))
        by = By(actor=ACTOR, at=self._clock.now())
        by.note(uow, "callbacks.request", callback.id, call=wish.call, result=callback.source.value)
        uow.traces.add([TraceEvent(call=wish.call, at=wish.at, kind=ASK, id=QUESTION, outcome="answered")])
        if card.outcome in _LOST:  # also where the callback stands on an earlier card of this number
            uow.cards.change(card.id, outcome=Outcome.CALLBACK)
        return Taken.CALLBACK

    def _request(self, uow: UnitOfWork, card: Card, number: str, wish: Wish) -> Callback:
        now = self._clock.now()
        calendar = calendar_of(self._settings, uow.calendar.list())
        return uow.callbacks.request(
            Callback(
                id=new_id(now),
                card=card.id,
                number=number,
                source=Source.EMERGENCY,
                queue=GENERAL_QUEUE,
                arrived_at=wish.arrived_at,
                due=now if calendar.is_open(now) else calendar.next_opening(now) or now,
            )
        )


def _asked_for(uow: UnitOfWork, callback: Callback) -> Callback:
    """One that reconciliation had made unasked for the same call: the citizen did ask."""
    if callback.source not in _UNASKED:
        return callback
    asked = replace(callback, source=Source.EMERGENCY)
    uow.callbacks.save(asked)
    return asked


def _parsed(text: bytes, call: str) -> Wish:
    """Raises BadInput for what agi_scripts/emergency.py does not write, and for another call's."""
    try:
        fields = json.loads(text)
        wish = Wish(
            call=str(fields["call"]),
            number=str(fields["number"]),
            arrived_at=_moment(fields["arrived"]),
            at=_moment(fields["at"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadInput("it is no wish for a callback") from None
    if wish.call != call:
        raise BadInput("it belongs to another call")
    return wish


def _unreadable(bad: Sequence[_Found]) -> Iterator[str]:
    if bad:
        yield f"{len(bad)} wishes for a callback cannot be read, {bad[0].path.name}: {bad[0].trouble}"


def _moment(seconds: object) -> datetime:
    if not isinstance(seconds, int) or not 0 <= seconds < _LAST_SECOND:
        raise ValueError("no time of ours")
    return datetime.fromtimestamp(seconds, UTC)


def _touched(path: Path) -> datetime | None:
    """When a file was last written; None when it is not there."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
