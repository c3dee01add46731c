"""Which files of tests share a worker of xdist, and which ones begin first.

A file is a unit of work. Those that share a whole system are one unit together: each worker that had one of
them would start the system, load its people and make its calls anew. And what takes minutes begins first:
at the end of the list it would leave the other workers idle.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "identified": (
        *("identification", "identification_heard", "identification_keys", "identification_limits"),
        *("identification_load", "resource", "secrets"),
    ),
    "shared": ("calls", "callback_choice", "closed", "markers", "scenarios", "supervisor", "typed_ahead"),
}
"""By the fixture of tests/line/conftest.py that they share, `known` and `system`."""
FIRST = (
    *("chaos", "waiting", "callbacks", "shared", "transfer_fails", "duty"),
    *("identified", "second_operator", "turns", "transfer", "watchdogs", "accidents", "reconcile", "closing"),
    *("callbacks_by_hand", "emergency", "speech"),
)
"""Units of more than a minute and a half, the longest first, as `pytest --durations=0` has shown. But of
those who are identified 45 call at once: not in the minute in which chaos starts everything anew."""
_UNITS = {name: unit for unit, names in TOGETHER.items() for name in names}


def unit_of(nodeid: str) -> str:
    """What is given to one worker as a whole: `tests/line/test_calls.py::test_…` → `shared`."""
    path = nodeid.partition("::")[0]
    folder, _, file = path.rpartition("/")
    name = file.removeprefix("test_").removesuffix(".py")
    if folder.endswith("/line"):
        return _UNITS.get(name, name)
    return path


def _rank(item: pytest.Item) -> int:
    unit = unit_of(item.nodeid)
    return FIRST.index(unit) if unit in FIRST else len(FIRST)


def in_order(items: list[pytest.Item]) -> None:
    """The longest units first, all else as it was."""
    items.sort(key=_rank)


class Units(LoadScopeScheduling):
    """Unit after unit in the order of the collection, each to the worker that is about to be free."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # by the number of tests: one that lasts would come last

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
