"""What an engine shows of itself by HTTP."""

from __future__ import annotations

import os

from db.schema import REVISION
from ivr.assembly.parts import Parts
from ivr.asterisk.agi import FastAgiServer
from ivr.bootstrap import line_state
from ivr.services import status
from ivr.services.probes import reachable, sip_answers
from ivr.web.app import create_app
from ivr.web.server import WebServer, serve


class Page:
    """The web pages of an engine."""

    def __init__(self, parts: Parts, agi: FastAgiServer) -> None:
        self._parts = parts
        self._agi = agi

    async def serve(self) -> WebServer:
        app = create_app(self._status, self._parts.metrics)
        return await serve(app, self._parts.settings.bind, self._parts.settings.web_port)

    async def _status(self) -> status.Document:
        place = status.Place.of(self._parts.settings)
        now, own = self._parts.site.clock.now(), self._parts.alarms.list()
        return await status.collect(
            place, self._probes(), engine_pid=os.getpid(), now=now, own=own, speech=self._parts.ears.state
        )

    def _probes(self) -> status.Probes:
        settings = self._parts.settings
        host = reachable(settings.bind)
        return status.Probes(
            line=lambda: self._parts.store.run(
                lambda uow: line_state(settings, uow, self._parts.site.clock.now())
            ),
            asterisk=self._asterisk_state,
            sip_line=lambda: sip_answers(host, settings.sip_port),
            sip_operators=lambda: sip_answers(host, settings.operators_port),
            agi=self._takes_calls,
            database=self._database_state,
            calls=self._calls,
        )

    async def _asterisk_state(self) -> status.AsteriskState:
        await self._parts.ami.core_status()
        return status.AsteriskState(version=self._parts.site.node.version(), pid=self._parts.site.node.pid())

    async def _takes_calls(self) -> bool:
        return self._agi.port != 0 and not self._agi.draining

    async def _database_state(self) -> status.DatabaseState:
        await self._parts.store.run(lambda uow: uow.audit.list(limit=1))
        return status.DatabaseState(
            backend=self._parts.store.backend, revision=REVISION, pid=self._parts.store.server_pid
        )

    async def _calls(self) -> int:
        return int((await self._parts.ami.core_status()).get("CoreCurrentCalls", 0))
