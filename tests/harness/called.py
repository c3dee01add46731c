"""Citizens who are called: a sipp behind the trunk. How each behaves is told by the last digit of the number.

It counts on the citizen's side, by SIP alone: who was invited when, who answered, and what overlapped.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path

from tests.harness.called_sip import KEPT, answer, bye, keep, short_messages
from tests.harness.closing import Closing
from tests.harness.processes import HOST, Group, free_ports, release_ports, wait_for

LATE_SECONDS = 40.0
"""Of ringing, for those who answer late."""
RINGS_SECONDS = 1.0
SHORT_SECONDS = 2.0
"""From the answer, for those who hang up soon."""
LONGER_SECONDS = 14.0
"""For those who wait a while."""
_INVITE = re.compile(r"INVITE sip:([+]?[0-9]+)@")
_numbers = count(1)


class Manner(StrEnum):
    """What a citizen does whose number ends in this digit."""

    TALKS = "1"  # answers soon and talks until the other side ends; so does a machine
    BUSY = "2"  # 486
    SILENT = "3"  # rings until the other side gives up
    LATE = "4"  # answers after LATE_SECONDS
    SHORT = "5"  # hangs up after SHORT_SECONDS
    UNKNOWN = "6"  # no such number: 404
    DECLINES = "7"  # 603
    LEAVES = "8"  # hangs up after LONGER_SECONDS


def number_of(manner: Manner) -> str:
    """E.164, of a citizen who was not called yet."""
    return f"+7952{next(_numbers):06}{manner.value}"


@dataclass(frozen=True, kw_only=True)
class Invited:
    """One INVITE that came to a citizen."""

    number: str
    at: datetime
    answered: datetime | None = None
    over: datetime | None = None
    """BYE, CANCEL or a final refusal; None: it goes on."""


class Called(Closing):
    """The outside world behind one address; `port` is free for it before the system is started."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ekc-called-"))
        self.port = first = free_ports()
        (self.folder / "scenario.xml").write_text(_scenario())
        argv: list[str | Path | float] = ["sipp", "-sf", "scenario.xml", "-i", HOST, "-p", first]
        argv += ["-mi", HOST, "-mp", first + 2, "-cp", first + 8, "-t", "u1", "-nostdin", "-aa"]
        argv += ["-trace_shortmsg", "-shortmessage_file", "messages", "-trace_err", "-error_file", "errors"]
        self._group = Group(argv, output=self.folder / "out", cwd=self.folder)

    def invited(self, number: str | None = None) -> list[Invited]:
        """Every INVITE that came, oldest first; with a number those to it."""
        calls: dict[str, Invited] = {}
        for row in self._rows():
            _take(row, calls)
        found = sorted(calls.values(), key=lambda call: call.at)
        return [call for call in found if number in (None, call.number)]

    def _rows(self) -> list[list[str]]:
        return short_messages(self.folder / "messages")

    def wait_invited(self, number: str, timeout: float, *, times: int = 1) -> Invited:
        """The `times`-th INVITE to this citizen."""

        def found() -> Invited | None:
            calls = self.invited(number)
            return calls[times - 1] if len(calls) >= times else None

        return wait_for(found, timeout, f"INVITE {times} to a citizen", step=0.1)

    def wait_answered(self, number: str, timeout: float) -> Invited:
        calls = lambda: next((c for c in self.invited(number) if c.answered is not None), None)  # noqa: E731
        return wait_for(calls, timeout, "the citizen to answer", step=0.1)

    def wait_over(self, number: str, timeout: float, *, times: int = 1) -> Invited:
        """The `times`-th call of this citizen, once it is over."""

        def found() -> Invited | None:
            calls = [call for call in self.invited(number) if call.over is not None]
            return calls[times - 1] if len(calls) >= times else None

        return wait_for(found, timeout, f"the end of call {times} of a citizen", step=0.1)

    def errors(self) -> str:
        path = self.folder / "errors"
        return path.read_text(errors="replace")[-3000:] if path.is_file() else self._group.tail(20)

    def close(self) -> None:
        self._group.kill()
        release_ports(self.port)
        shutil.rmtree(self.folder, ignore_errors=True)


