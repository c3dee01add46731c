"""Recognition models of one node."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class SpeechModel:
    """A model that is in place."""

    name: str
    size: int
    """Bytes on the disk."""
    licence: str | None
    """As its README or LICENSE says; None: it does not say."""
    sha256: str
    """Of the archive, or of the list of sums of a folder's files."""
    source: str
    """Where it came from, without a password."""
    installed_at: datetime
    in_use: bool = False


@dataclass(frozen=True, kw_only=True)
class HeardWord:
    """One word of a recording."""

    word: str
    start: float
    end: float
    """Seconds from the beginning."""
    conf: float
    """How sure the recogniser is, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """What a model understands of a recording."""

    model: str
    text: str
    seconds: float
    """How long the recording is."""
    words: tuple[HeardWord, ...]


class SpeechModels(Protocol):
    """Models are installed beside each other; one of them, or none, is in use."""

    def list(self) -> Sequence[SpeechModel]:
        """By name."""
        ...

    def install(
        self, source: str, *, sha256: str | None, now: datetime, progress: Callable[[int, int], None]
    ) -> SpeechModel:
        """Put a model in place, whole or not at all.

        source: a folder, an archive (zip, tar) or an http(s) URL of one. sha256: what it must have.
        progress: bytes downloaded, bytes in all (0 while unknown).
        Raises BadInput for what is no usable model, or has no room; Unavailable when it cannot be fetched.
        """
        ...

    def use(self, name: str) -> SpeechModel:
        """From now on that one. Raises NotFound."""
        ...

    def remove(self, name: str, *, force: bool) -> SpeechModel:
        """Erase it. Raises NotFound; BadInput when it is in use, unless `force`: then none is."""
        ...

    def unknown_words(self, words: Collection[str]) -> Collection[str]:
        """Those that the model in use does not know; none where no model is in use. Raises BadInput."""
        ...

    def transcribe(self, recording: Path, phrases: Sequence[str]) -> Transcript:
        """A mono PCM .wav file, by the model in use. phrases: what may have been said; empty: anything.

        Raises BadInput for another file, NotFound when no model is in use.
        """
        ...
