"""The fakes themselves: a fake that is wrong makes every test that uses it worthless."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ivr.domain.errors import BadInput, CallerHungUp, StorageDown, Unavailable
from ivr.domain.operators import Operator
from ivr.ports import LeftQueue, Prompt, UnitOfWork
from ivr.testing import (
    START,
    FakeChannel,
    FakeDistributor,
    FakePrompts,
    MemoryStore,
    ScriptedCaller,
    VirtualClock,
)

MENU = Path("/prompts/menu.wav")
OPERATOR = Operator(extension="201", name="Анна Орлова", agency="szn", line=1, since=START)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def channel(clock: VirtualClock) -> FakeChannel:
    return FakeChannel(clock)


# --- the clock -------------------------------------------------------------------------------------


def test_both_clocks_move_together_and_exactly(clock: VirtualClock) -> None:
    for _ in range(600):
        clock.forward(0.1)
    assert clock.monotonic() == 60.0
    assert (clock.now() - START).total_seconds() == 60.0


def test_a_clock_neither_goes_back_nor_loses_its_zone(clock: VirtualClock) -> None:
    with pytest.raises(ValueError, match="back"):
        clock.forward(-1)
    with pytest.raises(ValueError, match="zone"):
        VirtualClock(START.replace(tzinfo=None))


async def test_work_ends_when_the_clock_has_come_so_far(clock: VirtualClock) -> None:
    work = asyncio.ensure_future(clock.sleep(2))
    for _ in range(3):
        await asyncio.sleep(0)
        assert not work.done()
        clock.forward(0.9)
    await work
    assert clock.monotonic() == pytest.approx(2.7)


async def test_a_clock_left_alone_moves_to_the_next_end_of_work(clock: VirtualClock) -> None:
    ended: list[float] = []

    async def work(seconds: float) -> None:
        await clock.sleep(seconds)
        ended.append(clock.monotonic())

    await asyncio.gather(work(3), work(1))
    assert ended == [1.0, 3.0]


# --- the caller ------------------------------------------------------------------------------------


def test_keys_come_at_their_moments_and_time_passes_until_them(clock: VirtualClock) -> None:
    caller = ScriptedCaller(clock)
    caller.presses("12", at=1, gap=0.5)
    assert (caller.next_key(5), clock.monotonic()) == ("1", 1.0)
    assert (caller.next_key(0.4), clock.monotonic()) == (None, 1.4)
    assert (caller.next_key(0.1), clock.monotonic()) == ("2", 1.5)
    assert (caller.next_key(2), clock.monotonic()) == (None, 3.5)


def test_a_key_pressed_while_nobody_read_is_read_next(clock: VirtualClock) -> None:
    caller = ScriptedCaller(clock)
    caller.presses("1", at=1)
    clock.forward(3)
    assert (caller.next_key(5), clock.monotonic()) == ("1", 3.0)


def test_a_deed_that_waits_for_a_prompt_waits_for_its_hearing(clock: VirtualClock) -> None:
    caller = ScriptedCaller(clock)
    caller.presses("2", on="menu", after=0.5, hearing=2)
    caller.hears("menu")
    caller.hears("other")
    assert caller.next_key(10) is None
    caller.hears("menu")
    assert (caller.next_key(10), clock.monotonic()) == ("2", 10.5)
    caller.hears("menu")
    assert caller.next_key(10) is None


def test_who_has_gone_stays_gone(clock: VirtualClock) -> None:
    caller = ScriptedCaller(clock)
    caller.leaves(at=1)
    caller.presses("1", at=2)
    for _ in range(2):
        with pytest.raises(CallerHungUp):
            caller.next_key(5)
    assert clock.monotonic() == 1.0


@pytest.mark.parametrize("keys", ["", "A", "1 2"])
def test_a_telephone_has_twelve_keys(clock: VirtualClock, keys: str) -> None:
    with pytest.raises(ValueError, match="no such keys"):
        ScriptedCaller(clock).presses(keys)


# --- the channel; what it shares with the real one is held in tests/wire/test_channel_contract.py --


async def test_a_prompt_lasts_as_long_as_it_was_given(channel: FakeChannel) -> None:
    channel.durations["menu"] = 7
    await channel.play(MENU)
    await channel.play(Path("/prompts/other.wav"))
    assert channel.clock.monotonic() == 7 + channel.lasting
    assert channel.heard == ["menu", "other"]


async def test_a_channel_given_away_takes_no_more_commands(clock: VirtualClock) -> None:
    for give in (lambda c: c.finish(), lambda c: c.hand_over("general", priority=0, enquiry="")):
        channel = FakeChannel(clock)
        await give(channel)
        for command in (channel.answer(), channel.play(MENU), channel.wait_key(1), channel.finish()):
            with pytest.raises(RuntimeError, match="given this channel away"):
                await command


# --- prompts and queues ----------------------------------------------------------------------------


async def test_what_is_not_personal_is_ready_and_what_is_takes_time(clock: VirtualClock) -> None:
    prompts = FakePrompts(clock, seconds=2)
    readback = Prompt.of("snils.readback", snils="11223344595")
    assert prompts.ready(Prompt.of("menu")) == MENU
    assert prompts.ready(readback) is None
    first, second = await prompts.audio(readback), await prompts.audio(readback)
    assert clock.monotonic() == 4
    assert (first.stem, first == second, prompts.private) == ("snils.readback", False, {first, second})
    prompts.release(first)
    prompts.release(MENU)
    assert prompts.private == {second}
    assert prompts.said("menu") == Prompt.of("menu")


async def test_a_prompt_the_catalogue_refuses_is_refused(clock: VirtualClock) -> None:
    prompts = FakePrompts(clock)
    for wrong in (Prompt.of("no.such"), Prompt.of("goodbye"), Prompt.of("snils.readback", snils="1")):
        with pytest.raises(BadInput):
            prompts.ready(wrong)
        with pytest.raises(BadInput):
            await prompts.audio(wrong)


async def test_synthesis_can_fail(clock: VirtualClock) -> None:
    prompts = FakePrompts(clock)
    prompts.failing.add("menu")
    assert prompts.ready(Prompt.of("menu")) is None
    with pytest.raises(Unavailable):
        await prompts.audio(Prompt.of("menu"))


async def test_every_caller_comes_back_for_the_reason_that_was_set(channel: FakeChannel) -> None:
    queues = FakeDistributor(reason=LeftQueue.FULL)
    assert await queues.left(channel) is LeftQueue.FULL


# --- the store; what it shares with the database is held in tests/integration -----------------------


def write(uow: UnitOfWork) -> str:
    uow.operators.add(OPERATOR, "0" * 32)
    return uow.cards.open(call="1", node="node1", number=None, at=START).id


async def test_run_commits_and_a_failure_leaves_nothing() -> None:
    store = MemoryStore()

    def fail(uow: UnitOfWork) -> None:
        write(uow)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.run(fail)
    assert (store.rows.operators.rows, store.rows.cards.rows) == ({}, {})
    id_ = await store.run(write)
    assert list(store.rows.cards.rows) == [id_]


def test_what_is_written_after_the_commit_is_lost_and_so_is_an_exception_of_no_harm() -> None:
    store = MemoryStore()
    with pytest.raises(ZeroDivisionError), store.transaction() as uow:
        write(uow)
        uow.commit()
        uow.cards.open(call="2", node="node1", number=None, at=START)
        raise ZeroDivisionError
    assert len(store.rows.cards.rows) == 1


def test_a_second_unit_of_work_inside_the_first_is_a_mistake() -> None:
    store = MemoryStore()
    with store.transaction(), pytest.raises(RuntimeError, match="open already"), store.transaction():
        pass
    with store.transaction() as uow:
        uow.commit()


async def test_a_database_that_is_down_or_goes_down_later() -> None:
    store = MemoryStore()
    store.failing_after = 1
    await store.run(write)
    for _ in range(2):
        with pytest.raises(StorageDown):
            await store.run(write)
    store.down, store.failing_after = False, None
    await store.run(lambda uow: uow.cards.list())
    store.down = True
    with pytest.raises(StorageDown), store.transaction():
        pass


def test_repositories_of_one_unit_of_work_see_each_other() -> None:
    store = MemoryStore()
    with store.transaction() as uow:
        write(uow)
        uow.commit()
    with store.transaction() as uow:
        assert uow.callbacks.cards is uow.cards  # type: ignore[attr-defined]
        assert uow.operators.cards is uow.cards  # type: ignore[attr-defined]


def test_naive_times_are_refused_as_by_the_database() -> None:
    naive = START.replace(tzinfo=None)
    with MemoryStore().transaction() as uow:
        with pytest.raises(ValueError, match="zone"):
            uow.cards.open(call="1", node="node1", number=None, at=naive)
        card = uow.cards.open(call="1", node="node1", number=None, at=START)
        with pytest.raises(TypeError, match="zone"):
            uow.cards.change(card.id, closed_at=naive)
