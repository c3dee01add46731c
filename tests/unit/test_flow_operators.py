"""`*11` to `*15` and `*9`: what an operator dials, hears, and what comes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from agi_scripts import operators
from ivr.asterisk.agi import AgiChannel
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.errors import StorageDown, Unavailable
from ivr.domain.operators import NO_ANSWER, OperatorState
from ivr.flows.office import Office
from ivr.services.duty import Duty
from ivr.testing import FakeChannel
from tests.unit.ringing import Line
from tests.unit.shift import ANNA, BORIS, Shift

Script = Callable[[AgiChannel, Office, Duty], Awaitable[None]]
LOGGED_OUT, READY, PAUSED = OperatorState.LOGGED_OUT, OperatorState.READY, OperatorState.PAUSED
FREE = {"general": (False, "", 0), "soc-1": (False, "", 0)}
CODES = [
    *(operators.login, operators.logout, operators.pause),
    *(operators.ready, operators.unreached, operators.defer),
]


@dataclass(frozen=True, kw_only=True)
class Phones:
    """A shift, and the conversations of its engine."""

    line: Line
    shift: Shift

    async def dials(self, script: Script, *more: str, extension: str = ANNA) -> FakeChannel:
        channel = FakeChannel(self.shift.clock, call="node1-1764000000.77", number=extension)
        arguments = {f"arg_{n}": value for n, value in enumerate((extension, *more), 1)}
        channel.environment = {"uniqueid": channel.id, **arguments}
        await script(cast(AgiChannel, channel), self.line.office, self.shift.duty)
        await self.shift.heard()
        return channel

    @property
    def actions(self) -> list[tuple[str, str]]:
        return [(row.subject, row.action) for row in self.shift.store.rows.audit.rows]


@pytest.fixture
async def phones(tmp_path: Path) -> AsyncIterator[Phones]:
    line = Line()
    async with Shift(tmp_path, store=line.store, clock=line.clock) as shift:
        yield Phones(line=line, shift=shift)


# --- *11 and *12 -------------------------------------------------------------------------------------


async def test_a_first_line_operator_serves_the_general_queue_too(phones: Phones) -> None:
    channel = await phones.dials(operators.login)
    assert phones.shift.members() == FREE
    assert (phones.shift.state(), channel.heard, channel.finished) == (
        (READY, ""),
        ["operator.logged_in"],
        True,
    )
    assert phones.actions == [(ANNA, "operators.login")]


async def test_a_second_line_operator_serves_the_own_queue_only(phones: Phones) -> None:
    await phones.dials(operators.login, extension=BORIS)
    assert phones.shift.members(BORIS) == {"soc-2": (False, "", 0)}


async def test_logging_out_leaves_every_queue_and_is_told(phones: Phones) -> None:
    await phones.dials(operators.login)
    channel = await phones.dials(operators.logout)
    assert (phones.shift.members(), phones.shift.state()) == ({}, (LOGGED_OUT, ""))
    assert channel.heard == ["operator.logged_out"]
    assert phones.actions[-1] == (ANNA, "operators.logout")


@pytest.mark.parametrize("script", [operators.login, operators.logout])
async def test_twice_is_as_good_as_once(phones: Phones, script: Script) -> None:
    for _ in range(2):
        assert (await phones.dials(script)).finished


@pytest.mark.parametrize("script", CODES)
@pytest.mark.parametrize("extension", ["299", ""])
async def test_who_is_not_known_is_told_so_and_gets_into_no_queue(
    phones: Phones, script: Script, extension: str
) -> None:
    channel = await phones.dials(script, extension=extension)
    assert channel.heard == ["operator.unknown"] and channel.finished
    assert phones.shift.board.members == {} and phones.actions == []


@pytest.mark.parametrize("script", CODES)
async def test_a_disabled_operator_has_no_codes(phones: Phones, script: Script) -> None:
    at = phones.shift.clock.now()
    phones.shift.do(lambda uow: uow.operators.set_state(ANNA, OperatorState.DISABLED, reason="", at=at))
    channel = await phones.dials(script)
    assert channel.heard == ["operator.unknown"] and phones.shift.members() == {}
    assert phones.shift.state() == (OperatorState.DISABLED, "")


async def test_nobody_is_told_to_be_on_the_line_whom_the_queues_did_not_take(phones: Phones) -> None:
    phones.shift.board.refusing.add("add_member")
    with pytest.raises(Unavailable):
        await phones.dials(operators.login)


@pytest.mark.parametrize("script", CODES)
async def test_without_the_database_the_dialplan_has_a_way_of_its_own(phones: Phones, script: Script) -> None:
    phones.line.store.down = True
    with pytest.raises(StorageDown):
        await phones.dials(script)
    assert phones.shift.members() == {}


# --- *13N and *14 ------------------------------------------------------------------------------------


async def test_a_pause_has_the_reason_of_its_number_and_ends_by_the_other_code(phones: Phones) -> None:
    await phones.dials(operators.login)
    channel = await phones.dials(operators.pause, "1")
    assert channel.heard == ["operator.paused"] and channel.finished
    assert phones.line.prompts.said("operator.paused").values == {"reason": "обед"}
    assert phones.shift.state() == (PAUSED, "обед")
    assert all(paused for paused, _, _ in phones.shift.members().values())
    channel = await phones.dials(operators.ready)
    assert channel.heard == ["operator.ready"] and channel.finished
    assert (phones.shift.state(), phones.shift.members()) == ((READY, ""), FREE)


@pytest.mark.parametrize("number", ["", "9"])
async def test_a_number_that_is_no_reason_is_said_and_changes_nothing(phones: Phones, number: str) -> None:
    await phones.dials(operators.login)
    channel = await phones.dials(operators.pause, number)
    assert channel.heard == ["operator.reason"] and channel.finished
    assert (phones.shift.state(), phones.shift.members()) == ((READY, ""), FREE)


@pytest.mark.parametrize("script", [operators.pause, operators.ready])
async def test_who_is_not_logged_in_is_told_how(phones: Phones, script: Script) -> None:
    channel = await phones.dials(script, "1")
    assert channel.heard == ["operator.not_logged_in"] and channel.finished
    assert phones.shift.members() == {}


async def test_ready_ends_the_wrap_up_at_once(phones: Phones) -> None:
    await phones.dials(operators.login)
    await phones.shift.connects()
    await phones.shift.completes()
    assert phones.shift.state() == (OperatorState.WRAPUP, "")
    await phones.dials(operators.ready)
    assert (phones.shift.state(), phones.shift.members()) == ((READY, ""), FREE)


@pytest.mark.parametrize("script", [operators.ready, operators.login])
async def test_who_was_put_on_a_pause_is_told_why_at_the_next_code(phones: Phones, script: Script) -> None:
    await phones.dials(operators.login)
    for _ in range(2):
        await phones.shift.rings_in_vain()
    channel = await phones.dials(script)
    assert channel.heard[0] == "operator.was_paused"
    assert phones.line.prompts.said("operator.was_paused").values == {"reason": NO_ANSWER}
    assert (phones.shift.state(), phones.shift.members()) == ((READY, ""), FREE)


# --- *9 ----------------------------------------------------------------------------------------------


async def test_who_was_not_reached_is_written_down_after_the_talk(phones: Phones) -> None:
    phones.shift.a_card()
    await phones.dials(operators.login)
    await phones.shift.connects()
    await phones.shift.completes()
    assert (await phones.dials(operators.unreached)).heard == ["operator.unreached"]
    contact = phones.shift.store.rows.cards.contact("c1")
    assert contact is not None
    assert contact.outcome is ContactOutcome.TOO_SHORT


async def test_in_the_talk_it_is_written_down_without_a_word(phones: Phones) -> None:
    phones.shift.a_card()
    await phones.dials(operators.login)
    await phones.shift.connects()
    channel = await phones.dials(operators.unreached, "talk")
    assert channel.heard == [] and not channel.finished
    contact = phones.shift.store.rows.cards.contact("c1")
    assert contact is not None
    assert contact.outcome is ContactOutcome.TOO_SHORT


async def test_without_a_talk_there_is_nothing_to_write_down(phones: Phones) -> None:
    await phones.dials(operators.login)
    assert (await phones.dials(operators.unreached)).heard == ["operator.no_talk"]


# --- *15 ---------------------------------------------------------------------------------------------


async def after_a_talk(phones: Phones, number: str | None) -> str:
    """The card of a talk that has just ended; its id."""
    with phones.shift.store.transaction() as uow:
        card = uow.cards.open(call="c1", node="node1", number=number, at=phones.shift.clock.now())
        uow.commit()
    await phones.dials(operators.login)
    await phones.shift.connects()
    await phones.shift.completes()
    return card.id


async def test_the_answer_to_the_last_talk_is_deferred_and_its_deadline_is_told(phones: Phones) -> None:
    card = await after_a_talk(phones, "+79123456789")
    assert (await phones.dials(operators.defer)).heard == ["operator.deferred"]
    owed = phones.shift.store.rows.deferred.of_card(card)
    assert owed is not None
    assert (owed.marked_by, owed.deadline) == (ANNA, owed.registered_at + timedelta(days=1, hours=-1))
    told = phones.line.prompts.said("operator.deferred").values
    assert (told["deadline"], told["enquiry"]) == (owed.deadline, "0001")
    assert "deferred.mark" in [action for _, action in phones.actions]


async def test_nothing_is_deferred_for_a_citizen_who_cannot_be_called(phones: Phones) -> None:
    await after_a_talk(phones, None)
    assert (await phones.dials(operators.defer)).heard == ["operator.not_deferred"]
    assert phones.shift.store.rows.deferred.list() == []


async def test_before_the_first_talk_there_is_nothing_to_defer(phones: Phones) -> None:
    await phones.dials(operators.login)
    assert (await phones.dials(operators.defer)).heard == ["operator.no_talk"]
