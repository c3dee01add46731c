"""Tells a program of the site's about each new alarm: `alarm.command` (docs/settings.md).

In a thread of its own, one alarm after the other, niced and with a time limit: whatever the program does, no
call waits for it.
"""

from __future__ import annotations

import json
import os
import queue
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ivr.observe import get_logger
from ivr.services.alarms import Alarm
from ivr.settings import AlarmSettings

NICENESS = 10
WAITING = 32
"""Alarms that may wait to be told; further ones stand in `ekc status` only."""
_log = get_logger("ivr.alarms")


class AlarmCommand:
    """The program and who waits to be told. Without a command nothing is told and no thread is made."""

    def __init__(self, settings: AlarmSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._argv = shlex.split(settings.command)
        self._seconds = settings.seconds
        self._again_seconds = settings.again_seconds
        self._monotonic = monotonic
        self._told: dict[str, float] = {}
        self._waiting: queue.Queue[Alarm | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None

    def tell(self, key: str, alarm: Alarm) -> None:
        """Never waits. An alarm that goes and comes back within `again_seconds` is told once."""
        now = self._monotonic()
        last = self._told.get(key)
        if not self._argv or (last is not None and now - last < self._again_seconds):
            return
        self._told[key] = now
        try:
            self._waiting.put_nowait(alarm)
        except queue.Full:
            _log.error("alarm_untold", key=key, why="too many wait")
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="alarm-command", daemon=True)
            self._thread.start()

    def close(self, seconds: float) -> None:
        """Let what waits be told for so long."""
        if self._thread is not None:
            with suppress(queue.Full):
                self._waiting.put(None, timeout=seconds)
            self._thread.join(seconds)

    def _work(self) -> None:
        while (alarm := self._waiting.get()) is not None:
            if why := self._run(alarm):
                _log.error("alarm_untold", program=Path(self._argv[0]).name, why=why)

    def _run(self, alarm: Alarm) -> str:
        """Why it was not told, or nothing."""
        quiet = subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                self._argv, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
            )
        except OSError as error:
            return error.strerror or type(error).__name__
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            process.communicate(document(alarm), self._seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):  # and all it has started
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"it took more than {self._seconds:g} s"
        return f"it ended with exit code {process.returncode}" if process.returncode else ""


def document(alarm: Alarm) -> bytes:
    """What the program reads: one line of JSON with the keys of `ekc status`."""
    fields = {"since": alarm.since.isoformat("T", "seconds"), "what": alarm.what, "remedy": alarm.remedy}
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"
