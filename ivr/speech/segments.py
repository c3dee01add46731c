"""What a prompt consists of: words to synthesise and recorded sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BETWEEN_PIECES, BETWEEN_WORDS = 250, 90
"""Milliseconds of silence."""


@dataclass(frozen=True)
class Say:
    """Words to synthesise."""

    text: str


@dataclass(frozen=True)
class Play:
    """Recorded sounds, one after the other."""

    files: tuple[Path, ...]


Segment = Say | Play


def single_sounds(segments: Sequence[Segment]) -> list[tuple[int, Segment]]:
    """Single sounds, each with the milliseconds of silence before it."""
    found: list[tuple[int, Segment]] = []
    for segment in segments:
        files = segment.files if isinstance(segment, Play) else ()
        single = [Play((file,)) for file in files] if files else [segment]
        first = BETWEEN_PIECES if found else 0
        found += [(BETWEEN_WORDS if n else first, part) for n, part in enumerate(single)]
    return found


def identity(segment: Segment) -> list[object]:
    """What tells its sound from any other, for the name of a file."""
    if isinstance(segment, Say):
        return ["say", segment.text]
    stats = [(file.name, file.stat()) for file in segment.files]
    return ["play", *([name, stat.st_size, stat.st_mtime_ns] for name, stat in stats)]
