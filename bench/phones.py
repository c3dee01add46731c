"""Operators' telephones by the dozen: one sipp registers them (RFC 3261, 10), answers, talks and hangs up."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from re import compile as compiled

from tests.harness.called_sip import KEPT, answer, bye, keep, short_messages
from tests.harness.closing import Closing
from tests.harness.processes import HOST, Group, TooLate, free_ports, release_ports, wait_for

REGISTERS_SECONDS = 30.0
RATE = 50
"""Registrations a second."""
STAYS_SECONDS = 7200.0
_INVITE = compiled("INVITE sip:([0-9]+)@")


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One INVITE at a telephone; moments in seconds since the epoch."""

    extension: str
    at: float
    answered: bool = False
    over: float | None = None
    """When either side hung up; None: it goes on."""


class Phones(Closing):
    """Registered at `server` (host:port) when made."""

    def __init__(self, server: str, secrets: Mapping[str, str], *, talk: tuple[float, float]) -> None:
        """secrets: passwords by extension. talk: seconds from the answer to the operator's BYE, at least and
        at most; a citizen's BYE before that ends it, too."""
        self.folder = Path(tempfile.mkdtemp(prefix="ekc-phones-"))
        self._count = len(secrets)
        self._ports = first = free_ports()
        (self.folder / "register.xml").write_text(_registers())
        (self.folder / "answer.xml").write_text(_answers(talk))
        rows = (f"{who};[authentication username={who} password={word}];" for who, word in secrets.items())
        (self.folder / "accounts.csv").write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
        argv: list[str | Path | float] = ["sipp", server, "-sf", "register.xml", "-oocsf", "answer.xml"]
        argv += ["-inf", "accounts.csv", "-m", self._count, "-l", self._count, "-r", RATE, "-i", HOST]
        argv += ["-p", first, "-mi", HOST, "-mp", first + 2, "-cp", first + 8, "-t", "u1", "-nostdin", "-aa"]
        argv += ["-trace_shortmsg", "-shortmessage_file", "messages", "-trace_err", "-error_file", "errors"]
        self._group = Group(argv, output=self.folder / "out", cwd=self.folder)
        self._wait_registered()

    @property
    def pid(self) -> int:
        return self._group.pid

    def rung(self) -> list[Rung]:
        """Every INVITE so far, oldest first."""
        return rung(self._rows())

    def errors(self) -> str:
        path = self.folder / "errors"
        return path.read_text(errors="replace")[-2000:] if path.is_file() else ""

    def _wait_registered(self) -> None:
        try:
            wait_for(
                lambda: self._registered() >= self._count, REGISTERS_SECONDS, "the telephones to register"
            )
        except TooLate as late:
            said = f"{late}\n{self.errors()}{self._group.tail(20)}"
            self.close()
            raise TooLate(said) from None

    def _registered(self) -> int:
        return sum(row[5].endswith("REGISTER") and row[6].startswith("SIP/2.0 200") for row in self._rows())

    def _rows(self) -> list[list[str]]:
        return short_messages(self.folder / "messages")

    def close(self) -> None:
        self._group.kill()
        release_ports(self._ports)
        shutil.rmtree(self.folder, ignore_errors=True)


def rung(rows: Iterable[list[str]]) -> list[Rung]:
    """rows: of -trace_shortmsg: date, time, epoch, S or R, Call-ID, CSeq, the first line."""
    calls: dict[str, Rung] = {}
    for _, _, epoch, way, call_id, cseq, first, *_ in rows:
        at, method = float(epoch), cseq.split()[-1]
        known = calls.get(call_id)
        if known is None:
            if way == "R" and (found := _INVITE.match(first)):
                calls[call_id] = Rung(extension=found[1], at=at)
        elif way == "S" and method == "INVITE" and first.startswith("SIP/2.0 200"):
            calls[call_id] = replace(known, answered=True)
        elif known.over is None and first.startswith(("BYE ", "CANCEL ")):
            calls[call_id] = replace(known, over=at)
    return sorted(calls.values(), key=lambda call: call.at)


def _registers() -> str:
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<scenario name="operator registers">',
            _register(1),
            '<recv response="401" auth="true"/>',
            _register(2, "[field1]"),
            '<recv response="200"/>',
            f'<pause milliseconds="{STAYS_SECONDS * 1000:.0f}"/>',
            "</scenario>",
        ]
    )


def _register(number: int, *more: str) -> str:
    address = "<sip:[field0]@[remote_ip]:[remote_port]>"
    lines = [
        "REGISTER sip:[remote_ip]:[remote_port] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        f"From: {address};tag=[pid]-[call_number]",
        f"To: {address}",
        "Call-ID: [call_id]",
        f"CSeq: {number} REGISTER",
        "Contact: <sip:[field0]@[local_ip]:[local_port]>",
        "Max-Forwards: 70",
        "Expires: 3600",
        *more,
        "Content-Length: 0",
        "",
        "",
    ]
    return '<send retrans="500"><![CDATA[\n' + "\n".join(lines) + "\n]]></send>"


def _answers(talk: tuple[float, float]) -> str:
    """180 and at once 200; OPTIONS is how Asterisk asks whether the telephone is there."""
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<scenario name="operator answers">',
            '<recv request="OPTIONS" optional="true" next="over"/>',
            '<recv request="INVITE" rrs="true"><action>',
            *(keep(name, of, what) for name, of, what in KEPT if name in ("from", "to")),
            "</action></recv>",
            answer("180 Ringing"),
            answer("200 OK", sdp=True, retrans=True),
            '<recv request="ACK"/>',
            f'<pause distribution="uniform" min="{talk[0] * 1000:.0f}" max="{talk[1] * 1000:.0f}"/>',
            bye(),
            '<recv response="200" next="end"/>',
            '<label id="over"/>',
            answer("200 OK"),
            '<label id="end"/>',
            "</scenario>",
        ]
    )
