"""A softphone without a screen (baresip): a citizen's or an operator's telephone, driven by the test.

    with Softphone("201", password=secret, server=f"127.0.0.1:{port}", answers=True) as phone:
        phone.register()
        phone.dial("*11")

Commands and events: tests/harness/baresip.py.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.harness.baresip import Control, PhoneError, PhoneEvent
from tests.harness.closing import Closing
from tests.harness.processes import HOST, Group, TooLate, free_ports, release_ports, wait_for
from tests.harness.voices import repeated

MODULES = Path("/usr/lib/baresip/modules")
RTP_PORTS = 20
"""A call takes two, and an operator's phone may have one ending and one beginning."""
PORT_BLOCKS = 1 + RTP_PORTS // 10
KEY_GAP = 0.25
"""Seconds from key to key; baresip takes so long for one, and would send faster ones late."""


class Softphone(Closing):
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
        port: int | None = None,
    ) -> None:
        """user: the extension, or the caller's number. server: host:port of the line or of the operators.

        answers: takes calls by itself. speech: a wav that it says again and again.
        domain: of its own address, any will do.
        record: a folder for what it hears; by default one of its own, erased by `close`.
        port: where it is called; the first of PORT_BLOCKS blocks that are free for it.
        """
        self.user, self.server, self.password, self.transport = user, server, password, transport
        self.answers, self.speech, self.display = answers, speech, display
        self.domain = "anonymous.invalid" if anonymous else (domain or server)
        self.from_user = "anonymous" if anonymous else user
        self.folder = Path(tempfile.mkdtemp(prefix="ekc-phone-"))
        self.record = record or self.folder
        try:
            self._start(port)
        except BaseException:
            self.close()
            raise

    # --- life ---

    def _start(self, port: int | None) -> None:
        self.port = port or free_ports(PORT_BLOCKS)
        control = self.port + 5
        (self.folder / "accounts").write_text("")
        (self.folder / "contacts").write_text("")
        if self.speech is not None:
            self.speech = repeated(self.speech, self.folder / "speech.wav")
        (self.folder / "config").write_text(self._config(control))
        self._group = Group(["baresip", "-4", "-f", self.folder], output=self.folder / "log")
        link = wait_for(lambda: self._connect(control), 10, "baresip to start")
        self._control = Control(link, self.user)
        self._control.command("uanew", self._account())

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
        if (control := getattr(self, "_control", None)) is not None:
            control.close()
        if (group := getattr(self, "_group", None)) is not None:
            group.kill()
        if (port := getattr(self, "port", None)) is not None:
            release_ports(port, PORT_BLOCKS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def die_and_close(self) -> None:
        """As if its plug was pulled: no BYE, no more sound, no farewell to the server."""
        self._group.kill()
        self.close()

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
        self._control.command("dial", uri)
        if not wait:
            return
        event = self.wait_event("CALL_ESTABLISHED", "CALL_CLOSED", timeout=timeout, since=mark)
        if event.type == "CALL_CLOSED":
            raise PhoneError(f"phone {self.user}: the call to {target} failed: {event.text}")

    def answer(self, timeout: float = 15.0) -> None:
        """Take the call that rings, or the next one that will."""
        wait_for(lambda: self.state == "ringing", timeout, f"phone {self.user} to ring")
        mark = self.mark()
        self._control.command("accept")
        self.wait_event("CALL_ESTABLISHED", timeout=10, since=mark)

    def hang_up(self, timeout: float = 10.0, *, wait: bool = True) -> None:
        """End the call, with `wait` until it is over; nothing happens when there is none."""
        if self.state == "idle":
            return
        mark = self.mark()
        self._control.command("hangup")
        if wait:  # for this call alone: the next one may ring at once
            self.wait_event("CALL_CLOSED", timeout=timeout, since=mark)

    def hold(self) -> None:
        """Put the other side on hold (RFC 3264, 8.4)."""
        self._control.command("hold")

    def resume(self) -> None:
        self._control.command("resume")

    def wait_hung_up(self, timeout: float) -> PhoneEvent:
        """Wait until the call is over, whoever ended it."""
        wait_for(lambda: self.state == "idle", timeout, f"the call of phone {self.user} to end")
        return next(e for e in reversed(self.events) if e.type == "CALL_CLOSED")

    def wait_talking(self, timeout: float = 15.0) -> None:
        wait_for(lambda: self.state == "talking", timeout, f"phone {self.user} to be in a call")

    def speak(self, wav: Path) -> None:
        """Say from now on what is in the file; the call ends with it (voices.once, voices.repeated)."""
        self._control.command("ausrc", f"aufile,{wav}")

    def refer(self, uri: str) -> None:
        """Its own transfer key: a REFER to this address."""
        self._control.command("transfer", uri)

    def press(self, key: str) -> None:
        """One key, by RFC 4733."""
        self._control.command("sndcode", key)

    def press_all(self, keys: str, gap: float = KEY_GAP) -> None:
        """Keys one after the other, `gap` seconds apart."""
        for key in keys:
            self.press(key)
            time.sleep(gap)

    @property
    def events(self) -> list[PhoneEvent]:
        """Everything it has told, oldest first."""
        return self._control.events

    def wait_event(self, *types: str, timeout: float = 10.0, since: int = 0) -> PhoneEvent:
        """The first event of these types at or after the place `since` of `events`; raises TooLate."""
        try:
            return self._control.wait_event(*types, timeout=timeout, since=since)
        except TooLate as late:
            raise TooLate(f"{late}\n{self._group.tail()}") from None

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
