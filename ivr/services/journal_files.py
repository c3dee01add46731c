"""Journal files, read in whole lines from a position on, through rotation, truncation and restart.

A generation is known by its first bytes, which hold a time: so it is the same file under another name, on
another disk or out of a backup, and another one as soon as it was begun anew. Those bytes end before a
caller's number could begin.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from ivr.observe import get_logger
from ivr.ports import JournalPosition

HEAD = 40
"""Bytes at the beginning of a file that tell its generation, or its first line if that is shorter."""
CHUNK = 65536
"""Bytes read at once."""
MOST_LINES = 25
"""Lines handed on at once: one transaction stores them, and callers wait for the database behind it."""
_NOT_OURS = re.compile(r"\.(gz|xz|bz2|zst|tmp)$")
_log = get_logger("ivr.journal")


@dataclass(frozen=True, kw_only=True)
class JournalFile:
    """A journal that Asterisk appends to."""

    journal: str
    """arrivals, queue_log, cel"""
    path: Path


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """What was read at once."""

    before: JournalPosition | None
    """Where reading began; None: nothing of this journal was ever read."""
    after: JournalPosition
    lines: tuple[tuple[int, bytes], ...]
    """(offset, line without its end)"""


def read(path: Path, position: JournalPosition | None) -> Chunk | None:
    """The next whole lines after `position`; None when there are none yet.

    A rotated file (`PATH.1`, `PATH-20261124` beside it) is read to its end before the new one is begun. A
    file that is not there is not an error: it may be on its way. Raises OSError for one that cannot be read.
    """
    began = False
    with suppress(FileNotFoundError), path.open("rb") as file:
        generation = _generation(file)
        if generation is not None and (position is None or generation == _base(position)):
            return _chunk(file, position, _start(file, generation, position))
        began = generation is not None
    return _after_rotation(path, position, began=began) if position is not None else None


def generations(path: Path) -> list[Path]:
    """Every file of this journal that is still there, oldest first."""
    return [*_siblings(path), *([path] if path.exists() else [])]


def generation_of(path: Path) -> str | None:
    """The name of a file's generation; None while it has no first line. Raises OSError."""
    with path.open("rb") as file:
        return _generation(file)


def whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, line without its end) of a whole file; one that is gone by now has none. Raises OSError."""
    offset = 0
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield offset, line[:-1]
            offset += len(line)


def _generation(file: BinaryIO) -> str | None:
    """None while there is no first line; the file may have been replaced, so ask the open one only."""
    file.seek(0)
    line, end, _ = file.read(HEAD).partition(b"\n")
    return sha256(line).hexdigest()[:16] if end or len(line) == HEAD else None


def _base(position: JournalPosition) -> str:
    """The generation without the count of its cuts."""
    return position.generation.partition(".")[0]


def _start(file: BinaryIO, generation: str, position: JournalPosition | None) -> JournalPosition:
    """Where to go on. A file that somebody cut is read again from its beginning: rather twice than never."""
    if position is None:
        return JournalPosition(generation=generation, offset=0)
    if os.fstat(file.fileno()).st_size >= position.offset:
        return position
    cuts = int(position.generation.partition(".")[2] or 0) + 1
    _log.warning("journal_cut", offset=position.offset, cuts=cuts)
    return JournalPosition(generation=f"{generation}.{cuts}", offset=0)


def _after_rotation(path: Path, position: JournalPosition, *, began: bool) -> Chunk | None:
    """The rest of the generation that was being read, then the first lines of the one after it.

    began: a new generation stands at `path`, so that nothing is added to an older one any more.
    """
    older, passed = _siblings(path), None
    for place, name in enumerate(older):
        with name.open("rb") as file:
            if _generation(file) == _base(position):
                passed = place
                if (rest := _chunk(file, position, position, last=began)) is not None:
                    return rest
    if passed is None and began:
        _log.warning("journal_generation_gone", journal=path.name)
    following = older[passed + 1 :] if passed is not None else []
    return _first_of([*following, *([path] if began else [])], position)


def _first_of(paths: list[Path], position: JournalPosition) -> Chunk | None:
    for name in paths:
        with name.open("rb") as file:
            if (generation := _generation(file)) is not None:
                return _chunk(file, position, JournalPosition(generation=generation, offset=0))
    return None


def _siblings(path: Path) -> list[Path]:
    """Files that rotation may have made of this one, oldest first."""
    found = [file for file in path.parent.glob(f"{path.name}[.-]*") if not _NOT_OURS.search(file.name)]
    return sorted((file for file in found if file.is_file()), key=lambda file: file.stat().st_mtime_ns)


def _chunk(
    file: BinaryIO, before: JournalPosition | None, start: JournalPosition, *, last: bool = False
) -> Chunk | None:
    """Whole lines from `start` on. last: nothing will be added to them.

    What will never be a line (its end was never written, or is too far away) is passed by as an empty one:
    half a number would be somebody else's.
    """
    file.seek(start.offset)
    data = file.read(CHUNK)
    end = data.rfind(b"\n") + 1
    if not end and data and (last or len(data) == CHUNK):
        after = replace(start, offset=start.offset + len(data))
        return Chunk(before=before, after=after, lines=((start.offset, b""),))
    if not end:
        return None
    lines, offset = [], start.offset
    for line in data[:end].removesuffix(b"\n").split(b"\n")[:MOST_LINES]:
        lines.append((offset, line))
        offset += len(line) + 1
    return Chunk(before=before, after=replace(start, offset=offset), lines=tuple(lines))
