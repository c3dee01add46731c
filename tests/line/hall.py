"""Two operators of soc, 201 and 202, and citizens who call them; each test puts on duty whom it needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.duty import Duty
from tests.harness.records import Lived
from tests.harness.softphone import Softphone
from tests.harness.system import System
from tests.harness.voices import TO_OPERATORS, tones
from tests.harness.world import World, WorldCall, keys, wait
from tests.line.conftest import new_number

PATIENCE = 60.0
RING_SECONDS = 4
HOUSING, CHILDREN = "322", "321"
"""Keys of two topics of soc's first line."""
SENTENCE_SECONDS = 20.0
"""What a waiting caller is told of place and wait."""
QUEUES = ("general", "soc-1", "szn-1", "sfr-1")
SHORT = (
    "greeting",
    "menu",
    "topics",
    "connecting",
    "snils",
    "code",
    "checking",
    "queue.resumed",
    *TO_OPERATORS,
)
"""Prompts that are not what these tests are about."""


class Hall:
    """The system, its operators, and the citizens by name."""

    def __init__(self, system: System, world: World, duty: Duty) -> None:
        self.system, self.world, self.duty = system, world, duty
        self._calls: dict[str, tuple[str, WorldCall, str]] = {}
        self._moved: set[str] = set()

    def comes(self, name: str, *script: str, number: str = "") -> str:
        """A citizen calls; the call."""
        number = number or new_number()
        before = sum(a.number.endswith(number[-10:]) for a in self.system.arrivals())
        citizen = self.world.call(number, script=[wait(0.7), *script])
        call = self.system.wait_call(number, PATIENCE, after=before)
        self._calls[name] = number, citizen, call
        return call

    def waits(self, name: str, *script: str, number: str = "", queue: str = "soc-1") -> str:
        """The same, until the citizen is in the queue."""
        call = self.comes(name, *(script or (keys(HOUSING),)), number=number)
        self.reached(name, f"queue {queue} entered")
        return call

    def reached(self, name: str, step: str, timeout: float = PATIENCE) -> float:
        """When this citizen lived through it, seconds since the epoch."""
        return self.system.wait_step(self._calls[name][2], step, timeout).at.timestamp()

    def number(self, name: str) -> str:
        return self._calls[name][0]

    def citizen(self, name: str) -> WorldCall:
        return self._calls[name][1]

    def leaves(self, name: str) -> Lived:
        """The citizen puts the receiver down, if that is not done yet."""
        if not self.citizen(name).over:
            self.world.hang_up(self.citizen(name))
        return self.lived(name)

    def lived(self, name: str) -> Lived:
        self.citizen(name).ended(PATIENCE)
        return self.system.wait_lived(self._calls[name][2], PATIENCE)

    def talks_with(self, name: str) -> str:
        """The extension of this citizen's operator, as soon as they talk."""
        self.reached(name, "bridge ")
        events = self.system.records.trace(self._calls[name][2])
        return next(event.id for event in events if event.kind == "bridge")

    def doing(self, extension: str) -> str:
        """What the board says of this operator."""
        rows = self.system.ekc("board", "--json").json["operators"]
        return str(next(row["doing"] for row in rows if row["extension"] == extension))

    def serve_everything(self) -> None:
        """Both operators answer, for whatever agency."""
        for extension in ("201", "202"):
            self.moved(extension, *QUEUES)
            self.duty.log_in(extension)

    def moved(self, extension: str, *queues: str) -> None:
        """The operator serves these, until the test ends."""
        self._moved.add(extension)
        named = [word for queue in queues for word in ("--queue", queue)]
        self.system.ekc("operators", "move", extension, *named)

    def close(self) -> None:
        for _, citizen, _ in self._calls.values():
            if citizen.answered and not citizen.over:
                self.world.hang_up(citizen)
        self.duty.close()
        for extension in self._moved:
            self.system.ekc("operators", "move", extension, "--line", "1")


@dataclass(frozen=True, kw_only=True)
class House:
    """What the halls of one file share."""

    system: System
    world: World
    duty: Duty
    people: list[Any]
    """Invented ones, whom the system knows."""

    @contextmanager
    def hall(self) -> Iterator[Hall]:
        """For one test: nobody is on duty before and after it."""
        made = Hall(self.system, self.world, self.duty)
        yield made
        made.close()


@contextmanager
def open_house(folder: Path, **more: object) -> Iterator[House]:
    """A running system with its operators; folder: for short prompts."""
    own = tones(folder, SHORT, seconds=0.3)
    tones(own, ["queue.position"], seconds=SENTENCE_SECONDS)
    limits: dict[str, Any] = {
        "ring_seconds": RING_SECONDS,
        "wrapup_seconds": 1,
        "qualify_seconds": 3,
        "missed_rings": 20,
        "announce_change_seconds": 2,
        "identification__readback_seconds": 1,
        **more,
    }
    with System(prompts_dir=own, **limits) as system, World(system.line_port) as world:
        system.open_today()
        people = system.demo_data(seed=1)
        duty = Duty(system)
        for extension in ("201", "202"):
            duty.hire(extension, agency="soc")
        try:
            yield House(system=system, world=world, duty=duty, people=people)
        finally:
            duty.abandon()


def rung(phone: Softphone, since: int = 0) -> list[float]:
    """When it was rung (time.monotonic), from that place of its events on."""
    return [event.at for event in phone.events[since:] if event.type == "CALL_INCOMING"]
