"""What is said to a citizen, and what a citizen types, is nowhere in clear but in the ear (§10, §11)."""

from __future__ import annotations

import csv
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ivr.asterisk.conf import ami_secret
from ivr.domain import snils
from ivr.settings import Settings
from tests.harness.markers import find_marker, plant
from tests.harness.processes import HOST, wait_for
from tests.harness.system import System
from tests.harness.world import World, hang_up, keys, wait
from tests.line.conftest import Person, e164, new_number, receipt_keys

pytestmark = pytest.mark.line

SNILS = f"987654321{snils.check_digits('987654321')}"
CODE = "7481592637"
DOCUMENT = "5391748263"
CITIZEN = {
    "snils": SNILS,
    "last_name": "Жмуркобекова",
    "first_name": "Пульхерияна",
    "patronymic": "Елпидифоровна",
    "birth_date": "1951-03-07",
    "secret_code": CODE,
    "document_type": "паспорт",
    "document_series": DOCUMENT[:4],
    "document_number": DOCUMENT[4:],
}
APPLICATION = {
    "snils": SNILS,
    "number": "56-74125896",
    "accepted_on": "2026-10-07",
    "agency": "soc",
    "service": "выплата хризолитовая",
    "status": "перепроверяется углублённо",
    "decision": "",
    "refusal_reason": "сорокопутовый довод",
    "missing_documents": "справка о ксилофоне",
}
MARKERS = (
    CITIZEN["last_name"],
    CITIZEN["first_name"],
    CITIZEN["patronymic"],
    APPLICATION["service"],
    APPLICATION["status"],
    APPLICATION["refusal_reason"],
    APPLICATION["missing_documents"],
    "5674125896",
    SNILS,
    CODE,
    DOCUMENT,
)
PATIENCE = 90.0


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where is searched."""

    state: Path
    outside: Path
    """What left the system otherwise: AMI's stream, /metrics, what `ekc up` printed."""

    def search(self) -> dict[str, list[str]]:
        """By marker, the files that hold it."""
        found = {}
        for marker in MARKERS:
            hits = [*find_marker(self.state, marker), *find_marker(self.outside, marker)]
            if hits:
                found[marker] = [str(hit) for hit in hits]
        return found


@contextmanager
def listening(system: System, out: Path) -> Iterator[None]:
    """Everything that AMI tells its one account meanwhile, byte by byte, in a file."""
    link = socket.create_connection((HOST, system.ports["ami_port"]), timeout=10)
    secret = ami_secret(Settings(state=system.state))
    link.sendall(f"Action: Login\r\nUsername: ekc\r\nSecret: {secret}\r\nEvents: on\r\n\r\n".encode())
    link.settimeout(None)

    def read() -> None:
        with out.open("wb") as file:
            while data := link.recv(65536):
                file.write(data)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        link.shutdown(socket.SHUT_RDWR)
        reader.join(10)
        link.close()


def bring_in(system: System, folder: Path, kind: str, row: dict[str, str]) -> None:
    file = folder / f"{kind}.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, row.keys())
        writer.writeheader()
        writer.writerow(row)
    system.ekc(kind, "import", file)


@pytest.fixture(scope="module")
def places(
    system: System, world: World, people: list[Person], tmp_path_factory: pytest.TempPathFactory
) -> Places:
    """The citizen has been served by the machine, typed SNILS, code and document, and all is over."""
    assert people
    number, folder, outside = new_number(), tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("outside")
    bring_in(system, folder, "citizens", {**CITIZEN, "phone": e164(number)})
    bring_in(system, folder, "applications", APPLICATION)
    found = Places(state=system.state, outside=outside)
    with listening(system, outside / "ami"):
        identify = [
            world.call(number, script=[wait(1), keys(f"2{SNILS}"), keys(f"{CODE}#"), wait(8), hang_up()]),
            world.call(
                new_number(),
                script=[wait(1), keys(f"2{SNILS}{CODE}#{DOCUMENT}#"), wait(8), hang_up()],
            ),
            world.call(new_number(), script=[wait(1), keys(f"12{SNILS}"), wait(8), hang_up()]),
        ]
        hear_the_answer(system, world)
        for citizen in identify:
            citizen.ended(PATIENCE)
    (outside / "metrics").write_bytes(httpx.get(f"{system.web}/metrics").content)
    shutil.copyfile(system.output, outside / "up")
    return found


def hear_the_answer(system: System, world: World) -> None:
    """The whole of it; while it is being said, its sound is there, and its words are not."""
    number = new_number()
    receipt = receipt_keys({"number": APPLICATION["number"], "accepted_on": APPLICATION["accepted_on"]})
    citizen = world.call(number, script=[wait(1), keys("11" + receipt)])
    call = system.wait_call(number)
    speech = system.state / "run" / "speech"
    system.wait_for(lambda: system.records.level(call) == "application", PATIENCE, "the answer", step=0.05)
    wait_for(lambda: list(speech.glob("*.wav")), PATIENCE, "its sound")
    assert Places(state=system.state / "run", outside=system.state / "asterisk").search() == {}
    system.wait_step(call, "prompt status.result played", PATIENCE)
    world.hang_up(citizen)
    lived = system.wait_lived(call)
    assert (lived.card["level"], lived.of("prompt", "status.result")) == ("application", ["played"])
    wait_for(lambda: not list(speech.iterdir()), PATIENCE, "the sound to be erased")


def test_nothing_said_or_typed_stays_anywhere_in_clear(places: Places) -> None:
    """Database, its journal, Asterisk's journals and logs, ours, prompts, spool, run, AMI, /metrics."""
    assert places.search() == {}


def test_the_places_searched_have_heard_of_the_calls(places: Places) -> None:
    """Silence of a place that nothing is written to would prove nothing."""
    assert b"Event: Hangup" in (places.outside / "ami").read_bytes()
    assert b"ekc_" in (places.outside / "metrics").read_bytes()
    for name in ("arrivals.log",):
        assert (places.state / "asterisk" / "spool" / name).stat().st_size > 0
    for name in ("queue_log", "cel.csv", "messages.log"):
        assert (places.state / "asterisk" / "log" / name).stat().st_size > 0
    assert (places.state / "log" / "engine.log").stat().st_size > 0


@pytest.mark.parametrize("marker", [CITIZEN["last_name"], CODE])
def test_a_marker_that_is_planted_is_found_in_every_place(
    places: Places, tmp_path: Path, marker: str
) -> None:
    """The control run: one in each file of all that is searched, and one in each dress."""
    for name, root in {"state": places.state, "outside": places.outside}.items():
        copy = tmp_path / name
        shutil.copytree(root, copy, symlinks=True, ignore=_sockets)
        files = [path for path in sorted(copy.rglob("*")) if path.is_file() and not path.is_symlink()]
        for path in files:
            with path.open("ab") as file:
                file.write(f" {marker} ".encode())
        assert find_marker(copy, marker) == files
    dresses = plant(tmp_path / "dresses", marker)
    assert set(dresses) <= set(find_marker(tmp_path / "dresses", marker))


def _sockets(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not _copies(Path(folder) / name)}


def _copies(path: Path) -> bool:
    return path.is_symlink() or path.is_dir() or (path.is_file() and os.access(path, os.R_OK))
