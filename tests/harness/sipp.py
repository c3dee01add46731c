"""Citizens as sipp scenarios: exact SIP, exact moments, and load.

    calls = Sipp(line).run(Scenario(steps=[Key("1", after=0.5), HangUp(after=1.2)]), numbers=["79123456789"])
    assert calls[0].status == 200 and calls[0].ended_by == "us"

Keys go by SIP INFO (application/dtmf-relay), for RFC 4733 from a pcap would need root: tests/harness/world.py
has that.
"""

from __future__ import annotations

import csv
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness.processes import HOST, Group, TooLate, free_ports, release_ports

LINE = "88006000000"
_SHORT_MESSAGE_FIELDS = 7


@dataclass(frozen=True)
class Key:
    """Press a key `after` seconds."""

    digit: str
    after: float = 0.0


@dataclass(frozen=True)
class HangUp:
    """Send BYE `after` seconds."""

    after: float = 0.0


@dataclass(frozen=True)
class HungUpOn:
    """The line must end the call within so many seconds."""

    within: float


Step = Key | HangUp | HungUpOn


def typed(digits: str, *, first: float = 0.0, gap: float = 0.1) -> list[Step]:
    """These keys, the first after `first` seconds, the others `gap` seconds apart."""
    return [Key(d, first if n == 0 else gap) for n, d in enumerate(digits)]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One call from INVITE to BYE."""

    steps: Sequence[Step] = (HangUp(1.0),)
    to: str = LINE
    expects: int = 200
    """The final answer to INVITE; with any other than 200 the steps are not walked."""
    cancel_after: float | None = None
    """Seconds from the first ringing to CANCEL; then 487 is expected."""
    asserted: str | None = None
    """User of P-Asserted-Identity."""
    privacy: str | None = None
    """For example `id`."""
    headers: Sequence[str] = ()
    """More headers of the INVITE, `Name: value`."""
    anonymous: bool = False
    """From is sip:anonymous@anonymous.invalid."""
    display: str = ""
    """Name in From."""

    def xml(self) -> str:
        """As sipp reads it; field0 of the injected file is the caller's number."""
        if self.cancel_after is not None:
            body = [self._invite(), *_ringing(required=True), _pause(self.cancel_after), self._cancel()]
            body += ['<recv response="200"/>', '<recv response="487"/>', self._request("ACK", 1)]
        elif self.expects != 200:
            body = [self._invite(), *_ringing(), f'<recv response="{self.expects}"/>']
            body += [self._request("ACK", 1)]
        else:
            body = [self._invite(), *_ringing(), '<recv response="200" rrs="true"/>']
            body += [self._request("ACK", 1, accepted=True), *self._walk()]
        return "\n".join([_XML, '<scenario name="citizen">', *body, "</scenario>"])

    def _walk(self) -> list[str]:
        parts: list[str] = []
        for number, step in enumerate(self.steps, 2):
            if isinstance(step, HungUpOn):
                parts += [f'<recv request="BYE" timeout="{round(step.within * 1000)}"/>', _OK_TO_BYE]
                continue
            parts += [_pause(step.after)] if step.after else []
            if isinstance(step, Key):
                body = f"Signal={step.digit}\r\nDuration=100"
                more = ("Content-Type: application/dtmf-relay",)
                parts += [self._request("INFO", number, more=more, body=body), '<recv response="200"/>']
            else:
                parts += [self._request("BYE", number), '<recv response="200"/>']
        return parts

    @property
    def _from(self) -> str:
        name = f'"{self.display}" ' if self.display else ""
        who = "anonymous@anonymous.invalid" if self.anonymous else "[field0]@[local_ip]:[local_port]"
        return f"From: {name}<sip:{who}>;tag=[pid]-[call_number]"

    def _invite(self) -> str:
        more = list(self.headers)
        if self.asserted is not None:
            more.append(f"P-Asserted-Identity: <sip:{self.asserted}@{HOST}>")
        if self.privacy is not None:
            more.append(f"Privacy: {self.privacy}")
        more += ["Max-Forwards: 70", "Content-Type: application/sdp"]
        return self._request("INVITE", 1, more=tuple(more), body=_SDP, tag="")

    def _cancel(self) -> str:
        return self._request("CANCEL", 1, tag="")

    def _request(
        self,
        method: str,
        cseq: int,
        *,
        more: Sequence[str] = (),
        body: str = "",
        tag: str = "[peer_tag_param]",
        accepted: bool = False,
    ) -> str:
        """CANCEL and the ACK to a refusal have the branch of INVITE, the ACK to 200 one of its own.

        RFC 3261, 9.1, 17.1.1.3 and 13.2.2.4.
        """
        uri = f"sip:{self.to}@[remote_ip]:[remote_port]"
        branch = f"z9hG4bK-[pid]-[call_number]-{cseq}{'a' if accepted else ''}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}",
            self._from,
            f"To: <{uri}>{tag}",
            "Call-ID: [call_id]",
            f"CSeq: {cseq} {method}",
            "Contact: <sip:citizen@[local_ip]:[local_port];transport=[transport]>",
            *more,
            f"Content-Length: {'[len]' if body else 0}",
            "",
            body,
        ]
        retransmits = "" if method == "ACK" else ' retrans="500"'
        return f"<send{retransmits}><![CDATA[\n" + "\n".join(lines) + "\n]]></send>"


