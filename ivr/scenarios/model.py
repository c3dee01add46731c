"""A dialogue scenario as data (§9.3): states, what is said in them, and where each answer leads.

The classes are the form of the file, too (docs/scenarios.md): a field that is not here is refused, every text
and list has a limit, for the file comes from people who write it by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from ivr.domain.enquiry import Level
from ivr.domain.operators import AGENCY_CODE
from ivr.domain.words import wants_operator, words
from ivr.scenarios.hearing import is_speakable

LONGEST_PROMPT, LONGEST_TITLE, LONGEST_PHRASE = 800, 100, 80
"""Characters."""
MOST_STATES, MOST_CHOICES, MOST_PHRASES = 200, 30, 40


def _phrase(text: str) -> str:
    if not is_speakable(text):
        raise ValueError("is not made of Russian words; write it as it is spoken, numbers in words")
    if wants_operator(words(text)):
        raise ValueError("means an operator at every question already; take it out")
    return text


def _words(text: str) -> str:
    if not all(sign.isprintable() or sign == "\n" for sign in text):
        raise ValueError("has a control character in it; take it out")
    return text


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Prompt = Annotated[str, Field(min_length=1, max_length=LONGEST_PROMPT), AfterValidator(_words)]
Title = Annotated[str, Field(min_length=1, max_length=LONGEST_TITLE), AfterValidator(_words)]
Phrase = Annotated[str, Field(min_length=1, max_length=LONGEST_PHRASE), AfterValidator(_phrase)]
AgencyCode = Annotated[str, Field(pattern=f"^(?:{AGENCY_CODE.pattern})$")]
Key = Annotated[str, Field(pattern=r"^[1-9]$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Choice(_Part):
    """One answer that a question understands."""

    key: Key | None = None
    phrases: Annotated[tuple[Phrase, ...], Field(max_length=MOST_PHRASES)] = ()
    """Synonyms: the shortest words that mean this answer."""
    to: Name
    means: Title | None = None
    """What the operator reads of it, where the call is handed over."""

    @model_validator(mode="after")
    def _can_be_given(self) -> Self:
        if self.key is None and not self.phrases:
            raise ValueError("can be given neither by key nor by voice; add `key` or `phrases`")
        return self


class _State(_Part):
    kind: ClassVar[str]

    def ways(self) -> Mapping[tuple[str | int, ...], str]:
        """Where this state leads: field (its path inside the state) and name of the next state."""
        return {}


class Ask(_State):
    """A question; `0` and «оператор» are understood at every one."""

    kind = "ask"
    ask: Prompt
    again: Prompt
    """Said once when the answer was not understood."""
    by_keys: Prompt | None = None
    """Asked instead where the line does not listen: without a word about speaking."""
    choices: Annotated[tuple[Choice, ...], Field(max_length=MOST_CHOICES)] = ()
    unclear: Name
    """Where the second answer that was not understood leads."""
    operator: Name | None = None
    """Where «оператор» leads, if not where the scenario says."""

    def ways(self) -> Mapping[tuple[str | int, ...], str]:
        ways: dict[tuple[str | int, ...], str] = {
            ("choices", n, "to"): c.to for n, c in enumerate(self.choices)
        }
        ways["unclear",] = self.unclear
        return ways if self.operator is None else {**ways, ("operator",): self.operator}


class Answer(_State):
    """Something told; the dialogue goes on by itself."""

    kind = "answer"
    answer: Prompt
    to: Name

    def ways(self) -> Mapping[tuple[str | int, ...], str]:
        return {("to",): self.to}


class LookUp(_State):
    """A question to the agency's information resource (§22); what is found is read out before `found`."""

    kind = "look_up"
    look_up: Literal["applications", "payments", "notices"]
    level: Literal[Level.APPLICATION, Level.PERSONAL]
    """The level that the caller has to have (§20, §21)."""
    found: Name
    nothing: Name
    refused: Name
    """Where a caller is led who could not be identified, and has been told that an operator helps."""
    down: Name
    """Where a silent resource leads."""
    operator: Name | None = None
    """Where the wish for an operator leads while the caller is identified, if not where the scenario says."""

    @model_validator(mode="after")
    def _is_allowed(self) -> Self:
        if self.look_up != "applications" and self.level is not Level.PERSONAL:
            raise ValueError(f"tells {self.look_up} below `level: personal`; §21 forbids it, raise the level")
        return self

    def ways(self) -> Mapping[tuple[str | int, ...], str]:
        ways: dict[tuple[str | int, ...], str] = {
            (name,): getattr(self, name) for name in ("found", "nothing", "refused", "down")
        }
        return ways if self.operator is None else {**ways, ("operator",): self.operator}


class HandOver(_State):
    """The call goes to an operator, with what was understood."""

    kind = "hand_over"
    hand_over: Prompt
    agency: AgencyCode | None = None
    """None: whoever is free, by the general queue."""
    line: Annotated[int, Field(ge=1, le=2)] = 1
    topic: Title | None = None


class End(_State):
    """The last words."""

    kind = "end"
    end: Prompt


KINDS: Mapping[str, type[_State]] = {state.kind: state for state in (Ask, Answer, LookUp, HandOver, End)}


def _kind(state: Any) -> str | None:
    """By the field that every kind of state has of its own."""
    return next((kind for kind in KINDS if kind in state), None) if isinstance(state, dict) else None


State = Annotated[
    Annotated[Ask, Tag("ask")]
    | Annotated[Answer, Tag("answer")]
    | Annotated[LookUp, Tag("look_up")]
    | Annotated[HandOver, Tag("hand_over")]
    | Annotated[End, Tag("end")],
    Discriminator(_kind),
]


class Scenario(_Part):
    """A whole dialogue."""

    scenario: Name
    title: Title
    start: Name
    operator: Name
    """Where «оператор» and `0` lead."""
    states: Annotated[dict[Name, State], Field(min_length=1, max_length=MOST_STATES)]
