"""The one timer of a connection: nothing rings too early or is forgotten, and quick commands cost none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from ivr.asterisk.deadline import Deadline


class Timer:
    def __init__(self, at: float, ring: Callable[[], None]) -> None:
        self.at, self.ring, self.cancelled = at, ring, False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """An event loop of which only the clock is there."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []
        """All that were ever made."""

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, ring: Callable[[], None]) -> Timer:
        self.timers.append(Timer(at, ring))
        return self.timers[-1]

    def go_to(self, moment: float) -> None:
        while due := [t for t in self.timers if not t.cancelled and t.at <= moment]:
            first = min(due, key=lambda timer: timer.at)
            self.now, first.cancelled = max(self.now, first.at), True
            first.ring()
        self.now = moment


def made() -> tuple[Loop, list[float], Deadline]:
    """A loop, the moments at which something expired, and the deadline."""
    loop, expired = Loop(), list[float]()
    deadline = Deadline(cast(asyncio.AbstractEventLoop, loop), lambda: expired.append(loop.now))
    return loop, expired, deadline


def test_it_expires_at_its_moment_and_once() -> None:
    loop, expired, deadline = made()
    deadline.set(10)
    loop.go_to(100)
    assert expired == [10]


def test_what_happened_in_time_does_not_expire() -> None:
    loop, expired, deadline = made()
    deadline.set(10)
    loop.go_to(9)
    deadline.clear()
    loop.go_to(100)
    assert expired == []


def test_many_quick_commands_share_one_timer() -> None:
    loop, expired, deadline = made()
    for moment in range(9):
        loop.go_to(moment)
        deadline.set(10)
        deadline.clear()
    assert (len(loop.timers), expired) == (1, [])


def test_a_timer_of_an_earlier_command_does_not_cut_a_later_one_short() -> None:
    loop, expired, deadline = made()
    deadline.set(10)
    loop.go_to(8)
    deadline.set(10)
    loop.go_to(100)
    assert expired == [18]


def test_a_shorter_limit_than_the_armed_one_holds() -> None:
    loop, expired, deadline = made()
    deadline.set(3600)
    deadline.clear()
    deadline.set(10)
    loop.go_to(5000)
    assert expired == [10]


def test_after_a_timer_that_rang_for_nothing_the_next_limit_holds() -> None:
    loop, expired, deadline = made()
    deadline.set(10)
    deadline.clear()
    loop.go_to(50)
    deadline.set(10)
    loop.go_to(100)
    assert expired == [60]


def test_nothing_rings_after_the_end() -> None:
    loop, expired, deadline = made()
    deadline.set(10)
    deadline.close()
    loop.go_to(100)
    assert expired == []
