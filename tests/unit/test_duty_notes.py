"""Codes that operators dialled while no engine was there: the notes of the dialplan are taken up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.domain.operators import OperatorState
from tests.unit.shift import ANNA, AWAY, Shift

READY, PAUSED = OperatorState.READY, OperatorState.PAUSED


@pytest.fixture
async def shift(tmp_path: Path) -> AsyncIterator[Shift]:
    async with Shift(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("first", "note", "state"),
    [
        (False, "11\n", (READY, "")),
        (True, "12\n", (OperatorState.LOGGED_OUT, "")),
        (True, "13 2\n", (PAUSED, "перерыв")),
        (True, "13\n", (READY, "")),
        (True, "13 9\n", (READY, "")),
        (False, "14\n", (OperatorState.LOGGED_OUT, "")),
        (True, "rm -rf\n", (READY, "")),
    ],
)
async def test_codes_dialled_without_an_engine_are_taken_up_from_notes(
    shift: Shift, first: bool, note: str, state: tuple[OperatorState, str]
) -> None:
    if first:
        await shift.comes()
    (shift.notes / ANNA).write_text(note)
    await shift.passes(1)
    assert shift.state() == state
    assert [path.name for path in shift.notes.iterdir()] == ["alive"]
    assert bool(shift.members()) == (state[0] is not OperatorState.LOGGED_OUT)


async def test_what_was_dialled_in_a_gap_is_known_before_anybody_is_put_back(shift: Shift) -> None:
    """The dialplan has paused; an engine that is back must not undo it until its next look."""
    await shift.comes()
    (shift.notes / ANNA).write_text("13 2\n")
    await shift.board.pause(ANNA, paused=True)
    shift.floor.connected()
    await shift.heard()
    assert (shift.state(), shift.members()) == ((PAUSED, "перерыв"), AWAY)


async def test_a_note_that_is_being_written_is_left_for_the_next_look(shift: Shift) -> None:
    (shift.notes / ANNA).touch()
    await shift.passes(1)
    (shift.notes / ANNA).write_text("11")
    await shift.passes(1)
    assert shift.state() == (READY, "")


async def test_a_note_of_nobody_is_dropped(shift: Shift) -> None:
    (shift.notes / "299").write_text("11")
    await shift.passes(1)
    assert not (shift.notes / "299").exists()
