"""Nothing secret leaks: markers are entered and heard, then looked for wherever anything is written or sent.

Each place is proved by a control: something that does belong there is found by the same search.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.request
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from tests.harness.markers import find_marker, marker_pattern, plant
from tests.harness.processes import HOST, wait_for
from tests.line.identifying import Calling, Citizen, Known, Told, elsewhere, today

pytestmark = pytest.mark.line

CODE = "Зебра8391"
TYPED = "332628391"
"""By keys: З and Е on 3, Б on 2, Р on 6, А on 2."""
DOCUMENT = ("7391", "846205")
TITLE = "Выплата за кашалота"
"""The benefit that is heard."""


class Manager:
    """A client of the AMI with the site's own user, which records everything it is sent."""

    def __init__(self, port: int, secret: str) -> None:
        self.data = bytearray()
        self._socket = socket.create_connection((HOST, port), timeout=10)
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, daemon=True, name="ami-recorder")
        self._thread.start()
        login = f"Action: Login\r\nUsername: ekc\r\nSecret: {secret}\r\nEvents: on\r\n\r\n"
        self._socket.sendall(login.encode())
        wait_for(lambda: b"Authentication accepted" in self.data, 10, "the AMI to let us in")

    def _read(self) -> None:
        while data := self._socket.recv(65536):
            self.data.extend(data)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()


@dataclass
class Arguments:
    """Command lines of every process there was, looked at again and again."""

    every: float = 0.003
    """Seconds; the synthesiser needs some 20 ms for a sentence."""
    seen: set[bytes] = field(default_factory=set)
    _end: threading.Event = field(default_factory=threading.Event)

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._watch, daemon=True, name="arguments")
        thread.start()
        return thread

    def _watch(self) -> None:
        while not self._end.wait(self.every):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    self._look(process)

    def _look(self, process: Path) -> None:
        try:
            self.seen.add((process / "cmdline").read_bytes())
        except OSError:
            return  # it ended this very moment

    def stop(self) -> None:
        self._end.set()


@dataclass(frozen=True, kw_only=True)
class Traces:
    """All that a call has left behind."""

    who: Citizen
    told: Told
    caller: str
    """The number the call came from."""
    files: dict[str, Path]
    texts: dict[str, bytes]


@pytest.fixture(scope="module")
def citizen(known: Known) -> Citizen:
    """A citizen whose SNILS, code and document nobody else has, with a benefit that nobody else has."""
    row = {**known.newcomer("").row, "secret_code": CODE}
    row |= {"document_series": DOCUMENT[0], "document_number": DOCUMENT[1]}
    who = Citizen(row=row)
    known.bring_in("citizens", [row])
    day = (today() + timedelta(days=40)).date()
    payment = {"snils": who.snils, "agency": "szn", "title": TITLE, "amount": "100.00", "date": day}
    known.bring_in("payments", [{**payment, "status": "planned"}])
    return who


@pytest.fixture(scope="module")
def left(known: Known, citizen: Citizen) -> Traces:
    """A call in which every marker is entered and heard, recorded wherever it might be told."""
    system, caller = known.system, elsewhere()
    manager = Manager(system.ports["ami_port"], (system.state / "keys" / "ami.secret").read_text().strip())
    arguments = Arguments()
    watching = arguments.start()
    control = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)", CONTROL])
    wrong = f"2{citizen.snils},{citizen.wrong}{citizen.document}{citizen.code}{citizen.document}"
    told = known.play(
        {"caller": Calling(number=caller, typed=wrong, until=("prompt benefits.next played",))}
    )["caller"]
    control.wait(10)
    arguments.stop()
    watching.join(10)
    manager.close()
    with urllib.request.urlopen(f"{system.web}/metrics", timeout=10) as answer:  # noqa: S310 - our own
        metrics = answer.read()
    texts = {
        "metrics": metrics,
        "AMI": bytes(manager.data),
        "arguments": b"\n".join(arguments.seen),
        "trace": _said(system.ekc("calls", "trace", told.lived.call, "--json").out),
        "audit": _said(system.ekc("audit", "list", "--json").out),
        "calls": _said(system.ekc("calls", "list", "--json", "--reveal").out),
        "cards": _said(system.ekc("cards", "show", told.lived.card["id"], "--json", "--reveal").out),
        "output": system.output.read_bytes(),
    }
    return Traces(who=citizen, told=told, caller=caller, files={"state": system.state}, texts=texts)


