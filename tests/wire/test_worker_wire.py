"""Packets between the engine and a recognition worker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.speech.worker_wire import Kind, Packet, Unpacker, WrongPacket, pack

packets = st.builds(Packet, st.integers(0, 2**32 - 1), st.sampled_from(Kind), st.binary(max_size=100))


@given(st.lists(packets, max_size=5), st.integers(1, 20))
def test_packets_arrive_however_their_bytes_are_cut(sent: list[Packet], size: int) -> None:
    data = b"".join(map(pack, sent))
    unpacker, got = Unpacker(), []
    for start in range(0, len(data), size):
        got += unpacker.feed(data[start : start + size])
    assert got == sent


@pytest.mark.parametrize("data", [b"\0\0\0\0\x63\0\0\0\0", b"\0\0\0\0\1\xff\xff\xff\xff"])
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(WrongPacket):
        list(Unpacker().feed(data))
