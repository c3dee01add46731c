"""The mouth of one conversation: prompts are made, said, cut short by keys or voice, skipped for keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ivr.domain.errors import CallOver
from ivr.domain.keypad import TypedKeys
from ivr.hearing import Ear
from ivr.making import Making
from ivr.ports import KEYS, Channel, Clock, Prompt, Prompts

T = TypeVar("T")
Tell = Callable[[str, str, str], None]
"""Told what the caller lives through: kind, id, outcome (ports.TraceEvent). Must not wait for anything."""
_SLICE = 0.1
"""Seconds of waiting for a key while something else is done; between two of them a key may get lost."""
_NOTICE_AFTER = 0.5
_CHECKING = Prompt.of("checking")


class Mouth:
    """Says prompts over a channel, and reads keys meanwhile."""

    def __init__(
        self, channel: Channel, ear: Ear, *, prompts: Prompts, typed: TypedKeys, clock: Clock, tell: Tell
    ) -> None:
        self._channel = channel
        self._ear = ear
        self._prompts = prompts
        self._typed = typed
        self._clock = clock
        self._tell = tell
        self._making = Making(prompts)

    async def say(
        self, prompt: Prompt, *, whole: bool = False, then: Prompt | None = None, ask: bool = False
    ) -> None:
        """Unless a key typed ahead makes it needless. ask: it is a question, which voice may cut short.

        Raises Unavailable when it cannot be made or played.
        """
        wanted = whole or not self._typed
        audio = (self._prompts.ready(prompt) or await self._made(prompt, whole=whole)) if wanted else None
        if audio is None:
            self._making.forget()
            return self._tell("prompt", prompt.id, "skipped")
        try:
            if whole or not self._typed:
                return await self._play_before(then, prompt, audio, "" if whole else self._stopping(), ask)
            return self._tell("prompt", prompt.id, "skipped")
        finally:
            self._prompts.release(audio)

    async def _play_before(
        self, then: Prompt | None, prompt: Prompt, audio: Path, stop_on: str, ask: bool
    ) -> None:
        """Play it, and meanwhile have `then` made: else the caller would wait between the two."""
        if then is not None:
            self._making.begin(then)
        try:
            await self._play(prompt, audio, stop_on=stop_on, ask=ask)
        except (Exception, asyncio.CancelledError):
            self._making.forget()
            raise

    async def _made(self, prompt: Prompt, *, whole: bool) -> Path | None:
        """Synthesised while keys are read; None, and no longer made, when a key has made it needless."""
        making = self._making.take(prompt)
        try:
            await self.until_done(making, _CHECKING, or_key=not whole)
        except (Exception, asyncio.CancelledError):
            self._making.abandon(making)
            raise
        if making.done():
            return await making
        self._making.abandon(making)
        return None

    async def _play(self, prompt: Prompt, audio: Path, *, stop_on: str, ask: bool = False) -> None:
        with self.ended_as("prompt", prompt.id):
            play = self._ear.play if ask else self._channel.play
            key = await play(audio, stop_on=stop_on)
        cut = key is not None or (ask and self._ear.has_heard)
        self._tell("prompt", prompt.id, "interrupted" if cut else "played")
        self.note(key)

    async def until_done(
        self, task: asyncio.Future[T], notice: Prompt | None, *, or_key: bool = False
    ) -> None:
        """Keys are read from the first moment on, before the work begins. or_key: until one is there."""
        waited = 0.0
        while not task.done() and not (or_key and self._typed):
            self.note(await self._channel.wait_key(_SLICE))
            waited += _SLICE
            if notice is not None and waited >= _NOTICE_AFTER and not self._typed and not task.done():
                audio = self._prompts.ready(notice)
                if audio is not None:
                    await self._play(notice, audio, stop_on=self._stopping())
                notice = None

    def note(self, key: str | None) -> None:
        """Keep a key that was pressed, if there was one."""
        self._typed.press(key, self._clock.monotonic())

    def _stopping(self) -> str:
        """Keys that stop a prompt."""
        return KEYS.replace("#", "") if self._typed.hash_is_spent(self._clock.monotonic()) else KEYS

    @contextmanager
    def ended_as(self, kind: str, id_: str) -> Iterator[None]:
        """Tell how a prompt or question ended when the conversation ends in it."""
        try:
            yield
        except CallOver as over:
            self._tell(kind, id_, over.told)
            raise
