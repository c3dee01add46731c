"""The only place that builds adapters: a site for the command line, and the parts that `ekc up` runs."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from db.schema import REVISION
from db.spool_keys import SpoolKeys
from ivr.asterisk.layout import own_directory
from ivr.asterisk.node import Node
from ivr.asterisk.tree import find_asterisk
from ivr.bootstrap.database import SiteDatabase
from ivr.bootstrap.journals import keeping
from ivr.bootstrap.judgements import bad_version, line_state
from ivr.bootstrap.parts import ASTERISK_START_SECONDS, asterisk_part, engine_part
from ivr.domain.errors import BadInput, EkcError, KeyLost, NotRunning, StorageDown
from ivr.domain.operators import agency_queue
from ivr.observe import configure_logs, get_logger
from ivr.services import doctor as checks
from ivr.services import facts
from ivr.services import spool as spools
from ivr.services import status as line_status
from ivr.services.alarm_command import AlarmCommand
from ivr.services.calendar import calendar_of, unconfirmed_years
from ivr.services.journal_keeping import Keeping
from ivr.services.probes import pid_from
from ivr.settings import load
from ivr.supervisor import Supervisor
from ivr.supervisor.supervisor import only_one, say

if TYPE_CHECKING:
    from ivr.speech.models import ModelFolder

__all__ = ["LocalSite", "line_state", "open_site"]

_log = get_logger("ivr.bootstrap")


def open_site(state: str | Path | None = None) -> LocalSite:
    """The site whose state is in this directory; nothing is opened or made yet. Raises BadInput."""
    return LocalSite(load(state))


class LocalSite(SiteDatabase):
    """`ivr.commands.site.Site`: this machine's system."""

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        own_directory(self.settings.state)
        with only_one(self.settings.run_dir):
            for part in ("engine", "asterisk"):
                if (pid := pid_from(self.settings.run_dir / f"{part}.pid")) is not None:
                    raise BadInput(f"the {part} of this state runs (pid {pid}); stop it first")
            yield

    def reopened(self) -> LocalSite:
        return LocalSite(load(self.settings.state))

    # --- the emergency path ---

    @cached_property
    def spool_keys(self) -> SpoolKeys:
        return SpoolKeys(self.settings.keys_dir, self.settings.emergency_public_key)

    def prepare_spool(self) -> None:
        """Folders and key pair of the emergency path, the last resort: without it the line starts, too."""
        spool = self.settings.emergency_spool
        try:
            for folder in (self.settings.state, spool.parent, spool, spool / spools.ARCHIVE):
                own_directory(folder)
            self.spool_keys.ensure()
        except (KeyLost, OSError) as error:
            say(f"without the engine nobody can be promised a callback: {error}")
            _log.error("spool_unprepared", reason=str(error))

    # --- Asterisk ---

    @cached_property
    def node(self) -> Node:
        return Node(self.settings)

    def install_asterisk(self) -> str:
        return self.node.install()

    def render_asterisk(self) -> None:
        self._render()

    def _render(self) -> list[Path]:
        self.prepare_spool()
        with self.store.transaction() as uow:
            accounts, codes = uow.operators.sip_accounts(), uow.agencies.codes()
        queues = [agency_queue(code, line) for code in codes for line in (1, 2)]
        return self.node.render(accounts, queues)

    def apply_operators(self) -> None:
        """A system that does not run takes them up when it starts."""
        if self.node.pid() is None:
            return
        with self.store.transaction() as uow:
            fresh = [a for a in uow.operators.sip_accounts() if not self.node.is_rendered(a)]
        if not self._render():
            return
        with suppress(NotRunning):  # it ended this very moment
            self.node.reload_operators(fresh)
            self.node.reload_queues()

    def start_asterisk(self) -> int:
        self._prepare_asterisk()
        pid = self.node.start()
        self.node.wait_ready(ASTERISK_START_SECONDS)
        return pid

    def stop_asterisk(self) -> None:
        self.node.stop()

    def asterisk_console(self) -> Sequence[str]:
        return self.node.console_command()

    # --- the whole ---

    def status(self, wait: float) -> line_status.Document:
        place = line_status.Place.of(self.settings)

        def look() -> line_status.Document:
            found = line_status.ask_engine(self.settings)
            return found or line_status.from_files(place, now=self.clock.now(), line=self._line())

        return line_status.wait_ready(look, seconds=wait, monotonic=self.clock.monotonic, sleep=time.sleep)

    def _line(self) -> line_status.LineState | None:
        """The calendar's word where there is a database; looking must not make one."""
        if not self._has_database():
            return None
        try:
            with self.store.transaction() as uow:
                return line_state(self.settings, uow, self.clock.now())
        except EkcError:
            return None  # the document says by its alarms what is wrong

    def _has_database(self) -> bool:
        return bool(self.settings.database_url) or (self.settings.state / "ekc.db").exists()

    def doctor(self) -> Sequence[checks.Finding]:
        sources = facts.Sources(
            asterisk_version=self._asterisk_version,
            database=self._database_fact,
            unconfirmed_years=self._unconfirmed_years,
        )
        return checks.examine(facts.gather(self.settings, sources, now=self.clock.now()), bad_version)

    def _asterisk_version(self) -> str | None:
        try:
            return find_asterisk(self.settings).version
        except BadInput:
            return None

    def _database_fact(self) -> checks.DatabaseFact:
        try:
            return checks.DatabaseFact(revision=self.closed_store().revision(), head=REVISION)
        except StorageDown as error:
            return checks.DatabaseFact(error=str(error), head=REVISION)

    def _unconfirmed_years(self) -> Sequence[int]:
        today = self.clock.now().astimezone(self.settings.zone).date()
        return unconfirmed_years(calendar_of(self.settings, ()), today)

    def journals(self) -> Keeping:
        return keeping(self.settings, self.store, self.node, self.clock)

    def speech_models(self) -> ModelFolder:
        from ivr.speech.models import ModelFolder  # a client of the web is slow to load

        return ModelFolder(self.settings.models_dir, own=own_directory)

    def prompt_text(self, id_: str) -> str:
        from ivr.speech import catalogue  # the rules of spoken Russian are slow to load, too
        from ivr.speech.parts import Wording

        if id_ not in catalogue.ids():
            return ""
        wordings = (part.text for part in catalogue.entry(id_).parts if isinstance(part, Wording))
        return " ".join(text for text in wordings if isinstance(text, str))

    def run_up(self) -> int:
        self._make_directories()
        logs = configure_logs(
            self.settings.log_level, directory=self.settings.log_dir, name="supervisor", quiet=True
        )
        try:
            with only_one(self.settings.run_dir):  # nothing is changed under another one that runs
                self._prepare_asterisk()
            supervisor = Supervisor(
                [engine_part(self.settings), asterisk_part(self.settings, self.node)],
                run_dir=self.settings.run_dir,
                on_up=self._say_where,
                tell=AlarmCommand(self.settings.alarm).tell,
            )
            return asyncio.run(supervisor.run())
        finally:
            logs.close()

    def _prepare_asterisk(self) -> None:
        """Database and configuration as they should be. Without a database the line starts with the accounts
        and queues it had (architecture.md, rule 2); raises StorageDown when it never had any."""
        try:
            self.upgrade_database()
            self.render_asterisk()
        except StorageDown as error:
            if not self.node.layout.config.is_file():
                raise
            say(f"{error}; the line starts without it")
            _log.error("storage_down", reason=str(error))

    def _say_where(self) -> None:
        place = line_status.Place.of(self.settings)
        say(f"the line is ready: SIP {place.sip_line}, operators {place.sip_operators}, web {place.web}")

    def run_engine(self) -> int:
        import uvloop  # only the engine needs it

        from ivr.assembly import build_engine
        from ivr.engine import go_before_calls

        self._make_directories()
        self.prepare_spool()
        logs = configure_logs(
            self.settings.log_level, directory=self.settings.log_dir, quiet=not sys.stderr.isatty()
        )
        try:
            go_before_calls()
            return uvloop.run(build_engine(self).run())
        finally:
            logs.close()

    def _make_directories(self) -> None:
        """And let nobody else read what this process and its children write from here on."""
        os.umask(0o077)
        for directory in (self.settings.state, self.settings.run_dir, self.settings.log_dir):
            own_directory(directory)

    def close(self) -> None:
        self.close_database()
