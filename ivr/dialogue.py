"""The verbs that flows are made of, over a telephone channel: `ivr.ports.Call`.

The silence clock (§19), typed-ahead keys, what is understood of words, and the meaning of `*`, `**`, `0`, `#`
live here and nowhere else. Between two commands nothing is awaited while keys are expected: Asterisk throws
away a digit that ends while no command is running.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from ivr import grammars
from ivr.answering import Answering, No
from ivr.attention import Attention
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import CallOver, NotUnderstood, OperatorWanted
from ivr.domain.keypad import TypedKeys, Verdict, judge
from ivr.hearing import Ear, Hearing
from ivr.patience import Patience
from ivr.ports import Boarding, Channel, Clock, Heard, Keyed, Prompt, Prompts, Question, Said, Spoken
from ivr.speaking import Mouth, T, Tell

Ask = Callable[[], Awaitable[None]]


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
        hearing: Hearing | None = None,
    ) -> None:
        """id_: the call's uniqueid where it is not the channel's. hearing: None for keys alone."""
        self._channel = channel
        self.id = id_ or channel.id
        self._clock = clock
        self._patience = patience
        self._tell = tell
        self._typed = TypedKeys(together=patience.digit)
        self._ear = Ear(channel, hearing, clock=clock, silence=prompts.silence, linger=patience.calm)
        self._mouth = Mouth(channel, self._ear, prompts=prompts, typed=self._typed, clock=clock, tell=tell)
        self._attention = Attention(self._ear, self._mouth, typed=self._typed, patience=patience, clock=clock)
        self._answering = Answering(self._attention, self._ear, pose=self.pose, tell=tell)
        self.number = number
        self.arrived_at = arrived_at
        self.enquiry = ""
        self.outcome: ContactOutcome | None = None

    @property
    def pressed_anything(self) -> bool:
        return self._typed.pressed_anything

    @property
    def listens(self) -> bool:
        return self._ear.listens

    def close(self) -> None:
        """The conversation is over, whatever becomes of the call."""
        self._ear.close()

    # --- speaking ---

    async def answer(self) -> None:
        await self._ear.open()
        await self._channel.answer()

    async def say(self, prompt: Prompt, *, whole: bool = False, then: Prompt | None = None) -> None:
        await self._mouth.say(prompt, whole=whole, then=then)
        if whole:
            self._typed.forget()

    def take_key(self, prompt: Prompt, key: str) -> bool:
        if found := key in self._typed.take_all():
            self._tell("key", prompt.id, key)
        return found

    def asked_ahead(self, prompt: Prompt) -> bool:
        if found := "0" in self._typed.take_all():
            self._tell("ask", prompt.id, "operator")
        return found

    # --- asking ---

    async def ask(self, question: Question) -> Keyed | Said:
        with self._mouth.ended_as("ask", question.prompt.id):
            answer = await self._choose(question)
        self._tell("ask", question.prompt.id, "answered")
        return answer

    async def _choose(self, question: Question) -> Keyed | Said:
        wrong = stray = 0
        await self.pose(question)
        while True:
            came = await self._attention.next_answer()
            if isinstance(came, Heard):
                said = await self._answering.said(question, came)
                if isinstance(said, Said):
                    return said
                wrong += said is No.FAILED and question.tries is not None
                await self._put_again(question, said, wrong)
                continue
            # a key that is no answer may be a digit of a secret that was typed too long: it is not told
            self._tell("key", question.prompt.id, came if came in question.keys or came in "0*" else "wrong")
            if came in question.keys:
                return Keyed(key=came)
            if came == "0":
                raise OperatorWanted
            if came == "*":
                await self.pose(question)
            elif question.keys:
                wrong += 1
                await self._refuse(question, wrong)
            else:
                stray += 1
                await self._refuse(replace(question, tries=None), stray)

    async def ask_choice(self, prompt: Prompt, choices: str, spoken: Spoken | None = None) -> str:
        answer = await self.ask(Question(prompt=prompt, keys=choices, spoken=spoken))
        return answer.key if isinstance(answer, Keyed) else answer.answer

    async def pose(self, question: Question) -> None:
        """Put a question in the words of the ways there are to answer it; keys typed ahead spare it."""
        prompt, spoken = question.prompt, question.spoken
        if self._typed:
            self._ear.ignore()
        else:
            if self._ear.gives_up():
                await self._mouth.say(Prompt.of("speech.keys_only"))
            if await self._ear.attend(spoken) and spoken is not None and spoken.prompt is not None:
                prompt = spoken.prompt
        await self._mouth.say(prompt, ask=True)

    async def _refuse(self, question: Question, wrong: int) -> None:
        """Say that this was no answer, and ask again."""
        self._count(question, wrong)
        if question.again is not None:
            return await self.pose(_again(question))
        await self._mouth.say(Prompt.of("no_match"))
        return await self.pose(question)

    async def _put_again(self, question: Question, why: No, wrong: int = 0) -> None:
        """The same for what was said."""
        self._count(question, wrong)
        if why is not No.AGAIN and not self._ear.keys_only:
            if question.again is not None or (question.spoken and question.spoken.again):
                return await self.pose(_again(question))
            await self._mouth.say(Prompt.of("speech.again"))
        return await self.pose(question)

    def _count(self, question: Question, wrong: int) -> None:
        """Raises OperatorWanted or NotUnderstood after the last answer that was none."""
        if wrong >= (question.tries or self._patience.wrong):
            raise NotUnderstood if question.tries else OperatorWanted

    async def confirm(self, prompt: Prompt, spoken: Prompt | None = None) -> bool:
        try:
            by_voice = None if spoken is None else grammars.yes_no(spoken)
            return await self.ask_choice(prompt, "0123456789#", by_voice) == grammars.YES_KEY
        except OperatorWanted:  # «оператор» is no «да», as `0` is not
            return False

    async def offer(self, prompt: Prompt, *, seconds: float, spoken: Prompt | None = None) -> bool:
        by_voice = None if spoken is None else grammars.yes_no(spoken)
        with self._mouth.ended_as("ask", prompt.id):
            discarded = await self._discarded(Question(prompt=prompt, keys="*", spoken=by_voice), seconds)
        self._tell("ask", prompt.id, "discarded" if discarded else "kept")
        return discarded

    async def _discarded(self, question: Question, seconds: float) -> bool:
        await self.pose(question)
        while isinstance(came := await self._attention.next_after(seconds), Heard):
            said = await self._answering.said(question, came)
            if isinstance(said, Said):
                return said.answer == grammars.NO_KEY
            await self._put_again(question, said)
        if came == "*":
            self._typed.star(self._clock.monotonic())
        elif came is not None:
            self._typed.put_back(came)
        return came == "*"

    async def ask_digits(
        self,
        prompt: Prompt,
        *,
        length: int | None = None,
        most: int = 32,
        spoken: Spoken | None = None,
        secret: bool = False,
    ) -> str:
        question = Question(prompt=prompt, keys="0123456789", spoken=spoken)
        ask = partial(self._mouth.say, prompt) if secret else partial(self.pose, question)
        self._ear.ignore()
        with self._mouth.ended_as("ask", prompt.id):
            digits = await self._collect(question, ask, most=length or most, fixed=length is not None)
        self._typed.answered(self._clock.monotonic())
        self._tell("ask", prompt.id, "answered")
        return digits

    async def _collect(self, question: Question, ask: Ask, *, most: int, fixed: bool) -> str:
        digits, wrong = "", 0
        await ask()
        while True:
            came = await self._next_digit(digits)
            if isinstance(came, Heard):
                said = await self._answering.said(question, came)
                if isinstance(said, Said):
                    return said.answer
                await self._put_again(question, said)
                continue
            verdict = judge(digits, came, most=most, fixed=fixed)
            if verdict is Verdict.MORE:
                digits += came
                self._typed.unstar()
                continue
            self._tell("key", question.prompt.id, verdict.value)
            if verdict is Verdict.ANSWERED:
                return digits + came.removesuffix("#")
            if verdict is Verdict.OPERATOR:
                raise OperatorWanted
            digits = ""
            if verdict is Verdict.CLEARED and self._typed.star(self._clock.monotonic()):
                raise OperatorWanted
            if verdict is Verdict.WRONG:
                wrong += 1
                self._count(question, wrong)
                await self._mouth.say(Prompt.of("no_match"))
            await ask()

    async def _next_digit(self, digits: str) -> str | Heard:
        """The next key of an answer that has these digits so far; words only before the first of them."""
        if digits:
            self._ear.ignore()
        if digits == "0":
            key = await self._attention.next_within(self._patience.digit)
            if key is None:
                raise OperatorWanted
            return key
        return await self._attention.next_digit(begun=bool(digits))

    # --- waiting ---

    async def during(self, work: Awaitable[T], *, notice: Prompt | None = None) -> T:
        """`work` is finished whatever happens to the call: it may be a promise that is being written down."""
        task = asyncio.ensure_future(work)
        try:
            await self._mouth.until_done(task, notice)
        except (Exception, asyncio.CancelledError) as over:
            await asyncio.wait([task])
            failure = None if task.cancelled() else task.exception()
            if failure is not None and isinstance(over, CallOver):
                raise failure from None
            raise
        return await task

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


def _again(question: Question) -> Question:
    """In its own words for what was no answer."""
    spoken = question.spoken
    if spoken is not None:
        spoken = replace(spoken, prompt=spoken.again or question.again)
    return replace(question, prompt=question.again or question.prompt, spoken=spoken)
