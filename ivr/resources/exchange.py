"""One question to a participant's service and its answer as bytes: HTTP with everything bounded.

Nothing of the other side's bytes comes out of here but the body of a good answer: errors carry words of ours.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import cast

import httpx

from ivr.resources.failures import Silent, Wrong

MOST_BYTES = 1_000_000
"""Of an answer's body."""
MOST_CONNECTIONS = 20
"""At one service; further questions wait for a free one, within their time."""
IDLE_SECONDS = 20.0
"""How long an unused connection is kept: less than the usual minute of proxies and services."""
JSON = "application/json"
_TRY_AGAIN = frozenset({502, 503, 504})
_BUSY = 429


def open_client(tls: ssl.SSLContext) -> httpx.AsyncClient:
    """A client that obeys nobody's environment, follows no redirect, keeps no cookie and unpacks nothing.

    Time is limited by whoever asks: one limit for the whole question.
    """
    for name in ("httpx", "httpcore"):  # at `debug` they log the other side's headers
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        verify=tls,
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - see above
        limits=httpx.Limits(max_connections=MOST_CONNECTIONS, keepalive_expiry=IDLE_SECONDS),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept": JSON, "Accept-Encoding": "identity", "User-Agent": "ekc"},
    )


async def ask(
    client: httpx.AsyncClient, url: str, question: Mapping[str, str], headers: Mapping[str, str]
) -> bytes:
    """The body of the answer 200; where the connection fails or the status is 502-504, after one more try.

    The question goes into the body: addresses end up in the logs of proxies. Asking twice changes nothing.
    Raises Silent or Wrong.
    """
    body = json.dumps(question).encode()
    headers = {**headers, "Content-Type": JSON}
    try:
        return await _once(client, url, body, headers)
    except Silent as failure:
        if not failure.again:
            raise
    return await _once(client, url, body, headers)


async def _once(client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    try:
        async with client.stream("POST", url, content=body, headers=headers) as response:
            return await _body(response)
    except (httpx.TransportError, OSError) as error:  # OSError: a TLS alert in the middle comes as it is
        name = type(error).__name__
    raise Silent(name, again=True)  # outside of `except`: the error quotes what was received


async def _body(response: httpx.Response) -> bytes:
    _check_head(response)
    body = bytearray()
    raw = cast(AsyncGenerator[bytes, None], response.aiter_raw())  # closed here, not by the garbage collector
    async with aclosing(raw) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > MOST_BYTES:
                raise Wrong(f"more than {MOST_BYTES} bytes")
    return bytes(body)


def _check_head(response: httpx.Response) -> None:
    status = response.status_code
    if status in _TRY_AGAIN or status == _BUSY:
        raise Silent(f"status {status}", again=status != _BUSY)
    if status != httpx.codes.OK:
        raise Wrong(f"status {status}")
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != JSON:
        raise Wrong("content type is not application/json")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise Wrong("content encoding was not asked for")
