"""Citizens as sipp scenarios: exact SIP, exact moments, and load.

calls = dial(system.line, Scenario(steps=[Key("1", after=0.5), HangUp(after=1.2)]), numbers=["79123456789"])
assert calls[0].status == 200 and calls[0].ended_by == "us"
"""

from __future__ import annotations

import csv
import secrets
import shutil
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.harness.closing import Closing
from tests.harness.processes import HOST, Group, TooLate, free_ports, release_ports
from tests.harness.scenario import LINE, HangUp, HungUpOn, Key, Scenario, Step, typed

__all__ = ["LINE", "HangUp", "HungUpOn", "Key", "Scenario", "Sipp", "SippCall", "Step", "dial", "typed"]

_SHORT_MESSAGE_FIELDS = 7


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


class Sipp(Closing):
    """Runs a scenario against one address. `start` goes on at once, `run` waits."""

    def __init__(
        self,
        server: str,
        scenario: Scenario,
        *,
        numbers: Sequence[str] = ("79123456789",),
        fields: Sequence[Sequence[str]] = (),
        calls: int | None = None,
        rate: float = 10.0,
        at_once: int | None = None,
        transport: str = "udp",
        more: Sequence[str | float] = (),
    ) -> None:
        """server: host:port. numbers: the callers, taken in turn. calls: how many in all (one a number).

        fields: what each caller has of its own beside the number: `[field1]` and so on in the scenario.
        rate: new calls a second. at_once: no more than so many at a time. more: options of sipp's own.
        """
        self.numbers, self.count = list(numbers), calls or len(numbers)
        self.folder = Path(tempfile.mkdtemp(prefix="ekc-sipp-"))
        self._token = secrets.token_hex(4)
        self._ports = first = free_ports()
        (self.folder / "scenario.xml").write_text(scenario.xml())
        own = fields or [()] * len(self.numbers)
        rows = (";".join((n, *more, "")) for n, more in zip(self.numbers, own, strict=True))
        (self.folder / "numbers.csv").write_text("\n".join(["SEQUENTIAL", *rows]) + "\n")
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
        argv += ["-trace_shortmsg", "-shortmessage_file", "messages", *more]
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

    def begin_no_more(self) -> None:
        """No new calls; those in progress go on to their end (sipp's SIGUSR1)."""
        if self._group.alive:
            self._group.signal(signal.SIGUSR1)

    @property
    def over(self) -> bool:
        """The last call has ended."""
        return not self._group.alive

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
        """A line of -trace_shortmsg: date, time, epoch, S or R, Call-ID, `CSeq:1 INVITE`, the first line.

        A stranger who takes this port for another's (one who had it before) is none of our calls.
        """
        if len(row) < _SHORT_MESSAGE_FIELDS or not row[4].endswith(f"-{self._token}"):
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


def dial(server: str, scenario: Scenario, *, timeout: float = 60.0, **how: object) -> list[SippCall]:
    """Run a scenario and wait for it; `how` as for Sipp."""
    return Sipp(server, scenario, **how).finish(timeout)  # type: ignore[arg-type]
