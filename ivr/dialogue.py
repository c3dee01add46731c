"""The verbs that flows are made of, over a telephone channel: `ivr.ports.Call`.

The silence clock (§19), barge-in, typed-ahead keys and the meaning of `*`, `**`, `0`, `#` live here and
nowhere else. Between two commands nothing is awaited while keys are expected: Asterisk throws away a
digit that ends while no command is running.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from ivr.domain.errors import CallerHungUp, CallerSilent, CallOver, OperatorWanted
from ivr.ports import Channel, Clock, Prompt, Prompts

T = TypeVar("T")
Tell = Callable[[str, str, str], None]
"""Told what the caller lives through: kind, id, outcome (ports.TraceEvent)."""

REMINDERS = (12 / 60, 25 / 60, 40 / 60)
"""When the reminders come, in parts of the silence limit."""
_SHORTEST_WAIT = 0.001
_FIRST_SLICE, _SLICE = 0.02, 0.1
_NOTICE_AFTER = 0.5


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a caller may think; seconds."""

    silence: float = 60.0
    """More than this after the end of a question ends the service (§19)."""
    digit: float = 6.0
    """Between two digits of one answer, before the caller is encouraged to go on."""
    wrong: int = 3
    """Wrong answers to one question before an operator takes over."""


@dataclass(frozen=True, kw_only=True)
class _Reminder:
    at: float
    """Seconds since the silence clock started."""
    prompt: Prompt


