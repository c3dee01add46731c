"""Legs of callbacks on their way: what the dialplan is told, and what the citizen hears."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agi_scripts import callbacks
from ivr.asterisk import channel_vars
from ivr.domain.callback import State
from ivr.domain.enquiry import Level
from ivr.domain.errors import CallerHungUp, CallerSilent, OperatorWanted, StorageDown
from ivr.flows import called as flow
from ivr.ports import Store
from ivr.services.called import Calling, Enquiry
from ivr.services.whispers import Whispers
from ivr.testing import MemoryStore
from tests.unit.calling import NUMBER, Centre
from tests.unit.ringing import Line
from tests.unit.scripted import Answer, ScriptedCall

PRIVACY = "callback.privacy"


class Half:
    """A channel that only keeps what is set."""

    def __init__(self, callback: str, leg: int | str) -> None:
        self.environment = {"arg_1": callback, "arg_2": str(leg)}
        self.id = "ekc"
        self.variables: dict[str, str] = {}

    async def set_variable(self, name: str, value: str) -> None:
        self.variables[name] = value

    async def finish(self) -> None:
        await self.set_variable(channel_vars.FLOW, channel_vars.FLOW_END)


def calling(centre: Centre, callers_store: Store | None = None) -> Calling:
    return Calling(
        store=centre.store,
        callers_store=callers_store or centre.store,
        clock=centre.clock,
        rules=centre.rules,
        whispers=Whispers(),
        node=centre.node,
    )


async def queued(centre: Centre) -> str:
    """A callback whose leg waits for an operator."""
    id_ = centre.promise().id
    centre.operators(1)
    await centre.turn()
    await centre.turn(60)
    assert centre.callback(id_).state is State.QUEUED
    return id_


async def asked(route: str, centre: Centre, callback: str, leg: int | str = 1) -> dict[str, str]:
    half = Half(callback, leg)
    await getattr(callbacks, route)(half, None, calling(centre))
    return half.variables


async def test_the_half_that_waits_shows_the_citizen_to_the_operator() -> None:
    centre = Centre()
    id_ = await queued(centre)
    found = await asked("place", centre, id_)
    assert found[channel_vars.CALLER] == NUMBER
    assert found[channel_vars.SHOWN].startswith("перезвон без кода ")
    assert found[channel_vars.TOLD] == "p00", "nobody is there to be told a place"
    assert list(found)[-1] == channel_vars.FLOW and found[channel_vars.FLOW] == channel_vars.FLOW_QUEUE


@pytest.mark.parametrize("leg", [0, 2, "", "x"])
async def test_a_leg_that_is_not_the_callbacks_last_one_gets_no_place_and_no_number(leg: int | str) -> None:
    centre = Centre()
    id_ = await queued(centre)
    for route in ("place", "dial"):
        assert await asked(route, centre, id_, leg) == {channel_vars.FLOW: channel_vars.FLOW_END}
    assert centre.callback(id_).attempts == ()


async def test_the_number_to_dial_is_given_once_and_only_after_the_attempt_is_a_row() -> None:
    centre = Centre()
    id_ = await queued(centre)
    found = await asked("dial", centre, id_)
    assert found == {channel_vars.DIAL: NUMBER, channel_vars.FLOW: channel_vars.FLOW_DIAL}
    assert list(found)[-1] == channel_vars.FLOW, "the sentinel is the last thing that is set"
    made = centre.callback(id_)
    assert (made.state, len(made.attempts)) == (State.DIALLING_CITIZEN, 1)
    assert await asked("dial", centre, id_) == {channel_vars.FLOW: channel_vars.FLOW_END}


async def test_nobody_is_dialled_whose_callback_was_withdrawn_while_the_operator_was_rung() -> None:
    centre = Centre()
    id_ = await queued(centre)
    centre.do(lambda uow: uow.callbacks.save(uow.callbacks.get(id_).move(State.CANCELLED)))
    assert await asked("dial", centre, id_) == {channel_vars.FLOW: channel_vars.FLOW_END}
    assert centre.callback(id_).attempts == ()


async def test_an_unknown_callback_is_dialled_by_nobody() -> None:
    assert await asked("dial", Centre(), "01M88AQ4HKDJGHR6CN84YPZKG4") == {
        channel_vars.FLOW: channel_vars.FLOW_END
    }


# --- what the citizen hears ---


def about(line: Line) -> Enquiry:
    with line.store.transaction() as uow:
        card = uow.cards.open(call="node1-1.0", node="node1", number=NUMBER, at=line.clock.now())
        uow.commit()
    number = card.registration_number[-4:]
    return Enquiry(call="c", card=card.id, number=NUMBER, enquiry=number, topic="", level=Level.NONE)


async def greeted(*answers: Answer, pressed: str = "", line: Line | None = None) -> ScriptedCall:
    line = line or Line()
    call = ScriptedCall(*answers, number=NUMBER)
    call._pressed = pressed
    await flow.greet(call, line.desk, about(line))
    return call


async def test_the_citizen_hears_who_calls_the_enquirys_number_and_what_is_not_asked() -> None:
    call = await greeted()
    assert call.said == ["callback.greeting", PRIVACY]
    assert call.enquiry, "what the citizen does now belongs to the card"


async def test_personal_data_are_asked_of_nobody_who_has_not_chosen_keys() -> None:
    call = await greeted(pressed="5")
    assert "snils" not in call.said


async def test_who_chooses_keys_is_identified_as_on_the_line() -> None:
    call = await greeted(("snils", OperatorWanted), pressed="1")
    assert call.said == ["callback.greeting", PRIVACY, "snils"]


@pytest.mark.parametrize("end", [OperatorWanted, CallerSilent])
async def test_whatever_ends_the_identification_the_operator_comes(end: type[Exception]) -> None:
    await greeted(("snils", end), pressed="1")  # type: ignore[arg-type]


async def test_a_hang_up_is_one() -> None:
    with pytest.raises(CallerHungUp):
        await greeted(("snils", CallerHungUp), pressed="1")


async def test_where_nobody_is_identified_by_telephone_it_is_not_offered() -> None:
    line = Line()
    rules = line.desk.settings.identification.model_copy(update={"ivr_personal": False})
    settings = line.desk.settings.model_copy(update={"identification": rules})
    line.desk = replace(line.desk, settings=settings)
    call = await greeted(pressed="1", line=line)
    assert [prompt.values.get("identify") for prompt in call.heard if prompt.id == PRIVACY] == [False]
    assert "snils" not in call.said


async def test_a_citizen_who_has_answered_does_not_wait_for_a_database_that_is_held() -> None:
    """The flow breaks off, and the dialplan goes on to the operator, who says who calls."""
    centre = Centre()
    id_ = await queued(centre)
    centre.answer(id_)
    held = MemoryStore()
    held.down = True
    with pytest.raises(StorageDown):
        await callbacks.greeting(Half(id_, 1), None, calling(centre, callers_store=held))  # type: ignore[arg-type]