def overlapping(calls: Sequence[Invited]) -> int:
    """How many INVITEs came to a citizen while another one was not over."""
    ends: dict[str, datetime] = {}
    found = 0
    for call in sorted(calls, key=lambda call: call.at):
        found += call.at < ends.get(call.number, call.at)
        over = call.over or datetime.max.replace(tzinfo=UTC)
        ends[call.number] = max(over, ends.get(call.number, over))
    return found


def after_a_talk(calls: Sequence[Invited], seconds: float = 5.0) -> int:
    """How many INVITEs came to a citizen after one that was answered and lasted for so long."""
    talked: dict[str, datetime] = {}
    found = 0
    for call in sorted(calls, key=lambda call: call.at):
        found += call.number in talked and call.at >= talked[call.number]
        if call.answered and call.over and call.over - call.answered >= timedelta(seconds=seconds):
            talked.setdefault(call.number, call.over)
    return found


def _take(row: list[str], calls: dict[str, Invited]) -> None:
    """A line of -trace_shortmsg: date, time, epoch, S or R, Call-ID, CSeq, the first line."""
    at, sent, call_id = datetime.fromtimestamp(float(row[2]), UTC), row[3] == "S", row[4]
    method, first = row[5].split()[-1], row[6]
    if not sent and call_id not in calls and (found := _INVITE.match(first)):
        calls[call_id] = Invited(number=found[1], at=at)
    call = calls.get(call_id)
    if call is None:
        return
    final = first.startswith("SIP/2.0 ") and method == "INVITE" and int(first.split()[1]) >= 200
    if sent and final and first.startswith("SIP/2.0 200"):
        calls[call_id] = replace(call, answered=call.answered or at)
    elif (sent and final) or first.startswith(("BYE ", "CANCEL ")):
        calls[call_id] = replace(call, over=call.over or at)


def _scenario() -> str:
    """RFC 3261: 180, then what the number's last digit says."""
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<scenario name="called citizen">',
            '<recv request="INVITE" rrs="true"><action>',
            *(keep(name, of, what) for name, of, what in KEPT),
            *(keep(f"is{m.value}", "To:", f"[0-9]{m.value}@") for m in Manner if m is not Manner.TALKS),
            "</action></recv>",
            answer("180 Ringing"),
            *(f'<nop next="{m.name}" test="is{m.value}"/>' for m in Manner if m is not Manner.TALKS),
            _rings(RINGS_SECONDS, "talks"),
            *_picked_up("talks"),
            '<recv request="BYE" next="over"/>',
            f'<label id="{Manner.LATE.name}"/>',
            _rings(LATE_SECONDS, "talks"),
            *_hangs_up(Manner.SHORT, SHORT_SECONDS),
            *_hangs_up(Manner.LEAVES, LONGER_SECONDS),
            f'<label id="{Manner.SILENT.name}"/>',
            '<recv request="CANCEL" next="gone"/>',
            *_refuses(Manner.BUSY, "486 Busy Here"),
            *_refuses(Manner.UNKNOWN, "404 Not Found"),
            *_refuses(Manner.DECLINES, "603 Decline"),
            '<label id="gone"/>',
            answer("200 OK"),
            answer("487 Request Terminated", invite=True, retrans=True),
            '<recv request="ACK" next="end"/>',
            '<label id="over"/>',
            answer("200 OK"),
            '<label id="end"/>',
            "</scenario>",
        ]
    )


def _rings(seconds: float, then: str) -> str:
    return f'<recv request="CANCEL" next="gone" timeout="{seconds * 1000:.0f}" ontimeout="{then}"/>'


def _picked_up(label: str) -> list[str]:
    return [f'<label id="{label}"/>', answer("200 OK", sdp=True, retrans=True), '<recv request="ACK"/>']


def _hangs_up(manner: Manner, seconds: float) -> list[str]:
    label, leaves = f"{manner.name}.answers", f"{manner.name}.leaves"
    return [
        f'<label id="{manner.name}"/>',
        _rings(RINGS_SECONDS, label),
        *_picked_up(label),
        f'<recv request="BYE" next="over" timeout="{seconds * 1000:.0f}" ontimeout="{leaves}"/>',
        f'<label id="{leaves}"/>',
        bye(),
        '<recv response="200" next="end"/>',
    ]


def _refuses(manner: Manner, status: str) -> list[str]:
    return [f'<label id="{manner.name}"/>', answer(status, retrans=True), '<recv request="ACK" next="end"/>']
