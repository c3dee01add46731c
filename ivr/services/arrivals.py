"""Everybody who came, read from the arrivals files themselves: all that rotation has left on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ivr.domain import phone
from ivr.domain.reconciliation import Arrival
from ivr.services import journal_files
from ivr.services.journal_lines import ARRIVALS, Place, Read, parse


def everybody(path: Path) -> list[Arrival]:
    """In the order of the files, oldest first. What is no whole line of ours is left out, as the reader does.

    Raises OSError for a file that is there and cannot be read.
    """
    return [arrival_of(read) for read in _reads(path)]


def arrival_of(read: Read) -> Arrival:
    line = read.line
    return Arrival(node=read.node, call=line.call, at=line.at, number=phone.from_trunk(read.number or None))


def _reads(path: Path) -> Iterator[Read]:
    for generation in journal_files.generations(path):
        for offset, raw in journal_files.whole_lines(generation):
            place = Place(node="", journal=ARRIVALS, generation=generation.name, offset=offset)
            if (read := parse(raw, place)) is not None:
                yield read
