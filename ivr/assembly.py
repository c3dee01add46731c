"""The engine's parts put together: the half of ivr/bootstrap.py that only the engine's process loads."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from agi_scripts import line, operators, supervisor, transfer
from db.schema import REVISION
from ivr import resources
from ivr.asterisk import conf
from ivr.asterisk.agi import AgiChannel, FastAgiServer, Handler
from ivr.asterisk.ami import Ami
from ivr.asterisk.distributor import AppQueue
from ivr.asterisk.layout import Layout
from ivr.asterisk.patchboard import AmiPatchboard
from ivr.asterisk.switchboard import WANTED, AmiSwitchboard
from ivr.bootstrap import line_state
from ivr.domain.errors import BadInput, StorageDown
from ivr.domain.figures import Limits
from ivr.engine import LOOPBACK, Engine, Routine
from ivr.flows.desk import Desk
from ivr.flows.office import Office
from ivr.observe import Metrics, get_logger
from ivr.services import queue_metrics, status, working_day
from ivr.services.alarm_command import AlarmCommand
from ivr.services.alarms import Alarms
from ivr.services.board import BoardKeeper
from ivr.services.codes import CodeBook
from ivr.services.duty import Duty
from ivr.services.floor import Floor
from ivr.services.guesses import GuessGuard
from ivr.services.holds import Holds
from ivr.services.identification import Identification
from ivr.services.journal import JournalReader
from ivr.services.journal_files import JournalFile
from ivr.services.probes import reachable, sip_answers
from ivr.services.queue_watch import QueueWatch
from ivr.services.settlement import Rules
from ivr.services.silence import SilenceWatch
from ivr.services.spool import Spool
from ivr.services.supervision import Supervision
from ivr.services.traces import TraceLog
from ivr.services.transfer_notes import TransferNotes
from ivr.services.transfers import Transfers
from ivr.services.waits import Waits
from ivr.services.whispers import Whispers
from ivr.speech.prompts import PromptStore
from ivr.web.app import create_app
from ivr.web.server import WebServer, serve

if TYPE_CHECKING:
    from ivr.bootstrap import LocalSite

AMI_USER = "ekc"
JOURNAL_SECONDS = 0.3
RESOURCES_SECONDS = 5.0
QUEUES_SECONDS = 1.0
BOARD_SECONDS = 1.0
SILENCE_SECONDS = 0.5
DUTY_SECONDS = 1.0
SPOOL_SECONDS = 5.0
CHECK_SECONDS = 10.0
"""How often telephones, queues and operators' states are compared with each other."""
ROUTES: Mapping[str, Callable[[AgiChannel, Office], Awaitable[None]]] = {
    "line": line.line,
    "after-queue": line.after_queue_,
}
"""What the dialplan asks for by AGI(agi://…/NAME)."""
DUTY_ROUTES: Mapping[str, Callable[[AgiChannel, Office, Duty], Awaitable[None]]] = {
    "operator-login": operators.login,
    "operator-logout": operators.logout,
    "operator-pause": operators.pause,
    "operator-ready": operators.ready,
    "operator-unreached": operators.unreached,
}
TRANSFER_ROUTES: Mapping[str, Callable[[AgiChannel, Office, Transfers], Awaitable[None]]] = {
    "transfer": transfer.menu,
    "transfer-over": transfer.over,
    "transfer-consulted": transfer.consulted,
    "transfer-back": transfer.back,
    "operator-lost": transfer.lost,
}
SUPERVISOR_ROUTES: Mapping[str, Callable[[AgiChannel, Office, Supervision], Awaitable[None]]] = {
    "supervisor-listen": supervisor.listen,
    "supervisor-whisper": supervisor.whisper,
}
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
        self.alarms = Alarms(settings.run_dir, "engine", tell=AlarmCommand(settings.alarm).tell)
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
        self.duty = Duty(
            self.store,
            self.switchboard,
            self.floor,
            site.clock,
            self.alarms,
            limits=working_day.Limits.of(settings),
            notes=Layout.of(settings).duty,
            away_seconds=settings.away_seconds,
            on_mended=lambda deed: self.metrics.duty_mended.labels(deed=deed).inc(),
        )
        self.whispers = Whispers(self.prompts)
        self.transfers = Transfers(
            switchboard=self.switchboard,
            patchboard=AmiPatchboard(self.switchboard),
            floor=self.floor,
            notes=TransferNotes(self.store, self.traces, self.whispers, site.clock),
            clock=site.clock,
            back_seconds=settings.operator_back_seconds,
        )
        self.waits = Waits(
            view=self.floor.view,
            return_seconds=settings.return_seconds,
            handling_seconds=settings.handling_seconds,
        )
        self.supervision = Supervision(self.floor.view, site.clock)
        self.resources = resources.build(settings, self.store, site.clock, self.metrics)
        self.office = Office(self._desk(), prompts=self.prompts, traces=self.traces, node=settings.node)

    def engine(self) -> Engine:
        settings = self.settings
        self._open_database()
        self.agi = FastAgiServer(
            {name: self._handler(script) for name, script in ROUTES.items()}
            | {name: self._on_duty(script) for name, script in DUTY_ROUTES.items()}
            | {name: self._transferring(script) for name, script in TRANSFER_ROUTES.items()}
            | {name: self._supervising(script) for name, script in SUPERVISOR_ROUTES.items()},
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

    def _on_duty(self, script: Callable[[AgiChannel, Office, Duty], Awaitable[None]]) -> Handler:
        async def handle(channel: AgiChannel) -> None:
            await script(channel, self.office, self.duty)

        return handle

    def _transferring(self, script: Callable[[AgiChannel, Office, Transfers], Awaitable[None]]) -> Handler:
        async def handle(channel: AgiChannel) -> None:
            await script(channel, self.office, self.transfers)

        return handle

    def _supervising(self, script: Callable[[AgiChannel, Office, Supervision], Awaitable[None]]) -> Handler:
        async def handle(channel: AgiChannel) -> None:
            await script(channel, self.office, self.supervision)

        return handle

    def _silence_watch(self) -> SilenceWatch:
        watch = SilenceWatch(
            self.floor,
            self.switchboard,
            self.store,
            self.site.clock,
            limit=self.settings.silence_seconds,
            teller=self.traces.teller,
        )
        self.floor.listen(watch.hear)
        self.floor.on_rebuilt(watch.rebuilt)
        return watch

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
            waits=self.waits,
            whispers=self.whispers,
            sounds=self.prompts,
            recordings=self.prompts,
        )

    def _queue_watch(self) -> QueueWatch:
        watch = QueueWatch(
            self.floor,
            self.switchboard,
            self.store,
            self.site.clock,
            self.settings,
            waits=self.waits,
            sounds=self.prompts,
            on_estimate=self.metrics.wait_estimate_error.observe,
        )
        self.floor.listen(watch.listen)
        return watch

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
                name="spool",
                seconds=SPOOL_SECONDS,
                work=self._spool().take,
                remedy="see “When something is down” in docs/telephony.md",
            ),
            Routine(
                name="duty",
                seconds=DUTY_SECONDS,
                work=self.duty.poll,
                remedy="`ekc status`: are Asterisk and the database there?",
            ),
            Routine(
                name="duty-check",
                seconds=CHECK_SECONDS,
                work=self.duty.check,
                remedy="`ekc status`: are Asterisk and the database there?",
            ),
            Routine(
                name="silence",
                seconds=SILENCE_SECONDS,
                work=self._silence_watch().look,
                remedy="`ekc doctor`, `ekc db check`",
            ),
            Routine(
                name="resources",
                seconds=RESOURCES_SECONDS,
                work=self._watch_resources,
                remedy="see docs/information-resource.md",
            ),
            Routine(
                name="board",
                seconds=BOARD_SECONDS,
                work=self._board().write,
                remedy="`ekc doctor`, `ekc db check`",
            ),
            Routine(
                name="queues",
                seconds=QUEUES_SECONDS,
                work=self._queue_watch().work,
                remedy="`ekc doctor`, `ekc status`",
            ),
        ]

    def _spool(self) -> Spool:
        metrics = self.metrics
        return Spool(
            self.store,
            self.site.spool_keys,
            self.site.clock,
            self.settings,
            on_taken=lambda taken: metrics.emergency_wishes.labels(result=taken.value).inc(),
            on_unreadable=metrics.spool_unreadable.set,
        )

    def _board(self) -> BoardKeeper:
        self.floor.listen(Holds(self.floor, self.switchboard).note)
        settings = self.settings
        return BoardKeeper(
            self.floor,
            self.store,
            self.site.clock,
            run_dir=settings.run_dir,
            zone=settings.zone,
            limits=Limits(answer=settings.answer_seconds, short=settings.short_abandon_seconds),
            on_board=lambda board: queue_metrics.show(self.metrics, board),
        )

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
            on_passages=lambda found: queue_metrics.count(self.metrics, found),
        )

    # --- what the web shows ---

    async def _serve_web(self) -> WebServer:
        app = create_app(self._status, self.metrics)
        return await serve(app, self.settings.bind, self.settings.web_port)

    async def _status(self) -> status.Document:
        place = status.Place.of(self.settings)
        now, own = self.site.clock.now(), self.alarms.list()
        return await status.collect(place, self._probes(), engine_pid=os.getpid(), now=now, own=own)

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
