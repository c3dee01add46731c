"""Every key counts: a whole key script typed ahead as fast as telephones type, two hundred times."""

from __future__ import annotations

from itertools import cycle

import pytest

from tests.harness.processes import wait_for
from tests.harness.system import System
from tests.harness.world import World, WorldCall, keys
from tests.line.conftest import new_number, receipt_keys

pytestmark = pytest.mark.line

AT_ONCE, ROUNDS = 20, 10
ON_MS = OFF_MS = 50
PATIENCE = 60.0


def test_of_two_hundred_key_scripts_typed_ahead_none_loses_a_key(
    system: System, world: World, applications: list[dict[str, str]]
) -> None:
    """Each caller is told of the very application that the receipt names: one lost key, and it is not found.

    A receipt is 18 keys; the level on the card and its audit row stand before the answer is spoken.
    """
    receipts = cycle(receipt_keys(application) for application in applications)
    lost = []
    for _ in range(ROUNDS):
        numbers = [new_number() for _ in range(AT_ONCE)]
        made = [type_ahead(world, number, next(receipts)) for number in numbers]
        calls = [system.wait_call(number, PATIENCE) for number in numbers]
        lost += [steps for call in calls if "answered" not in (steps := answered(system, call))]
        for citizen in made:
            world.hang_up(citizen)
    assert lost == [], f"{len(lost)} of {ROUNDS * AT_ONCE}"


def type_ahead(world: World, number: str, receipt: str) -> WorldCall:
    return world.call(number, script=[keys("11" + receipt, on_ms=ON_MS, gap_ms=OFF_MS)])


def answered(system: System, call: str) -> list[str]:
    """What the caller went through, ending with `answered` when the receipt was found."""

    def settled() -> list[str] | None:
        steps = [f"{event.kind} {event.id} {event.outcome}" for event in system.records.trace(call)]
        if system.records.level(call) == "application":
            return [*steps, "answered"]
        failed = any(step.startswith(("prompt nothing_found", "queue", "end")) for step in steps)
        return steps if failed else None

    return wait_for(settled, PATIENCE, f"call {call} to be answered")
