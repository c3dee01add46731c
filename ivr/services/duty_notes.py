"""Codes that operators dialled while no engine was there: notes of the dialplan, a file for each telephone.

A file is named after the extension and holds the last code: `11`, `12`, `13 N` or `14`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import EXTENSION
from ivr.observe import get_logger
from ivr.ports import Store, UnitOfWork
from ivr.services import working_day
from ivr.services.audit import By
from ivr.services.working_day import Limits

ALIVE = "alive"
"""The file that tells the dialplan that somebody is there to end wrap-ups."""
_log = get_logger("ivr.duty")


@dataclass(frozen=True, kw_only=True)
class Note:
    """One file."""

    path: Path
    words: tuple[str, ...]
    at: datetime
    """When it was dialled."""


class DutyNotes:
    """The folder of notes. Every method may raise OSError."""

    def __init__(self, store: Store, folder: Path, limits: Limits) -> None:
        self._store = store
        self._folder = folder
        self._limits = limits
        self._taking = asyncio.Lock()

    def be_alive(self) -> None:
        """To be said more often than every 15 s (dialplans/operators.conf, `connected`)."""
        self._folder.joinpath(ALIVE).touch(mode=0o600)

    async def take(self) -> None:
        """Write what was dialled into the database, once. Raises StorageDown: the notes stay as they are."""
        async with self._taking:
            for note in self._read():
                await self._take(note)

    async def _take(self, note: Note) -> None:
        by = By(actor=note.path.name, at=note.at)
        try:
            await self._store.run(lambda uow: self._do(uow, by, note.words))
        except (BadInput, NotFound) as error:
            _log.warning("note_dropped", extension=by.actor, error=type(error).__name__)
        note.path.unlink()

    def _read(self) -> list[Note]:
        """In the order of time; one that is empty is just being written."""
        found = [_note(path) for path in self._folder.iterdir() if EXTENSION.fullmatch(path.name)]
        return sorted((note for note in found if note.words), key=lambda note: note.at)

    def _do(self, uow: UnitOfWork, by: By, words: Sequence[str]) -> None:
        match words:
            case ("11",):
                working_day.log_in(uow, by, by.actor, self._limits)
            case ("12",):
                working_day.log_out(uow, by, by.actor, self._limits)
            case ("14",):
                working_day.ready(uow, by, by.actor, self._limits)
            case ("13", key):
                working_day.pause(uow, by, by.actor, key, self._limits)
            case _:
                raise BadInput("this is no note of a code")


def _note(path: Path) -> Note:
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Note(path=path, words=tuple(path.read_text("ascii", "replace").split()), at=at)
