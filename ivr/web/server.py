"""uvicorn on the engine's own event loop: no signal handlers, no banner, bounded in every direction."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ivr.domain.errors import BadInput

CONNECTIONS = 64
"""At once; a further one gets 503, and beyond twice as many it is dropped."""
REQUEST_SECONDS = 10.0
"""From connecting to a whole request line and headers."""
HEADER_BYTES = 16_384
DRAIN_SECONDS = 3
"""For answers under way when the engine stops."""


class _BoundedProtocol(H11Protocol):
    """Lets go of a client that does not finish its request: uvicorn itself would wait for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > 2 * CONNECTIONS:
            transport.abort()
        self._patience = self.loop.call_later(REQUEST_SECONDS, self._let_go)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        super().connection_lost(exc)

    def _let_go(self) -> None:
        if self.scope is None:
            self.transport.abort()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the engine."""
        yield


@dataclass(frozen=True, kw_only=True)
class WebServer:
    """A server that runs."""

    host: str
    port: int
    _server: _Server
    _task: asyncio.Task[None]

    async def shutdown(self) -> None:
        """Finish the answers under way, at most DRAIN_SECONDS, and close."""
        self._server.should_exit = True
        await self._task


async def serve(app: ASGIApp, host: str, port: int) -> WebServer:
    """Serve `app` on the running loop. port: 0 takes any free one.

    Raises BadInput when the address cannot be had.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=_BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        backlog=CONNECTIONS,
        timeout_keep_alive=1,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    if task.done():
        listener.close()
        await task
    return WebServer(host=host, port=listener.getsockname()[1], _server=server, _task=task)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=CONNECTIONS)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadInput(
                f"port {port}/tcp of the web is occupied: stop the program that holds it "
                "or set EKC_WEB_PORT to a free port"
            ) from error
        raise BadInput(f"the web cannot listen on {host}:{port} ({error.strerror}): set EKC_BIND") from error
