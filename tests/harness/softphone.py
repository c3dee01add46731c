"""A softphone without a screen (baresip): a citizen's or an operator's telephone, driven by the test.

    with Softphone("201", password=secret, server=f"127.0.0.1:{port}", answers=True) as phone:
        phone.register()
        phone.dial("*11")

Commands and events go over baresip's module ctrl_tcp: netstrings of JSON.
"""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.harness.processes import HOST, Group, TooLate, free_ports, release_ports, wait_for

MODULES = Path("/usr/lib/baresip/modules")
RTP_PORTS = 20
"""A call takes two, and an operator's phone may have one ending and one beginning."""
PORT_BLOCKS = 1 + RTP_PORTS // 10
KEY_GAP = 0.25
"""Seconds from key to key; baresip takes so long for one, and would send faster ones late."""


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


class Softphone:
    """One phone. Its folder, process and ports are its own and are gone after `close`."""

    def __init__(
        self,
        user: str,
        *,
        server: str,
        password: str | None = None,
        transport: str = "udp",
        answers: bool = False,
        speech: Path | None = None,
        domain: str | None = None,
        display: str = "",
        anonymous: bool = False,
        record: Path | None = None,
    ) -> None:
        """user: the extension, or the caller's number. server: host:port of the line or of the operators.

        answers: takes calls by itself. speech: a wav that it speaks. domain: of its own address, any will do.
        record: a folder for what it hears; by default one of its own, erased by `close`.
        """
        self.user, self.server, self.password, self.transport = user, server, password, transport
        self.answers, self.speech, self.display = answers, speech, display
        self.domain = "anonymous.invalid" if anonymous else (domain or server)
        self.from_user = "anonymous" if anonymous else user
        self.folder = Path(tempfile.mkdtemp(prefix="ekc-phone-"))
        self.record = record or self.folder
        self.events: list[PhoneEvent] = []
        self._changed = threading.Condition()
        self._answers: dict[str, dict[str, Any]] = {}
        self._token = 0
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    # --- life ---

    def _start(self) -> None:
        self.port = free_ports(PORT_BLOCKS)
        control = self.port + 5
        (self.folder / "accounts").write_text("")
        (self.folder / "contacts").write_text("")
        (self.folder / "config").write_text(self._config(control))
        self._group = Group(["baresip", "-4", "-f", self.folder], output=self.folder / "log")
        self._socket: socket.socket = wait_for(lambda: self._connect(control), 10, "baresip to start")
        threading.Thread(target=self._read, daemon=True, name=f"phone-{self.user}").start()
        self.command("uanew", self._account())

    def _config(self, control: int) -> str:
        modules = [f"module {m}.so" for m in ("g711", "aufile", "aubridge", "sndfile")]
        speech = f"aufile,{self.speech}" if self.speech else f"aubridge,{self.user}"
        return "\n".join(
            [
                "poll_method epoll",
                f"sip_listen {HOST}:{self.port}",
                f"audio_source {speech}",
                f"audio_player aubridge,{self.user}",
                f"audio_alert aubridge,{self.user}-alert",
                "ringback_disabled yes",
                "statmode_default off",
                f"snd_path {self.record}",
                f"rtp_ports {self.port + 10}-{self.port + 9 + RTP_PORTS}",
                f"module_path {MODULES}",
                *modules,
                "module_tmp account.so",
                "module_app menu.so",
                "module ctrl_tcp.so",
                f"ctrl_tcp_listen {HOST}:{control}",
                "",
            ]
        )

    def _account(self) -> str:
        name = f'"{self.display}" ' if self.display else ""
        parts = [
            f"{name}<sip:{self.from_user}@{self.domain};transport={self.transport}>",
            f'outbound="sip:{self.server};transport={self.transport}"',
            f"answermode={'auto' if self.answers else 'manual'}",
            f"regint={60 if self.password else 0}",
        ]
        if self.password:
            parts += [f"auth_user={self.user}", f"auth_pass={self.password}"]
        return ";".join(parts)

    def _connect(self, control: int) -> socket.socket | None:
        if not self._group.alive:
            raise PhoneError(f"baresip ended:\n{self._group.tail()}")
        try:
            found = socket.create_connection((HOST, control), timeout=2)
        except OSError:
            return None
        found.settimeout(None)
        return found

    def close(self) -> None:
        """End the phone and erase its folder; safe to repeat."""
        if (link := getattr(self, "_socket", None)) is not None:
            link.close()
        if (group := getattr(self, "_group", None)) is not None:
            group.kill()
        if (port := getattr(self, "port", None)) is not None:
            release_ports(port, PORT_BLOCKS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- the wire ---

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
                raise TooLate(f"phone {self.user}: no answer to {name}\n{self._group.tail()}")
            answer = self._answers.pop(token)
        if not answer.get("ok"):
            raise PhoneError(f"phone {self.user}: {name} {params}: {answer.get('data')}")
        return str(answer.get("data", ""))

    def wait_event(self, *types: str, timeout: float = 10.0, since: int = 0) -> PhoneEvent:
        """The first event of these types at or after the place `since` of `events`; raises TooLate."""

        def found() -> PhoneEvent | None:
            return next((e for e in self.events[since:] if e.type in types), None)

        with self._changed:
            if not self._changed.wait_for(found, timeout):
                seen = [e.type for e in self.events[since:]]
                wanted = "/".join(types)
                raise TooLate(
                    f"phone {self.user}: no {wanted} in {timeout:g} s, but {seen}\n{self._group.tail()}"
                )
            event = found()
        assert event is not None
        return event

    # --- what a person does ---

    def register(self, timeout: float = 10.0) -> None:
        """Wait until the server knows this phone; raises PhoneError when it refuses."""
        event = self.wait_event("REGISTER_OK", "REGISTER_FAIL", timeout=timeout)
        if event.type == "REGISTER_FAIL":
            raise PhoneError(f"phone {self.user} was not registered: {event.text}")

    def dial(self, target: str, *, wait: bool = True, timeout: float = 15.0) -> None:
        """Call an extension, a number or a URI; with `wait` until it is answered; PhoneError if it is not."""
        mark = self.mark()
        uri = target if target.startswith("sip:") else f"sip:{target}@{self.server}"
        self.command("dial", uri)
        if not wait:
            return
        event = self.wait_event("CALL_ESTABLISHED", "CALL_CLOSED", timeout=timeout, since=mark)
        if event.type == "CALL_CLOSED":
            raise PhoneError(f"phone {self.user}: the call to {target} failed: {event.text}")

    def answer(self, timeout: float = 15.0) -> None:
        """Take the call that rings, or the next one that will."""
        wait_for(lambda: self.state == "ringing", timeout, f"phone {self.user} to ring")
        mark = self.mark()
        self.command("accept")
        self.wait_event("CALL_ESTABLISHED", timeout=10, since=mark)

    def hang_up(self, timeout: float = 10.0) -> None:
        """End the call; nothing happens when there is none."""
        if self.state == "idle":
            return
        self.command("hangup")
        wait_for(lambda: self.state == "idle", timeout, f"phone {self.user} to hang up")

    def wait_hung_up(self, timeout: float) -> PhoneEvent:
        """Wait until the call is over, whoever ended it."""
        wait_for(lambda: self.state == "idle", timeout, f"the call of phone {self.user} to end")
        return next(e for e in reversed(self.events) if e.type == "CALL_CLOSED")

    def wait_talking(self, timeout: float = 15.0) -> None:
        wait_for(lambda: self.state == "talking", timeout, f"phone {self.user} to be in a call")

    def press(self, key: str) -> None:
        """One key, by RFC 4733."""
        self.command("sndcode", key)

    def press_all(self, keys: str, gap: float = KEY_GAP) -> None:
        """Keys one after the other, `gap` seconds apart."""
        for key in keys:
            self.press(key)
            time.sleep(gap)

    def mark(self) -> int:
        """The place in `events` that the next event will have."""
        return len(self.events)

    @property
    def state(self) -> str:
        """idle, calling, ringing (somebody calls this phone) or talking."""
        known = {"CALL_INCOMING": "ringing", "CALL_ESTABLISHED": "talking", "CALL_CLOSED": "idle"}
        for event in reversed(self.events):
            if event.type in known:
                return known[event.type]
            if event.type in ("CALL_RINGING", "CALL_PROGRESS", "CALL_OUTGOING"):
                return "calling"
        return "idle"

    def heard(self) -> list[Path]:
        """What it has heard, a wav for each call, oldest first; a file is whole once its call is over."""
        return sorted(self.record.glob("dump-*-dec.wav"), key=_age)


def _age(path: Path) -> float:
    return path.stat().st_mtime


def registered(make: Callable[[], Softphone]) -> Softphone:
    """A phone that is registered, or none: it is closed when it is refused."""
    phone = make()
    try:
        phone.register()
    except BaseException:
        phone.close()
        raise
    return phone
