"""FastAGI as others serve it: panoramisk's application, pyst2 in threads. Each serves until stdin ends."""

from __future__ import annotations

import asyncio
import logging
import os
import socketserver
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.contestant import ready, until_stdin_ends
from bench.wire_load import HOST, ROUTE

BACKLOG = 500


async def panoramisk(script: Callable[[Any], Awaitable[None]]) -> None:
    """script: takes a panoramisk.fast_agi.Request."""
    from panoramisk.fast_agi import Application

    # It logs a traceback for every caller who leaves.
    logging.getLogger("panoramisk").addHandler(logging.NullHandler())
    application = Application()
    application.add_route(ROUTE, script)
    server = await asyncio.start_server(application.handler, HOST, 0, backlog=BACKLOG)
    ready(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


def pyst2(script: Callable[[Any], None]) -> None:
    """script: takes an asterisk.agi.AGI. A thread for each connection, as FastAGI is served with it."""
    from asterisk.agi import AGI, AGIException

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
            with (
                suppress(ValueError, OSError, AGIException),
                self.request.makefile("rw", newline="\n") as stream,
            ):
                script(Script(stream))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = BACKLOG

    with Server((HOST, 0), Connection) as server:
        until_stdin_ends()
        ready(server.server_address[1])
        server.serve_forever()
