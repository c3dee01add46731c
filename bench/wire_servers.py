"""The contestants on the wire: `python -m bench.wire_servers NAME`, each in a process of its own.

Prints its port and serves until its stdin ends, so that none outlives the bench, however that dies. Each says
`wire_load.COMMAND` again and again. Every one sees its caller leave at the end of each measurement; what goes
wrong before that, the load sees from its side and counts.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import uvloop

from bench import others
from bench.contestant import ready, until_stdin_ends
from bench.others import BACKLOG
from bench.wire_load import COMMAND, HOST, NAME, ROUTE, VALUE

ENGINE, ECHO = "engine", "TCP echo, uvloop"
PANORAMISK, PANORAMISK_ASYNCIO = "panoramisk, uvloop", "panoramisk, asyncio"
PYST2 = "pyst2, threads"


def engine() -> None:
    """Our server and channel, with the engine's own limits, logs and settings of the interpreter."""
    from ivr.asterisk.agi import AgiChannel, FastAgiServer
    from ivr.engine import let_the_loop_go_first
    from ivr.observe import configure_logs
    from ivr.settings import Settings

    async def handler(channel: AgiChannel) -> None:
        while True:
            await channel.set_variable(NAME, VALUE)

    async def serve(settings: Settings) -> None:
        let_the_loop_go_first()
        server = FastAgiServer(
            {ROUTE: handler}, limit=settings.agi_connections, idle_seconds=settings.agi_idle_seconds
        )
        await server.start(HOST, 0)
        ready(server.port)
        await asyncio.Event().wait()

    with tempfile.TemporaryDirectory(prefix="ekc-bench-") as folder:
        settings = Settings(state=Path(folder))
        configure_logs(settings.log_level, directory=settings.log_dir, quiet=True)
        until_stdin_ends(Path(folder))
        uvloop.run(serve(settings))


async def _panoramisk_script(request: Any) -> None:
    command = COMMAND.decode().strip()
    while True:
        await request.send_command(command)


def panoramisk_uvloop() -> None:
    until_stdin_ends()
    uvloop.run(others.panoramisk(_panoramisk_script))


def panoramisk_asyncio() -> None:
    until_stdin_ends()
    asyncio.run(others.panoramisk(_panoramisk_script))


def _pyst2_script(agi: Any) -> None:
    while True:
        agi.set_variable(NAME, VALUE)


def pyst2() -> None:
    others.pyst2(_pyst2_script)


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


def echo() -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Echo, HOST, 0, backlog=BACKLOG)
        ready(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    until_stdin_ends()
    uvloop.run(serve())


SERVERS: Mapping[str, Callable[[], None]] = {
    ENGINE: engine,
    PANORAMISK: panoramisk_uvloop,
    PANORAMISK_ASYNCIO: panoramisk_asyncio,
    PYST2: pyst2,
    ECHO: echo,
}


if __name__ == "__main__":
    SERVERS[sys.argv[1]]()
