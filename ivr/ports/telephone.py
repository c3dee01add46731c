"""The telephone: one leg, and what is said on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ivr.domain.estimate import Told
from ivr.ports.speech import Heard

KEYS = "0123456789*#"


@dataclass(frozen=True)
class Prompt:
    """A sentence of the catalogue: `id` and its parameters by name (see ivr/speech/catalogue.py)."""

    id: str
    values: Mapping[str, object]

    @classmethod
    def of(cls, id_: str, **values: object) -> Prompt:
        return cls(id_, values)

    @property
    def voiced(self) -> Prompt:
        """The same question, put to a caller who may also speak."""
        return Prompt(f"{self.id}.voice", self.values)


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

    @property
    def silence(self) -> Path:
        """A file of no sound, to listen with."""
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

    async def open_ears(self) -> bool:
        """Have the caller recognised from now on; False: nobody is there to do it (after 3 s at most)."""
        ...

    async def expect(self, grammar: str) -> bool:
        """What is said next is of this grammar, by its name; False: it is unknown, or nobody listens."""
        ...

    async def listen(self, audio: Path, seconds: float) -> str | Heard | None:
        """Play a file and take what comes first: a key, or words.

        None: nothing has come until `seconds` after the end of the file, counted in whole seconds, of which
        the first may be short. Raises Unavailable when nobody listens.
        """
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
