"""A site's database: opened at first use, kept up to date, looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property

from db.crypto import Vault
from db.keys import KeyRing
from db.schema import REVISION
from db.store import SqlStore, open_store
from ivr.asterisk.layout import own_directory
from ivr.bootstrap.clock import SystemClock
from ivr.domain.errors import StorageDown
from ivr.ports import DatabaseCopies, KeyRotation
from ivr.services import doctor as checks
from ivr.services.codes import CodeBook
from ivr.settings import Settings


class SiteDatabase:
    """The site as far as its database and its keys go."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self._opened: SqlStore | None = None

    @cached_property
    def keys(self) -> KeyRing:
        return KeyRing(self.settings.keys_dir)

    @property
    def store(self) -> SqlStore:
        """Opened at first use. An empty database, and SQLite's own, are brought up to date by themselves.

        A PostgreSQL with tables of an older program is left to `ekc db upgrade` and `ekc up`: other machines
        may work with it.
        """
        if self._opened is None:
            store = self.closed_store()
            found = store.revision()
            if found is None or (found != REVISION and store.backend == "sqlite"):
                store.upgrade()
        return self.closed_store()

    def closed_store(self) -> SqlStore:
        """The same, without looking whether it answers and is up to date."""
        if self._opened is None:
            settings = self.settings
            own_directory(settings.state)
            vault = Vault(self.keys)
            self._opened = open_store(
                settings.sqlalchemy_url, vault, timezone=settings.zone, node=settings.node
            )
        return self._opened

    def upgrade_database(self) -> str:
        return self.closed_store().upgrade()

    def check_database(self) -> Sequence[checks.Finding]:
        try:
            problems = self.closed_store().check()
        except StorageDown as error:
            problems = [str(error)]
        return [_finding(problem) for problem in problems]

    def rotate_keys(self, *, pepper: bool, progress: Callable[[int, int], None]) -> KeyRotation:
        rules = self.settings.identification
        longest = max(rules.window_seconds, rules.line_window_seconds, rules.lock_cap_seconds)
        forget_before = self.clock.now() - 2 * timedelta(seconds=longest)
        return self.store.rotate_keys(pepper=pepper, forget_before=forget_before, progress=progress)

    def copies(self, settings: Settings | None = None) -> DatabaseCopies:
        from db.dump import open_copies  # PostgreSQL's library is slow to load, and few commands copy

        return open_copies((settings or self.settings).sqlalchemy_url)

    def database_is_current(self) -> bool:
        return self.closed_store().revision() == REVISION

    def code_book(self) -> CodeBook:
        return self._codes

    @cached_property
    def _codes(self) -> CodeBook:
        return CodeBook(self.store.peppers)

    def close_database(self) -> None:
        if "_codes" in self.__dict__:
            self._codes.close()
        if self._opened is not None:
            self._opened.close()


def _finding(problem: str) -> checks.Finding:
    """A sentence of the store; what follows its semicolon is the remedy."""
    what, _, remedy = problem.partition("; ")
    return checks.Finding(what=what, remedy=remedy or "`ekc db upgrade`, or restore a backup")
