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
            *(_keep(name, of, what) for name, of, what in _KEPT),
            "</action></recv>",
            _answer("180 Ringing"),
            f'<nop next="busy" chance="{BUSY:g}"/>',
            f'<nop next="silent" chance="{SILENT:g}"/>',
            f'<recv request="CANCEL" next="gone" timeout="{ANSWERS_AFTER * 1000:.0f}" ontimeout="answer"/>',
            '<label id="answer"/>',
            _answer("200 OK", sdp=True, retrans=True),
            '<recv request="ACK"/>',
            f'<recv request="BYE" next="over" timeout="{TALKS_AT_MOST * 1000:.0f}" ontimeout="leave"/>',
            '<label id="leave"/>',
            _bye(),
            '<recv response="200" next="end"/>',
            '<label id="silent"/>',
            f'<recv request="CANCEL" next="gone" timeout="{RINGS_AT_MOST * 1000:.0f}" ontimeout="lost"/>',
            '<label id="lost"/>',
            _answer("408 Request Timeout", retrans=True),
            '<recv request="ACK" next="end"/>',
            '<label id="gone"/>',
            _answer("200 OK"),
            _answer("487 Request Terminated", invite=True, retrans=True),
            '<recv request="ACK" next="end"/>',
            '<label id="busy"/>',
            _answer("486 Busy Here", retrans=True),
            '<recv request="ACK" next="end"/>',
            '<label id="over"/>',
            _answer("200 OK"),
            '<label id="end"/>',
            "</scenario>",
        ]
    )


_KEPT = (("cseq", "CSeq:", "[0-9]+"), ("from", "From:", ".*"), ("to", "To:", ".*"))
"""Of INVITE, for what is sent later."""


def _keep(name: str, header: str, what: str) -> str:
    return f'<ereg regexp="{what}" search_in="hdr" header="{header}" assign_to="{name}"/>'


def _bye() -> str:
    """From the side that was called: To and From are those of INVITE, turned round (RFC 3261, 12.2.1.1)."""
    lines = [
        "BYE [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "Max-Forwards: 70",
        "From: [$to];tag=[pid]-[call_number]",
        "To: [$from]",
        "[last_Call-ID:]",
        "CSeq: 1 BYE",
        "Content-Length: 0",
        "",
        "",
    ]
    return '<send retrans="500"><![CDATA[\n' + "\n".join(lines) + "\n]]></send>"


def _answer(status: str, *, sdp: bool = False, invite: bool = False, retrans: bool = False) -> str:
    """invite: the answer is to INVITE, though CANCEL came last."""
    body = ["v=0", "o=- 1 1 IN IP4 [local_ip]", "s=-", "c=IN IP4 [media_ip]", "t=0 0"]
    body += ["m=audio [media_port] RTP/AVP 8", "a=rtpmap:8 PCMA/8000", ""]
    lines = [
        f"SIP/2.0 {status}",
        "[last_Via:]",
        "[last_Record-Route:]",
        "[last_From:]",
        "[last_To:];tag=[pid]-[call_number]",
        "[last_Call-ID:]",
        "CSeq: [$cseq] INVITE" if invite else "[last_CSeq:]",
        "Contact: <sip:citizen@[local_ip]:[local_port]>",
        *(["Content-Type: application/sdp"] if sdp else []),
        f"Content-Length: {'[len]' if sdp else 0}",
        "",
        *(body if sdp else [""]),
    ]
    again = ' retrans="500"' if retrans else ""
    return f"<send{again}><![CDATA[\n" + "\n".join(lines) + "\n]]></send>"
