"""What a dialogue scenario looks up (§22): who may hear it is found out first, as on the other ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from ivr.domain.benefits import PersonalRecords
from ivr.domain.enquiry import ContactOutcome, Level
from ivr.domain.errors import ResourceDown, TurnedAway
from ivr.flows.benefits import read_records, steps
from ivr.flows.desk import Desk
from ivr.flows.identify import identify
from ivr.flows.self_service import find_by_receipt, note_status, result
from ivr.ports import Call, Prompt
from ivr.scenarios import LookUp, Result


@dataclass(kw_only=True)
class Identity:
    """Who was identified in this conversation, so that nobody is asked twice."""

    snils: str = field(default="", repr=False)
    """At level `personal`; empty: nobody."""


async def look_up(call: Call, desk: Desk, state: LookUp, who: Identity) -> Result:
    """How it ended; what was found has been read out.

    A caller whose level is too low is identified first: for an application by number and date of its
    receipt (§20), for all else by SNILS and code (§21). Who fails is told so and REFUSED. Raises
    OperatorWanted when the caller asks for one meanwhile, StorageDown.
    """
    try:
        if state.level is Level.APPLICATION and not who.snils:
            return await _by_receipt(call, desk)
        return await _by_snils(call, desk, state, who)
    except ResourceDown:
        return Result.DOWN
    except TurnedAway:
        return Result.REFUSED


async def _by_receipt(call: Call, desk: Desk) -> Result:
    application = await find_by_receipt(call, desk)
    if application is None:
        return Result.NOTHING
    await note_status(call, desk, application)
    await _tell(call, [result(application)])
    return Result.FOUND


async def _by_snils(call: Call, desk: Desk, state: LookUp, who: Identity) -> Result:
    if not who.snils:
        if not desk.settings.identification.ivr_personal:
            return Result.REFUSED
        who.snils = await identify(call, desk)
    prompts = _found(state, await read_records(call, desk, who.snils), desk)
    if not prompts:
        return Result.NOTHING
    await _tell(call, prompts)
    return Result.FOUND


def _found(state: LookUp, records: PersonalRecords, desk: Desk) -> Sequence[Prompt]:
    """Of payments the next one and the latest; of all else everything that is valid."""
    today = desk.today()
    match state.look_up:
        case "payments":
            told = steps(PersonalRecords(payments=records.payments), today)[:1] if records.payments else ()
        case "applications":
            told = steps(replace(records, payments=(), notices=()), today)[1:]
        case "notices":
            told = steps(replace(records, payments=(), applications=()), today)[1:]
    return [prompt for step in told for prompt in step.prompts]


async def _tell(call: Call, prompts: Sequence[Prompt]) -> None:
    for prompt, after in zip_longest(prompts, prompts[1:]):
        await call.say(prompt, then=after)
        call.outcome = ContactOutcome.SELF_SERVICE
