"""What the line tests of identification share: people imported by file, their keys, many calls at once."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from ivr.domain import codes
from ivr.domain.menu import Topic
from ivr.services.demo_data import Person, invent
from ivr.services.demo_words import AGENCIES
from tests.harness.commands import ZONE
from tests.harness.participant import Participant
from tests.harness.processes import TooLate, wait_for
from tests.harness.records import Lived, step
from tests.harness.system import System
from tests.harness.world import World, WorldCall, hang_up, keys, until_told, wait

PEOPLE = 160
"""In the file of citizens; each test takes some that no other test calls as."""
SERVICE = "kdn"
"""An agency that answers by a service of its own."""
TOPICS = (*AGENCIES, Topic(agency=SERVICE, agency_name="Опека", key="41", title="Опека", line=1))
SEED = 4
LOCK_SECONDS = 30
STAYS = 60.0
"""Seconds after the last key in which everything must have happened that the caller waits for."""
OVER = ("level identify personal", "queue ")
"""What a caller waits for, unless told otherwise: to be identified, or to be put through to an operator."""
GAP = 100
"""Milliseconds of a key and of the pause after it: faster than a citizen types."""
FIRST = 1.0
"""Seconds from the answer to the first key."""
PAUSE = 8.0
APART = 0.25
"""Seconds from one call to the next, unless they are to come at once."""
CITIZEN = (
    "snils",
    "last_name",
    "first_name",
    "patronymic",
    "birth_date",
    "phone",
    "secret_code",
    "document_type",
    "document_series",
    "document_number",
)


@dataclass(frozen=True, kw_only=True)
class Citizen:
    """Somebody the line knows, and what that person would press."""

    row: Mapping[str, str]
    """A row of citizens.csv."""

    @property
    def snils(self) -> str:
        return self.row["snils"]

    @property
    def phone(self) -> str:
        """E.164."""
        return self.row["phone"]

    @property
    def ten(self) -> str:
        """The number without its country code."""
        return self.phone[-10:]

    @property
    def code(self) -> str:
        """By keys, with the `#` that ends it."""
        return codes.keypad(self.row["secret_code"]) + "#"

    @property
    def wrong(self) -> str:
        """A code of the same length that is another's."""
        return codes.keypad(self.row["secret_code"]).translate(str.maketrans("123456789", "234567891")) + "#"

    @property
    def document(self) -> str:
        return self.row["document_series"] + self.row["document_number"] + "#"

    @property
    def by_code(self) -> str:
        """All keys of the way to `personal` from the number on file, from the main menu on."""
        return "2" + self.snils + self.code

    @property
    def by_document(self) -> str:
        """The same from any other number."""
        return self.by_code + self.document


_numbers = count(79500000001)


def elsewhere() -> str:
    """A number that is nobody's on file, another one each time."""
    return str(next(_numbers))


def today() -> datetime:
    return datetime.now(ZONE)


def invented(count: int, *, seed: int = SEED) -> Sequence[Person]:
    return invent(seed=seed, count=count, today=today().date())


def write_csv(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A file as `ekc … import` takes it; lists become texts separated by `|`."""
    rows = [{k: "|".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def bring_in(system: System, folder: Path, kind: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Import these rows; what the command says of them. Fails when one is rejected."""
    path = write_csv(folder / f"{kind}.csv", rows)
    found: dict[str, Any] = system.ekc(kind, "import", path, "--json", timeout=180).json
    path.unlink()
    return found


def digits(text: str) -> str:
    """Those of a receipt's number."""
    return re.sub(r"\D", "", text)


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
    return any(step(event).startswith(wanted) for event in system.records.trace(call))


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


# --- the system they call --------------------------------------------------------------------------


class Known:
    """A running system that knows many citizens, the world they call from, and an agency's own service."""

    def __init__(self, system: System, world: World, participant: Participant, folder: Path) -> None:
        """folder: for files that are imported."""
        self.system, self.world, self.participant, self.folder = system, world, participant, folder
        people = invented(PEOPLE)
        self.imported = load(system, folder, people)
        """What `ekc citizens import` said."""
        self._seeds = count(1000)
        self._left = [Citizen(row=person.citizen) for person in people]

    def take(self, count: int) -> list[Citizen]:
        """So many citizens that nobody has called as."""
        taken, self._left = self._left[:count], self._left[count:]
        assert len(taken) == count, "all of them are taken"
        return taken

    def one(self) -> Citizen:
        return self.take(1)[0]

    def newcomer(self, code: str) -> Citizen:
        """Somebody new of whom nothing else is known; code: empty for who has none."""
        (person,) = invented(1, seed=next(self._seeds))
        who = Citizen(row={**person.citizen, "secret_code": code})
        self.bring_in("citizens", [who.row])
        return who

    def bring_in(self, kind: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        return bring_in(self.system, self.folder, kind, rows)

    def play(self, calls: Mapping[str, Calling], *, apart: float = APART) -> dict[str, Told]:
        return play(self.system, self.world, calls, apart=apart)


def load(system: System, folder: Path, people: Sequence[Person]) -> dict[str, Any]:
    """Bring agencies, people and everything of theirs in by files; what the import of citizens said."""
    topics = [
        {"code": t.agency, "name": t.agency_name, "topic_key": t.key, "topic": t.title, "line": t.line}
        for t in TOPICS
    ]
    bring_in(system, folder, "agencies", topics)
    said = bring_in(system, folder, "citizens", [p.citizen for p in people])
    bring_in(system, folder, "applications", [a for p in people for a in p.applications])
    bring_in(system, folder, "payments", [row for p in people for row in p.payments])
    bring_in(system, folder, "notices", [row for p in people for row in p.notices])
    return said
