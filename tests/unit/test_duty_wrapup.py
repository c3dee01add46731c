"""Wrap-up: when it begins and ends, and what the card has of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.domain.enquiry import ContactOutcome
from ivr.domain.operators import OperatorState
from ivr.ports import MemberStatus
from ivr.services import cards, working_day
from ivr.services.cards import Edit
from ivr.services.duty import LOOK_SECONDS
from ivr.settings import Settings
from tests.unit.shift import ANNA, AWAY, FREE, LIMITS, RESTS, Shift

READY, PAUSED, WRAPPING = OperatorState.READY, OperatorState.PAUSED, OperatorState.WRAPUP


@pytest.fixture
async def shift(tmp_path: Path) -> AsyncIterator[Shift]:
    async with Shift(tmp_path) as made:
        yield made


async def test_the_pause_before_a_talk_stays_and_becomes_wrap_up_at_its_end(shift: Shift) -> None:
    await shift.comes()
    await shift.connects()
    await shift.passes(100)
    assert (shift.state(), shift.members()) == ((READY, ""), RESTS)
    await shift.completes()
    assert (shift.state(), shift.members()) == ((WRAPPING, ""), RESTS)
    assert shift.operator().since == shift.clock.now()


async def test_wrap_up_ends_by_its_limit_and_not_before(shift: Shift) -> None:
    await shift.comes()
    await shift.connects()
    await shift.completes()
    await shift.passes(29)
    assert shift.members() == RESTS
    await shift.passes(1)
    assert (shift.state(), shift.members()) == ((READY, ""), FREE)
    assert shift.mended == []


async def test_wrap_up_ends_on_time_between_two_looks(shift: Shift) -> None:
    assert shift.duty.until_wrapup_ends() == LOOK_SECONDS
    await shift.comes()
    await shift.connects()
    await shift.completes()
    await shift.passes(29.4)
    assert shift.duty.until_wrapup_ends() == pytest.approx(0.6)
    await shift.duty.end_wrapups()
    assert (shift.state(), shift.members()) == ((WRAPPING, ""), RESTS)
    shift.clock.forward(0.6)
    await shift.duty.end_wrapups()
    assert (shift.state(), shift.members()) == ((READY, ""), FREE)
    assert shift.duty.until_wrapup_ends() == LOOK_SECONDS
    assert shift.mended == []


async def test_wrap_up_does_not_end_while_the_operator_talks(shift: Shift) -> None:
    await shift.comes()
    await shift.connects()
    await shift.completes()
    shift.board.phone(ANNA, MemberStatus.TALKING)
    await shift.heard()
    await shift.passes(31)
    assert shift.state() == (WRAPPING, "")
    shift.board.phone(ANNA, MemberStatus.FREE)
    await shift.heard()
    await shift.passes(1)
    assert (shift.state(), shift.members()) == ((READY, ""), FREE)


async def test_the_operator_ends_the_wrap_up_and_the_time_is_measured(shift: Shift) -> None:
    shift.a_card()
    await shift.comes()
    await shift.connects()
    await shift.completes()
    await shift.passes(7.2)
    shift.do(lambda uow: working_day.ready(uow, shift.by(), ANNA, LIMITS))
    await shift.duty.apply(ANNA, release=True)
    assert shift.members() == FREE
    contact = shift.store.rows.cards.contact("c1")
    assert contact is not None
    assert contact.wrapup_s == 8


async def test_completing_the_card_ends_the_wrap_up_after_the_talk_about_it(shift: Shift) -> None:
    card, other = shift.a_card("c1"), shift.a_card("c2")
    for call in ("c1", "c2"):
        shift.do(lambda uow, c=call: uow.cards.change_contact(c, outcome=ContactOutcome.SERVED, talking_s=60))
    await shift.comes()
    await shift.connects("c1")
    await shift.completes("c1")
    done = Edit(complete=True)
    shift.do(lambda uow: cards.edit(uow, shift.by(), other, done, Settings()))
    assert shift.state() == (WRAPPING, "")
    shift.do(lambda uow: cards.edit(uow, shift.by(), card, done, Settings()))
    assert shift.state() == (READY, "")
    await shift.passes(1)
    assert shift.members() == FREE


async def test_a_card_completed_before_the_end_is_told_leaves_no_wrap_up(shift: Shift) -> None:
    shift.a_card()
    await shift.comes()
    await shift.connects()
    shift.do(lambda uow: uow.cards.change_contact("c1", wrapup_s=1))
    await shift.completes()
    assert (shift.state(), shift.members()) == ((READY, ""), FREE)


async def test_a_pause_that_the_supervisor_orders_in_a_talk_outlasts_it(shift: Shift) -> None:
    await shift.comes()
    await shift.connects()
    shift.do(lambda uow: working_day.pause(uow, shift.by("cli:anna"), ANNA, "3", LIMITS))
    await shift.passes(1)
    await shift.completes()
    await shift.passes(60)
    assert (shift.state(), shift.members()) == ((PAUSED, "обучение"), AWAY)


async def test_a_talk_that_began_without_an_engine_has_no_wrap_up(shift: Shift) -> None:
    await shift.comes()
    shift.board.connect("general", ANNA, "c1")
    await shift.completes()
    assert (shift.state(), shift.members()) == ((READY, ""), FREE)
