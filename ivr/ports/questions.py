"""One question with both ways to answer it: by keys and by voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ivr.ports.speech import Grammar
from ivr.ports.telephone import Prompt


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """The answer was a key."""

    key: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """The answer was said, and this is what it means."""

    answer: str
    """What the question takes it for: the key of a choice, digits, the name of a state."""
    words: str
    """As it is said back to the caller in «Вы сказали …»: Russian words."""
    whole: bool = True
    """False: more may follow. It is the answer if the caller says no more."""
    enough: bool = True
    """False: this is only the beginning of an answer; without more it is none."""
    sure: bool = True
    """False: the recogniser was not, and nobody has asked the caller."""


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """How a question is answered by voice."""

    grammar: Grammar
    """What the recogniser listens for; words for an operator and for a repetition are always added."""
    understand: Callable[[tuple[str, ...]], Said | None]
    """What the words of one or several turns mean, in their order, never empty; None: no answer."""
    prompt: Prompt | None = None
    """What is said instead of the question's own prompt when the caller may speak; None: the same."""
    again: Prompt | None = None
    """Said instead of the question's own `again` when the caller may speak; None: the same."""
    told_back: Literal["unsure", "always", "never"] = "unsure"
    """When the caller is asked whether this was said; never: the flow does that itself."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that one key answers, or a few words."""

    prompt: Prompt
    """What is asked when only keys can answer; its id names the question in traces and metrics."""
    keys: str
    """Keys that are answers; may be empty where only words are."""
    spoken: Spoken | None = None
    """None: keys alone, and «оператор»."""
    again: Prompt | None = None
    """Said after what was no answer; None: `no_match` and the question itself once more."""
    tries: int | None = None
    """After so many that were none NotUnderstood is raised; None: as many as anywhere, and OperatorWanted.

    Where no key is an answer, keys use up none of them: they are counted as anywhere.
    """
