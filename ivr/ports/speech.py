"""Understanding what a caller says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ivr.domain.words import words


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One turn of a caller, as a recogniser understood it."""

    text: str
    """Lower-case words, `[unk]` for one that is not in the grammar. Empty: the recogniser was lost; BEGUN:
    words are being said, and what they are comes next."""
    score: int
    """How sure the recogniser is, 0 to 100: that of its least certain word."""

    UNKNOWN: ClassVar = "[unk]"
    BEGUN: ClassVar = "[begun]"

    @property
    def begun(self) -> bool:
        return self.text == self.BEGUN

    @property
    def words(self) -> tuple[str, ...]:
        """Those that were understood, as in ivr/domain/words.py."""
        return words(self.text)


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """What may be said to one question. The name is what the telephone switch is told, and no more."""

    name: str
    """Letters, digits and hyphens; another one for other phrases."""
    phrases: tuple[str, ...]
    """Lower-case words or phrases of several."""
    strict: bool = False
    """Whether only these are reported, and other words pass for silence."""
    family: str = ""
    """What metrics call it and its like; empty: by its name."""
    once: bool = False
    """Whether it is forgotten with its question: it has something about a person."""


class Recogniser(Protocol):
    """Speech to text for the calls of one node."""

    @property
    def model(self) -> str | None:
        """Name of the model; None: there is none, and the line works by keys alone."""
        ...

    def reserve(self) -> bool:
        """Take one of the streams that may run at once; False when all are taken or there is no model."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...

    def teach(self, grammars: Mapping[str, Grammar]) -> None:
        """What questions may name from now on, by name."""
        ...

    def forget(self, grammar: str) -> None:
        """No question will name it any more."""
        ...
