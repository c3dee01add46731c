"""The verbs that flows are made of, over a telephone channel: `ivr.ports.Call`.

The silence clock (§19), barge-in, typed-ahead keys and the meaning of `*`, `**`, `0`, `#` live here only.
Between two commands nothing is awaited while keys are expected: Asterisk throws such a digit away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import CallerSilent, CallOver, NotUnderstood, OperatorWanted
from ivr.domain.keypad import TypedKeys, Verdict, judge
from ivr.making import Making
from ivr.patience import Patience, Reminder
from ivr.ports import KEYS, Boarding, Channel, Clock, Keyed, Prompt, Prompts, Question, Said

T = TypeVar("T")
Tell = Callable[[str, str, str], None]
"""Told what the caller lives through: kind, id, outcome (ports.TraceEvent). Must not wait for anything."""

_SHORTEST_WAIT = 0.001
_SLICE = 0.1
"""Seconds of waiting for a key while something else is done; between two of them a key may get lost."""
_NOTICE_AFTER = 0.5
_CHECKING = Prompt.of("checking")


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
        id_: str = "",
    ) -> None:
        """id_: the call's uniqueid where it is not the channel's."""
        self._channel = channel
        self.id = id_ or channel.id
        self._prompts = prompts
        self._clock = clock
        self._patience = patience
        self._tell = tell
        self._typed = TypedKeys(together=patience.digit)
        self._making = Making(prompts)
        self.number = number
        self.arrived_at = arrived_at
        self.enquiry = ""
        self.outcome: ContactOutcome | None = None

    @property
    def pressed_anything(self) -> bool:
        return self._typed.pressed_anything

    # --- speaking ---

    async def answer(self) -> None:
        await self._channel.answer()

    async def say(self, prompt: Prompt, *, whole: bool = False, then: Prompt | None = None) -> None:
        await self._say(prompt, whole=whole, then=then)
        if whole:
            self._typed.forget()

    async def _say(self, prompt: Prompt, *, whole: bool = False, then: Prompt | None = None) -> None:
        """Unless a key typed ahead makes it needless. Raises Unavailable when it cannot be made or played."""
        wanted = whole or not self._typed
        audio = (self._prompts.ready(prompt) or await self._made(prompt, whole=whole)) if wanted else None
        if audio is None:
            self._making.forget()
            return self._tell("prompt", prompt.id, "skipped")
        try:
            if whole or not self._typed:
                return await self._play_before(then, prompt, audio, "" if whole else self._stopping())
            return self._tell("prompt", prompt.id, "skipped")
        finally:
            self._prompts.release(audio)

    async def _play_before(self, then: Prompt | None, prompt: Prompt, audio: Path, stop_on: str) -> None:
        """Play it, and meanwhile have `then` made: else the caller would wait between the two."""
        if then is not None:
            self._making.begin(then)
        try:
            await self._play(prompt, audio, stop_on=stop_on)
        except (Exception, asyncio.CancelledError):
            self._making.forget()
            raise

    async def _made(self, prompt: Prompt, *, whole: bool) -> Path | None:
        """Synthesised while keys are read; None, and no longer made, when a key has made it needless."""
        making = self._making.take(prompt)
        try:
            await self._until_done(making, _CHECKING, or_key=not whole)
        except (Exception, asyncio.CancelledError):
            self._making.abandon(making)
            raise
        if making.done():
            return await making
        self._making.abandon(making)
        return None

    async def _play(self, prompt: Prompt, audio: Path, *, stop_on: str) -> None:
        with self._ended_as("prompt", prompt.id):
            key = await self._channel.play(audio, stop_on=stop_on)
        self._tell("prompt", prompt.id, "interrupted" if key else "played")
        self._note(key)

    def take_key(self, prompt: Prompt, key: str) -> bool:
        if found := key in self._typed.take_all():
            self._tell("key", prompt.id, key)
        return found

    def asked_ahead(self, prompt: Prompt) -> bool:
        if found := "0" in self._typed.take_all():
            self._tell("ask", prompt.id, "operator")
        return found

    def _note(self, key: str | None) -> None:
        self._typed.press(key, self._clock.monotonic())

    def _stopping(self) -> str:
        """Keys that stop a prompt."""
        return KEYS.replace("#", "") if self._typed.hash_is_spent(self._clock.monotonic()) else KEYS

    @contextmanager
    def _ended_as(self, kind: str, id_: str) -> Iterator[None]:
        """Tell how a prompt or question ended when the conversation ends in it."""
        try:
            yield
        except CallOver as over:
            self._tell(kind, id_, over.told)
            raise

    # --- asking ---

    async def ask(self, question: Question) -> Keyed | Said:
        with self._ended_as("ask", question.prompt.id):
            key = await self._choose(question)
            self._tell("ask", question.prompt.id, "answered")
        return Keyed(key=key)

    async def ask_choice(self, prompt: Prompt, choices: str) -> str:
        answer = await self.ask(Question(prompt=prompt, keys=choices))
        return answer.key if isinstance(answer, Keyed) else answer.answer

    async def _choose(self, question: Question) -> str:
        prompt, choices, wrong = question.prompt, question.keys, 0
        await self._say(prompt)
        while True:
            key = await self._key(self._patience.reminded(digits=False))
            # a key that is no answer may be a digit of a secret that was typed too long: it is not told
            self._tell("key", prompt.id, key if key in choices or key in "0*" else "wrong")
            if key in choices:
                return key
            if key == "0":
                raise OperatorWanted
            if key != "*":
                wrong += 1
                await self._refuse(wrong, question.again, question.tries)
            if key == "*" or question.again is None:
                await self._say(prompt)

    async def _refuse(self, wrong: int, again: Prompt | None = None, tries: int | None = None) -> None:
        """Say that this was no answer; raises OperatorWanted or NotUnderstood after the last one."""
        if wrong >= (tries or self._patience.wrong):
            raise NotUnderstood if tries else OperatorWanted
        await self._say(again or Prompt.of("no_match"))

    async def confirm(self, prompt: Prompt) -> bool:
        return await self.ask_choice(prompt, "0123456789#") == "1"

    async def offer(self, prompt: Prompt, *, seconds: float) -> bool:
        with self._ended_as("ask", prompt.id):
            await self._say(prompt)
            key = await self._wait(self._clock.monotonic(), seconds)
        if discarded := key == "*":
            self._typed.star(self._clock.monotonic())
        elif key is not None:
            self._typed.put_back(key)
        self._tell("ask", prompt.id, "discarded" if discarded else "kept")
        return discarded

    async def ask_digits(self, prompt: Prompt, *, length: int | None = None, most: int = 32) -> str:
        with self._ended_as("ask", prompt.id):
            digits = await self._collect(prompt, most=length or most, fixed=length is not None)
        self._typed.answered(self._clock.monotonic())
        self._tell("ask", prompt.id, "answered")
        return digits

    async def _collect(self, prompt: Prompt, *, most: int, fixed: bool) -> str:
        digits, wrong = "", 0
        await self._say(prompt)
        while True:
            key = await self._next_digit(digits)
            verdict = judge(digits, key, most=most, fixed=fixed)
            if verdict is Verdict.MORE:
                digits += key
                self._typed.unstar()
                continue
            self._tell("key", prompt.id, verdict.value)
            if verdict is Verdict.ANSWERED:
                return digits + key.removesuffix("#")
            if verdict is Verdict.OPERATOR:
                raise OperatorWanted
            digits = ""
            if verdict is Verdict.CLEARED and self._typed.star(self._clock.monotonic()):
                raise OperatorWanted
            if verdict is Verdict.WRONG:
                wrong += 1
                await self._refuse(wrong)
            await self._say(prompt)

    async def _next_digit(self, digits: str) -> str:
        """The next key of an answer that has these digits so far."""
        if digits == "0":
            key = await self._wait(self._clock.monotonic(), self._patience.digit)
            if key is None:
                raise OperatorWanted
            return key
        return await self._key(self._patience.reminded(digits=True, begun=bool(digits)))

    # --- waiting ---

    async def _key(self, reminders: Sequence[Reminder]) -> str:
        """The next key, typed ahead or awaited; the silence clock starts now (§19). reminders: soonest first.

        Exactly the limit is not yet over; reminders do not move the clock.
        """
        start, limit = self._clock.monotonic(), self._patience.silence
        for reminder in reminders:
            if key := await self._wait(start, min(reminder.at, limit)):
                return key
            if self._clock.monotonic() - start <= limit:
                await self._say(reminder.prompt)
        if key := await self._wait(start, limit):
            return key
        raise CallerSilent

    async def _wait(self, start: float, until: float) -> str | None:
        """The next key, or None when more than `until` seconds have passed since `start`."""
        while not self._typed:
            left = until - (self._clock.monotonic() - start)
            if left < 0:
                return None
            self._note(await self._channel.wait_key(max(left, _SHORTEST_WAIT)))
        return self._typed.take()

    async def during(self, work: Awaitable[T], *, notice: Prompt | None = None) -> T:
        """`work` is finished whatever happens to the call: it may be a promise that is being written down."""
        task = asyncio.ensure_future(work)
        try:
            await self._until_done(task, notice)
        except (Exception, asyncio.CancelledError) as over:
            await asyncio.wait([task])
            failure = None if task.cancelled() else task.exception()
            if failure is not None and isinstance(over, CallOver):
                raise failure from None
            raise
        return await task

    async def _until_done(
        self, task: asyncio.Future[T], notice: Prompt | None, *, or_key: bool = False
    ) -> None:
        """Keys are read from the first moment on, before the work begins. or_key: until one is there."""
        waited = 0.0
        while not task.done() and not (or_key and self._typed):
            self._note(await self._channel.wait_key(_SLICE))
            waited += _SLICE
            if notice is not None and waited >= _NOTICE_AFTER and not self._typed and not task.done():
                audio = self._prompts.ready(notice)
                if audio is not None:
                    await self._play(notice, audio, stop_on=self._stopping())
                notice = None

    # --- handing over ---

    async def get_variable(self, name: str) -> str | None:
        return await self._channel.get_variable(name)

    async def set_variable(self, name: str, value: str) -> None:
        await self._channel.set_variable(name, value)

    async def enqueue(self, queue: str, *, priority: int = 0, boarding: Boarding | None = None) -> None:
        self._tell("queue", queue, "asked")
        await self._channel.hand_over(queue, priority=priority, enquiry=self.enquiry, boarding=boarding)

    async def finish(self) -> None:
        await self._channel.finish()
