"""The part of Asterisk, in a process of its own: says an AGI environment, then answers every command at once.

`python -m bench.wire_load` prints one JSON document, an `Outcome`. Sockets and epoll with nothing between, so
that the server is the slower side; whether it was is told by `cpu_pct`.
"""

from __future__ import annotations

import argparse
import gc
import json
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from bench.figures import percentile

HOST = "127.0.0.1"
ROUTE = "bench"
NAME, VALUE = "BENCH", "1"
COMMAND = f'SET VARIABLE "{NAME}" "{VALUE}"\n'.encode()
"""What every contestant says, byte for byte."""
REPLY = b"200 result=0\n"
ENVIRONMENT = "".join(
    f"agi_{line}\n"
    for line in (
        "network: yes",
        f"network_script: {ROUTE}",
        f"request: agi://{HOST}/{ROUTE}",
        "channel: PJSIP/bench-00000001",
        "language: ru",
        "type: PJSIP",
        "uniqueid: 1700000000.1",
        "version: 22.10.1",
        "callerid: unknown",
        "calleridname: unknown",
        "callingpres: 0",
        "callingani2: 0",
        "callington: 0",
        "callingtns: 0",
        "dnid: unknown",
        "rdnis: unknown",
        "context: bench",
        "extension: s",
        "priority: 1",
        "enhanced: 0.0",
        "accountcode: ",
        "threadid: 140000000000000",
    )
).encode()
PATIENCE = 5.0
"""Seconds for a connection to be made, and for all calls to say their first command."""
WARM_UP = 0.25
"""Of the measured seconds, before them."""
MUTE = f"no first command in {PATIENCE:g} s"
SILENT = f"no command in {PATIENCE:g} s"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One contestant, one round, one number of connections."""

    commands: int
    """Answered in the measured time."""
    per_second: float
    p50_us: float
    """Round trip: from the reply being sent to the next command being read. 0 without commands."""
    p99_us: float
    cpu_pct: float
    """Of a core, taken by this load itself."""
    failures: dict[str, int] = field(default_factory=dict)
    """Connections by what went wrong with them."""


@dataclass(frozen=True, kw_only=True)
class Speech:
    """What is said first, and what is then heard again and again."""

    opening: bytes
    expected: bytes


AGI = Speech(opening=ENVIRONMENT + b"\n", expected=COMMAND)
ECHO = Speech(opening=REPLY, expected=REPLY)


class Load:
    """All connections of one measurement."""

    def __init__(self, speech: Speech) -> None:
        self.trips: list[int] = []
        """Nanoseconds, one for each command."""
        self.failures: Counter[str] = Counter()
        self._speech = speech
        self._poll = select.epoll()
        self._lines: dict[int, socket.socket] = {}
        self._sent: dict[int, int] = {}
        self._pieces: dict[int, bytes] = {}

    def connect(self, port: int, connections: int) -> None:
        for _ in range(connections):
            try:
                line = socket.create_connection((HOST, port), PATIENCE)
            except OSError as error:
                self.failures[f"not connected: {type(error).__name__}"] += 1
                continue
            line.setblocking(False)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines[line.fileno()] = line
            self._poll.register(line.fileno(), select.EPOLLIN)

    def open(self) -> None:
        """Begin all calls, and go on when each has said its first command: none has a start over another."""
        for number, line in tuple(self._lines.items()):
            self._say(number, line, self._speech.opening)
        until = time.monotonic() + PATIENCE
        waiting = set(self._lines)
        while waiting and (left := until - time.monotonic()) > 0:
            for number, _ in self._poll.poll(left):
                if self._heard(number, self._lines[number], self._speech.expected):
                    waiting.discard(number)
            waiting &= self._lines.keys()
        for number in waiting:
            self._give_up(number, MUTE)
        for number, line in tuple(self._lines.items()):
            self._say(number, line, REPLY)

    def exchange(self, seconds: float) -> float:
        """Answer for so long; the seconds it really took."""
        lines, trips, sent, expected = self._lines, self.trips, self._sent, self._speech.expected
        clock = time.perf_counter_ns
        begin = now = clock()
        until = begin + int(seconds * 1e9)
        while now < until and lines:
            for number, _ in self._poll.poll((until - now) / 1e9):
                line = lines[number]
                if not self._heard(number, line, expected):
                    continue
                now = clock()
                trips.append(now - sent[number])
                self._say(number, line, REPLY)
            now = clock()
        return (now - begin) / 1e9

    def hear_from_all(self, since: int) -> None:
        """Go on until each has heard a command after `since` (of perf_counter_ns) or has failed."""
        until = time.monotonic() + PATIENCE
        while (silent := self._silent(since)) and time.monotonic() < until:
            self.exchange(0.01)
        for number in silent:
            self._give_up(number, SILENT)

    def _silent(self, since: int) -> list[int]:
        return [number for number in self._lines if self._sent[number] < since]

    def close(self) -> None:
        self._poll.close()
        for line in self._lines.values():
            line.close()

    def _heard(self, number: int, line: socket.socket, expected: bytes) -> bool:
        """Whether the command is whole; anything else than it ends the connection."""
        try:
            data = line.recv(4096)
        except OSError as error:
            self._give_up(number, type(error).__name__)
            return False
        if data == expected and number not in self._pieces:
            return True
        if not data:
            self._give_up(number, "closed by the server")
            return False
        data = self._pieces.pop(number, b"") + data
        if data == expected:
            return True
        if expected.startswith(data):
            self._pieces[number] = data
        else:
            self._give_up(number, "another command than expected")
        return False

    def _say(self, number: int, line: socket.socket, data: bytes) -> None:
        self._sent[number] = time.perf_counter_ns()
        try:
            line.sendall(data)
        except OSError as error:
            self._give_up(number, type(error).__name__)

    def _give_up(self, number: int, why: str) -> None:
        self.failures[why] += 1
        self._poll.unregister(number)
        self._lines.pop(number).close()


def measure(speech: Speech, *, port: int, connections: int, seconds: float) -> Outcome:
    gc.disable()
    load = Load(speech)
    try:
        load.connect(port, connections)
        load.open()
        load.exchange(seconds * WARM_UP)
        load.trips.clear()
        begin, worked = time.perf_counter_ns(), time.process_time()
        took = load.exchange(seconds)
        worked = time.process_time() - worked
        trips = tuple(load.trips)
        load.hear_from_all(begin)
    finally:
        load.close()
    return outcome(trips, took, worked, load.failures)


def outcome(trips: Iterable[int], took: float, worked: float, failures: Counter[str]) -> Outcome:
    """trips: nanoseconds; took and worked: seconds by the clock and of CPU."""
    ordered = sorted(trips)
    return Outcome(
        commands=len(ordered),
        per_second=len(ordered) / took if took else 0.0,
        p50_us=percentile(ordered, 0.5) / 1000 if ordered else 0.0,
        p99_us=percentile(ordered, 0.99) / 1000 if ordered else 0.0,
        cpu_pct=100 * worked / took if took else 0.0,
        failures=dict(+failures),
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.wire_load")
    parser.add_argument("--echo", action="store_true")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    result = measure(
        ECHO if given.echo else AGI, port=given.port, connections=given.connections, seconds=given.seconds
    )
    json.dump(asdict(result), sys.stdout)


if __name__ == "__main__":
    main()
