"""Journals of a real Asterisk 22.10.1 with our configuration, one file for each fate of a call.

tests/fixtures/journals/NAME.txt holds what arrivals.log, queue_log and cel.csv got; numbers are invented.
"""

from __future__ import annotations

from pathlib import Path

from ivr.ports import JournalLine
from ivr.services.journal_files import JournalFile
from ivr.services.journal_lines import ARRIVALS, CEL, QUEUE_LOG, Place, parse

FOLDER = Path(__file__).with_name("fixtures") / "journals"
NAMES = tuple(sorted(file.stem for file in FOLDER.glob("*.txt")))
NUMBER = "+79123456789"
"""Of everybody who calls in them."""
_FILES = {"arrivals.log": ARRIVALS, "queue_log": QUEUE_LOG, "cel.csv": CEL}


def captured(name: str) -> dict[str, str]:
    """The text of each journal."""
    texts = dict.fromkeys(_FILES.values(), "")
    journal = ""
    for line in (FOLDER / f"{name}.txt").read_text("ascii").splitlines(keepends=True):
        if line.startswith("== "):
            journal = _FILES[line[3:].strip()]
        else:
            texts[journal] += line
    return texts


def lines(name: str) -> list[JournalLine]:
    """All lines of a capture in the order of time, then of storing."""
    read = []
    for journal, text in captured(name).items():
        for offset, line in enumerate(text.splitlines()):
            place = Place(node="node1", journal=journal, generation="1", offset=offset)
            parsed = parse(line.encode(), place)
            assert parsed is not None, line
            read.append(parsed.line)
    return sorted(read, key=lambda line: line.at)


def story(name: str, place: int = 0) -> tuple[str, list[JournalLine]]:
    """(call, its lines) of the arrival at this place of a capture."""
    call = captured(name)[ARRIVALS].splitlines()[place].split("\t")[2]
    return call, [line for line in lines(name) if line.linked == call]


class Journals:
    """The three files, as Asterisk appends to them."""

    def __init__(self, folder: Path) -> None:
        self.files = [JournalFile(journal=journal, path=folder / name) for name, journal in _FILES.items()]
        self.paths = {file.journal: file.path for file in self.files}

    def append(self, journal: str, text: str) -> None:
        with self.paths[journal].open("a", encoding="ascii") as file:
            file.write(text)

    def play(self, name: str) -> None:
        """Everything of a capture at once."""
        for journal, text in captured(name).items():
            self.append(journal, text)
