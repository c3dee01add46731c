"""Limits of wrong pairs of a receipt's number and date (§20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ivr.services.guesses import GuessGuard
from ivr.settings import Settings
from tests.unit.identifying import (
    MINE,
    STRANGE,
    THIRD,
    Desk,
)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def a_guard(desk: Desk, **settings: Any) -> GuessGuard:
    guard = GuessGuard.of(Settings(**settings), desk.store, desk.clock, desk.alarms)
    guard._sleep = desk._sleep
    return guard


async def test_too_many_wrong_pairs_lock_their_caller_for_a_while(desk: Desk) -> None:
    guard = a_guard(desk, pair_tries_per_caller=3)
    for _ in range(3):
        assert await guard.allowed(MINE)
        await guard.failed(MINE)
    await guard.succeeded(MINE)
    assert not await guard.allowed(MINE)
    assert await guard.allowed(STRANGE)
    desk.clock.forward(timedelta(minutes=15).total_seconds())
    assert await guard.allowed(MINE)


async def test_a_receipt_of_ones_own_does_not_pay_for_guessing_at_others(desk: Desk) -> None:
    guard = a_guard(desk, pair_tries_per_caller=3)
    for _ in range(2):
        await guard.failed(MINE)
        await guard.succeeded(MINE)
    await guard.failed(MINE)
    assert not await guard.allowed(MINE)


async def test_callers_without_a_number_share_one_count_of_pairs(desk: Desk) -> None:
    guard = a_guard(desk, pair_tries_per_caller=1)
    await guard.failed(None)
    assert not await guard.allowed(None)
    assert await guard.allowed(MINE)


async def test_pairs_guessed_by_many_slow_the_line_down_and_alarm(desk: Desk) -> None:
    guard = a_guard(desk, pair_tries_per_line=2, guess_delay_seconds=1.5)
    for number in (MINE, STRANGE):
        assert await guard.allowed(number)
        await guard.failed(number)
    assert desk.slept == []
    assert await guard.allowed(THIRD)
    assert desk.slept == [1.5] and "receipts" in desk.alarms.standing["pair.line"]