def _said(text: str) -> bytes:
    return text.encode()


CONTROL = "контрольная-метка-57"
CONTROLS = {
    "metrics": "ekc_calls",
    "AMI": "",
    "arguments": CONTROL,
    "trace": "benefits.next",
    "audit": "identification.attempt",
    "calls": "",
    "cards": "personal",
    "output": "ready",
}
"""What does belong in a place; empty: the caller's number."""
MARKERS = ("SNILS", "code", "typed code", "document", "benefit")


def marker(who: Citizen, name: str) -> str:
    """The secret of this name."""
    return {
        "SNILS": who.snils,
        "code": CODE,
        "typed code": who.code.rstrip("#"),
        "document": who.document.rstrip("#"),
        "benefit": "кашалота",
    }[name]


def test_the_markers_were_entered_and_heard(left: Traces) -> None:
    """Without this, nothing to be found would mean nothing."""
    assert left.told.attempts == ("failed path=code_and_document", "personal match_source=document")
    assert left.told.lived.of("prompt", "snils.readback")[0] in ("played", "interrupted")
    assert left.told.lived.of("prompt", "benefits.next") == ["played"]
    assert marker(left.who, "typed code") == TYPED


@pytest.mark.parametrize("name", MARKERS)
def test_no_file_of_the_state_directory_holds_a_secret(left: Traces, name: str) -> None:
    """Database with its write-ahead log, journals, logs, spool, prompts, configuration."""
    assert find_marker(left.files["state"], marker(left.who, name)) == []


def test_the_search_of_files_sees_through_every_dress(left: Traces) -> None:
    """The control: markers planted in this very directory are all found, and what is there by right, too."""
    root = left.files["state"]
    planted = plant(root / "planted", CONTROL)
    try:
        assert find_marker(root, CONTROL) == planted
    finally:
        for path in sorted((root / "planted").rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        (root / "planted").rmdir()
    assert find_marker(root / "asterisk" / "spool", left.caller)  # arrivals.log
    assert find_marker(root / "asterisk" / "log", left.told.lived.call)  # the journals
    assert find_marker(root / "log", "engine_ready")
    assert marker_pattern("identification.attempt").search(_database(root))


def _database(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in root.glob("ekc.db*"))


@pytest.mark.parametrize("place", CONTROLS)
@pytest.mark.parametrize("name", MARKERS)
def test_nothing_that_is_said_or_sent_holds_a_secret(left: Traces, place: str, name: str) -> None:
    """Metrics, the AMI's events, command lines of all processes, and what the commands print."""
    assert marker_pattern(marker(left.who, name)).search(left.texts[place]) is None


@pytest.mark.parametrize("place", CONTROLS)
def test_the_search_of_each_place_finds_what_belongs_there(left: Traces, place: str) -> None:
    """The control: the recorders have recorded this call."""
    wanted = CONTROLS[place] or left.caller
    assert marker_pattern(wanted).search(left.texts[place]), f"{place} was not recorded"


def test_the_synthesiser_was_seen_at_work(left: Traces) -> None:
    """Its command line was looked at while it spoke the SNILS and the benefit: the text goes by a file."""
    assert b"espeak-ng" in left.texts["arguments"]


def test_no_personal_speech_is_left(left: Traces) -> None:
    """The sounds were for one hearing."""
    assert list((left.files["state"] / "run" / "speech").iterdir()) == []
