"""`*11` and `*12`: operators come into their queues and out of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from agi_scripts import operators
from ivr.asterisk.agi import AgiChannel
from ivr.domain.errors import StorageDown, Unavailable
from ivr.domain.operators import Operator, OperatorState
from ivr.flows.office import Office
from ivr.testing import START, FakeChannel
from tests.unit.ringing import Line

Script = Callable[[AgiChannel, Office], Awaitable[None]]
FIRST, SECOND = "201", "305"


def a_line() -> Line:
    line = Line()
    with line.store.transaction() as uow:
        for extension, number in ((FIRST, 1), (SECOND, 2)):
            one = Operator(extension=extension, name="Анна", agency="soc", line=number, since=START)
            uow.operators.add(one, "ha1")
        uow.commit()
    return line


async def dials(line: Line, script: Script, extension: str) -> FakeChannel:
    channel = FakeChannel(line.clock, call="node1-1764000000.77", number=extension)
    channel.environment = {"uniqueid": channel.id, "arg_1": extension}
    await script(cast(AgiChannel, channel), line.office)
    return channel


def state(line: Line, extension: str = FIRST) -> OperatorState:
    return line.store.rows.operators.get(extension).state


def actions(line: Line) -> list[tuple[str, str, str]]:
    return [(row.actor, row.action, row.subject) for row in line.audit]


async def test_a_first_line_operator_serves_the_general_queue_too() -> None:
    line = a_line()
    channel = await dials(line, operators.login, FIRST)
    assert line.distributor.members == {"general": [FIRST], "soc-1": [FIRST]}
    assert (state(line), channel.heard, channel.finished) == (
        OperatorState.READY,
        ["operator.logged_in"],
        True,
    )
    assert actions(line) == [(FIRST, "operators.login", FIRST)]


async def test_a_second_line_operator_serves_the_own_queue_only() -> None:
    line = a_line()
    await dials(line, operators.login, SECOND)
    assert line.distributor.members == {"soc-2": [SECOND]}


async def test_logging_out_leaves_every_queue_and_is_told() -> None:
    line = a_line()
    await dials(line, operators.login, FIRST)
    channel = await dials(line, operators.logout, FIRST)
    assert line.distributor.members == {"general": [], "soc-1": []}
    assert (state(line), channel.heard) == (OperatorState.LOGGED_OUT, ["operator.logged_out"])
    assert actions(line)[-1] == (FIRST, "operators.logout", FIRST)


@pytest.mark.parametrize("script", [operators.login, operators.logout])
async def test_twice_is_as_good_as_once(script: Script) -> None:
    line = a_line()
    for _ in range(2):
        assert (await dials(line, script, FIRST)).finished


@pytest.mark.parametrize("script", [operators.login, operators.logout])
@pytest.mark.parametrize("extension", ["299", ""])
async def test_who_is_not_known_is_told_so_and_gets_into_no_queue(script: Script, extension: str) -> None:
    line = a_line()
    channel = await dials(line, script, extension)
    assert channel.heard == ["operator.unknown"] and channel.finished
    assert line.distributor.members == {} and line.audit == []


async def test_a_disabled_operator_cannot_log_in() -> None:
    line = a_line()
    with line.store.transaction() as uow:
        uow.operators.set_state(FIRST, OperatorState.DISABLED, reason="", at=START)
        uow.commit()
    channel = await dials(line, operators.login, FIRST)
    assert channel.heard == ["operator.unknown"] and line.distributor.members == {}
    assert state(line) is OperatorState.DISABLED


async def test_nobody_is_told_to_be_on_the_line_whom_the_queues_did_not_take() -> None:
    line = a_line()
    line.distributor.down = True
    with pytest.raises(Unavailable):
        await dials(line, operators.login, FIRST)
    assert state(line) is OperatorState.LOGGED_OUT and line.audit == []


async def test_without_the_database_the_dialplan_has_a_way_of_its_own() -> None:
    line = a_line()
    line.store.down = True
    with pytest.raises(StorageDown):
        await dials(line, operators.login, FIRST)
    assert line.distributor.members == {}
