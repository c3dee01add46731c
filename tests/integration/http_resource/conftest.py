"""A participant and our side of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from ivr.resources.http import HttpResource
from ivr.settings import HttpService
from ivr.testing.clock import VirtualClock
from tests.harness.participant import Participant
from tests.integration.http_resource.samples import Ask


@pytest.fixture
def soc() -> Iterator[Participant]:
    with Participant() as server:
        yield server


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def counted() -> list[tuple[str, str]]:
    return []


@pytest.fixture
async def resource(
    soc: Participant, clock: VirtualClock, counted: list[tuple[str, str]]
) -> AsyncIterator[Ask]:
    """Makes the resource of agency `soc` with settings of the test, and closes it."""
    made: list[HttpResource] = []

    def make(**settings: Any) -> HttpResource:
        service = HttpService.model_validate({"url": soc.url, **settings})
        made.append(HttpResource("soc", service, clock, lambda *what: counted.append(what)))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()
