"""A caller who only listens, packet by packet: what came, in which order, when (RFC 3550, G.711 a-law)."""

from __future__ import annotations

import socket
import struct
import threading
from array import array
from dataclasses import dataclass
from itertools import pairwise

from tests.harness.closing import Closing
from tests.harness.processes import HOST
from tests.harness.scenario import LINE
from tests.integration.sip_client import Phone, status

PACKET_SECONDS = 0.02
SAMPLES = 160
"""In a packet."""
_ALAW = 8
_SO_TIMESTAMPNS = 35
"""Of Linux: the kernel says when a packet came, however late we read it."""


@dataclass(frozen=True, kw_only=True)
class Packet:
    """One packet of sound."""

    at: float
    """Seconds, by the kernel's clock."""
    sequence: int
    timestamp: int
    """In samples."""
    samples: array[int]


def _decode(byte: int) -> int:
    """G.711, a-law to 16 bits."""
    byte ^= 0x55
    exponent, mantissa = (byte & 0x70) >> 4, (byte & 0x0F) << 4
    value = mantissa + 8 if exponent == 0 else (mantissa + 0x108) << (exponent - 1)
    return value if byte & 0x80 else -value


ALAW_TABLE = [_decode(byte) for byte in range(256)]


class Listener(Closing):
    """Calls and keeps every packet until it is closed."""

    def __init__(self, port: int, number: str, *, to: str = LINE) -> None:
        """port: the line's. number: the caller's. to: the number called."""
        self.packets: list[Packet] = []
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._rtp.bind((HOST, 0))
        self._phone = Phone(port)
        self._thread = threading.Thread(target=self._listen, daemon=True, name="rtp")
        self._thread.start()
        self._call = f"listener-{number}@test"
        self._answer = self._phone.invite(to, body=self._sdp(), call=self._call, from_=f"<sip:{number}@test>")
        assert status(self._answer) == 200, self._answer

    def _sdp(self) -> str:
        port = self._rtp.getsockname()[1]
        whom = ["v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0"]
        what = [f"m=audio {port} RTP/AVP {_ALAW}", f"a=rtpmap:{_ALAW} PCMA/8000", ""]
        return "\r\n".join(whom + what)

    def _listen(self) -> None:
        while True:
            try:
                data, more, _, _ = self._rtp.recvmsg(2048, 128)
            except OSError:
                return
            if not data:
                return
            if len(data) > 12 and data[1] & 0x7F == _ALAW:
                self._keep(data, more)

    def _keep(self, data: bytes, more: list[tuple[int, int, bytes]]) -> None:
        """A packet of sound has come; more: what the kernel says of it."""
        self.packets.append(_packet(data, more))

    def close(self) -> None:
        """Hang up."""
        self._phone.within(self._answer, "BYE", self._call, cseq="2")
        self._phone.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._rtp.getsockname())
        self._thread.join(5)
        self._rtp.close()


def moment(more: list[tuple[int, int, bytes]]) -> float:
    """When a packet came, seconds since the epoch, by what the kernel says of it (SO_TIMESTAMPNS)."""
    (seconds, nanoseconds) = struct.unpack("qq", more[0][2])
    return float(seconds + nanoseconds / 1e9)


def _packet(data: bytes, more: list[tuple[int, int, bytes]]) -> Packet:
    _, _, sequence, timestamp, _ = struct.unpack_from("!BBHII", data)
    return Packet(
        at=moment(more),
        sequence=sequence,
        timestamp=timestamp,
        samples=array("h", (ALAW_TABLE[byte] for byte in data[12:])),
    )


@dataclass(frozen=True, kw_only=True)
class Flow:
    """How a stretch of sound came."""

    missing: int
    """Packets that never came."""
    longest: float
    """Seconds between two neighbours, at most."""


def flow(packets: list[Packet]) -> Flow:
    """Of packets in the order of their arrival."""
    numbers = [(p.sequence - packets[0].sequence) % 2**16 for p in packets]
    return Flow(
        missing=max(numbers) + 1 - len(set(numbers)),
        longest=max(b.at - a.at for a, b in pairwise(packets)),
    )


def sound(packets: list[Packet]) -> array[int]:
    """What they say, one after the other."""
    heard = array("h")
    for packet in packets:
        heard.extend(packet.samples)
    return heard
