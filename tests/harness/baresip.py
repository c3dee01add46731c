"""The wire to baresip: netstrings of JSON over its module ctrl_tcp, commands there, events back."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.harness.processes import TooLate


class PhoneError(AssertionError):
    """The phone refused a command, or ended."""


@dataclass(frozen=True, kw_only=True)
class PhoneEvent:
    """What the phone told: REGISTER_OK, REGISTER_FAIL, CALL_INCOMING, CALL_RINGING, CALL_ESTABLISHED, …"""

    type: str
    at: float
    """time.monotonic()"""
    peer: str
    text: str
    """For CALL_CLOSED the reason, for example `486 Busy Here`."""
    display: str = ""
    """The name beside the peer's address."""


@dataclass(kw_only=True)
class Netstrings:
    """Takes bytes, gives the strings that are whole (https://cr.yp.to/proto/netstrings.txt)."""

    _rest: bytes = field(default=b"")

    def feed(self, data: bytes) -> list[bytes]:
        self._rest += data
        whole = []
        while (colon := self._rest.find(b":")) > 0:
            end = colon + 1 + int(self._rest[:colon])
            if len(self._rest) <= end:
                break
            whole.append(self._rest[colon + 1 : end])
            self._rest = self._rest[end + 1 :]
        return whole


def netstring(data: bytes) -> bytes:
    return b"%d:%s," % (len(data), data)


class Control:
    """A connection to one baresip."""

    def __init__(self, link: socket.socket, name: str) -> None:
        """name: of the phone, for messages."""
        self._socket, self.name = link, name
        self.events: list[PhoneEvent] = []
        self._changed = threading.Condition()
        self._answers: dict[str, dict[str, Any]] = {}
        self._token = 0
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"phone-{name}")
        self._reader.start()

    def close(self) -> None:
        with suppress(OSError):  # baresip may have gone first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(10)
        self._socket.close()

    def _read(self) -> None:
        netstrings = Netstrings()
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            for message in netstrings.feed(data):
                self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        with self._changed:
            if message.get("response"):
                self._answers[message.get("token", "")] = message
            elif message.get("event"):
                self.events.append(
                    PhoneEvent(
                        type=message.get("type", ""),
                        at=time.monotonic(),
                        peer=message.get("peeruri", ""),
                        text=message.get("param", ""),
                        display=message.get("peerdisplayname", ""),
                    )
                )
            self._changed.notify_all()

    def command(self, name: str, params: str = "", timeout: float = 5.0) -> str:
        """Run a command of baresip; what it printed. Raises PhoneError when it was refused."""
        with self._changed:
            self._token += 1
            token = str(self._token)
        message = {"command": name, "params": params, "token": token}
        self._socket.sendall(netstring(json.dumps(message).encode()))
        with self._changed:
            if not self._changed.wait_for(lambda: token in self._answers, timeout):
                raise TooLate(f"phone {self.name}: no answer to {name}")
            answer = self._answers.pop(token)
        if not answer.get("ok"):
            raise PhoneError(f"phone {self.name}: {name} {params}: {answer.get('data')}")
        return str(answer.get("data", ""))

    def wait_event(self, *types: str, timeout: float = 10.0, since: int = 0) -> PhoneEvent:
        """The first event of these types at or after the place `since` of `events`; raises TooLate."""

        def found() -> PhoneEvent | None:
            return next((e for e in self.events[since:] if e.type in types), None)

        with self._changed:
            if not self._changed.wait_for(found, timeout):
                seen = [e.type for e in self.events[since:]]
                wanted = "/".join(types)
                raise TooLate(f"phone {self.name}: no {wanted} in {timeout:g} s, but {seen}")
            event = found()
        assert event is not None
        return event
