"""The engine's parts put together: the half of ivr/bootstrap.py that only the engine's process loads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ivr.assembly.page import Page
from ivr.assembly.parts import Parts
from ivr.assembly.routes import handlers
from ivr.assembly.routines import routines
from ivr.asterisk.agi import FastAgiServer
from ivr.domain import phone
from ivr.engine import Engine
from ivr.services.calendar import calendar_of

if TYPE_CHECKING:
    from ivr.bootstrap import LocalSite

__all__ = ["build_engine"]


def build_engine(site: LocalSite) -> Engine:
    """This site's engine, not yet running. Raises BadInput for settings that cannot work."""
    parts = Parts(site)
    settings = site.settings
    parts.open_database()
    _warm_up(site)
    agi = FastAgiServer(
        handlers(parts),
        limit=settings.agi_connections,
        idle_seconds=settings.agi_idle_seconds,
        on_error=lambda _route, _error: parts.metrics.flows_broken.inc(),
        on_refused=parts.metrics.agi_refused.inc,
    )
    return Engine(
        agi=agi,
        agi_port=settings.agi_port,
        ami=parts.ami,
        prompts=parts.prompts,
        traces=parts.traces,
        routines=routines(parts),
        tasks={"floor": parts.floor.run, **({"speech": parts.ears.run} if parts.ears.hearing else {})},
        serve_web=Page(parts, agi).serve,
        calls=lambda: parts.office.calls,
        close_parts=parts.close,
        metrics=parts.metrics,
        alarms=parts.alarms,
        clock=site.clock,
        pid_file=settings.run_dir / "engine.pid",
        drain_seconds=settings.drain_seconds,
        heartbeat_seconds=settings.heartbeat_seconds,
        environment=os.environ,
    )


def _warm_up(site: LocalSite) -> None:
    """Load what is loaded at its first use. The holidays of all countries hold the interpreter for a tenth of
    a second, on a busy machine for one: in the first call of the day keys would be lost meanwhile."""
    calendar_of(site.settings, ()).is_open(site.clock.now())
    phone.from_trunk("79120000000")
