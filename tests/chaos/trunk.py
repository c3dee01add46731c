"""Citizens who are called back: a sipp behind the trunk, which counts every INVITE and how they overlap.

Some are busy, some do not answer, most do after a moment and talk until somebody hangs up.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.chaos.evidence import Dialled
from tests.chaos.sipp_log import Log, dialled
from tests.harness.called_sip import KEPT, answer, bye, keep
from tests.harness.processes import HOST, Group, free_ports, release_ports

BUSY, SILENT = 0.1, 0.1
"""Of all calls."""
ANSWERS_AFTER = 2.0
"""Seconds of ringing."""
TALKS_AT_MOST = 35.0
"""Seconds; then the citizen hangs up, for whoever called has vanished."""
RINGS_AT_MOST = 25.0
"""Seconds until the network gives up a call that nobody answers nor cancels."""


class Trunk:
    """The outside world as one address."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ekc-trunk-"))
        self.port = first = free_ports()
        (self.folder / "scenario.xml").write_text(_scenario())
        self._log = Log(self.folder / "messages")
        argv: list[str | Path | float] = ["sipp", "-sf", "scenario.xml", "-i", HOST, "-p", first]
        argv += ["-mi", HOST, "-mp", first + 2, "-cp", first + 8, "-t", "u1", "-nostdin", "-aa"]
        argv += ["-trace_shortmsg", "-shortmessage_file", "messages", "-trace_err", "-error_file", "errors"]
        argv += ["-max_non_invite_retrans", 7, "-max_invite_retrans", 7]
        self._group = Group(argv, output=self.folder / "out", cwd=self.folder)

    def calls(self) -> list[Dialled]:
        """Every INVITE that came, oldest first."""
        return sorted(dialled(self._log), key=lambda call: call.invited_at)

    def keep(self, folder: Path) -> None:
        """Copy sipp's logs."""
        for name in ("messages", "errors"):
            with suppress(FileNotFoundError):  # a sipp without errors writes none
                shutil.copy(self.folder / name, folder / f"trunk-{name}")

    def close(self) -> None:
        self._group.kill()
        release_ports(self.port)
        shutil.rmtree(self.folder, ignore_errors=True)


def _scenario() -> str:
    """RFC 3261: 180, then 486, silence until CANCEL, or 200 and a talk until BYE."""
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<scenario name="called citizen">',
            '<recv request="INVITE" rrs="true"><action>',
            *(keep(name, of, what) for name, of, what in KEPT),
            "</action></recv>",
            answer("180 Ringing"),
            f'<nop next="busy" chance="{BUSY:g}"/>',
            f'<nop next="silent" chance="{SILENT:g}"/>',
            f'<recv request="CANCEL" next="gone" timeout="{ANSWERS_AFTER * 1000:.0f}" ontimeout="answer"/>',
            '<label id="answer"/>',
            answer("200 OK", sdp=True, retrans=True),
            '<recv request="ACK"/>',
            f'<recv request="BYE" next="over" timeout="{TALKS_AT_MOST * 1000:.0f}" ontimeout="leave"/>',
            '<label id="leave"/>',
            bye(),
            '<recv response="200" next="end"/>',
            '<label id="silent"/>',
            f'<recv request="CANCEL" next="gone" timeout="{RINGS_AT_MOST * 1000:.0f}" ontimeout="lost"/>',
            '<label id="lost"/>',
            answer("408 Request Timeout", retrans=True),
            '<recv request="ACK" next="end"/>',
            '<label id="gone"/>',
            answer("200 OK"),
            answer("487 Request Terminated", invite=True, retrans=True),
            '<recv request="ACK" next="end"/>',
            '<label id="busy"/>',
            answer("486 Busy Here", retrans=True),
            '<recv request="ACK" next="end"/>',
            '<label id="over"/>',
            answer("200 OK"),
            '<label id="end"/>',
            "</scenario>",
        ]
    )
