"""How all tests are run: in what order and by whom; a fixture that broke is not broken again by each test."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.scheduling import Units, in_order

TRIES = 2
"""Of a fixture that tests share: one try of a whole system may take minutes, and each test, and each rerun of
it, would make another one."""
_failures = pytest.StashKey[dict[tuple[str, object], list[Exception]]]()


class BrokenFixture(AssertionError):
    """A shared fixture has failed often enough and is not tried again."""


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: Any) -> Generator[None, object, object]:
    """Of a shared fixture that has failed TRIES times, each further test is told so at once."""
    if fixturedef.scope == "function":
        return (yield)
    known = request.node.stash.setdefault(_failures, {})  # of this file, or of the run
    key = fixturedef.cache_key(request)
    failures = known.setdefault((fixturedef.argname, key), [])
    if len(failures) >= TRIES:
        error = BrokenFixture(f"{fixturedef.argname} failed {TRIES} times, at last with: {failures[-1]!r}")
        fixturedef.cached_result = (None, key, (error, None))  # as pytest itself keeps an error
        raise error
    try:
        return (yield)
    except Exception as error:
        failures.append(error)
        raise


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    in_order(items)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Units:
    """What shares a system shares a worker."""
    return Units(config, log)
