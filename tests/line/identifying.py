"""What the line tests of identification share: people imported by file, their keys, many calls at once."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ivr.domain import codes
from ivr.domain.menu import Topic
from ivr.services.demo_data import Person, invent
from ivr.services.demo_words import AGENCIES
from tests.harness.commands import ZONE
from tests.harness.participant import Participant
from tests.harness.processes import TooLate
from tests.harness.records import Lived
from tests.harness.system import System
from tests.harness.world import World, WorldCall, hang_up, keys, wait

PEOPLE = 160
"""In the file of citizens; each test takes some that no other test calls as."""
SERVICE = "kdn"
"""An agency that answers by a service of its own."""
TOPICS = (*AGENCIES, Topic(agency=SERVICE, agency_name="Опека", key="41", title="Опека", line=1))
SEED = 4
LOCK_SECONDS = 15
STAYS = 12.0
"""Seconds that a caller stays after the last key: longer than the last sentence before an operator."""
GAP = 100
"""Milliseconds of a key and of the pause after it: faster than a citizen types."""
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
    """How somebody calls, and what is pressed at once (typed ahead) before the caller stays and hangs up."""

    number: str
    typed: str
    """Keys; a comma is a pause in which the longest sentence that nobody can interrupt comes to its end."""
    asserted: str | None = None
    privacy: str | None = None
    stays: float = STAYS
    script: Sequence[str] = ()
    """Instead of `typed` and `stays`."""

    def begin(self, world: World) -> WorldCall:
        pressed = [keys(part, gap_ms=GAP, on_ms=GAP) for part in self.typed.split(",")]
        pauses = [wait(PAUSE)] * (len(pressed) - 1) + [wait(self.stays)]
        typed = [step for pair in zip(pressed, pauses, strict=True) for step in pair]
        script = self.script or (*typed, hang_up())
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
    made = {}
    for name, calling in calls.items():
        made[name] = calling.begin(world)
        time.sleep(apart)
    for name, call in made.items():
        call.ended(seconds)
        assert call.answered, f"{name} was not answered"
    names = {name: system.call_of(call.sip_call_id) for name, call in made.items()}
    lives = {name: _lived(system, name, call) for name, call in names.items()}
    attempts = attempts_by_call(system)
    return {
        name: Told(lived=lives[name], world=made[name], attempts=tuple(attempts.get(call, ())))
        for name, call in names.items()
    }


def _lived(system: System, name: str, call: str) -> Lived:
    try:
        return system.wait_lived(call, 30)
    except TooLate as late:
        raise TooLate(f"{name}: {late}") from None


def attempts_by_call(system: System) -> dict[str, list[str]]:
    """Results of attempts, oldest first."""
    found: dict[str, list[str]] = {}
    for row in reversed(system.ekc("audit", "list", "--json").json):
        if row["action"] == "identification.attempt":
            found.setdefault(row["call"], []).append(row["result"])
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
        self._left = [Citizen(row=person.citizen) for person in people]

    def take(self, count: int) -> list[Citizen]:
        """So many citizens that nobody has called as."""
        taken, self._left = self._left[:count], self._left[count:]
        assert len(taken) == count, "all of them are taken"
        return taken

    def one(self) -> Citizen:
        return self.take(1)[0]

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
