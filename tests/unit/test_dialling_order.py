"""Callbacks and live callers in one order: nobody is overtaken by who came later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.dialling_order import Ahead, Candidate, Entry, entry, room

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
ARRIVALS = st.lists(st.integers(0, 60), max_size=12)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def candidate(minute: int, *, agreed: bool = False) -> Candidate:
    return Candidate(id=f"at {minute}", arrived_at=at(minute), agreed=agreed)


def queue(*minutes: int, priority: int = 0) -> list[Ahead]:
    return [Ahead(arrived_at=at(minute), priority=priority) for minute in minutes]


def test_a_leg_enters_at_the_place_of_its_arrival() -> None:
    assert entry(candidate(5), queue(1, 3, 7, 9), free=2, legs=0) == Entry(id="at 5", place=3)


def test_a_leg_does_not_enter_while_as_many_precede_it_as_there_are_free_operators_and_one_more() -> None:
    assert entry(candidate(5), queue(1, 3), free=1, legs=0) is None
    assert entry(candidate(5), queue(1, 9), free=1, legs=0) == Entry(id="at 5", place=2)
    assert entry(candidate(5), queue(1), free=0, legs=0) is None


def test_who_comes_first_by_a_rule_precedes_whenever_they_arrived() -> None:
    assert entry(candidate(5), queue(50, priority=30), free=0, legs=0) is None
    assert entry(candidate(5), queue(50, priority=30), free=1, legs=0) == Entry(id="at 5", place=2)


def test_who_arrived_in_the_same_moment_and_waits_on_the_line_goes_first() -> None:
    assert entry(candidate(5), queue(5), free=1, legs=0) == Entry(id="at 5", place=2)


def test_an_agreed_time_goes_to_the_head_but_never_beyond_the_legs_there_may_be() -> None:
    assert entry(candidate(5, agreed=True), queue(1, 2), free=0, legs=0) == Entry(id="at 5", place=1)
    assert entry(candidate(5, agreed=True), queue(1, 2), free=0, legs=1) is None


def test_there_is_room_for_one_leg_more_than_free_operators() -> None:
    assert [room(free=2, legs=legs) for legs in range(5)] == [3, 2, 1, 0, 0]


@given(live=ARRIVALS, waiting=ARRIVALS, legs=ARRIVALS, free=st.integers(0, 5))
def test_no_callback_overtakes_a_citizen_who_has_waited_longer(
    live: list[int], waiting: list[int], legs: list[int], free: int
) -> None:
    """The queue as app_queue keeps it: who enters at a place moves everybody behind down by one."""
    line = sorted((minute, "live") for minute in live) + [(minute, "leg") for minute in legs[: free + 1]]
    line.sort(key=lambda one: one[0])
    under_way, begun = len(legs[: free + 1]), 0
    for minute in sorted(waiting):
        found = entry(candidate(minute), queue(*(one for one, _ in line)), free=free, legs=under_way)
        if found is None:
            break
        line.insert(found.place - 1, (minute, "leg"))
        under_way, begun = under_way + 1, begun + 1
        assert found.place <= free + 1
    assert [minute for minute, _ in line] == sorted(minute for minute, _ in line)
    assert under_way <= free + 1
    left = sorted(waiting)[begun:]
    if left and under_way < free + 1:
        assert sum(minute <= left[0] for minute, _ in line) >= free + 1  # whoever can enter does
