"""My benefits and payments: what a caller at level `personal` hears, step by step (§21, §22)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, zip_longest

from ivr.domain.benefits import Notice, Payment, PaymentStatus, PersonalRecords
from ivr.domain.enquiry import Application, ContactOutcome
from ivr.domain.errors import OperatorWanted, ResourceDown, StorageDown
from ivr.flows import by_voice
from ivr.flows.desk import Desk
from ivr.flows.identify import identify
from ivr.flows.queueing import hand_over
from ivr.ports import Call, Prompt, UnitOfWork

AT_ONCE = 3
"""Payments that are told in one step."""
AGAIN, NEXT, END = "123"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is told at a stretch, before the caller is asked how to go on."""

    prompts: tuple[Prompt, ...]
    agency: str | None
    """Whose operators know more; None: of several agencies, or of none."""


async def benefits(call: Call, desk: Desk) -> None:
    """Identify the caller and tell everything there is; then an operator of that agency or the end."""
    snils = await identify(call, desk)
    try:
        records = await read_records(call, desk, snils)
    except ResourceDown:
        await call.say(Prompt.of("resource.down"), whole=True)
        raise OperatorWanted from None
    await _tell(call, desk, steps(records, desk.today()))


async def read_records(call: Call, desk: Desk, snils: str) -> PersonalRecords:
    """What the agencies know. It stands in the audit before anything is told (§10, §11).

    Raises ResourceDown, StorageDown.
    """
    records = await call.during(desk.resources.personal(snils), notice=Prompt.of("checking"))

    def note(uow: UnitOfWork) -> None:
        desk.by().note(uow, "benefits.read", call.enquiry, call=call.id)

    if not await desk.write_down(call, note):
        raise StorageDown
    return records


async def _tell(call: Call, desk: Desk, all_steps: Sequence[Step]) -> None:
    number = 0
    while True:
        left = number + 1 < len(all_steps)
        choice = await _tell_step(call, desk, all_steps[number], left=left)
        if choice is None:
            return
        if choice == END:
            break
        if choice == NEXT:
            number += 1
    await call.say(Prompt.of("goodbye", reason="served"), whole=True)
    await call.finish()


async def _tell_step(call: Call, desk: Desk, step: Step, *, left: bool) -> str | None:
    """The caller's choice after a step; None: handed over to an operator."""
    try:
        for prompt, after in zip_longest(step.prompts, step.prompts[1:]):
            await call.say(prompt, then=after)
            call.outcome = ContactOutcome.SELF_SERVICE
        prompt, keys = Prompt.of("benefits.more", left=left), AGAIN + NEXT + END if left else AGAIN + END
        return await call.ask_choice(prompt, keys, by_voice.menu(prompt, by_voice.BENEFITS, keys))
    except OperatorWanted:
        await hand_over(call, desk, agency=step.agency)
        return None


# --- what is told ----------------------------------------------------------------------------------


def steps(records: PersonalRecords, today: date) -> Sequence[Step]:
    """Payments first, with the next one before all others; then each application and each valid notice."""
    return [
        *_payments(records.payments, today),
        *map(_application, records.applications),
        *(_notice(n) for n in records.notices if n.valid_until is None or n.valid_until >= today),
    ]


def next_payment(payments: Iterable[Payment], today: date) -> Payment | None:
    """The first of those still to come."""
    coming = (p for p in payments if p.status is PaymentStatus.PLANNED and p.date >= today)
    return min(coming, key=lambda p: p.date, default=None)


def _payments(payments: Sequence[Payment], today: date) -> Iterator[Step]:
    """Steps of a few payments each; one that says so where there are none."""
    coming = next_payment(payments, today)
    others = iter([p for p in payments if p is not coming])
    part = list(islice(others, AT_ONCE))
    if coming is None:
        yield Step(prompts=(_listed(part),), agency=_agency(part))
    else:
        prompts = (_next(coming), _listed(part)) if part else (_next(coming),)
        yield Step(prompts=prompts, agency=_agency([coming, *part]))
    while part := list(islice(others, AT_ONCE)):
        yield Step(prompts=(_listed(part),), agency=_agency(part))


def _next(payment: Payment) -> Prompt:
    return Prompt.of("benefits.next", title=payment.title, amount=payment.amount, day=payment.date)


def _listed(payments: Sequence[Payment]) -> Prompt:
    rows = tuple((p.title, p.amount, p.date, p.status.value) for p in payments)
    return Prompt.of("benefits", payments=rows)


def _agency(payments: Sequence[Payment]) -> str | None:
    agencies = {payment.agency for payment in payments}
    return agencies.pop() if len(agencies) == 1 else None


def _application(application: Application) -> Step:
    prompt = Prompt.of(
        "benefits.application",
        service=application.service,
        accepted_on=application.accepted_on,
        status=application.status,
        decision=application.decision,
        refusal_reason=application.refusal_reason,
        missing_documents=application.missing_documents,
    )
    return Step(prompts=(prompt,), agency=application.agency)


def _notice(notice: Notice) -> Step:
    prompt = Prompt.of(
        "benefits.notice",
        event=notice.event,
        measure=notice.measure,
        how_to_get=notice.how_to_get,
        valid_until=notice.valid_until,
    )
    return Step(prompts=(prompt,), agency=notice.agency)
