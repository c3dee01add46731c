"""Questions that the tests of the dialogue ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ivr.domain.errors import EkcError
from ivr.ports import Keyed, Prompt, Question
from ivr.testing import Talk

MENU = Prompt.of("status.menu")
NUMBER = Prompt.of("status.number")
DATE = Prompt.of("status.date")
SNILS = Prompt.of("snils")
CODE = Prompt.of("code")
READBACK = Prompt.of("snils.readback", snils="11223344595")
Asks = Callable[[Talk], Awaitable[object]]


async def menu(talk: Talk) -> object:
    return await talk.call.ask_choice(MENU, "12")


async def question(talk: Talk) -> object:
    answer = await talk.call.ask(Question(prompt=MENU, keys="12"))
    return answer.key if isinstance(answer, Keyed) else answer.answer


async def number(talk: Talk) -> object:
    return await talk.call.ask_digits(NUMBER)


async def short(talk: Talk) -> object:
    return await talk.call.ask_digits(NUMBER, most=4)


async def date(talk: Talk) -> object:
    return await talk.call.ask_digits(DATE, length=8)


async def confirm(talk: Talk) -> object:
    return await talk.call.confirm(Prompt.of("closed.callback"))


async def outcome(talk: Talk, asks: Asks) -> object:
    """What a question was answered with, or what was raised."""
    try:
        return await asks(talk)
    except EkcError as error:
        return type(error)


async def offer(talk: Talk) -> bool:
    return await talk.call.offer(READBACK, seconds=3)


async def after(talk: Talk, seconds: float, result: object = "done") -> object:
    await talk.clock.sleep(seconds)
    if isinstance(result, Exception):
        raise result
    return result
