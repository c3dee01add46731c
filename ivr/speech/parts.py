"""The parts that prompts are made of, and an entry of the catalogue.

A prompt is a sequence of parts. A recording `<id>.wav` of the site replaces the wording; values are
spoken after it, so they are phrases that stand by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.domain.errors import BadInput
from ivr.speech import russian
from ivr.speech.kinds import Kind

Values = Mapping[str, Any]
"""Parameters by name, checked against the entry's kinds."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of one prompt, in words."""

    text: str
    value: bool = False
    """Spoken also when a recording replaces the wording."""
    words: tuple[str, ...] = ()
    """The same as single words when recordings of them may speak it (numbers)."""


@dataclass(frozen=True)
class Wording:
    """Words of ours, fixed or chosen by a parameter of ours."""

    text: str | Callable[[Values], str]

    def piece(self, values: Values) -> Piece:
        return Piece(text=self.text if isinstance(self.text, str) else self.text(values))


@dataclass(frozen=True)
class Value:
    """A phrase made of parameters."""

    phrase: Callable[[Values], str]

    def piece(self, values: Values) -> Piece:
        return Piece(text=self.phrase(values), value=True)


@dataclass(frozen=True)
class Number:
    """A parameter as a cardinal number."""

    name: str

    def piece(self, values: Values) -> Piece:
        text = russian.cardinal(values[self.name])
        return Piece(text=f"{text}.", value=True, words=tuple(text.split()))


@dataclass(frozen=True)
class Digits:
    """A parameter as digits, one by one."""

    name: str

    def piece(self, values: Values) -> Piece:
        text = russian.digits_one_by_one(values[self.name])
        return Piece(text=f"{text}.", value=True, words=tuple(text.split(", ")))


Part = Wording | Value | Number | Digits


@dataclass(frozen=True)
class Entry:
    """One id of the catalogue."""

    parts: tuple[Part, ...]
    parameters: Mapping[str, Kind] = field(default_factory=dict)
    personal: bool = False
    """Speaks of one citizen: its sound is made for one hearing and erased after it."""

    def check(self, id_: str, values: Mapping[str, object]) -> None:
        """Raise BadInput unless these are exactly the parameters, each of its kind. Names no value."""
        if set(values) != set(self.parameters):
            wanted = ", ".join(self.parameters) or "none"
            raise BadInput(
                f"prompt {id_} takes the parameters: {wanted}; given: {', '.join(values) or 'none'}"
            )
        for name, kind in self.parameters.items():
            if not kind.accepts(values[name]):
                raise BadInput(f"prompt {id_}: parameter {name} must be {kind.name}")
