"""The websocket server that Asterisk's res_speech_aeap talks to, one connection for each caller."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from http import HTTPStatus
from uuid import uuid4

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.typing import Subprotocol

from ivr.domain.errors import BadInput
from ivr.observe import get_logger
from ivr.ports import Heard
from ivr.speech import aeap_wire
from ivr.speech.aeap_wire import Answer, NoAeap, Request
from ivr.speech.pool import Pool, Stream

PROTOCOL = Subprotocol("speech_to_text")
GRAMMAR = "grammar"
"""The parameter of `SPEECH SET` that begins a turn."""
QUIET_SECONDS, FILL_SECONDS = 0.2, 6.0
"""After so long without sound it is silence that is heard, for at most so long: a turn ends by silence, and
many telephones send nothing while their owner is silent (RFC 3389)."""
LATE_SECONDS = 0.5
"""Of the handshake. Asterisk waits a second for the answer to its `setup`; when none has come and the
websocket is closed later, it writes into memory that it has freed (res_speech_aeap.c of 22.10.1), and may die
of it. So a websocket that we come to late is refused, which costs nothing: its caller answers by keys."""
_LAST_DATA_RECEIVED = 52
"""Where Linux's `struct tcp_info` has the milliseconds since the peer's last data (linux/tcp.h)."""
_SILENCE = bytes(int(QUIET_SECONDS * 8000) * 2)
_log = get_logger("ivr.speech")


async def listen(pool: Pool, host: str, port: int) -> Server:
    """Raises BadInput when the port is taken."""

    async def handle(connection: ServerConnection) -> None:
        await _Session(pool, connection).run()

    try:
        return await serve(
            handle,
            host,
            port,
            process_request=_refuse_late,
            subprotocols=[PROTOCOL],
            max_size=1 << 16,
            compression=None,
            ping_interval=None,  # Asterisk is on this machine
        )
    except OSError as error:
        raise BadInput(
            f"port {port} of the recogniser on {host} cannot be had ({error.strerror}): set EKC_SPEECH__PORT"
        ) from None


def _refuse_late(connection: ServerConnection, handshake: Handshake) -> Response | None:
    """Once the answer to `setup` would not be in time."""
    received = connection.transport.get_extra_info("socket")
    info = received.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECEIVED + 4)
    (waited,) = struct.unpack_from("=I", info, _LAST_DATA_RECEIVED)
    if waited < LATE_SECONDS * 1000:
        return None
    _log.warning("aeap_handshake_late", milliseconds=waited)
    return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "late\n")


class _Session:
    """One connection."""

    def __init__(self, pool: Pool, connection: ServerConnection) -> None:
        self._pool = pool
        self._connection = connection
        self._stream: Stream = pool.open(self._heard)
        self._grammar = ""
        self._sending: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._sound_at = 0.0

    async def run(self) -> None:
        filling = asyncio.create_task(self._fill())
        try:
            async for message in self._connection:
                if isinstance(message, bytes):
                    self._sound_at = self._loop.time()
                    self._pool.feed(self._stream, message)
                else:
                    await self._take(aeap_wire.parse(message))
        except NoAeap:
            _log.warning("aeap_message_refused")
            await self._connection.close(1002)
        except ConnectionClosed:
            pass  # the caller is gone, or the question is answered
        finally:
            filling.cancel()
            self._pool.close(self._stream)

    async def _fill(self) -> None:
        while True:
            await asyncio.sleep(QUIET_SECONDS)
            if QUIET_SECONDS <= self._loop.time() - self._sound_at < FILL_SECONDS:
                self._pool.feed(self._stream, _SILENCE)

    async def _take(self, message: Request | Answer) -> None:
        if isinstance(message, Request):
            await self._connection.send(self._answer(message))
        elif message.refused:
            _log.warning("aeap_result_refused")

    def _answer(self, request: Request) -> str:
        if request.name == "setup":
            if aeap_wire.CODEC not in request.codecs:
                raise NoAeap  # at once: see LATE_SECONDS
            return aeap_wire.accepted(request)
        if request.name != "set":
            return aeap_wire.refused(request, f"there is no {request.name}")
        grammar = request.params.get(GRAMMAR)
        if grammar is None:
            return aeap_wire.accepted(request)  # a key, say, which is none of ours
        self._grammar = grammar
        known = self._pool.listen(self._stream, grammar)
        return aeap_wire.accepted(request) if known else aeap_wire.refused(request, "unknown grammar")

    def _heard(self, heard: Heard) -> None:
        """From a worker, in the event loop."""
        text = aeap_wire.results(heard, grammar=self._grammar, id_=uuid4().hex)
        task = asyncio.ensure_future(self._send(text))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, text: str) -> None:
        with suppress(ConnectionClosed):  # nobody waits for it any more
            await self._connection.send(text)
