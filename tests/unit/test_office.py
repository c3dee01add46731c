"""Where a channel becomes a conversation, and what is written down of its end."""

from __future__ import annotations

import asyncio

import pytest

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import CallerHungUp
from ivr.ports import Call, CallFacts
from ivr.testing import FakeChannel
from tests.unit.ringing import Line


def contact(line: Line, channel: FakeChannel) -> ContactOutcome | None:
    return line.outcome(channel)


async def test_the_outcome_a_flow_has_come_to_stands_on_the_contact() -> None:
    line = Line()
    channel = line.waiting()

    async def flow(call: Call, facts: CallFacts) -> None:
        call.outcome = ContactOutcome.REFUSED

    await line.office.talk(channel, flow)
    assert contact(line, channel) is ContactOutcome.REFUSED


@pytest.mark.parametrize("error", [CallerHungUp, RuntimeError, asyncio.CancelledError])
async def test_whatever_ends_a_flow_its_outcome_is_written_and_the_error_goes_on(
    error: type[BaseException],
) -> None:
    line = Line()
    channel = line.waiting()

    async def flow(call: Call, facts: CallFacts) -> None:
        call.outcome = ContactOutcome.SELF_SERVICE
        raise error

    with pytest.raises(error):
        await line.office.talk(channel, flow)
    assert contact(line, channel) is ContactOutcome.SELF_SERVICE
    assert line.office.calls == 0


async def test_an_outcome_that_stands_is_never_overwritten() -> None:
    line = Line()
    channel = line.waiting()
    with line.store.transaction() as uow:
        uow.cards.change_contact(channel.id, outcome=ContactOutcome.SERVED)
        uow.commit()

    async def flow(call: Call, facts: CallFacts) -> None:
        call.outcome = ContactOutcome.SILENCE

    await line.office.talk(channel, flow)
    assert contact(line, channel) is ContactOutcome.SERVED


async def test_without_an_outcome_the_journals_tell() -> None:
    line = Line()
    channel = line.waiting()
    line.store.down = True  # nothing is asked of the database, so nothing can fail

    async def flow(call: Call, facts: CallFacts) -> None:
        assert call.outcome is None

    await line.office.talk(channel, flow)


async def test_a_call_is_in_hand_until_its_outcome_is_written() -> None:
    line = Line()
    channel = line.waiting()
    seen: list[tuple[bool, int]] = []

    async def flow(call: Call, facts: CallFacts) -> None:
        call.outcome = ContactOutcome.SILENCE
        seen.append((line.office.in_hand(channel.id), line.office.calls))

    run = line.store.run

    async def watched(work):  # type: ignore[no-untyped-def]
        seen.append((line.office.in_hand(channel.id), line.office.calls))
        return await run(work)

    line.store.run = watched  # type: ignore[method-assign]
    await line.office.talk(channel, flow)
    assert seen == [(True, 1), (True, 1)]
    assert not line.office.in_hand(channel.id)


async def test_two_conversations_of_one_call_are_in_hand_until_both_are_over() -> None:
    line = Line()
    channel = line.waiting()

    async def inner(call: Call, facts: CallFacts) -> None:
        assert line.office.calls == 1

    async def outer(call: Call, facts: CallFacts) -> None:
        await line.office.talk(channel, inner)
        assert line.office.in_hand(channel.id)

    await line.office.talk(channel, outer)
    assert not line.office.in_hand(channel.id)


async def test_an_outcome_that_cannot_be_written_is_logged_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = Line()
    channel = line.waiting()

    async def flow(call: Call, facts: CallFacts) -> None:
        call.outcome = ContactOutcome.SILENCE
        line.store.down = True

    await line.office.talk(channel, flow)
    [record] = caplog.records
    assert "outcome_unwritten" in record.getMessage() and channel.id in record.getMessage()
    assert contact(line, channel) is None


async def test_a_call_without_a_card_gets_one_with_its_outcome() -> None:
    line = Line()
    channel = line.ring()

    async def flow(call: Call, facts: CallFacts) -> None:
        call.outcome = ContactOutcome.ABANDONED_IVR

    await line.office.talk(channel, flow)
    assert contact(line, channel) is ContactOutcome.ABANDONED_IVR
    assert line.card(channel).number == channel.known.number


@pytest.mark.parametrize(("sent", "number"), [("89123456789", "+79123456789"), ("201", None), (None, None)])
async def test_a_caller_s_number_is_one_number_however_the_trunk_spells_it(
    sent: str | None, number: str | None
) -> None:
    line = Line()
    channel = line.ring(number=sent)
    call = line.office.conversation(channel, await channel.facts())
    assert call.number == number
