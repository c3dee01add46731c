"""The journal reader: from Asterisk's files to contacts, traces and cards (architecture.md, rule 1).

Lines, how far they were read, the cards of arrivals and the events of traces are one transaction: after a
crash at any moment the same lines are read again, and nothing is doubled.
How calls end: settling.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from ivr.domain import phone
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import Unavailable
from ivr.domain.passage import Passage
from ivr.observe import get_logger
from ivr.ports import Clock, JournalPosition, Store, UnitOfWork
from ivr.services import call_story, journal_files, passages
from ivr.services.calling_rules import CallingRules
from ivr.services.calls import END
from ivr.services.journal_files import Chunk, JournalFile
from ivr.services.journal_lines import (
    ARRIVAL,
    ARRIVALS,
    CEL,
    QUEUE_LOG,
    QUEUESTART,
    Place,
    Read,
    is_probe,
    parse,
)
from ivr.services.settlement import Rules
from ivr.services.settling import Settler
from ivr.services.unasked import Unasked

_STORED = (ARRIVALS, QUEUE_LOG, CEL)
"""The order of storing; they are read the other way round. Asterisk writes an arrival first and CEL, which
tells of a call's end, last: so what CEL tells is never ahead of the others."""
_ROUNDS = 20
"""Batches in one poll, so that a long backlog lets go of the loop between polls."""
_log = get_logger("ivr.journal")


async def _nothing() -> None:
    """Where no conversations tell anything, and nobody knows which channels are up."""


class _Overtaken(Unavailable):
    """Another reader has read on from the same place; this one looks again where to begin."""


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Lines of one journal, understood."""

    journal: str
    chunk: Chunk
    reads: tuple[Read, ...]


class JournalReader:
    """Reads one node's journals; `poll` is called again and again, by one task at a time."""

    def __init__(
        self,
        store: Store,
        files: Sequence[JournalFile],
        *,
        node: str,
        clock: Clock,
        rules: Rules,
        in_hand: Callable[[str], bool],
        first: Callable[[], Awaitable[None]] = _nothing,
        on_lag: Callable[[float], None] = lambda _seconds: None,
        on_ended: Callable[[ContactOutcome], None] = lambda _outcome: None,
        on_passages: Callable[[Sequence[Passage]], None] = lambda _passages: None,
        unasked: Unasked | None = None,
        calling: CallingRules | None = None,
        live: Callable[[], Awaitable[Set[str] | None]] = _nothing,
    ) -> None:
        """files: one each of arrivals, queue_log, cel. node: whose they are (settings.node).

        in_hand: the engine still talks with this call, or has not written down yet what came of it.
        first: writes down what conversations have told so far, so that what follows stands behind it.
        on_lag: told after each batch the age of its newest line, seconds. on_ended: each contact's outcome.
        on_passages: those of each call that is settled. unasked: what follows for callbacks then; calling:
        for the callback whose attempt has ended.
        live: uniqueids of the channels that are up; None: not known.
        """
        self._store = store
        self._paths = {file.journal: file.path for file in files}
        self._node = node
        self._clock = clock
        self._on_lag = on_lag
        self._positions: Mapping[str, JournalPosition | None] | None = None
        self._settler = Settler(
            store,
            node=node,
            clock=clock,
            rules=rules,
            in_hand=in_hand,
            first=first,
            on_ended=on_ended,
            on_passages=on_passages,
            unasked=unasked,
            calling=calling,
            live=live,
        )
        self._first = first
        self.garbage = 0
        """Lines that were none, since the start."""
        self.read_up_to: float | None = None
        """Monotonic seconds: what was written by then is read, and what had ended is settled."""

    def give_up(self, calls: Iterable[str]) -> None:
        """These calls are over, though no line tells of it; settled with the next `poll`."""
        self._settler.give_up(calls)

    async def poll(self) -> int:
        """Store what has come and settle what has ended; how many lines were stored.

        Raises StorageDown, Unavailable when another program reads the same journals, and OSError. Then
        nothing is lost: the next poll begins at the same place.
        """
        stored = 0
        for _ in range(_ROUNDS):
            began = self._clock.monotonic()
            batches = await self._read()
            if not batches:
                await self._settler.settle()
                self.read_up_to = began
                return stored
            stored += await self._keep(batches)
        return stored  # calls are settled once all that was written about them has been read

    async def _read(self) -> Sequence[_Batch]:
        if self._positions is None:
            self._positions = await self._store.run(self._known_positions)
        batches = await asyncio.to_thread(self._batches, self._positions)
        for batch in batches:
            self._tell_garbage(batch)
        return batches

    def _known_positions(self, uow: UnitOfWork) -> Mapping[str, JournalPosition | None]:
        return {journal: uow.journal.position(self._node, journal) for journal in self._paths}

    def _batches(self, positions: Mapping[str, JournalPosition | None]) -> Sequence[_Batch]:
        """In the order of storing, read in the opposite order."""
        found = []
        for journal in (journal for journal in reversed(_STORED) if journal in self._paths):
            chunk = journal_files.read(self._paths[journal], positions[journal])
            if chunk is not None:
                chunk = replace(chunk, lines=tuple(_of_citizens(chunk)))
                found.append(_Batch(journal=journal, chunk=chunk, reads=tuple(self._parsed(journal, chunk))))
        return found[::-1]

    def _parsed(self, journal: str, chunk: Chunk) -> Iterator[Read]:
        for offset, raw in chunk.lines:
            generation = chunk.after.generation
            place = Place(node=self._node, journal=journal, generation=generation, offset=offset)
            if (read := parse(raw, place)) is not None:
                yield read

    def _tell_garbage(self, batch: _Batch) -> None:
        """Its content may be anything, so it is not told."""
        bad = len(batch.chunk.lines) - len(batch.reads)
        if bad:
            self.garbage += bad
            after = batch.chunk.after
            where = {"generation": after.generation, "before": after.offset}
            _log.warning("journal_garbage", journal=batch.journal, lines=bad, **where)

    async def _keep(self, batches: Sequence[_Batch]) -> int:
        await self._first()
        try:
            known = await self._store.run(lambda uow: self._write(uow, batches))
        except BaseException:
            self._positions = None  # whether it was committed is for the database to say
            self._settler.look_around()
            raise
        moved = {batch.journal: batch.chunk.after for batch in batches}
        self._positions = {**(self._positions or {}), **moved}
        self._settler.touch(known)
        lines = [read.line for batch in batches for read in batch.reads]
        if any(line.event == QUEUESTART for line in lines):
            self._settler.look_around()
        self._tell_lag([line.at for line in lines])
        return len(lines)

    def _tell_lag(self, times: Sequence[datetime]) -> None:
        if times:
            self._on_lag(max(0.0, (self._clock.now() - max(times)).total_seconds()))

    # --- in the transaction ---

    def _write(self, uow: UnitOfWork, batches: Sequence[_Batch]) -> Set[str]:
        """The citizens' calls among them."""
        for batch in batches:
            before, after = batch.chunk.before, batch.chunk.after
            if not uow.journal.advance(self._node, batch.journal, after, read_from=before):
                raise _Overtaken(
                    f"another program reads the journal {batch.journal}; only one engine may run"
                )
        return keep(uow, [read for batch in batches for read in batch.reads])