_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_SDP = "\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP[local_ip_type] [local_ip]",
        "s=-",
        "c=IN IP[media_ip_type] [media_ip]",
        "t=0 0",
        "m=audio [media_port] RTP/AVP 8",
        "a=rtpmap:8 PCMA/8000",
    ]
)
_OK_TO_BYE = (
    "<send><![CDATA[\n"
    + "\n".join(
        [
            "SIP/2.0 200 OK",
            "[last_Via:]",
            "[last_From:]",
            "[last_To:]",
            "[last_Call-ID:]",
            "[last_CSeq:]",
            "Content-Length: 0",
            "",
            "",
        ]
    )
    + "\n]]></send>"
)


def _pause(seconds: float) -> str:
    return f'<pause milliseconds="{round(seconds * 1000)}"/>'


def _ringing(required: bool = False) -> list[str]:
    codes = ("100", "180", "183")
    parts = [f'<recv response="{code}" optional="true"/>' for code in codes]
    return [parts[0], '<recv response="180"/>'] if required else parts


# --- running -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Message:
    """One SIP message of a call, as sipp saw it."""

    at: datetime
    sent: bool
    method: str
    """Of its CSeq, for a response too."""
    status: int | None
    """None for a request."""


@dataclass(kw_only=True)
class SippCall:
    """How one call went."""

    call_id: str
    """SIP Call-ID: the same as in the product's arrivals.log."""
    number: str
    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The final answer to INVITE; 0 when none came."""
        finals = [m.status for m in self.messages if m.method == "INVITE" and (m.status or 0) >= 200]
        return finals[0] or 0 if finals else 0

    @property
    def ended_by(self) -> str:
        """Who sent BYE: us, them, or nobody."""
        byes = [m for m in self.messages if m.method == "BYE" and m.status is None]
        return "nobody" if not byes else "us" if byes[0].sent else "them"

    @property
    def answered_after(self) -> float | None:
        """Seconds from INVITE to its final answer."""
        return self._between(self._first("INVITE"), self._final())

    @property
    def lasted(self) -> float | None:
        """Seconds from the answer to BYE."""
        return self._between(self._final(), self._first("BYE"))

    @property
    def refused_keys(self) -> int:
        """Keys that the line did not take."""
        return sum(m.method == "INFO" and (m.status or 0) >= 300 for m in self.messages)

    def _first(self, method: str) -> Message | None:
        return next((m for m in self.messages if m.method == method and m.status is None), None)

    def _final(self) -> Message | None:
        return next((m for m in self.messages if m.method == "INVITE" and (m.status or 0) >= 200), None)

    @staticmethod
    def _between(first: Message | None, last: Message | None) -> float | None:
        return (last.at - first.at).total_seconds() if first and last else None


class Sipp:
    """Runs a scenario against one address. `start` goes on at once, `run` waits."""

    def __init__(
        self,
        server: str,
        scenario: Scenario,
        *,
        numbers: Sequence[str] = ("79123456789",),
        calls: int | None = None,
        rate: float = 10.0,
        at_once: int | None = None,
        transport: str = "udp",
    ) -> None:
        """server: host:port. numbers: the callers, taken in turn. calls: how many in all (one a number).

        rate: new calls a second. at_once: no more than so many at a time.
        """
        self.numbers, self.count = list(numbers), calls or len(numbers)
        self.folder = Path(tempfile.mkdtemp(prefix="ekc-sipp-"))
        self._token = secrets.token_hex(4)
        self._ports = first = free_ports()
        (self.folder / "scenario.xml").write_text(scenario.xml())
        (self.folder / "numbers.csv").write_text(
            "\n".join(["SEQUENTIAL", *(f"{n};" for n in self.numbers)]) + "\n"
        )
        argv: list[str | Path | float] = [
            "sipp",
            server,
            "-sf",
            "scenario.xml",
            "-inf",
            "numbers.csv",
            "-m",
            self.count,
            "-r",
            rate,
        ]
        argv += ["-i", HOST, "-p", first, "-mi", HOST, "-mp", first + 2, "-cp", first + 8]
        argv += ["-cid_str", f"%u-{self._token}", "-nostdin", "-t", "t1" if transport == "tcp" else "u1"]
        argv += ["-l", at_once or self.count, "-recv_timeout", 120_000, "-trace_err", "-error_file", "errors"]
        argv += ["-trace_shortmsg", "-shortmessage_file", "messages"]
        self._group = Group(argv, output=self.folder / "out", cwd=self.folder)

    def finish(self, timeout: float = 60.0) -> list[SippCall]:
        """Wait for the last call; the calls in the order of their beginning. Raises TooLate."""
        try:
            self._group.wait(timeout)
            self.failed = self._group.process.returncode
            return self._calls()
        except TooLate as late:
            raise TooLate(f"{late}\n{self.errors()}") from None
        finally:
            self.close()

    def errors(self) -> str:
        path = self.folder / "errors"
        return path.read_text(errors="replace")[-3000:] if path.is_file() else self._group.tail(20)

    def _calls(self) -> list[SippCall]:
        path = self.folder / "messages"
        assert path.is_file(), f"sipp did not start:\n{self._group.tail(20)}"
        calls: dict[str, SippCall] = {}
        with path.open(newline="", errors="replace") as file:
            for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                self._take(row, calls)
        return sorted(calls.values(), key=lambda c: int(c.call_id.partition("-")[0]))

    def _take(self, row: list[str], calls: dict[str, SippCall]) -> None:
        """A line of -trace_shortmsg: date, time, epoch, S or R, Call-ID, `CSeq:1 INVITE`, the first line."""
        if len(row) < _SHORT_MESSAGE_FIELDS:
            return
        begin = row[6].split()
        message = Message(
            at=datetime.fromtimestamp(float(row[2]), UTC),
            sent=row[3] == "S",
            method=row[5].split()[-1],
            status=int(begin[1]) if begin[0] == "SIP/2.0" else None,
        )
        place = int(row[4].partition("-")[0]) - 1
        number = self.numbers[place % len(self.numbers)]
        calls.setdefault(row[4], SippCall(call_id=row[4], number=number)).messages.append(message)

    def close(self) -> None:
        self._group.kill()
        release_ports(self._ports)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def dial(server: str, scenario: Scenario, *, timeout: float = 60.0, **how: object) -> list[SippCall]:
    """Run a scenario and wait for it; `how` as for Sipp."""
    return Sipp(server, scenario, **how).finish(timeout)  # type: ignore[arg-type]
