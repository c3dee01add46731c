"""What commands ask of a site; `ivr/bootstrap/` builds the real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ivr.ports import Clock, DatabaseCopies, KeyRotation, SpeechModels, Store
from ivr.services.codes import CodeBook
from ivr.services.journal_keeping import Keeping
from ivr.settings import Settings


class Finding(Protocol):
    """Something to mend."""

    @property
    def what(self) -> str: ...

    @property
    def remedy(self) -> str: ...


class Node(Protocol):
    """This machine's Asterisk."""

    def console(self, command: str) -> str:
        """The answer to a console command. Raises NotRunning."""
        ...


class Site(Protocol):
    """One system: its settings, its database, its Asterisk."""

    @property
    def settings(self) -> Settings: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def store(self) -> Store:
        """Opened at first use. Raises StorageDown."""
        ...

    @property
    def node(self) -> Node: ...

    def code_book(self) -> CodeBook:
        """What makes and compares hashes of secret codes, with the site's pepper; closed with the site."""
        ...

    def run_up(self) -> int:
        """Everything in the foreground, until a signal; the exit code."""
        ...

    def run_engine(self) -> int:
        """The engine in the foreground, until a signal; the exit code."""
        ...

    def status(self, wait: float) -> Mapping[str, Any]:
        """The document of `ekc status`; waits at most so many seconds for `ready`."""
        ...

    def doctor(self) -> Sequence[Finding]: ...

    def apply_operators(self) -> None:
        """Write accounts and queues from the database, and have a running Asterisk take them up."""
        ...

    def upgrade_database(self) -> str:
        """Bring the database to the newest revision; its name. Raises StorageDown."""
        ...

    def check_database(self) -> Sequence[Finding]:
        """What keeps the program from working with the database; changes nothing."""
        ...

    def rotate_keys(self, *, pepper: bool, progress: Callable[[int, int], None]) -> KeyRotation:
        """Seal and hash everything with new keys, or finish what was interrupted.

        pepper: a new one for later codes, too. progress: rows done, rows in all (0 while unknown).
        Raises BadInput when it runs already, StorageDown.
        """
        ...

    def install_asterisk(self) -> str:
        """Find a supported Asterisk or unpack one; its version. Raises Unavailable, BadInput."""
        ...

    def render_asterisk(self) -> None:
        """Write the configuration, with accounts and queues from the database."""
        ...

    def start_asterisk(self) -> int:
        """Start Asterisk in the background unless it runs; its process id. Raises Unavailable."""
        ...

    def stop_asterisk(self) -> None:
        """Stop Asterisk and wait for its end. Raises NotRunning."""
        ...

    def asterisk_console(self) -> Sequence[str]:
        """The program that attaches to the running Asterisk, with its arguments. Raises NotRunning."""
        ...

    def copies(self, settings: Settings | None = None) -> DatabaseCopies:
        """What carries the database, or that of other settings, into a file and back. Raises BadInput."""
        ...

    def database_is_current(self) -> bool:
        """Whether it is at this program's revision; changes nothing. Raises StorageDown."""
        ...

    def at_rest(self) -> AbstractContextManager[None]:
        """The state directory is there, and nothing runs or starts in it meanwhile. Raises BadInput."""
        ...

    def reopened(self) -> Site:
        """The site as its state directory says now; to be closed by who asks for it. Raises BadInput."""
        ...

    def journals(self) -> Keeping:
        """This node's journals, read beside or without the engine."""
        ...

    def speech_models(self) -> SpeechModels:
        """This node's recognition models; nothing is made by looking."""
        ...

    def prompt_text(self, id_: str) -> str:
        """The Russian wording of a prompt without its values; empty for an id that is none."""
        ...

    def close(self) -> None: ...
