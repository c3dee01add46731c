"""What the line tests of identification share: people imported by file, their keys, many calls at once."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from ivr.domain import codes
from ivr.domain.menu import Topic
from ivr.services.demo_data import Person, invent
from ivr.services.demo_words import AGENCIES
from tests.harness.commands import ZONE
from tests.harness.participant import Participant
from tests.harness.system import System
from tests.harness.world import World
from tests.line.side_by_side import APART as APART
from tests.line.side_by_side import FIRST as FIRST
from tests.line.side_by_side import GAP as GAP
from tests.line.side_by_side import PAUSE as PAUSE
from tests.line.side_by_side import Calling as Calling
from tests.line.side_by_side import Told as Told
from tests.line.side_by_side import locks as locks
from tests.line.side_by_side import play as play

PEOPLE = 160
"""In the file of citizens; each test takes some that no other test calls as."""
SERVICE = "kdn"
"""An agency that answers by a service of its own."""
TOPICS = (*AGENCIES, Topic(agency=SERVICE, agency_name="Опека", key="41", title="Опека", line=1))
SEED = 4
LOCK_SECONDS = 30


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


# --- the system they call --------------------------------------------------------------------------


Maker = Callable[["Known"], Mapping[str, Calling]]
_together: list[Maker] = []


def together(make: Maker) -> Maker:
    """These calls are made side by side with those of all other modules that run (`Known.told`)."""
    _together.append(make)
    return make


class Known:
    """A running system that knows many citizens, the world they call from, and an agency's own service."""

    def __init__(self, system: System, world: World, participant: Participant, folder: Path) -> None:
        """folder: for files that are imported."""
        self.system, self.world, self.participant, self.folder = system, world, participant, folder
        people = invented(PEOPLE)
        self.imported = load(system, folder, people)
        """What `ekc citizens import` said."""
        self._seeds = count(1000)
        self._named: dict[str, Citizen] = {}
        self._left = [Citizen(row=person.citizen) for person in people]

    def take(self, count: int) -> list[Citizen]:
        """So many citizens that nobody has called as."""
        taken, self._left = self._left[:count], self._left[count:]
        assert len(taken) == count, "all of them are taken"
        return taken

    def one(self) -> Citizen:
        return self.take(1)[0]

    @cached_property
    def told(self) -> Mapping[str, Told]:
        """What became of every call that is made `together`."""
        return self.play({name: calling for make in _together for name, calling in make(self).items()})

    def named(self, name: str) -> Citizen:
        """One of the citizens, the same whenever the name is the same."""
        if name not in self._named:
            self._named[name] = self.one()
        return self._named[name]

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
