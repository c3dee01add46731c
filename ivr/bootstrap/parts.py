"""What `ekc up` runs and watches."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

from ivr.asterisk import conf
from ivr.asterisk.ami_probe import ami_answers
from ivr.asterisk.node import Node
from ivr.services import facts
from ivr.services.probe_call import call_answered
from ivr.services.probes import reachable, require_ports, sip_answers
from ivr.settings import Settings
from ivr.supervisor import Part, Probe

ENGINE_START_SECONDS = 180.0
"""The first start of all synthesises every prompt."""
ASTERISK_START_SECONDS = 60.0
STOP_GRACE = 5.0
OPTIONS_SECONDS, PING_SECONDS, CALL_SECONDS, AGAIN_SECONDS = 2.0, 3.0, 15.0, 1.0
"""Between two questions of a kind; the last: until a call that failed is tried again."""
ANSWER_SECONDS = 5.0
"""What Asterisk may take to answer a call of the supervisor's."""


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
        probes=asterisk_probes(settings, node),
        remedy=f"see {node.layout.log / 'messages.log'}",
    )


def asterisk_probes(settings: Settings, node: Node) -> Sequence[Probe]:
    """Signs of life of an Asterisk whose process runs: stopped, stuck or deaf, it gives none.

    A refusal is a sign of life, too: a line that is full says so.
    """
    host, port, watch = reachable(settings.bind), settings.sip_port, settings.watch
    extension, secret = conf.probe_extension(settings), conf.ami_secret(settings)

    async def takes_calls() -> bool:
        """Citizens' calls show it; only when nobody calls the supervisor does."""
        if _age(node) < CALL_SECONDS:
            return True
        return await call_answered(host, port, extension, seconds=ANSWER_SECONDS) != 0

    return (
        Probe(
            fault="does not answer SIP",
            ask=lambda: sip_answers(host, port, seconds=OPTIONS_SECONDS),
            every=OPTIONS_SECONDS,
            limit=2 * OPTIONS_SECONDS,
            patience=watch.sip_seconds,
        ),
        Probe(
            fault="does not answer its manager interface",
            ask=lambda: ami_answers(conf.LOOPBACK, settings.ami_port, conf.AMI_USER, secret),
            every=PING_SECONDS,
            limit=PING_SECONDS,
            patience=watch.ami_seconds,
        ),
        Probe(
            fault="takes no calls",
            ask=takes_calls,
            every=CALL_SECONDS,
            again=AGAIN_SECONDS,
            limit=2 * ANSWER_SECONDS,
            patience=watch.call_seconds,
        ),
    )


def _age(node: Node) -> float:
    """Seconds since the last citizen's call arrived."""
    try:
        return time.time() - node.layout.arrivals.stat().st_mtime
    except OSError:
        return CALL_SECONDS
