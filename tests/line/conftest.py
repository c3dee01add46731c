"""One system for all line tests that can share it, and fresh ones for those that break theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.harness.world import World


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A running system, open today, with invented people; it must stop without a trace at the end."""
    with System(wrapup_seconds=1) as running:
        running.open_today()
        yield running


@pytest.fixture
def fresh_system() -> Iterator[Callable[..., System]]:
    """Makes running systems with settings of their own: `fresh_system(silence_seconds=6)`."""
    made: list[System] = []

    def make(**settings: object) -> System:
        made.append(System(**settings))  # type: ignore[arg-type]
        return made[-1].start()

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def world(system: System) -> Iterator[World]:
    """Citizens for the shared system."""
    with World(system.line_port) as outside:
        yield outside


@pytest.fixture
def phones() -> Iterator[Callable[..., Softphone]]:
    """Makes softphones that are closed at the end of the test: `phones("201", server=…, password=…)`."""
    made: list[Softphone] = []

    def make(user: str, **how: object) -> Softphone:
        made.append(Softphone(user, **how))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for phone in made:
        phone.close()
