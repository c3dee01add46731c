"""A call that answers by a script, and a desk in memory, for tests of what flows ask and say.

Keys, barge-in and silence are the dialogue's (tests of ivr/dialogue.py); here each question has one answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import date, datetime
from typing import Any, cast

from ivr.domain.benefits import PersonalRecords
from ivr.domain.enquiry import Application, ContactOutcome
from ivr.domain.errors import CallOver
from ivr.flows.desk import Desk
from ivr.ports import Boarding, CodeHashes, Distributor, Prompt, Spoken
from ivr.services.guesses import GuessGuard
from ivr.services.identification import Identification
from ivr.settings import IdentificationRules, Settings
from ivr.speech import catalogue
from ivr.testing import START, MemoryStore, VirtualClock

CALL = "node1-1.1"
Answer = tuple[str, str | bool | type[CallOver]]


class ScriptedCall:
    """`ivr.ports.Call`: the next answer of the script must be that of the next question.

    An answer that is an ending (CallerHungUp, OperatorWanted …) is raised. Every prompt must be sayable.
    """

    def __init__(self, *answers: Answer, number: str | None = None) -> None:
        self._answers = list(answers)
        self.id = CALL
        self.number = number
        self.arrived_at: datetime = START
        self.pressed_anything = True
        self.listens = False
        self.enquiry = ""
        self.outcome: ContactOutcome | None = ContactOutcome.ABANDONED_IVR
        self.heard: list[Prompt] = []
        self.queue: str | None = None
        self._pressed = ""
        self.finished = False

    @property
    def said(self) -> list[str]:
        """Ids of everything heard, in order."""
        return [prompt.id for prompt in self.heard]

    @property
    def unused(self) -> Sequence[Answer]:
        return self._answers

    async def answer(self) -> None:
        self.arrived_at = START

    async def say(self, prompt: Prompt, *, whole: bool = False, then: Prompt | None = None) -> None:
        catalogue.text(prompt)
        self.heard.append(prompt)

    async def _ask(self, prompt: Prompt) -> str | bool:
        await self.say(prompt)
        if not self._answers:
            raise AssertionError(f"the script has no answer to {prompt.id}")
        wanted, answer = self._answers.pop(0)
        assert wanted == prompt.id, f"the script answers {wanted}, but {prompt.id} is asked"
        if isinstance(answer, type):
            raise answer
        return answer

    async def ask_choice(self, prompt: Prompt, choices: str, spoken: Spoken | None = None) -> str:
        check_spoken(spoken)
        key = await self._ask(prompt)
        assert isinstance(key, str) and key in choices, f"{prompt.id} offers {choices}"
        return key

    async def ask_digits(
        self,
        prompt: Prompt,
        *,
        length: int | None = None,
        most: int = 32,
        spoken: Spoken | None = None,
        secret: bool = False,
    ) -> str:
        check_spoken(spoken)
        assert secret == (prompt.id == "code") and not (secret and spoken)
        digits = await self._ask(prompt)
        assert isinstance(digits, str) and len(digits) <= most and length in (None, len(digits))
        return digits

    async def confirm(self, prompt: Prompt, spoken: Prompt | None = None) -> bool:
        return await self._ask(prompt) == "1"

    async def offer(self, prompt: Prompt, *, seconds: float, spoken: Prompt | None = None) -> bool:
        """What the script does not answer is passed over in silence."""
        assert seconds > 0
        if not self._answers or self._answers[0][0] != prompt.id:
            await self.say(prompt)
            self._pressed = ""
        else:
            self._pressed = str(await self._ask(prompt))
        return self._pressed == "*"

    def take_key(self, prompt: Prompt, key: str) -> bool:
        pressed, self._pressed = self._pressed, ""
        return pressed == key

    def asked_ahead(self, prompt: Prompt) -> bool:
        return self.take_key(prompt, "0")

    async def during(self, work: Awaitable[Any], *, notice: Prompt | None = None) -> Any:
        return await work

    async def get_variable(self, name: str) -> str | None:
        raise AssertionError("nothing personal goes through channel variables")

    async def set_variable(self, name: str, value: str) -> None:
        raise AssertionError("nothing personal goes through channel variables")

    async def enqueue(self, queue: str, *, priority: int = 0, boarding: Boarding | None = None) -> None:
        self.queue = queue

    async def finish(self) -> None:
        self.finished = True


def check_spoken(spoken: Spoken | None) -> None:
    """What is said to who may speak must be sayable, too."""
    if spoken is not None and spoken.prompt is not None:
        catalogue.text(spoken.prompt)


class Codes:
    """`ivr.services.identification.KeypadCodes` without hashing: `open` opens `open`."""

    async def keypad_matches(self, digits: str, code: CodeHashes | None) -> bool:
        return code is not None and code.keypad == digits


class Alarms:
    def set(self, key: str, what: str, remedy: str, now: datetime) -> None:
        raise AssertionError(f"nothing here is alarming: {key}")

    def clear(self, key: str) -> None:
        assert key


class Resource:
    """`ivr.ports.InformationResource` that knows one citizen."""

    def __init__(self) -> None:
        self.records = PersonalRecords()
        self.asked: list[str] = []
        self.error: Exception | None = None

    async def applications(self, digits: str, accepted_on: date) -> Sequence[Application]:
        raise AssertionError("nobody asked by a receipt")

    async def personal(self, snils: str) -> PersonalRecords:
        self.asked.append(snils)
        if self.error is not None:
            raise self.error
        return self.records


def a_desk(clock: VirtualClock | None = None, **rules: Any) -> Desk:
    """A desk over a store in memory; rules: those of `[identification]`."""
    settings, store, clock = (
        Settings(identification=IdentificationRules(**rules)),
        MemoryStore(),
        VirtualClock(),
    )
    return Desk(
        store=store,
        clock=clock,
        settings=settings,
        resources=Resource(),
        distributor=cast(Distributor, None),  # nobody waits in these tests
        guesses=GuessGuard.of(settings, store, clock, Alarms()),
        identification=Identification.of(settings, store, Codes(), clock, Alarms()),
    )


def registered(desk: Desk, call: ScriptedCall) -> ScriptedCall:
    """The call with its card."""
    with desk.store.transaction() as uow:
        card = uow.cards.open(call=call.id, node="node1", number=call.number, at=call.arrived_at)
        uow.commit()
    call.enquiry = card.id
    return call
