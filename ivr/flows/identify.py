"""Who calls: SNILS, secret code and, where the number is not enough, the identity document (§21)."""

from __future__ import annotations

from typing import NoReturn

from ivr import grammars
from ivr.domain.caller import Path
from ivr.domain.codes import LONGEST
from ivr.domain.enquiry import Level
from ivr.domain.errors import OperatorWanted, StorageDown, TurnedAway
from ivr.domain.snils import GROUP_SIZES, LENGTH, is_valid
from ivr.flows.desk import Desk
from ivr.ports import Call, Prompt, TraceEvent, UnitOfWork
from ivr.services.identification import Attempt, Caller, Ticket

_SNILS = Prompt.of("snils")
_SAID = grammars.number(_SNILS.voiced, length=LENGTH, told_back=False, sizes=GROUP_SIZES, fits=is_valid)
MOST_WRONG_SNILS = 3
"""Numbers that cannot be a SNILS before an operator takes over."""
LONGEST_DOCUMENT = 20
NOT_IDENTIFIED = "Личность не подтверждена: данные, набранные на телефоне, не подошли."
"""What the operator reads on the card (§15)."""


async def identify(call: Call, desk: Desk) -> str:
    """The SNILS of a caller who may hear everything (level `personal`), which then stands on the card.

    Everybody else goes to an operator: TurnedAway after the one sentence there is for every failure.
    """
    rules = desk.settings.identification
    if not rules.ivr_personal:
        raise OperatorWanted
    ticket = await _ticket(call, desk, await ask_snils(call, desk))
    left = rules.tries_per_call
    while True:
        attempt = await _try(call, desk, ticket)
        left -= 1
        if attempt.verdict.level is Level.PERSONAL:
            await _note_level(call, desk, ticket.snils)
            return ticket.snils
        if attempt.locked:
            await _turn_away(call, desk, "identify.locked")
        if not left:
            await _turn_away(call, desk, "identify.failed")
        ticket = await _once_more(call, desk, ticket)


async def ask_snils(call: Call, desk: Desk) -> str:
    """Eleven digits that can be a SNILS, read back and not discarded by `*`."""
    wrong = 0
    while True:
        snils = await call.ask_digits(_SNILS, length=LENGTH, spoken=_SAID)
        if is_valid(snils):
            if await _stands(call, desk, snils):
                return snils
            continue
        wrong += 1
        if wrong >= MOST_WRONG_SNILS:
            raise OperatorWanted
        await call.say(Prompt.of("snils.bad"), whole=True)  # a code typed ahead would pass for the SNILS


async def _stands(call: Call, desk: Desk, snils: str) -> bool:
    """Whether the SNILS, read back, was not discarded by `*` or «нет»."""
    read_back = Prompt.of("snils.readback", snils=snils)
    seconds = desk.settings.identification.readback_seconds
    return not await call.offer(read_back, seconds=seconds, spoken=read_back.voiced)


async def _ticket(call: Call, desk: Desk, snils: str) -> Ticket:
    """The path of this caller, chosen before any secret is asked."""
    caller = Caller(call=call.id, card=call.enquiry, number=call.number)
    choice = desk.identification.choose_path(caller, snils)
    ticket = await call.during(choice, notice=Prompt.of("checking"))
    if ticket is None:
        await _turn_away(call, desk, "identify.locked")
    return ticket


async def _try(call: Call, desk: Desk, ticket: Ticket) -> Attempt:
    """Ask everything the path wants, then have it all checked at once while keys are still read."""
    code = await call.ask_digits(Prompt.of("code"), most=LONGEST, secret=True)
    document = ""
    if ticket.path is Path.CODE_AND_DOCUMENT:
        document = await call.ask_digits(Prompt.of("document"), most=LONGEST_DOCUMENT)
    check = desk.identification.check(ticket, code=code, document=document)
    return await call.during(check, notice=Prompt.of("checking"))


async def _once_more(call: Call, desk: Desk, ticket: Ticket) -> Ticket:
    """The same SNILS, heard once more, or another one: nobody is told which part was wrong."""
    await call.say(Prompt.of("identify.again"))
    if await _stands(call, desk, ticket.snils):
        return ticket
    return await _ticket(call, desk, await ask_snils(call, desk))


async def _note_level(call: Call, desk: Desk, snils: str) -> None:
    """Level and SNILS go onto the card; without that nothing is told. Raises StorageDown."""

    def note(uow: UnitOfWork) -> None:
        uow.cards.identified(call.enquiry, snils=snils)
        at = desk.clock.now()
        uow.traces.add([TraceEvent(call=call.id, at=at, kind="level", id="identify", outcome=Level.PERSONAL)])

    if not await desk.write_down(call, note):
        raise StorageDown


async def _turn_away(call: Call, desk: Desk, prompt: str) -> NoReturn:
    """An operator goes on, without identification and knowing it."""
    await desk.write_down(call, lambda uow: uow.cards.change(call.enquiry, comment=NOT_IDENTIFIED))
    await call.say(Prompt.of(prompt), whole=True)  # keys typed for another try would answer the queue
    raise TurnedAway
