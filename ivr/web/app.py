"""The HTTP face of the engine: `/health` for monitors and `ekc status`, `/metrics` for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ivr.metrics import Metrics

FRESH_SECONDS = 1.0
"""How old a status may be: a crowd of monitors costs one look."""
STATUS_SECONDS = 10.0
"""For one look at all parts; each probe has a shorter limit of its own."""
SECURITY_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),  # one request for each connection keeps slow clients bounded
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)

StatusSource = Callable[[], Awaitable[Mapping[str, object]]]


def create_app(status: StatusSource, metrics: Metrics) -> ASGIApp:
    """The application. status: the document of `ekc status` (ivr/services/status.py)."""
    look = _Fresh(status)

    async def health(_request: Request) -> Response:
        try:
            async with asyncio.timeout(STATUS_SECONDS):
                document = await look()
        except TimeoutError:
            return JSONResponse({"ready": False}, status_code=503)
        return JSONResponse(document, status_code=200 if document["ready"] else 503)

    async def show_metrics(_request: Request) -> Response:
        return Response(metrics.render(), media_type=None, headers={"content-type": CONTENT_TYPE_LATEST})

    app = Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/metrics", show_metrics, methods=["GET"]),
        ]
    )
    app.router.redirect_slashes = False
    return _Secured(app)


class _Fresh:
    """The latest status, looked up again once it is older than FRESH_SECONDS, by one request at a time."""

    def __init__(self, source: StatusSource) -> None:
        self._source = source
        self._looking = asyncio.Lock()
        self._latest: tuple[float, Mapping[str, object]] | None = None

    async def __call__(self) -> Mapping[str, object]:
        clock = asyncio.get_running_loop().time
        async with self._looking:
            if self._latest is None or clock() - self._latest[0] > FRESH_SECONDS:
                document = await self._source()
                self._latest = (clock(), document)
            return self._latest[1]


class _Secured:
    """Adds the security headers to every response, those to unknown paths and methods included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *SECURITY_HEADERS]}
            await send(message)

        await self._app(scope, receive, send_secured)
