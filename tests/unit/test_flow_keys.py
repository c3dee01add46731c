"""The key script of benefits, key by key over the real dialogue: typed ahead, corrected, hung up."""

from __future__ import annotations

import pytest

from ivr.domain.benefits import Citizen
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import CallerHungUp, OperatorWanted
from ivr.flows.benefits import benefits
from ivr.flows.desk import Desk
from ivr.ports import CodeHashes
from ivr.testing.talk import Talk
from tests.unit.scripted import Resource, a_desk

SNILS, UNKNOWN, MINE, STRANGE = "11223344595", "00100199800", "+79123456789", "+79990000000"
CODE, DOCUMENT = "52521", "5604123456"


def a_call(number: str | None = MINE) -> tuple[Talk, Desk]:
    talk = Talk.begin(number=number)
    desk = a_desk(talk.clock)
    with desk.store.transaction() as uow:
        uow.citizens.upsert([Citizen(snils=SNILS, phone=MINE, document_number=DOCUMENT)])
        uow.citizens.set_code(SNILS, CodeHashes(keypad=CODE, exact=CODE))
        card = uow.cards.open(call=talk.call.id, node="node1", number=number, at=talk.clock.now())
        uow.commit()
    talk.call.enquiry = card.id
    return talk, desk


def asked(desk: Desk) -> list[str]:
    assert isinstance(desk.resources, Resource)
    return desk.resources.asked


def heard(talk: Talk) -> list[str]:
    """Ids of prompts and questions that were played, in order."""
    return [id_ for kind, id_, outcome in talk.told if kind == "prompt" and outcome != "skipped"]


async def test_everything_typed_ahead_is_understood() -> None:
    talk, desk = a_call()
    talk.caller.presses(f"{SNILS}{CODE}#3")
    await benefits(talk.call, desk)
    assert asked(desk) == [SNILS]
    assert talk.call.outcome is ContactOutcome.SELF_SERVICE


async def test_from_another_number_the_document_follows_the_code() -> None:
    talk, desk = a_call(STRANGE)
    talk.caller.presses(f"{SNILS}{CODE}#{DOCUMENT}#3")
    await benefits(talk.call, desk)
    assert asked(desk) == [SNILS]


async def test_silence_after_the_read_back_goes_on_to_the_code() -> None:
    talk, desk = a_call()
    talk.caller.presses(SNILS)
    talk.caller.presses(f"{CODE}#", on="code", after=1)
    talk.caller.presses("3", on="benefits.more")
    await benefits(talk.call, desk)
    assert heard(talk)[1:3] == ["snils.readback", "code"]


async def test_a_star_discards_the_snils_that_was_read_back() -> None:
    talk, desk = a_call()
    talk.caller.presses(UNKNOWN)
    talk.caller.presses("*", on="snils.readback", after=1)
    talk.caller.presses(f"{SNILS}{CODE}#3", on="snils", hearing=2)
    await benefits(talk.call, desk)
    assert asked(desk) == [SNILS]


async def test_wrong_twice_then_right_by_typing_the_code_at_once_or_after_the_read_back() -> None:
    talk, desk = a_call()
    talk.caller.presses(f"{SNILS}1#")
    talk.caller.presses("2#", on="identify.again")
    talk.caller.presses(f"{CODE}#", on="code")
    talk.caller.presses("3", on="benefits.more")
    await benefits(talk.call, desk)
    assert heard(talk).count("identify.again") == 2
    assert asked(desk) == [SNILS]


@pytest.mark.parametrize("keys", ["**", f"{SNILS}**", f"{SNILS}0#", f"{SNILS}{CODE[:2]}**"])
async def test_an_operator_can_be_had_at_every_question(keys: str) -> None:
    talk, desk = a_call()
    talk.caller.presses(keys)
    with pytest.raises(OperatorWanted):
        await benefits(talk.call, desk)
    assert asked(desk) == []


@pytest.mark.parametrize("question", ["snils", "snils.readback", "code", "document", "identify.failed"])
async def test_hanging_up_at_any_sentence_tells_nothing(question: str) -> None:
    talk, desk = a_call(STRANGE)
    talk.caller.presses(SNILS, on="snils", after=1)
    for hearing in (1, 2, 3):
        talk.caller.presses("1#", on="code", hearing=hearing)
        talk.caller.presses("1#", on="document", hearing=hearing)
    talk.caller.leaves(on=question, after=0.2)
    with pytest.raises(CallerHungUp):
        await benefits(talk.call, desk)
    assert asked(desk) == []


async def test_no_digit_of_anybody_is_in_what_is_told_of_the_call() -> None:
    talk, desk = a_call(STRANGE)
    talk.caller.presses(f"{SNILS}{CODE}#{DOCUMENT}#3")
    await benefits(talk.call, desk)
    told = repr(talk.told)
    assert SNILS not in told and CODE not in told and DOCUMENT not in told
