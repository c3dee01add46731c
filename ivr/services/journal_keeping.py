"""The journals as the administrator sees them: how far they are read, reading all anew, reconciliation.

All of it works whether or not an engine runs. A running engine reads and settles by itself, so then nothing
is settled here; without one, what the journals tell is brought in and settled as the engine would do it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ivr.domain.reconciliation import Account, Finding
from ivr.ports import Clock, JournalPosition, Store
from ivr.services import journal, journal_files
from ivr.services.journal import JournalReader
from ivr.services.journal_files import MOST_LINES, JournalFile
from ivr.services.journal_lines import Place, Read, parse
from ivr.services.reconcile import Auditor

PATIENCE_SECONDS = 20.0
"""A running engine may have found a lost citizen already, and takes a moment to settle a call."""
_POLL_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """One node's journals."""

    store: Store
    files: Sequence[JournalFile]
    node: str
    clock: Clock
    auditor: Auditor
    reader: Callable[[], JournalReader]
    engine_runs: Callable[[], bool]

    # --- how far they are read ---

    def status(self) -> Sequence[dict[str, object]]:
        """A row for each journal. Raises StorageDown, OSError."""
        with self.store.transaction() as uow:
            positions = {f.journal: uow.journal.position(self.node, f.journal) for f in self.files}
        return [_status(self.node, file, positions[file.journal]) for file in self.files]

    # --- reading all anew ---

    async def replay(self) -> dict[str, object]:
        """Read every journal that is still there from its beginning; what is known already stays as it is.

        How many files and lines there were, and whether their calls were settled here. Raises StorageDown,
        OSError.
        """
        files = lines = 0
        for file in self.files:
            with self.store.transaction() as uow:
                position = uow.journal.position(self.node, file.journal)
            for path in journal_files.generations(file.path):
                generation = journal_files.generation_of(path)
                if generation is None:
                    continue
                files += 1
                name = _name(generation, position)
                place = Place(node=self.node, journal=file.journal, generation=name, offset=0)
                for reads in _batches(path, place):
                    await self.store.run(lambda uow, r=reads: journal.keep(uow, r))  # type: ignore[misc]
                    lines += len(reads)
        settled = not self.engine_runs()
        if settled:
            await self._settle()
        return {"files": files, "lines": lines, "settled": settled}

    async def _settle(self) -> None:
        """What a running engine does, in one go: nobody else touches these calls."""
        reader = self.reader()
        await _drain(reader)
        lost = (await self.auditor.look()).lost
        if lost:
            await asyncio.sleep(2 * _POLL_SECONDS)  # a call may end this very moment: Asterisk runs on
            await _drain(reader)
            still = _both(lost, (await self.auditor.look()).lost)
            reader.give_up(finding.arrival.call for finding in still)
            await _drain(reader)

    # --- reconciliation ---

    async def reconcile(self) -> Account:
        """Compare arrivals, cards and callbacks; changes nothing.

        While an engine runs, whoever is lost in every look within PATIENCE_SECONDS is lost. Raises
        StorageDown, OSError, Unavailable.
        """
        began = self.clock.monotonic()
        found = await self.auditor.look()
        while not found.agrees and self.engine_runs():
            if self.clock.monotonic() - began >= PATIENCE_SECONDS:
                break
            await asyncio.sleep(_POLL_SECONDS)
            found = await self.auditor.look()
        return found


async def _drain(reader: JournalReader) -> None:
    """Until everything that was written by now is read."""
    while await reader.poll() or reader.read_up_to is None:
        pass


def _both(first: Sequence[Finding], second: Sequence[Finding]) -> Sequence[Finding]:
    known = {(finding.arrival.call, finding.why) for finding in first}
    return [finding for finding in second if (finding.arrival.call, finding.why) in known]


def _name(generation: str, position: JournalPosition | None) -> str:
    """As the reader calls it: a file that was cut and read again has the count of its cuts in its name."""
    if position is not None and position.generation.partition(".")[0] == generation:
        return position.generation
    return generation


def _batches(path: Path, place: Place) -> Iterator[list[Read]]:
    """Lines that were understood, so many at once."""
    batch: list[Read] = []
    for offset, raw in journal_files.whole_lines(path):
        if (read := parse(raw, replace(place, offset=offset))) is not None:
            batch.append(read)
        if len(batch) == MOST_LINES:
            yield batch
            batch = []
    if batch:
        yield batch


def _status(node: str, file: JournalFile, position: JournalPosition | None) -> dict[str, object]:
    """behind: bytes that are written and not read; those of files that rotation has put away included."""
    offset = position.offset if position is not None else 0
    behind = 0
    for path in reversed(journal_files.generations(file.path)):
        size = path.stat().st_size
        if (
            position is not None
            and journal_files.generation_of(path) == position.generation.partition(".")[0]
        ):
            behind += max(0, size - offset)
            break
        behind += size
    return {
        "node": node,
        "journal": file.journal,
        "file": file.path,
        "generation": position.generation if position is not None else None,
        "offset": offset,
        "behind": behind,
    }
