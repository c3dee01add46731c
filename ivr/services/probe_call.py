"""A call that the supervisor makes to its own line, to see whether calls are taken at all (RFC 3261 §13).

It dials an extension of its own, `probe…`, which is secret to this state and is in no trunk's number plan: so
it is told apart from a citizen's call by what it dials, before the dialplan has written or asked anything.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass, field

FIRST_REPEAT = 0.5
"""Seconds until an INVITE that got no answer is sent again; doubled each time (RFC 3261 §17.1.1.2)."""
BYE_SECONDS = 1.0
"""For the line to hang up a call it has answered."""
_STATUS = re.compile(rb"SIP/2\.0 ([1-6]\d\d) ")
_TO = re.compile(rb"^To[ \t]*:(.*?)\r\n", re.IGNORECASE | re.MULTILINE)
_ECHOED = re.compile(rb"^(?:Via|From|To|Call-ID|CSeq)[ \t]*:.*?\r\n", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class ProbeCall:
    """The messages of one call, as bytes."""

    extension: str
    host: str
    port: int
    own_host: str
    own_port: int
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def _target(self) -> str:
        return f"sip:{self.extension}@{_bracket(self.host)}:{self.port}"

    @property
    def _contact(self) -> str:
        return f"sip:probe@{_bracket(self.own_host)}:{self.own_port}"

    def invite(self) -> bytes:
        family = "IP6" if ":" in self.own_host else "IP4"
        sdp = (
            "v=0",
            f"o=- 1 1 IN {family} {self.own_host}",
            "s=-",
            f"c=IN {family} {self.own_host}",
            "t=0 0",
            f"m=audio {self.own_port} RTP/AVP 8",
            "a=sendrecv",
        )
        body = "\r\n".join((*sdp, "")).encode("ascii")
        return self._request("INVITE", f"<{self._target}>", self.token, "Content-Type: application/sdp", body)

    def ack(self, answer: bytes) -> bytes:
        """Of a final answer. For a 2xx it is a transaction of its own (RFC 3261 §13.2.2.4)."""
        branch = self.token if (status_of(answer) or 0) >= 300 else f"{self.token}a"
        to = _TO.search(answer)
        return self._request("ACK", to[1].decode("ascii", "replace").strip() if to else "", branch)

    def cancel(self) -> bytes:
        return self._request("CANCEL", f"<{self._target}>", self.token)

    def _request(self, method: str, to: str, branch: str, *more: str | bytes) -> bytes:
        body = more[-1] if more and isinstance(more[-1], bytes) else b""
        lines = (
            f"{method} {self._target} SIP/2.0",
            f"Via: SIP/2.0/UDP {_bracket(self.own_host)}:{self.own_port};branch=z9hG4bK{branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:probe@{_bracket(self.own_host)}>;tag={self.token}",
            f"To: {to}",
            f"Call-ID: {self.token}",
            f"CSeq: 1 {method}",
            f"Contact: <{self._contact}>",
            *(line for line in more if isinstance(line, str)),
            f"Content-Length: {len(body)}",
        )
        return "\r\n".join((*lines, "", "")).encode("ascii") + body


def status_of(datagram: bytes) -> int | None:
    """Of an answer; None for a request, and for sound."""
    match = _STATUS.match(datagram)
    return int(match[1]) if match else None


def agreed(request: bytes) -> bytes:
    """200 to a request of the line's, its BYE (RFC 3261 §8.2.6.2)."""
    return b"SIP/2.0 200 OK\r\n" + b"".join(_ECHOED.findall(request)) + b"Content-Length: 0\r\n\r\n"


class _Line(asyncio.DatagramProtocol):
    """The other end, as far as one call goes."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.heard = False
        """Any answer, a provisional one too: the INVITE need not be repeated."""
        self.final: asyncio.Future[bytes] = loop.create_future()
        self.bye: asyncio.Future[bytes] = loop.create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        status = status_of(data)
        self.heard = self.heard or status is not None
        if status is not None and status >= 200 and not self.final.done():
            self.final.set_result(data)
        if data.startswith(b"BYE ") and not self.bye.done():
            self.bye.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there: the time limit tells."""


async def call_answered(host: str, port: int, extension: str, *, seconds: float) -> int:
    """Call, and hang up at once: the final status of the line's answer, 200 when the call was taken.

    0: no final answer within so many seconds. Raises OSError.
    """
    loop = asyncio.get_running_loop()
    transport, line = await loop.create_datagram_endpoint(_Line, remote_addr=(host, port))
    try:
        own_host, own_port = transport.get_extra_info("sockname")[:2]
        call = ProbeCall(extension=extension, host=host, port=port, own_host=own_host, own_port=own_port)
        final = await _invite(transport, line, call, seconds)
        if final is None:
            transport.sendto(call.cancel())
            return 0
        transport.sendto(call.ack(final))
        status = status_of(final) or 0
        if status < 300:
            await asyncio.wait({line.bye}, timeout=BYE_SECONDS)
            if line.bye.done():
                transport.sendto(agreed(line.bye.result()))
        return status
    finally:
        transport.close()


async def _invite(
    transport: asyncio.DatagramTransport, line: _Line, call: ProbeCall, seconds: float
) -> bytes | None:
    """The final answer; None when there was none in time."""
    loop = asyncio.get_running_loop()
    end, pause = loop.time() + seconds, FIRST_REPEAT
    transport.sendto(call.invite())
    while not line.final.done() and (left := end - loop.time()) > 0:
        await asyncio.wait({line.final}, timeout=min(pause, left))
        if not line.heard:
            transport.sendto(call.invite())
            pause *= 2
    return line.final.result() if line.final.done() else None


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