def keep(uow: UnitOfWork, reads: Sequence[Read]) -> Set[str]:
    """Store lines, and what they tell: cards of arrivals, events of traces. Once more is the same as once.

    The calls among them that are on a card.
    """
    uow.journal.add(read.line for read in reads)
    for read in reads:
        _open_card(uow, read)
    known = uow.cards.known({read.line.linked for read in reads if read.line.linked})
    for call in sorted(known):
        _tell_story(uow, call)
    return known


def _open_card(uow: UnitOfWork, read: Read) -> None:
    """Each arrival has a card (§15), whether or not the engine came to open it."""
    if read.line.event == ARRIVAL:
        number = phone.from_trunk(read.number or None)
        uow.cards.open(call=read.line.call, node=read.node, number=number, at=read.line.at)


def _tell_story(uow: UnitOfWork, call: str) -> None:
    """Add to a citizen's trace what the lines tell and it does not have yet; the card gets its operator."""
    told = [event for _, event in uow.traces.of_call(call)]
    lines = uow.journal.of_linked(call)
    new = call_story.untold(call_story.lived(call, lines), told)
    uow.traces.add(new)
    joining = (call_story.BRIDGE, call_story.JOINED)
    if joined := [event.id for event in new if (event.kind, event.outcome) == joining]:
        _name_operator(uow, call, joined[-1])
    if not any(event.kind == END for event in told) and (found := passages.passages(call, lines)):
        uow.passages.put(call, found)  # settled calls have theirs for good


def _name_operator(uow: UnitOfWork, call: str, extension: str) -> None:
    card = uow.cards.of_call(call)
    if card is not None and card.operator != extension:
        uow.cards.change(card.id, operator=extension)


def _of_citizens(chunk: Chunk) -> Iterator[tuple[int, bytes]]:
    """Without the supervisor's own calls: every few seconds of a quiet night there is one."""
    return ((offset, raw) for offset, raw in chunk.lines if not is_probe(raw))
