"""The Russian core sounds of Asterisk: a human voice for numbers, kinder to the ear than a machine's.

Only the files whose words are certain are used: figures and tens in the nominative («один», «двадцать»).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ivr.speech.russian import cardinal

FILES = {cardinal(n): f"digits/{n}.wav" for n in (*range(20), *range(20, 100, 10))}
"""Word to file, below the folder of the language."""


def find(folder: Path | None, words: Iterable[str]) -> list[Path] | None:
    """The recordings of these words, or None unless there is one of each."""
    if folder is None:
        return None
    names = [FILES.get(word) for word in words]
    paths = [folder / name for name in names if name is not None]
    return paths if len(paths) == len(names) and all(path.is_file() for path in paths) else None
