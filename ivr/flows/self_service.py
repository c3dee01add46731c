"""Status of an application (§20): by the receipt's number and date, or by SNILS with an operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ivr import grammars
from ivr.domain.enquiry import Application, ContactOutcome, Level
from ivr.domain.errors import BadInput, OperatorWanted, ResourceDown, StorageDown, TurnedAway
from ivr.domain.receipt import parse_date
from ivr.flows import by_voice
from ivr.flows.desk import Desk
from ivr.flows.identify import ask_snils
from ivr.flows.naming import says_own_name
from ivr.flows.queueing import hand_over
from ivr.ports import Call, Prompt, UnitOfWork

_MENU, _MORE = Prompt.of("status.menu"), Prompt.of("status.more")
MOST_TOLD = 3
"""Applications of one citizen, the newest."""
_NUMBER, _DATE = Prompt.of("status.number"), Prompt.of("status.date")


async def status(call: Call, desk: Desk) -> None:
    """1 by the receipt, 2 by SNILS."""
    spoken = by_voice.menu(_MENU, by_voice.STATUS_MENU)
    if await call.ask_choice(_MENU, "12", spoken) == "2":
        return await by_snils(call, desk)
    return await by_receipt(call, desk)


async def by_snils(call: Call, desk: Desk) -> None:
    """§20 wants the full name as well, which keys cannot say: an operator asks it, unless the site lets
    callers say it (`speech.names_by_voice`)."""
    snils = await ask_snils(call, desk)

    def note(uow: UnitOfWork) -> None:
        uow.cards.change(
            call.enquiry, comment=f"СНИЛС, названный на линии: {snils}. Спросите фамилию, имя и отчество."
        )

    await desk.write_down(call, note)
    if not await says_own_name(call, desk, snils):
        raise OperatorWanted
    return await _by_name(call, desk, snils)


async def _by_name(call: Call, desk: Desk, snils: str) -> None:
    """The newest applications of a caller who has said SNILS and full name; else an operator, who sees it."""

    def note(uow: UnitOfWork) -> None:
        comment = f"СНИЛС, названный на линии: {snils}. Фамилия, имя и отчество названы голосом и совпали."
        uow.cards.change(call.enquiry, level=Level.APPLICATION, comment=comment)

    await desk.write_down(call, note)
    try:
        records = await call.during(desk.resources.personal(snils), notice=Prompt.of("checking"))
    except ResourceDown:
        await call.say(Prompt.of("resource.down"), whole=True)
        raise OperatorWanted from None
    if not records.applications:
        raise OperatorWanted
    await tell_status(call, desk, *records.applications[:MOST_TOLD])


async def by_receipt(call: Call, desk: Desk) -> None:
    """The application that a receipt names; an operator where there is none."""
    try:
        found = await find_by_receipt(call, desk)
    except ResourceDown:
        await call.say(Prompt.of("resource.down"), whole=True)
        raise OperatorWanted from None
    if found is None:
        raise OperatorWanted
    await tell_status(call, desk, found)


async def find_by_receipt(call: Call, desk: Desk) -> Application | None:
    """Number and date of the receipt; wrong pairs are counted for the caller and for the whole line.

    None: nothing was found, as often as one may try. Raises ResourceDown, and TurnedAway where the caller was
    told that an operator helps: after too many wrong pairs, or where one pair has several applications.
    """
    for tried in range(desk.settings.pair_tries_per_call):
        if not await call.during(desk.guesses.allowed(call.number), notice=Prompt.of("checking")):
            await call.say(Prompt.of("status.locked"), whole=True)
            raise TurnedAway
        if tried:
            await call.say(Prompt.of("status.again"))
        found = await _ask_pair(call, desk)
        if len(found) > 1:
            await call.say(Prompt.of("status.several"), whole=True)
            raise TurnedAway
        if found:
            return found[0]
        await call.say(Prompt.of("nothing_found"))
    return None


async def _ask_pair(call: Call, desk: Desk) -> Sequence[Application]:
    """What belongs to the pair that the caller gives; nothing for a date that no receipt has."""
    today = desk.today()
    number = await call.ask_digits(_NUMBER, spoken=grammars.number(_NUMBER.voiced))
    typed = await call.ask_digits(_DATE, length=8, spoken=grammars.day(_DATE.voiced, today=today))
    try:
        day = parse_date(typed, today=today)
    except BadInput:
        return ()
    return await call.during(_look_up(desk, call, number, day), notice=Prompt.of("checking"))


async def _look_up(desk: Desk, call: Call, number: str, day: date) -> Sequence[Application]:
    found = await desk.resources.applications(number, day)
    if found:
        await desk.guesses.succeeded(call.number)
    else:
        await desk.guesses.failed(call.number)
    return found


async def tell_status(call: Call, desk: Desk, application: Application, *older: Application) -> None:
    """Say it as often as the caller wants, then an operator of that agency (the first one's) or the end."""
    await note_status(call, desk, application)
    again = "1"
    try:
        while again == "1":
            for told in (application, *older):
                await call.say(result(told))
                call.outcome = ContactOutcome.SELF_SERVICE
            again = await call.ask_choice(_MORE, "1", by_voice.menu(_MORE, by_voice.MORE))
    except OperatorWanted:
        await hand_over(call, desk, agency=application.agency)


async def note_status(call: Call, desk: Desk, application: Application) -> None:
    """The level, on the card and in the audit, before anything is told. Raises StorageDown."""

    def note(uow: UnitOfWork) -> None:
        uow.cards.change(call.enquiry, level=Level.APPLICATION, agency=application.agency)
        desk.by().note(uow, "applications.read", call.enquiry, call=call.id)

    if not await desk.write_down(call, note):
        raise StorageDown  # what is told must stand in the audit first (§10, §11)


def result(application: Application) -> Prompt:
    """What a caller at level `application` may hear (§20)."""
    return Prompt.of(
        "status.result",
        service=application.service,
        accepted_on=application.accepted_on,
        status=application.status,
        decision=application.decision,
        refusal_reason=application.refusal_reason,
        missing_documents=application.missing_documents,
    )
