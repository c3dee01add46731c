"""systemd's notification protocol (sd_notify(3)), both ends: a part tells its supervisor that it is ready
and alive by datagrams to the Unix socket that `$NOTIFY_SOCKET` names.

The same engine thus runs under `ekc up` and under systemd (`Type=notify`, `WatchdogSec=5`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ivr.domain.errors import BadInput

MAX_PATH = 100
"""Bytes; the kernel takes 108 with the closing zero (unix(7))."""
MAX_DATAGRAM = 4096
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))


class Beats(Protocol):
    """What a heartbeat reports to besides the supervisor."""

    def set(self, value: float) -> None: ...


class Notifier:
    """The part's end. A supervisor that is gone is no reason for a part to fail: every method tells by its
    result whether the datagram was sent."""

    def __init__(self, address: str | None) -> None:
        """address: a path, `@name` (abstract), or None when nobody listens."""
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Notifier:
        return cls(environment.get("NOTIFY_SOCKET") or None)

    def ready(self) -> bool:
        return self.send(READY="1")

    def beat(self) -> bool:
        return self.send(WATCHDOG="1")

    def status(self, text: str) -> bool:
        """One line of state, never anything personal."""
        return self.send(STATUS=text)

    def stopping(self) -> bool:
        return self.send(STOPPING="1")

    def send(self, **fields: str) -> bool:
        """Raises BadInput for a newline, which would be a second field."""
        if any("\n" in value for value in fields.values()):
            raise BadInput("a notification's value is one line")
        if self._socket is None or self._address is None:
            return False
        datagram = "\n".join(f"{name}={value}" for name, value in fields.items()).encode()
        try:
            self._socket.sendto(datagram, self._address)
        except OSError:  # nobody listens or the queue is full; the next beat tells
            return False
        return True

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


async def heartbeat(
    notifier: Notifier,
    interval: float = 1.0,
    *,
    last: Beats | None = None,
    lag: Beats | None = None,
) -> None:
    """Beat for ever on the running event loop, so that a loop that hangs falls silent.

    interval: seconds, at most a third of the supervisor's patience. last, lag: gauges of the time of the last
    beat (seconds since the epoch) and of its lateness (seconds).
    """
    loop = asyncio.get_running_loop()
    while True:
        notifier.beat()
        if last is not None:
            last.set(time.time())
        due = loop.time() + interval
        await asyncio.sleep(interval)
        if lag is not None:
            lag.set(max(0.0, loop.time() - due))


def watchdog_interval(environment: Mapping[str, str], default: float = 1.0) -> float:
    """Seconds between beats: a third of `$WATCHDOG_USEC`, at most `default` (sd_watchdog_enabled(3))."""
    patience = environment.get("WATCHDOG_USEC", "")
    return min(default, int(patience) / 3e6) if patience.isdigit() and int(patience) else default


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One datagram."""

    pid: int
    """The sender as the kernel knows it."""
    fields: Mapping[str, str]


def parse(datagram: bytes) -> Mapping[str, str]:
    """`NAME=value` lines; what is not of this form is left out, as systemd does."""
    pairs = (line.partition("=") for line in datagram.decode("utf-8", "replace").split("\n"))
    return {name: value for name, equals, value in pairs if equals and name}


class NotifyListener:
    """The supervisor's end: a datagram socket of mode 0600 whose messages carry the sender's pid, set by the
    kernel (SO_PASSCRED), so that no other process can say that a part is alive."""

    def __init__(self, directory: Path, on_message: Callable[[Notification], None]) -> None:
        """directory: where the socket goes if its path is short enough, else into a private temporary
        directory. Raises OSError."""
        self._on_message = on_message
        self._private: Path | None = None
        self.path = directory / "notify"
        if len(os.fsencode(self.path)) > MAX_PATH:
            self._private = Path(tempfile.mkdtemp(prefix="ekc-"))
            self.path = self._private / "notify"
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(str(self.path))
        self.path.chmod(0o600)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_reader(self._socket.fileno(), self.drain)

    def drain(self) -> None:
        """Hand on everything that has arrived; call it before judging that somebody is silent."""
        while (message := self._receive()) is not None:
            self._on_message(message)

    def _receive(self) -> Notification | None:
        room = socket.CMSG_SPACE(_CREDENTIALS.size)
        try:
            data, ancillary, _, _ = self._socket.recvmsg(MAX_DATAGRAM, room, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return None
        pid = 0
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                pid = _CREDENTIALS.unpack(payload[: _CREDENTIALS.size])[0]
        return Notification(pid=pid, fields=parse(data))

    def close(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        if loop is not None:
            loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self.path.unlink(missing_ok=True)
        if self._private is not None:
            shutil.rmtree(self._private)
