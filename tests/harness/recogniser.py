"""The line's recogniser in tests: our synthetic model, voices it has never heard, and a bad way to it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal
from zlib import crc32

from tests.harness.closing import Closing
from tests.harness.commands import PROJECT
from tests.harness.processes import HOST
from tests.harness.system import System

Way = Literal["open", "silent"]
MODEL = "ekc-synthetic"


def build_model(folder: Path) -> Path:
    """The model's folder below this one, as `python -m tools.speech_model build` makes it."""
    made = folder / MODEL
    command = [sys.executable, "-m", "tools.speech_model", "build", str(made)]
    subprocess.run(command, cwd=PROJECT, check=True, timeout=120)
    return made


def install_model(system: System, folder: Path) -> None:
    """Build it, install it and take it into use, as a user does, in a system that does not run yet."""
    system.ekc("speech", "install", str(build_model(folder)))
    system.ekc("speech", "use", MODEL)


class Sayings:
    """Sentences as wavs, by voices of espeak-ng that the model was not trained with, through A-law."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def wav(self, text: str, voice: str) -> Path:
        """8 kHz, mono; a third of a second of quiet before and after."""
        out = self.folder / f"{voice}-{crc32(text.encode()):08x}.wav"
        if not out.exists():
            whole, narrow = out.with_suffix(".whole.wav"), out.with_suffix(".alaw.wav")
            espeak = ["espeak-ng", "-v", f"ru+{voice}", "-s", "140", "-w", whole, "--stdin"]
            subprocess.run(espeak, input=text.encode(), check=True, timeout=30)
            quiet = ["gain", "-6", "pad", "0.3", "0.3"]
            subprocess.run(["sox", whole, "-r", "8000", "-c", "1", "-e", "a-law", narrow, *quiet], check=True)
            subprocess.run(["sox", narrow, "-e", "signed", "-b", "16", out], check=True)
        return out

    def noise(self, seconds: float) -> Path:
        """A hiss."""
        out = self.folder / "noise.wav"
        sox = ["sox", "-n", "-r", "8000", "-c", "1", "-b", "16", out, "synth", str(seconds), "whitenoise"]
        subprocess.run([*sox, "vol", "0.1"], check=True, timeout=30)
        return out


class BadWay(Closing):
    """What stands between Asterisk and the recogniser as long as this is open: it can be silent, or cut.

    silent: it agrees upon a websocket and says nothing more, not even that it is gone, for Asterisk 22.10.1
    may die of that (see `ivr.speech.aeap.LATE_SECONDS`). open: it passes everything on, until `cut`.
    """

    def __init__(self, system: System, way: Way) -> None:
        self._system, self._way = system, way
        self._listener = socket.create_server((HOST, 0))
        self._sockets: list[socket.socket] = []
        self._conf = system.state / "asterisk" / "etc" / "aeap.conf"
        self._text = self._conf.read_text()
        target = re.search(r"ws://([\d.]+):(\d+)", self._text)
        assert target is not None, "aeap.conf leads nowhere"
        self._target = target
        self._listening = threading.Thread(target=self._accept, daemon=True)
        self._listening.start()
        self._lead(self._listener.getsockname()[1])

    def _lead(self, port: int) -> None:
        """Have Asterisk connect to this port of loopback."""
        self._conf.write_text(re.sub(r"ws://[\d.]+:\d+", f"ws://{HOST}:{port}", self._text))
        self._system.ekc("asterisk", "console", "module reload res_aeap.so")

    def refuse(self) -> None:
        """From now on nobody is there."""
        self._stop_listening()

    def cut(self) -> None:
        """Every connection that there is."""
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._way == "open":
            self.cut()
        self._stop_listening()
        self._conf.write_text(self._text)
        self._system.ekc("asterisk", "console", "module reload res_aeap.so")

    def _stop_listening(self) -> None:
        with suppress(OSError):  # a thread that accepts is woken by this, not by `close`
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection((self._target[1], int(self._target[2])))
                self._sockets += [here, there]
                for one, other, silent in ((here, there, False), (there, here, self._way == "silent")):
                    threading.Thread(target=_pass_on, args=(one, other, silent), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket, silent: bool) -> None:
    """silent: nothing after the first bytes, by which a websocket is agreed upon."""
    passed = False
    with one, suppress(OSError):
        while data := one.recv(65536):
            if not (silent and passed):
                other.sendall(data)
            passed = True
    if not silent:
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)
