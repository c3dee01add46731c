"""sipp's own log of short messages (-trace_shortmsg), read while it is being written.

A line: day, time, epoch, S or R, Call-ID, `CSeq:1 INVITE`, the first line of the message; tabs between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.evidence import Citizen, Dialled

UNCONFIRMED_SECONDS = 32.0
"""64 * T1 of RFC 3261."""

_FIELDS = 7
TALKED = "BYE"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One message."""

    at: float
    sent: bool
    call_id: str
    cseq: int
    method: str
    """Of CSeq, for an answer too."""
    status: int | None
    """None for a request."""
    uri: str = ""
    """Of a request."""


def parse(text: str) -> Line | None:
    """None for what is no such line: the last one may be half written."""
    parts = text.split("\t")
    if len(parts) < _FIELDS or parts[3] not in "SR":
        return None
    number, _, method = parts[5].removeprefix("CSeq:").partition(" ")
    first = parts[6].split()
    if not first or not number.strip().isdigit():
        return None
    answer = first[0] == "SIP/2.0"
    return Line(
        at=float(parts[2]),
        sent=parts[3] == "S",
        call_id=parts[4],
        cseq=int(number),
        method=method.strip(),
        status=int(first[1]) if answer else None,
        uri="" if answer or len(first) < 2 else first[1],
    )


@dataclass
class Log:
    """One sipp's file; `read` takes what is new."""

    path: Path
    calls: dict[str, list[Line]] = field(default_factory=dict)
    """By Call-ID, in the order of their beginning."""
    _offset: int = 0

    def read(self) -> dict[str, list[Line]]:
        if self.path.is_file():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._offset += len(whole)
            for line in map(parse, whole.decode(errors="replace").splitlines()):
                if line is not None:
                    self.calls.setdefault(line.call_id, []).append(line)
        return self.calls

    def in_progress(self, since: float) -> int:
        """Calls that were answered after `since` and that nobody has ended."""
        return sum(_alive(lines, since) for lines in self.read().values())


def _alive(lines: Sequence[Line], since: float) -> bool:
    answered = any(m.method == "INVITE" and m.status == 200 and m.at > since for m in lines)
    return answered and not any(m.method == "BYE" for m in lines)


def citizens(log: Log, *, script: str, numbers: Sequence[str], operator: bool) -> Iterator[Citizen]:
    """The calls of one sipp, which has called with these numbers in turn.

    operator: the first key of the script is the one that asks for an operator.
    """
    for call_id, lines in log.read().items():
        if any(m.method == "INVITE" and m.sent for m in lines):
            place = int(call_id.partition("-")[0]) - 1
            yield _citizen(call_id, lines, script, numbers[place % len(numbers)], operator)


def _citizen(call_id: str, lines: Sequence[Line], script: str, number: str, operator: bool) -> Citizen:
    answers = [m for m in lines if m.method == "INVITE" and m.status is not None]
    byes = [m for m in lines if m.method == "BYE" and m.status is None]
    ours = next((m for m in byes if m.sent), None)
    theirs = next((m for m in byes if not m.sent), None)
    return Citizen(
        call_id=call_id,
        number=number,
        script=script,
        invited_at=next(m.at for m in lines if m.method == "INVITE" and m.sent),
        trying_at=answers[0].at if answers else None,
        status=next((m.status or 0 for m in answers if (m.status or 0) >= 200), 0),
        wished_operator=operator and _first_key_taken(lines),
        hung_up_at=ours.at if ours else None,
        bye_answered=any(m.method == "BYE" and m.status == 200 and not m.sent for m in lines),
        cut=_cut(lines),
        ended_by_line_at=theirs.at if theirs and (ours is None or theirs.at <= ours.at) else None,
    )


def _first_key_taken(lines: Sequence[Line]) -> bool:
    """INVITE is CSeq 1, so the first key's INFO has 2."""
    return any(m.method == "INFO" and m.status == 200 and m.cseq == 2 for m in lines)


def _cut(lines: Sequence[Line]) -> bool:
    if any(m.method in ("INFO", "BYE") and (m.status or 0) >= 300 and not m.sent for m in lines):
        return True
    asked = {m.cseq for m in lines if m.method == "INFO" and m.status is None}
    return bool(asked - {m.cseq for m in lines if m.method == "INFO" and m.status is not None})


def _cut_by_them(lines: Sequence[Line]) -> bool:
    """Our BYE got no 200."""
    ours = any(m.method == "BYE" and m.status is None and m.sent for m in lines)
    return ours and not any(m.method == "BYE" and m.status == 200 and not m.sent for m in lines)


def _given_up(answers: Sequence[float]) -> list[float]:
    """When a telephone whose answer nobody confirms knows that nobody is there (RFC 3261 §13.3.1.4)."""
    return [answers[0] + UNCONFIRMED_SECONDS] if answers else []


def dialled(log: Log) -> Iterator[Dialled]:
    """The calls that came to one sipp, as a telephone; the number is the user of the request's address."""
    for lines in log.read().values():
        invite = next((m for m in lines if m.method == "INVITE" and m.status is None and not m.sent), None)
        if invite is None:
            continue
        accepted = [m.at for m in lines if m.method == "ACK" and not m.sent]
        answers = [m.at for m in lines if m.method == "INVITE" and m.status == 200 and m.sent]
        ends = [m.at for m in lines if m.method in ("BYE", "CANCEL") and m.status is None]
        refused = [m.at for m in lines if m.method == "INVITE" and (m.status or 0) >= 300]
        yield Dialled(
            number=invite.uri.removeprefix("sip:").partition("@")[0],
            invited_at=invite.at,
            answered_at=accepted[0] if answers and accepted else None,
            ended_at=min([*ends, *refused, *([] if accepted else _given_up(answers))], default=None),
            cut=_cut_by_them(lines),
        )
