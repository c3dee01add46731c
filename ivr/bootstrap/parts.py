"""What `ekc up` runs and watches."""

from __future__ import annotations

import asyncio
import sys

from ivr.asterisk.node import Node
from ivr.services import facts
from ivr.services.probes import require_ports
from ivr.settings import Settings
from ivr.supervisor import Part

ENGINE_START_SECONDS = 180.0
"""The first start of all synthesises every prompt."""
ASTERISK_START_SECONDS = 60.0
STOP_GRACE = 5.0


def engine_part(settings: Settings) -> Part:
    """Conversations, journals, web: `ekc serve`."""
    needs = [need for part, need in facts.port_needs(settings) if part == "engine"]
    return Part(
        name="engine",
        argv=[sys.executable, "-m", "cli", "--state", str(settings.state), "serve"],
        notifies=True,
        watchdog_seconds=settings.heartbeat_seconds,
        start_seconds=ENGINE_START_SECONDS,
        stop_seconds=settings.drain_seconds + STOP_GRACE,
        pid_file=settings.run_dir / "engine.pid",
        output=settings.log_dir / "engine.out",
        before_start=lambda: require_ports(*needs),
        remedy=f"see {settings.log_dir / 'engine.log'}",
    )


def asterisk_part(settings: Settings, node: Node) -> Part:
    """Line, operators' telephones, queues."""
    needs = [need for part, need in facts.port_needs(settings) if part == "asterisk"]

    async def ready() -> bool:
        return await asyncio.to_thread(node.is_ready)

    return Part(
        name="asterisk",
        argv=node.argv(),
        ready=ready,
        start_seconds=ASTERISK_START_SECONDS,
        pid_file=node.pid_file,
        output=settings.log_dir / "asterisk.out",
        before_start=lambda: require_ports(*needs),
        remedy=f"see {node.layout.log / 'messages.log'}",
    )
