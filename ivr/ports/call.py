"""A conversation with one caller: the verbs that flows are made of."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol

from ivr.domain.enquiry import ContactOutcome
from ivr.ports.questions import Keyed, Question, Said, Spoken
from ivr.ports.storage import T
from ivr.ports.telephone import Boarding, Prompt


class Call(Protocol):
    """A conversation: the verbs that flows are made of. Implemented by ivr/dialogue.py over a Channel.

    Every verb raises CallerHungUp when the caller is gone. The asking verbs also raise OperatorWanted
    (`0` in a menu, `**` or a lone `0` among digits) and CallerSilent (§19).
    """

    @property
    def id(self) -> str:
        """Uniqueid of the caller's leg."""
        ...

    @property
    def number(self) -> str | None:
        """The caller's number, E.164; None when unknown or withheld."""
        ...

    @property
    def arrived_at(self) -> datetime: ...

    @property
    def pressed_anything(self) -> bool: ...

    @property
    def listens(self) -> bool:
        """Whether this caller may answer by voice, as far as is known."""
        ...

    enquiry: str
    """Opaque id of the card; empty while there is none."""
    outcome: ContactOutcome | None
    """What the contact has come to if the call ends now; None: the journals tell."""

    async def answer(self) -> None: ...

    async def say(self, prompt: Prompt, *, whole: bool = False, then: Prompt | None = None) -> None:
        """Play a prompt. A key stops it and is the first of the next answer; one typed ahead skips it.

        whole: nothing stops or skips it, and what was typed before its end is dropped. For last words and
        for sentences after which keys typed ahead make no sense. then: what will be said next; it is made
        while this one is heard.
        """
        ...

    async def ask(self, question: Question) -> Keyed | Said:
        """One answer, by whichever way it comes first: a key in the middle of a word wins.

        `*` and «повторите» repeat the question; `0`, unless it is among the keys, and «оператор» raise
        OperatorWanted, too many answers that were none NotUnderstood where the question has `tries`. Only
        keys count when the line does not listen, or no longer to this caller.
        """
        ...

    async def ask_choice(self, prompt: Prompt, choices: str, spoken: Spoken | None = None) -> str:
        """One key of `choices`. `*` repeats; `0` raises OperatorWanted unless it is a choice.

        spoken: understands a key of `choices`.
        """
        ...

    async def ask_digits(
        self,
        prompt: Prompt,
        *,
        length: int | None = None,
        most: int = 32,
        spoken: Spoken | None = None,
        secret: bool = False,
    ) -> str:
        """Digits, ended by `#` or, with `length`, by themselves. `*` clears and asks again.

        length: exactly so many. most: more than these are a wrong answer. spoken: understands digits, of any
        number. secret: nobody listens meanwhile. No digit is ever told or logged.
        """
        ...

    async def confirm(self, prompt: Prompt, spoken: Prompt | None = None) -> bool:
        """True for 1, False for any other key, `0` and `#` too; `*` repeats the prompt.

        spoken: said instead when the caller may answer «да» or «нет»; None: by keys alone.
        """
        ...

    async def offer(self, prompt: Prompt, *, seconds: float, spoken: Prompt | None = None) -> bool:
        """Say something that `*` discards: whether it was discarded, within `seconds` of the prompt's end.

        The `*` is used up; any other key is left as the first of the next answer, and silence is consent.
        A second `*` on the next question is the `**` that raises OperatorWanted there. spoken: as in
        `confirm`; «нет» discards.
        """
        ...

    def take_key(self, prompt: Prompt, key: str) -> bool:
        """Whether this key was pressed and not used, for instance during a prompt that is no question.

        All keys typed ahead are used up by this; the one that was looked for is told of as of the prompt.
        """
        ...

    def asked_ahead(self, prompt: Prompt) -> bool:
        """Whether 0 was pressed before this question could be asked; it is told as the wish for an operator.

        All keys typed ahead are used up by this.
        """
        ...

    async def during(self, work: Awaitable[T], *, notice: Prompt | None = None) -> T:
        """The result of `work`, while keys are still read; `notice` is said if it takes long.

        Keys pressed meanwhile are kept for the next question. When the caller hangs up, `work` is still
        finished before CallerHungUp is raised; an error of `work` comes through.
        """
        ...

    async def get_variable(self, name: str) -> str | None: ...

    async def set_variable(self, name: str, value: str) -> None: ...

    async def enqueue(self, queue: str, *, priority: int = 0, boarding: Boarding | None = None) -> None:
        """Hand the caller over to a queue: the flow's last verb; the dialplan goes on from here."""
        ...

    async def finish(self) -> None:
        """End the conversation: the flow's last verb; the dialplan hangs up."""
        ...
