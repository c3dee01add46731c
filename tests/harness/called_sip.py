"""What sipp sends for a citizen who is called: pieces of a scenario (sipp's XML), of RFC 3261."""

from __future__ import annotations

import csv
from pathlib import Path

KEPT = (("cseq", "CSeq:", "[0-9]+"), ("from", "From:", ".*"), ("to", "To:", ".*"))
"""Of INVITE, for what is sent later."""


_FIELDS = 7


def short_messages(path: Path) -> list[list[str]]:
    """Rows of sipp's -trace_shortmsg so far: date, time, epoch, S or R, Call-ID, CSeq, the first line."""
    if not path.is_file():
        return []
    with path.open(newline="", errors="replace") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row for row in rows if len(row) >= _FIELDS]


def keep(name: str, header: str, what: str) -> str:
    return f'<ereg regexp="{what}" search_in="hdr" header="{header}" assign_to="{name}"/>'


def bye() -> str:
    """From the side that was called: To and From are those of INVITE, turned round (RFC 3261, 12.2.1.1).

    The branch is not sipp's own, which calls from outside of a scenario (-oocsf) have in common.
    """
    lines = [
        "BYE [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-bye-[call_id]",
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


def answer(status: str, *, sdp: bool = False, invite: bool = False, retrans: bool = False) -> str:
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
