"""What a caller is asked and told on the way to level `personal` (§21)."""

from __future__ import annotations

import pytest

from ivr.domain.benefits import Citizen
from ivr.domain.enquiry import Card, Level
from ivr.domain.errors import CallerHungUp, OperatorWanted, StorageDown
from ivr.flows.desk import Desk
from ivr.flows.identify import NOT_IDENTIFIED, ask_snils, identify
from ivr.ports import CardSearch, CodeHashes
from ivr.testing import MemoryStore
from tests.unit.scripted import Answer, ScriptedCall, a_desk, registered

SNILS, OTHER, UNKNOWN = "11223344595", "08765430300", "00100199800"
MINE, STRANGE = "+79123456789", "+79990000000"
CODE, WRONG, DOCUMENT = "52521", "00000", "5604123456"
ENTERED: tuple[Answer, ...] = (("snils", SNILS), ("snils.readback", ""))


@pytest.fixture
def desk() -> Desk:
    return with_citizen(a_desk())


def with_citizen(desk: Desk) -> Desk:
    with desk.store.transaction() as uow:
        person = Citizen(snils=SNILS, phone=MINE, document_series="5604", document_number="123456")
        uow.citizens.upsert([person, Citizen(snils=OTHER)])
        uow.citizens.set_code(SNILS, CodeHashes(keypad=CODE, exact="мама1"))
        uow.commit()
    return desk


async def identified(desk: Desk, *answers: Answer, number: str | None = MINE) -> ScriptedCall:
    call = registered(desk, ScriptedCall(*answers, number=number))
    assert await identify(call, desk) == SNILS
    assert not call.unused
    return call


async def turned_away(desk: Desk, *answers: Answer, number: str | None = MINE) -> ScriptedCall:
    call = registered(desk, ScriptedCall(*answers, number=number))
    with pytest.raises(OperatorWanted):
        await identify(call, desk)
    assert not call.unused
    return call


def card(desk: Desk, call: ScriptedCall) -> Card:
    with desk.store.transaction() as uow:
        return uow.cards.get(call.enquiry)


async def test_from_the_own_number_snils_and_code_are_asked_and_the_level_stands_on_the_card(
    desk: Desk,
) -> None:
    call = await identified(desk, *ENTERED, ("code", CODE))
    mine = card(desk, call)
    assert mine.level is Level.PERSONAL
    with desk.store.transaction() as uow:
        assert uow.cards.search(CardSearch(snils=SNILS)) == [mine]
    assert call.said == ["snils", "snils.readback", "code"]


async def test_the_level_is_told_in_the_trace_without_any_digit(desk: Desk) -> None:
    call = await identified(desk, *ENTERED, ("code", CODE))
    with desk.store.transaction() as uow:
        [(_, event)] = uow.traces.of_call(call.id)
    assert (event.kind, event.id, event.outcome) == ("level", "identify", "personal")


@pytest.mark.parametrize("number", [STRANGE, None])
async def test_from_another_number_the_document_is_asked_too(desk: Desk, number: str | None) -> None:
    call = await identified(desk, *ENTERED, ("code", CODE), ("document", DOCUMENT), number=number)
    assert call.said[-2:] == ["code", "document"]


@pytest.mark.parametrize("snils", [UNKNOWN, OTHER])
async def test_who_is_not_known_is_asked_and_told_the_same_as_who_is_wrong(desk: Desk, snils: str) -> None:
    heard = []
    for asked, number in ((snils, STRANGE), (SNILS, "+79991111111")):
        one_try: list[Answer] = [("code", WRONG), ("document", DOCUMENT), ("snils.readback", "")]
        script = [("snils", asked), ("snils.readback", ""), *(one_try * 3)[:-1]]
        heard.append((await turned_away(desk, *script, number=number)).said)
    assert heard[0] == heard[1] and heard[0][-1] == "identify.failed"


