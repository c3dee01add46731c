"""Operators log in and out by their telephones: `*11`, `*12`."""

from __future__ import annotations

from ivr.domain.errors import NotFound
from ivr.domain.operators import Operator, OperatorState, queues_of
from ivr.flows.desk import Desk
from ivr.ports import Call, Channel, Prompt, UnitOfWork
from ivr.services.audit import By


async def log_in(call: Call, channel: Channel, desk: Desk, extension: str) -> None:
    """Into the queues first: an operator who is told «Звонки поступают» can be rung."""
    await call.answer()
    operator = await _operator(call, desk, extension)
    if operator is None:
        return await _say_unknown(call)
    await desk.distributor.log_in(channel, extension, queues_of(operator.agency, operator.line))
    await _set(call, desk, operator, OperatorState.READY, "operators.login")
    await call.say(Prompt.of("operator.logged_in"))
    return await call.finish()


async def log_out(call: Call, channel: Channel, desk: Desk, extension: str) -> None:
    """Out of the queues; a talk in progress goes on."""
    await call.answer()
    operator = await _operator(call, desk, extension)
    if operator is None:
        return await _say_unknown(call)
    await desk.distributor.log_out(channel, extension, queues_of(operator.agency, operator.line))
    await _set(call, desk, operator, OperatorState.LOGGED_OUT, "operators.logout")
    await call.say(Prompt.of("operator.logged_out"))
    return await call.finish()


async def _say_unknown(call: Call) -> None:
    await call.say(Prompt.of("operator.unknown"))
    await call.finish()


async def _operator(call: Call, desk: Desk, extension: str) -> Operator | None:
    """None for one who is not known or disabled. Raises StorageDown: the dialplan has a way of its own."""

    def find(uow: UnitOfWork) -> Operator | None:
        try:
            operator = uow.operators.get(extension)
        except NotFound:
            return None
        return None if operator.state is OperatorState.DISABLED else operator

    return await desk.ask_store(call, find)


async def _set(call: Call, desk: Desk, operator: Operator, state: OperatorState, action: str) -> None:
    at = desk.clock.now()

    def change(uow: UnitOfWork) -> None:
        uow.operators.set_state(operator.extension, state, reason="", at=at)
        By(actor=operator.extension, at=at).note(uow, action, operator.extension)

    await desk.ask_store(call, change)
