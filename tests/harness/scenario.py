"""One citizen's call as sipp reads it: keys, pauses and the end, each at its moment (RFC 3261, RFC 2976).

Keys go by SIP INFO (application/dtmf-relay), for RFC 4733 from a pcap would need root: tests/harness/world.py
has that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.harness.processes import HOST

LINE = "88006000000"


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