async def test_wrong_twice_then_right_is_right(desk: Desk) -> None:
    again: tuple[Answer, ...] = (("code", WRONG), ("snils.readback", ""))
    call = await identified(desk, *ENTERED, *again, *again, ("code", CODE))
    assert call.said.count("identify.again") == 2
    assert card(desk, call).level is Level.PERSONAL


async def test_wrong_three_times_leads_to_an_operator_who_sees_it(desk: Desk) -> None:
    again: tuple[Answer, ...] = (("code", WRONG), ("snils.readback", ""))
    call = await turned_away(desk, *ENTERED, *again, *again, ("code", WRONG))
    assert call.said[-1] == "identify.failed" and call.said.count("identify.again") == 2
    assert (card(desk, call).level, card(desk, call).comment) == (Level.NONE, NOT_IDENTIFIED)


async def test_after_a_failure_another_snils_can_be_given(desk: Desk) -> None:
    call = await identified(
        desk,
        ("snils", UNKNOWN),
        ("snils.readback", ""),
        ("code", CODE),
        ("document", DOCUMENT),
        ("snils.readback", "*"),
        *ENTERED,
        ("code", CODE),
    )
    assert call.said[4:8] == ["identify.again", "snils.readback", "snils", "snils.readback"]


async def test_a_discarded_snils_is_asked_again_and_never_looked_up(desk: Desk) -> None:
    await identified(desk, ("snils", UNKNOWN), ("snils.readback", "*"), *ENTERED, ("code", CODE))
    assert isinstance(desk.store, MemoryStore)
    assert desk.store.rows.guesses.rows == {}


async def test_what_cannot_be_a_snils_is_told_at_once_and_the_third_time_leads_to_an_operator(
    desk: Desk,
) -> None:
    call = ScriptedCall(*[("snils", "11223344596")] * 3)
    with pytest.raises(OperatorWanted):
        await ask_snils(call, desk)
    assert call.said == ["snils", "snils.bad", "snils", "snils.bad", "snils"]


async def test_who_is_locked_is_told_so_before_the_code_and_reaches_an_operator(desk: Desk) -> None:
    again: tuple[Answer, ...] = (("code", WRONG), ("snils.readback", ""))
    await turned_away(desk, *ENTERED, *again, *again, ("code", WRONG))
    call = await turned_away(desk, *ENTERED, *again, ("code", WRONG))
    assert call.said[-1] == "identify.locked"
    call = await turned_away(desk, *ENTERED)
    assert call.said == ["snils", "snils.readback", "identify.locked"]


async def test_where_keys_are_not_enough_an_operator_identifies(desk: Desk) -> None:
    call = await turned_away(with_citizen(a_desk(ivr_personal=False)))
    assert call.said == []


@pytest.mark.parametrize("ending", [CallerHungUp, OperatorWanted])
@pytest.mark.parametrize("question", ["snils", "snils.readback", "code"])
async def test_an_ending_at_any_question_goes_on_and_leaves_no_level(
    desk: Desk, question: str, ending: type[CallerHungUp]
) -> None:
    script: list[Answer] = [*ENTERED, ("code", CODE)]
    names = [name for name, _ in script]
    cut = names.index(question)
    call = registered(desk, ScriptedCall(*script[:cut], (question, ending), number=MINE))
    with pytest.raises(ending):
        await identify(call, desk)
    assert card(desk, call).level is Level.NONE


async def test_without_its_level_written_down_nobody_is_identified(desk: Desk) -> None:
    assert isinstance(desk.store, MemoryStore)
    call = registered(desk, ScriptedCall(*ENTERED, ("code", CODE), number=MINE))
    desk.store.failing_after = 3
    with pytest.raises(StorageDown):
        await identify(call, desk)


async def test_a_database_that_is_down_stops_the_identification(desk: Desk) -> None:
    assert isinstance(desk.store, MemoryStore)
    call = registered(desk, ScriptedCall(*ENTERED, number=MINE))
    desk.store.down = True
    with pytest.raises(StorageDown):
        await identify(call, desk)
