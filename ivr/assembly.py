"""The engine's parts put together: the half of ivr/bootstrap.py that only the engine's process loads."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agi_scripts import line, operators
from db.schema import REVISION
from ivr import resources
from ivr.asterisk import conf
from ivr.asterisk.agi import AgiChannel, FastAgiServer, Handler
from ivr.asterisk.ami import Ami
from ivr.asterisk.distributor import AppQueue
from ivr.asterisk.layout import Layout
from ivr.asterisk.switchboard import WANTED, AmiSwitchboard
from ivr.bootstrap import line_state
from ivr.domain.errors import BadInput, StorageDown
from ivr.engine import LOOPBACK, Engine, Routine
from ivr.flows.desk import Desk
from ivr.flows.office import Office
from ivr.observe import Metrics, get_logger
from ivr.services import status
from ivr.services.alarms import Alarms
from ivr.services.codes import CodeBook
from ivr.services.floor import Floor
from ivr.services.guesses import GuessGuard
from ivr.services.identification import Identification
from ivr.services.journal import JournalReader
from ivr.services.journal_files import JournalFile
from ivr.services.probes import reachable, sip_answers
from ivr.services.settlement import Rules
from ivr.services.traces import TraceLog
from ivr.speech.prompts import PromptStore
from ivr.web.app import create_app
from ivr.web.server import WebServer, serve

if TYPE_CHECKING:
    from ivr.bootstrap import LocalSite

AMI_USER = "ekc"
JOURNAL_SECONDS = 0.3
RESOURCES_SECONDS = 5.0
ROUTES: Mapping[str, Callable[[AgiChannel, Office], Awaitable[None]]] = {
    "line": line.line,
    "after-queue": line.after_queue_,
    "operator-login": operators.login,
    "operator-logout": operators.logout,
}
"""What the dialplan asks for by AGI(agi://…/NAME)."""
_log = get_logger("ivr.assembly")


def build_engine(site: LocalSite) -> Engine:
    """This site's engine, not yet running. Raises BadInput for settings that cannot work."""
    return _Assembly(site).engine()


class _Assembly:
    """One building of an engine."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.settings = settings = site.settings
        self.metrics = Metrics.create()
        self.alarms = Alarms(settings.run_dir, "engine")
        self.store = site.closed_store()
        self.ami = Ami(
            LOOPBACK,
            settings.ami_port,
            AMI_USER,
            conf.ami_secret(settings),
            on_event=lambda message: self.switchboard.take(message),
            on_connect=lambda: self.floor.connected(),
            wanted=WANTED,
        )
        self.switchboard = AmiSwitchboard(self.ami, on_event=lambda event: self.floor.take(event))
        self.floor = Floor(self.switchboard, site.clock)
        self.codes = CodeBook(self.store.peppers)
        self.prompts = PromptStore.from_settings(settings, core=self._core_sounds())
        self.traces = TraceLog(self.store, site.clock)
        self.resources = resources.build(settings, self.store, site.clock, self.metrics)
        self.office = Office(self._desk(), prompts=self.prompts, traces=self.traces, node=settings.node)

    def engine(self) -> Engine:
        settings = self.settings
        self._open_database()
        self.agi = FastAgiServer(
            {name: self._handler(script) for name, script in ROUTES.items()},
            limit=settings.agi_connections,
            idle_seconds=settings.agi_idle_seconds,
            on_error=lambda _route, _error: self.metrics.flows_broken.inc(),
            on_refused=self.metrics.agi_refused.inc,
        )
        return Engine(
            agi=self.agi,
            agi_port=settings.agi_port,
            ami=self.ami,
            prompts=self.prompts,
            traces=self.traces,
            routines=self._routines(),
            tasks={"floor": self.floor.run},
            serve_web=self._serve_web,
            calls=lambda: self.office.calls,
            close_parts=self._close_parts,
            metrics=self.metrics,
            alarms=self.alarms,
            clock=self.site.clock,
            pid_file=settings.run_dir / "engine.pid",
            drain_seconds=settings.drain_seconds,
            heartbeat_seconds=settings.heartbeat_seconds,
            environment=os.environ,
        )

    def _handler(self, script: Callable[[AgiChannel, Office], Awaitable[None]]) -> Handler:
        async def handle(channel: AgiChannel) -> None:
            await script(channel, self.office)

        return handle

    def _open_database(self) -> None:
        """A database that is down does not keep the line from answering (architecture.md, rule 2)."""
        try:
            self.site.store  # noqa: B018 - opening it is what is wanted
        except StorageDown as error:
            _log.error("storage_down", reason=str(error))

    def _core_sounds(self) -> Path | None:
        """Without them numbers are synthesised like all else."""
        try:
            return self.site.node.tree.russian
        except BadInput:
            return None

    def _desk(self) -> Desk:
        settings, clock = self.settings, self.site.clock
        return Desk(
            store=self.store,
            clock=clock,
            settings=settings,
            resources=self.resources,
            distributor=AppQueue(),
            guesses=GuessGuard.of(settings, self.store, clock, self.alarms),
            identification=Identification.of(settings, self.store, self.codes, clock, self.alarms),
        )

    def _routines(self) -> list[Routine]:
        journal = self._journal()
        return [
            Routine(
                name="journal",
                seconds=JOURNAL_SECONDS,
                work=journal.poll,
                remedy="`ekc doctor`, `ekc db check`",
            ),
            Routine(
                name="resources",
                seconds=RESOURCES_SECONDS,
                work=self._watch_resources,
                remedy="see docs/information-resource.md",
            ),
        ]

    async def _watch_resources(self) -> None:
        """An alarm for each agency whose information resource fails (§25, §26)."""
        for health in self.resources.health():
            key = f"resource.{health.agency}"
            if health.ok:
                self.alarms.clear(key)
            else:
                since = health.failing_since or self.site.clock.now()
                self.alarms.set(key, health.what, health.remedy, since)

    async def _close_parts(self) -> None:
        await self.resources.aclose()
        self.codes.close()

    def _journal(self) -> JournalReader:
        layout = Layout.of(self.settings)
        files = (
            JournalFile(journal="arrivals", path=layout.arrivals),
            JournalFile(journal="queue_log", path=layout.queue_log),
            JournalFile(journal="cel", path=layout.cel),
        )
        return JournalReader(
            self.store,
            files,
            node=self.settings.node,
            clock=self.site.clock,
            rules=Rules(served=self.settings.served_seconds, wrapup=self.settings.wrapup_seconds),
            in_hand=self.office.in_hand,
            first=self.traces.flush,
            on_lag=self.metrics.journal_lag.set,
            on_ended=lambda outcome: self.metrics.calls.labels(outcome=outcome.value).inc(),
        )

    # --- what the web shows ---

    async def _serve_web(self) -> WebServer:
        app = create_app(self._status, self.metrics)
        return await serve(app, self.settings.bind, self.settings.web_port)

    async def _status(self) -> status.Document:
        place = status.Place.of(self.settings)
        return await status.collect(place, self._probes(), engine_pid=os.getpid(), now=self.site.clock.now())

    def _probes(self) -> status.Probes:
        settings = self.settings
        host = reachable(settings.bind)
        return status.Probes(
            line=lambda: self.store.run(lambda uow: line_state(settings, uow, self.site.clock.now())),
            asterisk=self._asterisk_state,
            sip_line=lambda: sip_answers(host, settings.sip_port),
            sip_operators=lambda: sip_answers(host, settings.operators_port),
            agi=self._takes_calls,
            database=self._database_state,
            calls=self._calls,
        )

    async def _asterisk_state(self) -> status.AsteriskState:
        await self.ami.core_status()
        return status.AsteriskState(version=self.site.node.version(), pid=self.site.node.pid())

    async def _takes_calls(self) -> bool:
        return self.agi.port != 0 and not self.agi.draining

    async def _database_state(self) -> status.DatabaseState:
        await self.store.run(lambda uow: uow.audit.list(limit=1))
        return status.DatabaseState(backend=self.store.backend, revision=REVISION, pid=self.store.server_pid)

    async def _calls(self) -> int:
        return int((await self.ami.core_status()).get("CoreCurrentCalls", 0))