class Dialogue:
    """One conversation. See `ivr.ports.Call` for what each verb promises."""

    def __init__(
        self,
        channel: Channel,
        *,
        prompts: Prompts,
        clock: Clock,
        patience: Patience,
        tell: Tell,
        number: str | None,
        arrived_at: datetime,
    ) -> None:
        self._channel = channel
        self._prompts = prompts
        self._clock = clock
        self._patience = patience
        self._tell = tell
        self._typed: deque[str] = deque()
        self.number = number
        self.arrived_at = arrived_at
        self.pressed_anything = False
        self.enquiry = ""
        """Opaque id of the card, once there is one."""

    @property
    def id(self) -> str:
        return self._channel.id

    # --- speaking ---

    async def answer(self) -> None:
        await self._channel.answer()

    async def say(self, prompt: Prompt) -> None:
        await self._say(prompt)

    async def _say(self, prompt: Prompt) -> None:
        if self._typed:
            self._tell("prompt", prompt.id, "skipped")
            return
        audio = self._prompts.ready(prompt)
        if audio is None:
            audio = await self.during(self._prompts.audio(prompt), notice=Prompt.of("checking"))
            if self._typed:
                self._prompts.release(audio)
                self._tell("prompt", prompt.id, "skipped")
                return
        with self._ended_as("prompt", prompt.id, "hangup"):
            try:
                key = await self._channel.play(audio)
            finally:
                self._prompts.release(audio)
        self._tell("prompt", prompt.id, "interrupted" if key else "played")
        self._note(key)

    def _note(self, key: str | None) -> None:
        if key is not None:
            self.pressed_anything = True
            self._typed.append(key)

    @contextmanager
    def _ended_as(self, kind: str, id_: str, on_hangup: str) -> Iterator[None]:
        """Tell how a prompt or question ended when the conversation ends in it."""
        try:
            yield
        except CallOver as over:
            ends = {CallerHungUp: on_hangup, CallerSilent: "silence", OperatorWanted: "operator"}
            self._tell(kind, id_, ends.get(type(over), "over"))
            raise

    # --- asking ---

    async def ask_choice(self, prompt: Prompt, choices: str) -> str:
        with self._ended_as("ask", prompt.id, "hangup"):
            key = await self._choose(prompt, choices)
        self._tell("ask", prompt.id, "answered")
        return key

    async def _choose(self, prompt: Prompt, choices: str) -> str:
        wrong = 0
        await self._say(prompt)
        while True:
            key = await self._key(reminders=self._reminders(digits=False))
            self._tell("key", prompt.id, key)
            if key in choices:
                return key
            if key == "0":
                raise OperatorWanted
            if key != "*":
                wrong += 1
                if wrong >= self._patience.wrong:
                    raise OperatorWanted
                self._typed.clear()
                await self._say(Prompt.of("no_match"))
            await self._say(prompt)

    async def confirm(self, prompt: Prompt) -> bool:
        return await self.ask_choice(prompt, "0123456789#") == "1"

    async def ask_digits(self, prompt: Prompt, *, length: int | None = None, most: int = 32) -> str:
        with self._ended_as("ask", prompt.id, "hangup"):
            digits = await self._collect(prompt, length or most, fixed=length is not None)
        self._tell("ask", prompt.id, "answered")
        return digits

    async def _collect(self, prompt: Prompt, most: int, *, fixed: bool) -> str:
        wrong = 0
        digits = ""
        cleared_at: float | None = None
        await self._say(prompt)
        while True:
            key = await self._next_digit(digits)
            if key == "*":
                if cleared_at is not None and self._clock.monotonic() - cleared_at <= self._patience.digit:
                    raise OperatorWanted
                cleared_at, digits = self._clock.monotonic(), ""
                self._tell("key", prompt.id, "cleared")
                if not self._typed:
                    await self._say(prompt)
                continue
            cleared_at = None
            if key == "#" and digits == "0":
                raise OperatorWanted
            if key != "#":
                digits += key
            if (fixed and len(digits) == most) or (key == "#" and digits and not fixed):
                self._tell("key", prompt.id, "entered")
                return digits
            if key == "#" or len(digits) > most:
                wrong += 1
                if wrong >= self._patience.wrong:
                    raise OperatorWanted
                digits = ""
                self._typed.clear()
                await self._say(Prompt.of("no_match"))
                await self._say(prompt)

    async def _next_digit(self, digits: str) -> str:
        """The next key of an answer that has these digits so far."""
        if not digits:
            return await self._key(reminders=self._reminders(digits=True))
        if digits == "0":
            key = await self._wait(self._clock.monotonic(), self._patience.digit)
            if key is None:
                raise OperatorWanted
            return key
        encouragement = _Reminder(at=self._patience.digit, prompt=Prompt.of("no_input"))
        return await self._key(reminders=[encouragement, *self._reminders(digits=True)])

    # --- waiting ---

    def _reminders(self, *, digits: bool) -> list[_Reminder]:
        return [
            _Reminder(
                at=part * self._patience.silence,
                prompt=Prompt.of("silence.reminder", stage=stage, digits=digits),
            )
            for stage, part in enumerate(REMINDERS, 1)
        ]

    async def _key(self, *, reminders: list[_Reminder]) -> str:
        """The next key, typed ahead or awaited; the silence clock starts now (§19).

        Exactly the limit is not yet over; reminders do not move the clock.
        """
        start = self._clock.monotonic()
        for reminder in reminders:
            if key := await self._wait(start, reminder.at):
                return key
            if self._clock.monotonic() - start <= self._patience.silence:
                await self._say(reminder.prompt)
        if key := await self._wait(start, self._patience.silence):
            return key
        raise CallerSilent

    async def _wait(self, start: float, until: float) -> str | None:
        """The next key, or None when more than `until` seconds have passed since `start`."""
        while not self._typed:
            left = until - (self._clock.monotonic() - start)
            if left < 0:
                return None
            self._note(await self._channel.wait_key(max(left, _SHORTEST_WAIT)))
        return self._typed.popleft()

    async def during(self, work: Awaitable[T], *, notice: Prompt | None = None) -> T:
        """The result of `work`, while keys are still read.

        When the caller hangs up, `work` is still finished (it may be a promise that is being written
        down) before CallerHungUp goes on.
        """
        task = asyncio.ensure_future(work)
        try:
            await self._until_done(task, notice)
        except CallOver:
            await asyncio.wait([task])
            if (failure := task.exception()) is not None:
                raise failure from None
            raise
        return await task

    async def _until_done(self, task: asyncio.Future[T], notice: Prompt | None) -> None:
        await asyncio.sleep(0)
        waited = 0.0
        while not task.done():
            piece = _FIRST_SLICE if waited < _SLICE else _SLICE
            self._note(await self._channel.wait_key(piece))
            waited += piece
            if notice is not None and waited >= _NOTICE_AFTER and not self._typed:
                audio, notice = self._prompts.ready(notice), None
                if audio is not None and not task.done():
                    self._note(await self._channel.play(audio))

    # --- handing over ---

    async def get_variable(self, name: str) -> str | None:
        return await self._channel.get_variable(name)

    async def set_variable(self, name: str, value: str) -> None:
        await self._channel.set_variable(name, value)

    async def enqueue(self, queue: str, *, priority: int = 0) -> None:
        self._tell("queue", queue, "asked")
        await self._channel.hand_over(queue, priority=priority, enquiry=self.enquiry)

    async def finish(self) -> None:
        await self._channel.finish()
