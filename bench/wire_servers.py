"""The contestants on the wire: `python -m bench.wire_servers NAME`, each in a process of its own.

Prints its port and serves until its stdin ends, so that none outlives the bench, however that dies. Each says
`wire_load.COMMAND` again and again. Every one sees its caller leave at the end of each measurement; what goes
wrong before that, the load sees from its side and counts.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socketserver
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

import uvloop

from bench.wire_load import COMMAND, HOST, NAME, ROUTE, VALUE

ENGINE, ECHO = "engine", "TCP echo, uvloop"
PANORAMISK, PANORAMISK_ASYNCIO = "panoramisk, uvloop", "panoramisk, asyncio"
PYST2 = "pyst2, threads"
BACKLOG = 500


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
        _ready(server.port)
        await asyncio.Event().wait()

    with tempfile.TemporaryDirectory(prefix="ekc-bench-") as folder:
        settings = Settings(state=Path(folder))
        configure_logs(settings.log_level, directory=settings.log_dir, quiet=True)
        _until_stdin_ends(Path(folder))
        uvloop.run(serve(settings))


async def _panoramisk() -> None:
    from panoramisk.fast_agi import Application, Request

    async def script(request: Request) -> None:
        command = COMMAND.decode().strip()
        while True:
            await request.send_command(command)

    # It logs a traceback for every caller who leaves.
    logging.getLogger("panoramisk").addHandler(logging.NullHandler())
    application = Application()
    application.add_route(ROUTE, script)
    server = await asyncio.start_server(application.handler, HOST, 0, backlog=BACKLOG)
    _ready(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


def panoramisk_uvloop() -> None:
    _until_stdin_ends()
    uvloop.run(_panoramisk())


def panoramisk_asyncio() -> None:
    _until_stdin_ends()
    asyncio.run(_panoramisk())


def pyst2() -> None:
    """A thread for each connection, as FastAGI is served with it."""
    from asterisk.agi import AGI

    nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - for its talkative stderr, open to the end

    class Script(AGI):  # type: ignore[misc]
        def __init__(self, stream: object) -> None:
            """As its own, but without the handler of SIGHUP, which only the main thread may set."""
            self.stdin = self.stdout = stream
            self.stderr = nowhere
            self._got_sighup = False
            self.env: dict[str, str] = {}
            self._get_agi_env()

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            # It raises ValueError when its caller has left: the empty line has no code.
            with suppress(ValueError, OSError), self.request.makefile("rw", newline="\n") as stream:
                script = Script(stream)
                while True:
                    script.set_variable(NAME, VALUE)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = BACKLOG

    with Server((HOST, 0), Connection) as server:
        _until_stdin_ends()
        _ready(server.server_address[1])
        server.serve_forever()


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


def echo() -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Echo, HOST, 0, backlog=BACKLOG)
        _ready(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    _until_stdin_ends()
    uvloop.run(serve())


SERVERS: Mapping[str, Callable[[], None]] = {
    ENGINE: engine,
    PANORAMISK: panoramisk_uvloop,
    PANORAMISK_ASYNCIO: panoramisk_asyncio,
    PYST2: pyst2,
    ECHO: echo,
}


def _ready(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def _until_stdin_ends(folder: Path | None = None) -> None:
    """End this process with its stdin; folder: what it leaves nothing behind in."""

    def watch() -> None:
        sys.stdin.buffer.read()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    SERVERS[sys.argv[1]]()
