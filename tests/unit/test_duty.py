"""Operators' duty: queues follow the database, through talks, gaps and changes behind our back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.domain.enquiry import ContactOutcome, Outcome
from ivr.domain.errors import Unavailable
from ivr.domain.operators import NO_ANSWER, REFUSES, OperatorState, Place
from ivr.ports import MemberStatus
from ivr.services import working_day
from ivr.services.duty_rules import WRAPUP
from tests.unit.shift import ANNA, AWAY, BORIS, FREE, LIMITS, RESTS, Shift

READY, PAUSED, WRAPPING = OperatorState.READY, OperatorState.PAUSED, OperatorState.WRAPUP


@pytest.fixture
async def shift(tmp_path: Path) -> AsyncIterator[Shift]:
    async with Shift(tmp_path) as made:
        yield made


# --- coming and going -------------------------------------------------------------------------------


async def test_who_logs_in_serves_the_own_queues_and_nobody_else_any(shift: Shift) -> None:
    await shift.comes(ANNA)
    assert (shift.members(ANNA), shift.members(BORIS)) == (FREE, {})
    await shift.comes(BORIS)
    assert shift.members(BORIS) == {"soc-2": (False, "", 0)}


async def test_who_logs_out_serves_none(shift: Shift) -> None:
    await shift.comes()
    shift.do(lambda uow: working_day.log_out(uow, shift.by(), ANNA, LIMITS))
    await shift.passes(1)
    assert shift.members() == {}


async def test_what_the_supervisor_writes_into_the_database_is_done_within_a_second(shift: Shift) -> None:
    await shift.comes()
    shift.do(lambda uow: working_day.pause(uow, shift.by("cli:anna"), ANNA, "1", LIMITS))
    await shift.passes(1)
    assert (shift.state(), shift.members()) == ((PAUSED, "обед"), AWAY)
    shift.do(lambda uow: working_day.ready(uow, shift.by("cli:anna"), ANNA, LIMITS))
    await shift.passes(1)
    assert (shift.state(), shift.members()) == ((READY, ""), FREE)
    shift.places(Place(queue="soc-2", penalty=5), Place(queue="general", penalty=1))
    await shift.passes(1)
    assert shift.members() == {"general": (False, "", 1), "soc-2": (False, "", 5)}
    assert shift.mended == []


async def test_a_disabled_operator_is_taken_out(shift: Shift) -> None:
    await shift.comes()
    shift.do(
        lambda uow: uow.operators.set_state(ANNA, OperatorState.DISABLED, reason="", at=shift.clock.now())
    )
    await shift.passes(1)
    assert shift.members() == {}


async def test_without_the_telephone_switch_it_fails_and_is_done_later(shift: Shift) -> None:
    shift.board.down = True
    with pytest.raises(Unavailable):
        await shift.comes()
    with pytest.raises(Unavailable):
        await shift.duty.poll()
    shift.board.down = False
    await shift.passes(1)
    assert shift.members() == FREE


async def test_one_operator_whom_a_queue_refuses_keeps_nobody_else_out(shift: Shift) -> None:
    shift.places(Place(queue="nowhere-1"))
    for extension in (ANNA, BORIS):
        shift.do(lambda uow, e=extension: working_day.log_in(uow, shift.by(), e, LIMITS))
    with pytest.raises(Unavailable):
        await shift.duty.poll()
    assert shift.members(BORIS) == {"soc-2": (False, "", 0)}


# --- gaps --------------------------------------------------------------------------------------------


async def test_after_a_restart_of_the_telephone_switch_everybody_is_put_back_as_before(shift: Shift) -> None:
    shift.places(Place(queue="soc-1", penalty=4))
    await shift.comes(ANNA)
    await shift.comes(BORIS)
    shift.do(lambda uow: working_day.pause(uow, shift.by(), BORIS, "2", LIMITS))
    await shift.passes(1)
    shift.board.members.clear()
    shift.floor.connected()
    await shift.heard()
    assert shift.members(ANNA) == {"soc-1": (False, "", 4)}
    assert shift.members(BORIS) == {"soc-2": (True, "paused", 0)}
    assert shift.mended == []


async def test_who_is_in_wrap_up_when_the_switch_restarts_still_is(shift: Shift) -> None:
    await shift.comes()
    await shift.connects()
    await shift.completes()
    shift.board.members.clear()
    shift.floor.connected()
    await shift.heard()
    assert (shift.state(), shift.members()) == ((WRAPPING, ""), RESTS)
    await shift.passes(30)
    assert shift.members() == FREE


async def test_a_talk_that_ended_unseen_is_wrapped_up_once_nobody_has_talked_for_two_looks(
    shift: Shift,
) -> None:
    await shift.comes()
    await shift.board.pause(ANNA, paused=True, reason=WRAPUP)
    shift.duty = shift.engine()  # a new engine: it has heard of no talk
    shift.floor.connected()
    await shift.heard()
    await shift.passes(1)
    assert (shift.state(), shift.members()) == ((READY, ""), RESTS)
    await shift.passes(1)
    assert shift.state() == (WRAPPING, "")
    await shift.passes(30)
    assert shift.members() == FREE


# --- behind our back ---------------------------------------------------------------------------------


async def test_a_member_that_somebody_took_away_is_put_back_and_reported(shift: Shift) -> None:
    await shift.comes()
    await shift.board.remove_member("soc-1", ANNA)
    await shift.heard()
    await shift.passes(1)
    assert (shift.members(), shift.mended) == (FREE, ["add"])


async def test_a_change_that_no_event_told_of_is_found_by_asking(shift: Shift) -> None:
    await shift.comes()
    del shift.board.members["soc-1", ANNA]
    await shift.passes(1)
    assert shift.members() != FREE
    await shift.duty.check()
    assert (shift.members(), shift.mended) == (FREE, ["view", "add"])


async def test_a_pause_or_a_penalty_by_somebody_else_is_taken_back(shift: Shift) -> None:
    await shift.comes()
    await shift.board.pause(ANNA, paused=True, reason="by hand", queue="general")
    await shift.board.set_penalty("soc-1", ANNA, 9)
    await shift.heard()
    await shift.passes(1)
    assert (shift.members(), sorted(shift.mended)) == (FREE, ["penalty", "unpause"])


async def test_a_member_that_is_nobodys_telephone_or_not_on_duty_goes(shift: Shift) -> None:
    await shift.board.add_member("general", "299")
    await shift.board.add_member("general", BORIS)
    await shift.heard()
    await shift.passes(1)
    assert (shift.members("299"), shift.members(BORIS)) == ({}, {})
    assert shift.mended == ["remove", "remove"]


# --- rings in vain -----------------------------------------------------------------------------------


async def test_two_rings_in_vain_in_a_row_are_a_pause_and_an_alarm_until_it_ends(shift: Shift) -> None:
    await shift.comes()
    await shift.rings_in_vain()
    assert (shift.state(), shift.members()) == ((READY, ""), FREE)
    await shift.rings_in_vain()
    assert (shift.state(), shift.members()) == ((PAUSED, NO_ANSWER), AWAY)
    await shift.passes(1)
    [(key, what)] = shift.alarms.now.items()
    assert key == "operator.paused.201"
    assert "201" in what
    shift.do(lambda uow: working_day.ready(uow, shift.by(), ANNA, LIMITS))
    await shift.passes(1)
    assert (shift.members(), shift.alarms.now) == (FREE, {})
    await shift.rings_in_vain()
    assert shift.state() == (READY, "")


async def test_a_talk_or_a_refusal_between_them_begins_the_count_anew(shift: Shift) -> None:
    await shift.comes()
    await shift.rings_in_vain()
    await shift.connects()
    await shift.completes()
    await shift.passes(30)
    await shift.rings_in_vain()
    await shift.rings_in_vain(seconds=0)
    await shift.rings_in_vain()
    assert shift.state() == (READY, "")


async def test_only_many_refusals_in_a_row_are_a_pause(shift: Shift) -> None:
    await shift.comes()
    for _ in range(2):
        await shift.rings_in_vain(seconds=3)
    assert shift.state() == (READY, "")
    await shift.rings_in_vain(seconds=0)
    assert shift.state() == (PAUSED, REFUSES)


async def test_a_telephone_of_nobody_that_rings_or_talks_is_no_error(shift: Shift) -> None:
    await shift.rings_in_vain(extension="299")
    shift.board.connect("general", "299", "c1")
    shift.board.complete("general", "299", "c1", talked=5)
    await shift.heard()
    assert shift.state() == (OperatorState.LOGGED_OUT, "")


# --- telephones that are gone ------------------------------------------------------------------------


async def test_a_telephone_that_is_gone_is_away_at_once_and_an_alarm_after_a_while(shift: Shift) -> None:
    await shift.comes()
    shift.board.phone(ANNA, MemberStatus.AWAY)
    await shift.heard()
    await shift.passes(1)
    assert (shift.duty.away(ANNA), shift.alarms.now, shift.state()) == (True, {}, (READY, ""))
    await shift.passes(30)
    assert list(shift.alarms.now) == ["operator.away.201"]
    shift.board.phone(ANNA, MemberStatus.FREE)
    await shift.heard()
    await shift.passes(1)
    assert (shift.duty.away(ANNA), shift.alarms.now) == (False, {})


# --- the citizen was not reached ---------------------------------------------------------------------


async def test_who_was_not_reached_was_not_served_though_it_was_settled_so(shift: Shift) -> None:
    card = shift.a_card()
    await shift.comes()
    await shift.connects()
    await shift.completes()
    shift.do(lambda uow: uow.cards.change_contact("c1", outcome=ContactOutcome.SERVED, talking_s=60))
    assert shift.do(lambda uow: working_day.not_reached(uow, shift.by(), ANNA)) is True
    found = shift.store.rows.cards.get(card)
    assert (found.outcome, found.contacts[0].outcome) == (Outcome.ABANDONED, ContactOutcome.TOO_SHORT)


async def test_without_a_talk_there_is_nobody_who_was_not_reached(shift: Shift) -> None:
    await shift.comes()
    assert shift.do(lambda uow: working_day.not_reached(uow, shift.by(), ANNA)) is False
    await shift.connects("not-a-citizens-call")
    assert shift.do(lambda uow: working_day.not_reached(uow, shift.by(), ANNA)) is False


# --- the history -------------------------------------------------------------------------------------


async def test_the_history_has_every_state_of_the_day(shift: Shift) -> None:
    start = shift.clock.now()
    await shift.comes()
    await shift.connects()
    await shift.completes()
    await shift.passes(30)
    history = shift.do(lambda uow: uow.operators.history(since=start))
    assert [change.state for change in history] == [READY, WRAPPING, READY]


async def test_no_state_follows_what_it_cannot_follow(shift: Shift) -> None:
    shift.do(lambda u: u.operators.set_state(ANNA, OperatorState.DISABLED, reason="", at=shift.clock.now()))
    (shift.notes / ANNA).write_text("11")
    await shift.passes(1)
    assert shift.state() == (OperatorState.DISABLED, "")
