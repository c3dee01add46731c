"""The live view is asked from other threads while events change it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

import pytest

from ivr.ports import Leg, Member, MemberStatus, Waiting
from ivr.services.floor import View

SINCE = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
SEATS = 300
QUESTIONS: dict[str, Callable[[View], object]] = {
    "queue": lambda view: view.queue("soc-1"),
    "citizens": View.citizens,
    "is_up": lambda view: view.is_up("999"),
    "of": lambda view: view.of("soc-1"),
    "free": lambda view: view.free("soc-1"),
    "queues_of": lambda view: view.queues_of("999"),
}


@pytest.fixture(autouse=True)
def hasty_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_whoever_comes_and_goes_meanwhile_breaks_no_question(question: Callable[[View], object]) -> None:
    view, over = View(), Event()

    def ask() -> int:
        asked = 0
        while not over.is_set():
            question(view)
            asked += 1
        return asked

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            for place in range(4 * SEATS):
                come(view, place)
                if place >= SEATS:
                    go(view, place - SEATS)
        finally:
            over.set()
        assert asking.result() > 0


def come(view: View, place: int) -> None:
    name = str(place)
    view.waiting["soc-1", name] = Waiting(queue="soc-1", call=name, position=place + 1, since=SINCE)
    view.members["soc-1", name] = Member(
        queue="soc-1", extension=name, status=MemberStatus.FREE, paused=False, reason=""
    )
    view.legs[name] = Leg(name=name, call=name, linked=name, extension=name, bridge="")


def go(view: View, place: int) -> None:
    name = str(place)
    del view.waiting["soc-1", name], view.members["soc-1", name], view.legs[name]
