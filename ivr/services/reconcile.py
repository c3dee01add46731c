"""Reconciliation at work: looks for lost citizens and brings them back (domain/reconciliation.py).

An arrival that seems lost may be a call that has just ended, or one whose lines are still to be read. So it
is lost only if it seems so twice, and the journals have been read up to the first look in between.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

from ivr.domain.enquiry import Outcome
from ivr.domain.errors import Unavailable
from ivr.domain.reconciliation import Account, Arrival, Finding, Standing, Why, account, owed
from ivr.observe import get_logger
from ivr.ports import Clock, Store, UnitOfWork
from ivr.services import arrivals
from ivr.services.journal import JournalReader
from ivr.services.unasked import Unasked

SUSPECT_SECONDS = 5.0
"""Between the two looks at an arrival that seems lost."""
_AT_ONCE = 20
"""Lost citizens brought back in one transaction."""
Live = Callable[[], Awaitable[Set[str] | None]]
_log = get_logger("ivr.reconcile")


def nobody(_number: str) -> bool:
    """Where no number may be called."""
    return False


class Auditor:
    """Compares; changes nothing."""

    def __init__(self, store: Store, path: Path, *, live: Live, dialable: Callable[[str], bool]) -> None:
        """path: of the arrivals file. live: uniqueids of channels that are up; None: not known."""
        self._store = store
        self._path = path
        self._live = live
        self._dialable = dialable

    async def look(self) -> Account:
        """Arrivals and what became of them, now. Raises StorageDown, OSError, and Unavailable when it is not
        known who is on the line."""
        came = await asyncio.to_thread(arrivals.everybody, self._path)
        live = await self._live()
        if live is None:
            raise Unavailable("Asterisk runs and does not say which calls there are: see `ekc status`")
        standings = await self._store.run(lambda uow: _standings(uow, came, self._dialable))
        return account(came, standings, live=live, dialable=self._dialable)


class Reconciler:
    """Looks again and again, and gives lost citizens their card, their end and their callback."""

    def __init__(
        self,
        store: Store,
        auditor: Auditor,
        reader: JournalReader,
        clock: Clock,
        *,
        unasked: Unasked,
        seconds: float,
        on_account: Callable[[Account], None] = lambda _account: None,
        on_lost: Callable[[int], None] = lambda _count: None,
    ) -> None:
        """seconds: between two looks at everybody. on_lost: how many were lost and are brought back now."""
        self._store = store
        self._auditor = auditor
        self._reader = reader
        self._clock = clock
        self._unasked = unasked
        self._seconds = seconds
        self._on_account = on_account
        self._on_lost = on_lost
        self._suspects: Mapping[tuple[str, str], Why] = {}
        self._looked: float | None = None

    async def work(self) -> None:
        """One turn, to be called every few seconds; mostly there is nothing to do.

        Raises StorageDown, OSError, Unavailable; also when arrivals are doubled, which nobody can mend.
        """
        if not self._due():
            return
        began = self._clock.monotonic()
        found = await self._auditor.look()
        again = [f for f in found.lost if self._suspects.get(_key(f)) is f.why]
        if again:
            await self._bring_back(again)
        self._suspects = {_key(f): f.why for f in found.lost if f not in again}
        self._looked = began
        self._on_account(found)
        if found.doubled:
            raise Unavailable(f"{len(found.doubled)} calls are doubled: `ekc reconcile` names them")

    def _due(self) -> bool:
        read = self._reader.read_up_to
        if read is None or (self._looked is not None and read <= self._looked):
            return False  # what was written by the last look is still to be read
        passed = self._seconds if self._looked is None else self._clock.monotonic() - self._looked
        return passed >= (min(SUSPECT_SECONDS, self._seconds) if self._suspects else self._seconds)

    async def _bring_back(self, lost: Sequence[Finding]) -> None:
        """Cards for those who have none; the next poll of the journals ends their calls (settling.py)."""
        self._on_lost(len(lost))
        for finding in lost:
            _log.error("arrival_lost", call=finding.arrival.call, why=finding.why.value)
        for start in range(0, len(lost), _AT_ONCE):
            part = lost[start : start + _AT_ONCE]
            await self._store.run(lambda uow, part=part: self._put_right(uow, part))  # type: ignore[misc]
        self._reader.give_up(f.arrival.call for f in lost if f.why is not Why.NO_CALLBACK)

    def _put_right(self, uow: UnitOfWork, lost: Iterable[Finding]) -> None:
        for finding in lost:
            came = finding.arrival
            card = uow.cards.open(call=came.call, node=came.node, number=came.number, at=came.at)
            contact = uow.cards.contact(came.call)
            if finding.why is not Why.NO_CALLBACK or contact is None or contact.outcome is None:
                continue
            source = owed(contact.outcome, wanted=True)
            now = self._clock.now()
            if source is not None and self._unasked.promise(uow, card, contact, source, now):
                uow.cards.change(card.id, outcome=Outcome.CALLBACK)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.arrival.node, finding.arrival.call


def _standings(
    uow: UnitOfWork, came: Sequence[Arrival], dialable: Callable[[str], bool]
) -> Mapping[tuple[str, str], Sequence[Standing]]:
    by_node: dict[str, list[str]] = defaultdict(list)
    for arrival in came:
        by_node[arrival.node].append(arrival.call)
    found = {
        (node, call): standings
        for node, calls in by_node.items()
        for call, standings in uow.standings.of_calls(node, list(dict.fromkeys(calls))).items()
    }
    for arrival in came:
        key = (arrival.node, arrival.call)
        if key in found and arrival.number is not None and dialable(arrival.number):
            found[key] = [_answered(uow, arrival.number, arrival, standing) for standing in found[key]]
    return found


def _answered(uow: UnitOfWork, number: str, arrival: Arrival, standing: Standing) -> Standing:
    """Look for what a call without a callback of its own may have instead; most calls need no look."""
    unserved = standing.outcome is not None and owed(standing.outcome, wanted=standing.wanted) is not None
    if not standing.settled or not unserved or standing.callbacks or standing.answered:
        return standing
    elsewhere = standing.card_outcome is Outcome.CALLBACK and uow.standings.has_callback(number)
    return replace(standing, answered=elsewhere or uow.standings.served_since(number, arrival.at))
