"""Status of an application (§20): by the receipt's number and date, or by SNILS with an operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ivr.domain.enquiry import Application, ContactOutcome, Level
from ivr.domain.errors import BadInput, OperatorWanted, ResourceDown, StorageDown
from ivr.domain.receipt import parse_date
from ivr.flows.desk import Desk
from ivr.flows.identify import ask_snils
from ivr.flows.queueing import hand_over
from ivr.ports import Call, Prompt, UnitOfWork


async def status(call: Call, desk: Desk) -> None:
    """1 by the receipt, 2 by SNILS."""
    if await call.ask_choice(Prompt.of("status.menu"), "12") == "2":
        return await by_snils(call, desk)
    return await by_receipt(call, desk)


async def by_snils(call: Call, desk: Desk) -> None:
    """§20 wants the full name as well, which keys cannot say: an operator asks it."""
    snils = await ask_snils(call, desk)

    def note(uow: UnitOfWork) -> None:
        uow.cards.change(
            call.enquiry, comment=f"СНИЛС с клавиатуры: {snils}. Спросите фамилию, имя и отчество."
        )

    await desk.write_down(call, note)
    raise OperatorWanted


async def by_receipt(call: Call, desk: Desk) -> None:
    """Number and date of the receipt; wrong pairs are counted for the caller and for the whole line."""
    for tried in range(desk.settings.pair_tries_per_call):
        if not await call.during(desk.guesses.allowed(call.number), notice=Prompt.of("checking")):
            await call.say(Prompt.of("status.locked"), whole=True)
            raise OperatorWanted
        if tried:
            await call.say(Prompt.of("status.again"))
        found = await _ask_pair(call, desk)
        if len(found) > 1:
            await call.say(Prompt.of("status.several"), whole=True)
            raise OperatorWanted
        if found:
            return await tell_status(call, desk, found[0])
        await call.say(Prompt.of("nothing_found"))
    raise OperatorWanted


async def _ask_pair(call: Call, desk: Desk) -> Sequence[Application]:
    """What belongs to the pair that the caller gives; nothing for a date that no receipt has."""
    number = await call.ask_digits(Prompt.of("status.number"))
    typed = await call.ask_digits(Prompt.of("status.date"), length=8)
    try:
        day = parse_date(typed, today=desk.clock.now().astimezone(desk.settings.zone).date())
    except BadInput:
        return ()
    try:
        return await call.during(_look_up(desk, call, number, day), notice=Prompt.of("checking"))
    except ResourceDown:
        await call.say(Prompt.of("resource.down"), whole=True)
        raise OperatorWanted from None


async def _look_up(desk: Desk, call: Call, number: str, day: date) -> Sequence[Application]:
    found = await desk.resources.applications(number, day)
    if found:
        await desk.guesses.succeeded(call.number)
    else:
        await desk.guesses.failed(call.number)
    return found


async def tell_status(call: Call, desk: Desk, application: Application) -> None:
    """Say it as often as the caller wants, then an operator of that agency or the end."""

    def note(uow: UnitOfWork) -> None:
        uow.cards.change(call.enquiry, level=Level.APPLICATION, agency=application.agency)
        desk.by().note(uow, "applications.read", call.enquiry, call=call.id)

    if not await desk.write_down(call, note):
        raise StorageDown  # what is told must stand in the audit first (§10, §11)
    again = "1"
    try:
        while again == "1":
            await call.say(_result(application))
            call.outcome = ContactOutcome.SELF_SERVICE
            again = await call.ask_choice(Prompt.of("status.more"), "1")
    except OperatorWanted:
        await hand_over(call, desk, agency=application.agency)


def _result(application: Application) -> Prompt:
    return Prompt.of(
        "status.result",
        service=application.service,
        accepted_on=application.accepted_on,
        status=application.status,
        decision=application.decision,
        refusal_reason=application.refusal_reason,
        missing_documents=application.missing_documents,
    )
