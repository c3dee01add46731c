"""The adapters and services of an engine, built and introduced to each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ivr import resources
from ivr.assembly.speech import Ears
from ivr.asterisk import conf
from ivr.asterisk.ami import Ami
from ivr.asterisk.distributor import AppQueue
from ivr.asterisk.layout import Layout
from ivr.asterisk.outbound import AmiOutbound
from ivr.asterisk.patchboard import AmiPatchboard
from ivr.asterisk.switchboard import WANTED, AmiSwitchboard
from ivr.domain.errors import BadInput, StorageDown
from ivr.engine import LOOPBACK
from ivr.flows.desk import Desk
from ivr.flows.office import Office
from ivr.metrics import Metrics
from ivr.observe import get_logger
from ivr.services import working_day
from ivr.services.alarm_command import AlarmCommand
from ivr.services.alarms import Alarms
from ivr.services.calling_rules import CallingRules
from ivr.services.codes import CodeBook
from ivr.services.duty import Duty
from ivr.services.floor import Floor
from ivr.services.guesses import GuessGuard
from ivr.services.identification import Identification
from ivr.services.impatience import ImpatientStore
from ivr.services.known_days import KnownDays
from ivr.services.names import NameCheck
from ivr.services.supervision import Supervision
from ivr.services.traces import TraceLog
from ivr.services.transfer_notes import TransferNotes
from ivr.services.transfers import Transfers
from ivr.services.waits import Waits
from ivr.services.whispers import Whispers
from ivr.speech.prompts import PromptStore

if TYPE_CHECKING:
    from ivr.bootstrap import LocalSite

_log = get_logger("ivr.assembly")


class Parts:
    """What one engine is made of, each part made once."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.settings = settings = site.settings
        self.metrics = Metrics.create()
        self.alarms = Alarms(settings.run_dir, "engine", tell=AlarmCommand(settings.alarm).tell)
        self.store = site.closed_store()
        self.callers_store = ImpatientStore(self.store, seconds=settings.database_seconds)
        self.ami = self._manager()
        self.switchboard = AmiSwitchboard(self.ami, on_event=lambda event: self.floor.take(event))
        self.floor = Floor(self.switchboard, site.clock, on_handled=self.metrics.ami_lag.observe)
        self.outbound = AmiOutbound(self.switchboard)
        self.calling = CallingRules.of(settings)
        self.codes = CodeBook(self.store.peppers)
        self.prompts = PromptStore.from_settings(settings, core=self._core_sounds())
        self.traces = TraceLog(self.store, site.clock)
        self.duty = self._duty()
        self.whispers = Whispers(self.prompts)
        self.transfers = self._transfers()
        self.waits = self._waits()
        self.supervision = Supervision(self.floor.view, site.clock)
        self.resources = resources.build(settings, self.callers_store, site.clock, self.metrics)
        self.known_days = KnownDays(self.store, settings.known_days)
        self.ears = Ears(settings, self.metrics, self.alarms, site.clock)
        self.office = Office(
            self._desk(),
            prompts=self.prompts,
            traces=self.traces,
            node=settings.node,
            hearing=self.ears.hearing,
        )

    def open_database(self) -> None:
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

    def _manager(self) -> Ami:
        return Ami(
            LOOPBACK,
            self.settings.ami_port,
            conf.AMI_USER,
            conf.ami_secret(self.settings),
            on_event=lambda message: self.switchboard.take(message),
            on_connect=lambda: self.floor.connected(),
            wanted=WANTED,
        )

    def _duty(self) -> Duty:
        return Duty(
            self.store,
            self.switchboard,
            self.floor,
            self.site.clock,
            self.alarms,
            limits=working_day.Limits.of(self.settings),
            notes=Layout.of(self.settings).duty,
            away_seconds=self.settings.away_seconds,
            on_mended=lambda deed: self.metrics.duty_mended.labels(deed=deed).inc(),
        )

    def _transfers(self) -> Transfers:
        return Transfers(
            switchboard=self.switchboard,
            patchboard=AmiPatchboard(self.switchboard),
            floor=self.floor,
            notes=TransferNotes(self.store, self.traces, self.whispers, self.site.clock),
            clock=self.site.clock,
            back_seconds=self.settings.operator_back_seconds,
        )

    def _waits(self) -> Waits:
        return Waits(
            view=self.floor.view,
            return_seconds=self.settings.return_seconds,
            handling_seconds=self.settings.handling_seconds,
        )

    def _desk(self) -> Desk:
        settings, clock = self.settings, self.site.clock
        return Desk(
            store=self.callers_store,
            clock=clock,
            settings=settings,
            resources=self.resources,
            distributor=AppQueue(),
            guesses=GuessGuard.of(settings, self.callers_store, clock, self.alarms),
            identification=Identification.of(settings, self.callers_store, self.codes, clock, self.alarms),
            names=self._names(),
            waits=self.waits,
            whispers=self.whispers,
            sounds=self.prompts,
            recordings=self.prompts,
            known_days=lambda: self.known_days.days,
        )

    def _names(self) -> NameCheck | None:
        """Only where the site has it so, and a model is in use."""
        settings, clock = self.settings, self.site.clock
        if not settings.speech.names_by_voice or self.ears.hearing is None:
            return None
        return NameCheck.of(settings, self.callers_store, clock, self.alarms, self.ears.unknown_words)

    async def close(self) -> None:
        await self.resources.aclose()
        self.codes.close()
