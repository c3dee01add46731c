"""The program is killed at every statement and at both sides of every commit while it reads, settles and
reconciles: the next one loses nobody and doubles nobody. Enumerated, on both databases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import event

from db.store import SqlStore
from ivr.domain.reconciliation import Account
from ivr.ports import UnitOfWork
from ivr.services.arrivals import everybody
from ivr.services.journal_lines import ARRIVALS, QUEUE_LOG
from tests.integration.conftest import Database
from tests.integration.storing import do
from tests.reconciling import AFTER, Line

T = TypeVar("T")
Story = Callable[[Line], Awaitable[Account]]
STATEMENT, COMMIT, COMMITTED = "statement", "commit", "committed"
"""Killed before this statement, before this commit takes place, and after it before anybody hears of it."""


class Killed(Exception):
    """The program is no more."""


@dataclass
class Deaths:
    """Counts what happens in a store, and ends the program at one of these points."""

    kind: str = ""
    number: int = 0
    """From 1; 0: never."""
    counts: dict[str, int] | None = None

    def reached(self, kind: str) -> None:
        counts = self.counts = self.counts or {}
        counts[kind] = counts.get(kind, 0) + 1
        if (kind, counts[kind]) == (self.kind, self.number):
            raise Killed


class Mortal(SqlStore):
    """A store of a program that may be killed."""

    deaths = Deaths()

    async def run(self, work: Callable[[UnitOfWork], T]) -> T:
        result = await super().run(work)
        self.deaths.reached(COMMITTED)
        return result


@contextmanager
def mortal(database: Database) -> Iterator[Mortal]:
    store = database.open()
    store.__class__ = Mortal
    assert isinstance(store, Mortal)
    engine = store._engine

    def statement(*_args: object) -> None:
        store.deaths.reached(STATEMENT)

    def commit(*_args: object) -> None:
        store.deaths.reached(COMMIT)

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield store
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)


# --- what happens ----------------------------------------------------------------------------------


async def gives_up_waiting(line: Line) -> Account:
    line.play("abandoned")
    return await line.reconcile()


async def gives_up_and_is_served_in_the_next_call(line: Line) -> Account:
    line.play("abandoned")
    await line.poll()
    line.play("answered")
    return await line.reconcile()


async def is_lost_without_a_trace(line: Line) -> Account:
    line.play("answered", ARRIVALS)
    return await line.reconcile()


async def is_in_asterisk_when_it_is_killed(line: Line) -> Account:
    line.play("abandoned", ARRIVALS)
    entered, *_ = line.text("abandoned", QUEUE_LOG).splitlines(keepends=True)
    start = f"{int(AFTER.timestamp()) - 1}|NONE|NONE|NONE|QUEUESTART|\n"
    line.journals.append(QUEUE_LOG, entered + start)
    return await line.reconcile()


STORIES = (
    gives_up_waiting,
    gives_up_and_is_served_in_the_next_call,
    is_lost_without_a_trace,
    is_in_asterisk_when_it_is_killed,
)


def left(line: Line, account: Account) -> object:
    """Everything that is known in the end, without what chance and the story's number make."""
    calls = [arrival.call for arrival in everybody(line.journals.paths[ARRIVALS])]
    return do(line.store, lambda uow: _left(uow, line, calls)), replace(account, lost=(), unreachable=())


def _left(uow: UnitOfWork, line: Line, calls: Sequence[str]) -> object:
    lived, made = [], uow.standings.of_calls(line.node, calls)
    for call in calls:
        [contact] = [c for c in (uow.cards.contact(call),) if c is not None]
        card = uow.cards.of_call(call)
        told = [(e.at, e.kind, e.id, e.outcome) for _, e in uow.traces.of_call(call)]
        steps = [event if event[1] != "end" else event[1:] for event in told]  # settled by its own clock
        times = (contact.waiting_s, contact.talking_s, contact.outcome)
        [standing] = made[call]
        lived.append((call.partition("-")[2], card and card.outcome, times, steps, standing.callbacks))
    promised = uow.callbacks.open_for_number(f"+{line.number}")
    return lived, promised and (promised.source, promised.arrived_at, promised.queue)


class Trials:
    """The same story again and again in one database, each time to another citizen on another node."""

    def __init__(self, store: Mortal, folder: Path, story: Story) -> None:
        self.store, self.folder, self.story = store, folder, story
        self.tried = 0

    def a_line(self) -> Line:
        self.tried += 1
        node, number = f"n{self.tried}", f"7912{self.tried:07}"
        return Line(store=self.store, folder=self.folder / node, node=node, number=number)

    async def told(self, deaths: Deaths) -> tuple[object, bool]:
        """(what is left in the end, whether it was killed)"""
        line = self.a_line()
        self.store.deaths, killed = deaths, False
        try:
            account = await self.story(line)
        except Killed:
            self.store.deaths, killed = Deaths(), True
            self.store._engine.dispose()  # with a process its connections end
            line.restart()
            account = await self._again(line)
        self.store.deaths = Deaths()
        return left(line, account), killed

    async def dies_and_ends_as(self, right: object, deaths: Deaths) -> bool:
        """Whether the point was reached; False: there are no more of its kind."""
        found, killed = await self.told(deaths)
        assert found == right, f"killed at {deaths.kind} {deaths.number}"
        return killed

    async def _again(self, line: Line) -> Account:
        """The next program; what the story had not written yet is written now."""
        if self.story is gives_up_and_is_served_in_the_next_call:
            arrivals = line.journals.paths[ARRIVALS].read_text()
            if arrivals.count("\n") < 2:
                await line.poll()
                line.play("answered")
        return await line.reconcile()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_killed_at_every_point_nobody_is_lost_or_doubled(
    database: Database, tmp_path: Path, story: Story
) -> None:
    with mortal(database) as store:
        trials = Trials(store, tmp_path, story)
        right, killed = await trials.told(Deaths())
        assert not killed
        for kind, fewest in ((STATEMENT, 40), (COMMIT, 3), (COMMITTED, 3)):
            points = 0
            while await trials.dies_and_ends_as(right, Deaths(kind, points + 1)):
                points += 1
            assert points >= fewest, f"only {points} points of {kind}"
