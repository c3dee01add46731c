"""The telephone: one leg, and a conversation over it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.estimate import Told
from ivr.ports.storage import T

if TYPE_CHECKING:
    from ivr.ports.questions import Keyed, Question, Said

KEYS = "0123456789*#"


@dataclass(frozen=True)
class Prompt:
    """A sentence of the catalogue: `id` and its parameters by name (see ivr/speech/catalogue.py)."""

    id: str
    values: Mapping[str, object]

    @classmethod
    def of(cls, id_: str, **values: object) -> Prompt:
        return cls(id_, values)


class WaitSounds(Protocol):
    """What waiting callers are told, laid where the telephone switch finds it."""

    async def lay(self, told: Told) -> None:
        """Make it if it is not there. Raises Unavailable: then the caller is told less."""
        ...


class Prompts(Protocol):
    """Turns prompts into sound."""

    async def audio(self, prompt: Prompt) -> Path:
        """A file Asterisk can play (8 kHz mono .wav), synthesised if need be.

        Prompts with personal values go to a file that `release` erases. Raises Unavailable when synthesis
        fails.
        """
        ...

    def ready(self, prompt: Prompt) -> Path | None:
        """The file if it exists already, without waiting."""
        ...

    def release(self, audio: Path) -> None:
        """Erase the file if it holds something personal; cached prompts stay."""
        ...


@dataclass(frozen=True, kw_only=True)
class CallFacts:
    """What the dialplan knows of a call when it asks the engine."""

    number: str | None
    """As the trunk sent it, not yet a number of ours; None when unknown or withheld."""
    arrived_at: datetime
    enquiry: str = ""
    """Opaque id of the card, from an earlier conversation of this call."""
    queue: str = ""
    """The queue the caller comes from, or was to go to."""
    turns: int = 0
    """How often the caller has been put into a queue."""


@dataclass(frozen=True, kw_only=True)
class Whisper:
    """A sound that many calls share, and digits of this one, spoken after it one by one."""

    sound: Path
    digits: str


@dataclass(frozen=True, kw_only=True)
class Boarding:
    """How a caller enters a queue, and what is known on both sides of the wait."""

    place: int | None = None
    """The wanted place, from 1, among those of the same priority; None: behind them."""
    seconds: float | None = None
    """How long the caller may wait; None: the site's limit."""
    penalty: int | None = None
    """Only operators up to this penalty are rung; None: all."""
    widen_after: int | None = None
    """Seconds after which all are rung, one of `ivr.domain.queue_rules.WIDENINGS`."""
    shown: str = ""
    """On the operator's display beside the caller's number; nothing personal."""
    whisper: Whisper | None = None
    """What the operator hears before the bridge."""
    told: Told | None = None
    """What the caller is told first; None: only how to be called back."""
    arrived_at: datetime | None = None
    """Of a caller who was cut off: when the first call arrived. None: this one."""
    operator: str = ""
    """Extension of the operator who is rung before the queue is entered; empty: nobody."""


class Channel(Protocol):
    """What a telephone channel can do. Every method raises CallerHungUp once the caller is gone.

    A digit that ends between two commands is lost (Asterisk, res_agi.c): callers of this port must not
    await anything else between two commands while keys are expected.
    """

    @property
    def id(self) -> str:
        """Uniqueid of the channel."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The AGI environment without its `agi_` prefix."""
        ...

    async def facts(self) -> CallFacts: ...

    async def answer(self) -> None: ...

    async def play(self, audio: Path, *, stop_on: str = KEYS) -> str | None:
        """Play a file; the key that stopped it, or None when it was heard to its end."""
        ...

    async def wait_key(self, seconds: float) -> str | None:
        """The next key, or None when the time has passed."""
        ...

    async def get_variable(self, name: str) -> str | None: ...

    async def set_variable(self, name: str, value: str) -> None: ...

    async def execute(self, application: str, *arguments: str) -> str:
        """Run a dialplan application; its result. Raises BadInput for an unknown application."""
        ...

    async def hang_up(self) -> None: ...

    async def listen_in(self, leg: str, *, whisper: bool) -> None:
        """Hear both sides of the talk of a leg (Leg.name) until that leg is gone.

        whisper: that leg hears who is on this channel; its partner never does.
        """
        ...

    async def hand_over(
        self, queue: str, *, priority: int, enquiry: str, boarding: Boarding | None = None
    ) -> None:
        """Let the dialplan put the caller into `queue`: the last thing a handler does with a channel.

        priority: higher is served first, 0 is everybody. enquiry: opaque id of the card, or empty.
        """
        ...

    async def finish(self) -> None:
        """Let the dialplan hang up: the conversation is over. The last thing a handler does."""
        ...


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

    async def ask_choice(self, prompt: Prompt, choices: str) -> str:
        """One key of `choices`. `*` repeats; `0` raises OperatorWanted unless it is a choice."""
        ...

    async def ask_digits(self, prompt: Prompt, *, length: int | None = None, most: int = 32) -> str:
        """Digits, ended by `#` or, with `length`, by themselves. `*` clears and asks again.

        length: exactly so many. most: more than these are a wrong answer. No digit is ever told or logged.
        """
        ...

    async def confirm(self, prompt: Prompt) -> bool:
        """True for 1, False for any other key, `0` and `#` too; `*` repeats the prompt."""
        ...

    async def offer(self, prompt: Prompt, *, seconds: float) -> bool:
        """Say something that `*` discards: whether it was discarded, within `seconds` of the prompt's end.

        The `*` is used up; any other key is left as the first of the next answer, and silence is consent.
        A second `*` on the next question is the `**` that raises OperatorWanted there.
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
