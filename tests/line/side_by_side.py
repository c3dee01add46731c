"""Many calls side by side: how somebody calls, and what became of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ivr.domain.errors import StorageDown
from tests.harness.processes import TooLate, wait_for
from tests.harness.records import Lived, step
from tests.harness.system import System
from tests.harness.world import World, WorldCall, hang_up, keys, until_told, wait

STAYS = 60.0
"""Seconds after the last key in which everything must have happened that the caller waits for."""
OVER = ("level identify personal", "queue ")
"""What a caller waits for, unless told otherwise: to be identified, or to be put through to an operator."""
GAP = 100
"""Milliseconds of a key and of the pause after it: faster than a citizen types."""
FIRST = 1.0
"""Seconds from the answer to the first key."""
PAUSE = 6.5
APART = 0.25
"""Seconds from one call to the next, unless they are to come at once."""


@dataclass(frozen=True, kw_only=True)
class Calling:
    """How somebody calls, and what is pressed at once (typed ahead) before the caller only listens."""

    number: str
    typed: str
    """Keys; a comma is a pause in which the longest sentence that nobody can interrupt comes to its end."""
    asserted: str | None = None
    privacy: str | None = None
    until: tuple[str, ...] = OVER
    """The caller hangs up when one of these is in the trace (`kind id outcome`, or how it begins)."""
    script: Sequence[str] = ()
    """Instead of `typed` and `until`."""

    def begin(self, world: World) -> WorldCall:
        pressed = [keys(part, gap_ms=GAP, on_ms=GAP) if part else wait(0) for part in self.typed.split(",")]
        pauses = [wait(PAUSE)] * (len(pressed) - 1) + [until_told(STAYS)]
        typed = [step for pair in zip(pressed, pauses, strict=True) for step in pair]
        script = self.script or (wait(FIRST), *typed, hang_up())
        return world.call(self.number, script=script, asserted=self.asserted, privacy=self.privacy)


@dataclass(frozen=True, kw_only=True)
class Told:
    """A call that is over, as the system tells of it."""

    lived: Lived
    world: WorldCall
    attempts: tuple[str, ...]
    """Results of its audit rows `identification.attempt`, oldest first."""

    @property
    def level(self) -> str:
        level: str = self.lived.card["level"]
        return level

    @property
    def asked(self) -> list[str]:
        """The questions in their order."""
        return [e.id for e in self.lived.trace if e.kind == "ask"]

    @property
    def said(self) -> list[str]:
        """The prompts in their order, heard or not."""
        return [e.id for e in self.lived.trace if e.kind == "prompt"]

    @property
    def queued(self) -> bool:
        """Whether an operator was asked for."""
        return any(e.kind == "queue" for e in self.lived.trace)


def play(
    system: System, world: World, calls: Mapping[str, Calling], *, seconds: float = 90.0, apart: float = APART
) -> dict[str, Told]:
    """Make all these calls side by side, wait for their end, and see what became of them."""
    made: dict[str, WorldCall] = {}
    for name, calling in calls.items():
        made[name] = calling.begin(world)
        time.sleep(apart)
    names = _see_through(system, calls, made, seconds)
    lives = {name: _lived(system, name, call) for name, call in names.items()}
    attempts = attempts_by_call(system)
    return {
        name: Told(lived=lives[name], world=made[name], attempts=tuple(attempts.get(call, ())))
        for name, call in names.items()
    }


def _see_through(
    system: System, calls: Mapping[str, Calling], made: Mapping[str, WorldCall], seconds: float
) -> dict[str, str]:
    """Let each caller hang up when what it waits for has happened; the calls by name, once all are over."""
    names: dict[str, str] = {}

    def look() -> bool:
        for name, call in made.items():
            if name not in names and call.answered:
                names[name] = system.call_of(call.sip_call_id)
            if name in names and not call.over and _has_lived(system, names[name], calls[name].until):
                call.go_on()
        return all(call.over for call in made.values())

    wait_for(look, seconds, "the calls to end", step=0.2)
    assert names.keys() == made.keys(), f"not answered: {made.keys() - names.keys()}"
    return names


def _has_lived(system: System, call: str, wanted: tuple[str, ...]) -> bool:
    """Not while somebody holds the database: the next look may find it free."""
    with suppress(StorageDown):
        return any(step(event).startswith(wanted) for event in system.records.trace(call))
    return False


def _lived(system: System, name: str, call: str) -> Lived:
    try:
        return system.wait_lived(call, 30)
    except TooLate as late:
        raise TooLate(f"{name}: {late}") from None


def attempts_by_call(system: System) -> dict[str, list[str]]:
    """Results of attempts, oldest first."""
    found: dict[str, list[str]] = {}
    for row in system.records.audited("identification.attempt"):
        found.setdefault(row.call or "", []).append(row.result)
    return found


def locks(system: System) -> dict[str, int]:
    """How many keys are locked in each scope."""
    rows = json.loads(system.ekc("identification", "status", "--json").out)
    return {row["scope"]: row["locked"] for row in rows}
