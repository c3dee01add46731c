"""How the engine and a recognition worker talk over pipes: packets of a header and bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

_HEADER = struct.Struct("<IBI")
MOST_BYTES = 1 << 20
UNKNOWN = "[unk]"
"""Vosk's word for what is not in the grammar (`ivr.ports.Heard`; the worker is spared loading the ports)."""


class Kind(IntEnum):
    """What a packet is about."""

    READY = 0  # from the worker: the model is loaded
    AUDIO = 1  # sound of a stream
    RESET = 2  # a turn, which is a stream of its own, begins with these phrases as a JSON list
    CLOSE = 3  # the stream is over
    RESULT = 4  # from the worker: what was said, as Vosk's JSON
    PING = 6  # to the worker and, as soon as all before it is done, back
    BEGUN = 5  # from the worker: words are being said; once before each result


_KINDS = frozenset(map(int, Kind))


class Packet(NamedTuple):
    """One of them."""

    stream: int
    kind: Kind
    data: bytes = b""


class WrongPacket(ValueError):
    """bytes that no packet begins with"""


def pack(packet: Packet) -> bytes:
    return _HEADER.pack(packet.stream, packet.kind, len(packet.data)) + packet.data


class Unpacker:
    """Bytes in, packets out."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Raises WrongPacket where no packet can be."""
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            stream, kind, length = _HEADER.unpack_from(self._rest)
            if length > MOST_BYTES or kind not in _KINDS:
                raise WrongPacket
            if len(self._rest) < _HEADER.size + length:
                return
            body = bytes(self._rest[_HEADER.size : _HEADER.size + length])
            del self._rest[: _HEADER.size + length]
            yield Packet(stream, Kind(kind), body)
