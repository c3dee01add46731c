"""A site around the store in memory (ivr.testing), for tests that need no database."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from ivr.domain.menu import Topic
from ivr.ports import CodeHashes
from ivr.settings import Settings
from ivr.testing import START as START
from ivr.testing import MemoryStore, MemoryUnitOfWork, VirtualClock

WORK = Topic(agency="szn", agency_name="Центр занятости", key="1", title="Работа", line=1)


class Rows(MemoryUnitOfWork):
    """A store's contents, with one agency; also a unit of work."""

    def __init__(self) -> None:
        super().__init__()
        self.agencies.upsert([WORK])


@dataclass
class Node:
    commands: list[str] = field(default_factory=list)
    error: Exception | None = None

    def console(self, command: str) -> str:
        if self.error is not None:
            raise self.error
        self.commands.append(command)
        return f"said: {command}"


class Codes:
    """A code book whose hashes cost nothing; it knows what it was asked."""

    def __init__(self) -> None:
        self.hashed: list[str] = []
        self.verified: list[str] = []

    def hashes(self, code: str) -> CodeHashes:
        self.hashed.append(code)
        return CodeHashes(keypad=f"keypad of {code}", exact=f"exact {code}")

    def verify_exact(self, code: str, hashes: CodeHashes | None) -> bool:
        self.verified.append(code)
        return hashes is not None and hashes.exact == f"exact {code}"


class Models:
    """Recognition models, of which one is in use if there are words that it does not know."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()

    def unknown_words(self, words: Collection[str]) -> Collection[str]:
        return self.unknown & set(words)


class Copies:
    """There are tables already."""

    def is_empty(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class Finding:
    what: str
    remedy: str


class Site:
    """What commands see of a site."""

    def __init__(self, state: Path) -> None:
        self.settings = Settings(state=state)
        self.clock = VirtualClock()
        self.store = MemoryStore(Rows())
        self.node = Node()
        self.codes = Codes()
        self.models = Models()
        self.applied = 0
        self.ready = True
        self.findings: list[Finding] = []
        self.waited: float | None = None

    @property
    def rows(self) -> MemoryUnitOfWork:
        return self.store.rows

    def apply_operators(self) -> None:
        self.applied += 1

    def speech_models(self) -> Models:
        return self.models

    def copies(self) -> Copies:
        return Copies()

    def database_is_current(self) -> bool:
        return True

    def code_book(self) -> Codes:
        return self.codes

    def prompt_text(self, id_: str) -> str:
        return f"«{id_}»"

    def status(self, wait: float) -> dict[str, object]:
        self.waited = wait
        alarm = {"since": START.isoformat(), "what": "Asterisk does not run", "remedy": "start it"}
        return {"ready": self.ready, "line": {"open": True, "next_opening": None}, "alarms": [alarm]}

    def doctor(self) -> list[Finding]:
        return self.findings

    def run_up(self) -> int:
        return 0

    def run_engine(self) -> int:
        return 7

    def upgrade_database(self) -> str:
        return "0001"

    def check_database(self) -> list[Finding]:
        return self.findings

    def install_asterisk(self) -> str:
        return "22.10.1"

    def render_asterisk(self) -> None:
        self.applied += 1

    def start_asterisk(self) -> int:
        return 4711

    def stop_asterisk(self) -> None:
        if self.node.error is not None:
            raise self.node.error

    def asterisk_console(self) -> list[str]:
        return ["/usr/sbin/asterisk", "-r"]

    def close(self) -> None:
        self.applied = -1
