"""A caller with a real keypad: RFC 4733 digits out, sound in, each packet with the moment it came."""

from __future__ import annotations

import random
import re
import struct
import time
from collections.abc import Sequence
from typing import NamedTuple

from tests.harness.processes import HOST
from tests.harness.rtp import ALAW_TABLE, SAMPLES, Listener, moment
from tests.harness.scenario import LINE

EVENTS = 101
"""Payload type of the digits."""
CODES = {digit: code for code, digit in enumerate("0123456789*#")}
PACKET = 0.02
DIGIT_SECONDS = 0.1
VOLUME = 10
ENDS = 3
"""The last packet of a digit is sent so often, for one may be lost (RFC 4733, 2.5.1.4)."""
LOUD = 200
"""Of 32768: less is silence."""
QUIET_BYTES = bytes(code for code, value in enumerate(ALAW_TABLE) if abs(value) <= LOUD)
BEFORE = 0.1
"""Seconds of silence before a digit, without which nothing can be said of what comes after it."""
HEADER = 12


class Sound(NamedTuple):
    """A packet from the line."""

    at: float
    """Seconds since the epoch, by the kernel."""
    loud: bool
    sequence: int


class NoSilence(AssertionError):
    """A prompt was still heard when the digit was pressed."""


class KeypadCaller(Listener):
    """A call with RFC 4733 agreed on. `heard` grows until it is closed."""

    def __init__(self, port: int, number: str, *, to: str = LINE) -> None:
        """port: the line's. number: the caller's. to: the number called."""
        self.heard: list[Sound] = []
        super().__init__(port, number, to=to)
        found = re.search(r"^m=audio (\d+) ", self._answer, re.MULTILINE)
        events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", self._answer, re.MULTILINE)
        assert found and events, f"the line agrees on no RFC 4733 digits: {self._answer}"
        self._peer, self._events = (HOST, int(found[1])), int(events[1])
        self._sequence = random.randrange(2**15)  # noqa: S311 - RFC 3550 wants no secret
        self._timestamp = self._source = random.randrange(2**31)  # noqa: S311
        self._out = self._rtp.dup()

    def _sdp(self) -> str:
        lines = super()._sdp().replace(f"RTP/AVP {8}", f"RTP/AVP 8 {EVENTS}")
        return f"{lines}a=rtpmap:{EVENTS} telephone-event/8000\r\na=fmtp:{EVENTS} 0-16\r\n"

    def _keep(self, data: bytes, more: list[tuple[int, int, bytes]]) -> None:
        (sequence,) = struct.unpack_from("!H", data, 2)
        self.heard.append(Sound(moment(more), is_loud(data[HEADER:]), sequence))

    def press(self, digit: str) -> float:
        """Press a key for a tenth of a second; the moment its end was sent first."""
        self._timestamp = (self._timestamp + SAMPLES) % 2**32
        packets = round(DIGIT_SECONDS / PACKET)
        begin = time.monotonic()
        for number in range(packets):
            self._send(digit, (number + 1) * SAMPLES, marker=number == 0)
            time.sleep(max(begin + (number + 1) * PACKET - time.monotonic(), 0))
        end = time.time()
        for _ in range(ENDS):
            self._send(digit, packets * SAMPLES, end=True)
        return end

    def type(self, digits: str, *, gap: float = DIGIT_SECONDS) -> float:
        """Press these keys, `gap` seconds apart; the moment the last one ended."""
        end = 0.0
        for place, digit in enumerate(digits):
            if place:
                time.sleep(gap)
            end = self.press(digit)
        return end

    def _send(self, digit: str, duration: int, *, marker: bool = False, end: bool = False) -> None:
        self._sequence = (self._sequence + 1) % 2**16
        kind = self._events | (0x80 if marker else 0)
        head = struct.pack("!BBHII", 0x80, kind, self._sequence, self._timestamp, self._source)
        body = struct.pack("!BBH", CODES[digit], VOLUME | (0x80 if end else 0), duration)
        self._out.sendto(head + body, self._peer)

    def quiet_since(self) -> float:
        """The moment of the last loud packet; 0 when there was none."""
        return next((sound.at for sound in reversed(self.heard) if sound.loud), 0.0)

    def wait_quiet(self, seconds: float, *, at_most: float) -> None:
        """Until it has been silent for so long, after something was heard. Raises TimeoutError."""
        until = time.monotonic() + at_most
        while not 0 < self.quiet_since() < time.time() - seconds:
            if time.monotonic() > until:
                raise TimeoutError(f"no prompt, or no end of it, in {at_most:g} s")
            time.sleep(PACKET)

    def close(self) -> None:
        self._out.close()
        super().close()


def is_loud(payload: bytes) -> bool:
    """Whether any sample of these (G.711 a-law) is more than silence."""
    return bool(payload.strip(QUIET_BYTES))


def dead_air(heard: Sequence[Sound], end: float) -> float | None:
    """Seconds from the end of a digit to the next packet that is not silence; None: there was none.

    heard: in the order of arrival. Raises NoSilence.
    """
    if any(sound.loud and end - BEFORE <= sound.at <= end for sound in heard):
        raise NoSilence("a prompt was still heard when the digit was pressed")
    return next((sound.at - end for sound in heard if sound.loud and sound.at > end), None)
