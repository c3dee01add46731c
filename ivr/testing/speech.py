"""Prompts without sound, and queues without telephones."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from pathlib import Path

from ivr.domain.errors import Unavailable
from ivr.ports import Channel, Grammar, LeftQueue, Prompt
from ivr.speech import catalogue
from ivr.testing.clock import VirtualClock


class FakePrompts:
    """`ivr.ports.Prompts` of the real catalogue: wrong ids and parameters are refused as they are there.

    What is not personal is ready at once; what is takes `seconds` of the clock to make.
    """

    def __init__(self, clock: VirtualClock, *, seconds: float = 0.3) -> None:
        self.seconds = seconds
        self.asked: list[Prompt] = []
        """Every prompt that was wanted, in order; one may have been skipped."""
        self.private: set[Path] = set()
        """Personal files that nobody has released."""
        self.failing: set[str] = set()
        """Ids whose synthesis fails; they are never ready."""
        self._clock = clock
        self._numbers = count(1)

    async def audio(self, prompt: Prompt) -> Path:
        self._check(prompt)
        await self._clock.sleep(self.seconds)
        if prompt.id in self.failing:
            raise Unavailable(f"the prompt {prompt.id} cannot be synthesised")
        if not catalogue.entry(prompt.id).personal:
            return _file("prompts", prompt)
        made = _file(f"private-{next(self._numbers)}", prompt)
        self.private.add(made)
        return made

    def ready(self, prompt: Prompt) -> Path | None:
        self._check(prompt)
        if prompt.id in self.failing or catalogue.entry(prompt.id).personal:
            return None
        return _file("prompts", prompt)

    @property
    def silence(self) -> Path:
        return Path("/prompts/silence.wav")

    def release(self, audio: Path) -> None:
        self.private.discard(audio)

    def said(self, id_: str) -> Prompt:
        """The last prompt of this id that was wanted."""
        return next(prompt for prompt in reversed(self.asked) if prompt.id == id_)

    def _check(self, prompt: Prompt) -> None:
        catalogue.text(prompt)
        if not self.asked or self.asked[-1] is not prompt:
            self.asked.append(prompt)


def _file(folder: str, prompt: Prompt) -> Path:
    return Path("/") / folder / f"{prompt.id}.wav"


class FakeRecogniser:
    """`ivr.ports.Recogniser` of so many streams."""

    def __init__(self, *, streams: int = 2) -> None:
        self.model: str | None = "fake"
        self.free = streams
        self.taught: dict[str, Grammar] = {}

    def reserve(self) -> bool:
        if not self.free:
            return False
        self.free -= 1
        return True

    def release(self) -> None:
        self.free += 1

    def teach(self, grammars: Mapping[str, Grammar]) -> None:
        self.taught.update(grammars)

    def forget(self, grammar: str) -> None:
        self.taught.pop(grammar, None)


class FakeDistributor:
    """`ivr.ports.Distributor`: every caller comes back for the same reason."""

    def __init__(self, *, reason: LeftQueue = LeftQueue.NO_OPERATOR) -> None:
        self.reason = reason

    async def left(self, channel: Channel) -> LeftQueue:
        return self.reason
