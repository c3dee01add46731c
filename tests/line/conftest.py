"""One system for all line tests that can share it, and fresh ones for those that break theirs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from typing import Any

import pytest

from tests.harness.duty import Duty
from tests.harness.participant import Participant
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.harness.world import World
from tests.line.identifying import LOCK_SECONDS, SERVICE, Known

Person = dict[str, Any]
_numbers = count(1)


def new_number() -> str:
    """Of a citizen who has not called yet, as the trunk sends it."""
    return f"7951{next(_numbers):07}"


def e164(number: str) -> str:
    return f"+{number}"


def receipt_keys(application: dict[str, Any]) -> str:
    """What a citizen types of a receipt: the number's digits, `#`, and the date."""
    number = re.sub(r"\D", "", application["number"])
    return f"{number}#{date.fromisoformat(application['accepted_on']):%d%m%Y}"


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """A running system, open today; it must stop without a trace at the end."""
    with System(wrapup_seconds=1) as running:
        running.open_today()
        yield running


@pytest.fixture(scope="session")
def people(system: System) -> list[Person]:
    """Invented people, their applications and the agencies, loaded into the shared system."""
    found: list[Person] = system.demo_data(seed=1)
    return found


@pytest.fixture(scope="session")
def applications(people: list[Person]) -> list[dict[str, Any]]:
    """Applications whose receipt belongs to one person only."""
    found = [application for person in people for application in person["applications"]]
    keys = [receipt_keys(application) for application in found]
    return [a for a, k in zip(found, keys, strict=True) if keys.count(k) == 1]


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


@pytest.fixture(scope="session")
def accounts(system: System, people: list[Person]) -> Iterator[Duty]:
    """Operators of the shared system, by extension: 201 of soc, 202 of szn, 203 of sfr, none on duty."""
    assert people
    duty = Duty(system)
    for extension, agency in {"201": "soc", "202": "szn", "203": "sfr"}.items():
        duty.hire(extension, agency=agency)
    yield duty
    duty.abandon()


@pytest.fixture
def duty(accounts: Duty) -> Iterator[Duty]:
    """The same; whoever the test has put on duty goes off at its end."""
    yield accounts
    accounts.close()


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    """A running system for the tests of identification: short locks, many citizens (identifying.py)."""
    with Participant() as service:
        rules = {"readback_seconds": 1, "tries_per_snils": 4, "lock_seconds": LOCK_SECONDS}
        own = {f"resources__{SERVICE}__url": service.url, f"resources__{SERVICE}__breaker_seconds": 1}
        settings = {**{f"identification__{name}": value for name, value in rules.items()}, **own}
        with System(wrapup_seconds=1, **settings) as running, World(running.line_port) as outside:
            running.open_today()
            yield Known(running, outside, service, tmp_path_factory.mktemp("files"))


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
