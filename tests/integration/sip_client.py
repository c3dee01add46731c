"""A telephone of a few lines: it sends what it is told, even what no honest telephone would."""

from __future__ import annotations

import re
import socket
import threading
from hashlib import md5
from itertools import count

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"
_numbers = count(1)


class Phone:
    """A UDP endpoint on 127.0.0.1. Its thread answers OPTIONS with 200, BYE with 200, INVITE with 480."""

    def __init__(self, port: int) -> None:
        """port: where it sends to."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", port))
        self._server = f"127.0.0.1:{port}"
        self._own = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._responses: dict[str, list[str]] = {}
        self._arrived = threading.Condition()
        self.patience = 10.0
        """Seconds that a final response may take."""
        self.requests: list[str] = []
        """Methods received."""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        while True:
            try:
                text = self._socket.recv(65536).decode(errors="replace")
                if text and not text.startswith(("SIP/2.0", "ACK")):
                    self._answer(text)
            except ConnectionRefusedError:
                continue  # ICMP's answer to an earlier datagram
            except OSError:
                return  # closed, perhaps in the middle of an answer
            if not text:
                return
            self._note(text)

    def _note(self, text: str) -> None:
        with self._arrived:
            if text.startswith("SIP/2.0"):
                self._responses.setdefault(header(text, "Call-ID") + header(text, "CSeq"), []).append(text)
            else:
                self.requests.append(text.split(" ", 1)[0])
            self._arrived.notify_all()

    def _answer(self, request: str) -> None:
        status = "480 Unavailable" if request.startswith("INVITE") else "200 OK"
        kept = [line for line in request.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
        kept = [
            line + ";tag=phone" if line.startswith("To:") and "tag=" not in line else line for line in kept
        ]
        self._socket.send("\r\n".join([f"SIP/2.0 {status}", *kept, "Content-Length: 0", "", ""]).encode())

    def wait_request(self, method: str, seconds: float = 10.0) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: method in self.requests, seconds), f"no {method} came"

    def send(self, method: str, uri: str, *headers: str, body: str = "", **fixed: str) -> str:
        """Send a request; the final response to it (100 to 199 are skipped). ACK is sent for an INVITE.

        fixed: `from_`, `to`, `call`, `cseq` instead of our own.
        """
        number = next(_numbers)
        call = fixed.get("call", f"call-{number}@test")
        cseq = f"{fixed.get('cseq', '1')} {method}"
        sender = fixed.get("from_", "<sip:79123456789@test>") + f";tag=t{fixed.get('tag', number)}"
        to = fixed.get("to", f"<{uri}>")
        content = ["Content-Type: application/sdp"] if method == "INVITE" else []

        def text(method: str, to: str, cseq: str, *more: str, body: str = "") -> bytes:
            lines = [
                f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/UDP {self._own};branch=z9hG4bK{number};rport",
                f"From: {sender}",
                f"To: {to}",
                f"Call-ID: {call}",
                f"CSeq: {cseq}",
                f"Contact: <sip:phone@{self._own}>",
                "Max-Forwards: 70",
                *more,
                f"Content-Length: {len(body.encode())}",
            ]
            return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

        body = body or (SDP if method == "INVITE" else "")
        self._socket.send(text(method, to, cseq, *content, *headers, body=body))
        response = self._final(call, cseq)
        if method == "INVITE":
            self._socket.send(text("ACK", header(response, "To"), cseq.replace("INVITE", "ACK")))
        return response

    def _final(self, call: str, cseq: str) -> str:
        key = call + cseq

        def found() -> str | None:
            return next((r for r in self._responses.get(key, ()) if not r.startswith("SIP/2.0 1")), None)

        with self._arrived:
            assert self._arrived.wait_for(found, self.patience), f"no answer to {cseq}"
            return found() or ""

    def invite(self, number: str, *headers: str, **fixed: str) -> str:
        """Call a number of the server; the final response."""
        return self.send("INVITE", f"sip:{number}@{self._server}", *headers, **fixed)

    def register(self, extension: str, password: str) -> str:
        """Register with digest, as a telephone does; the final response."""
        uri = f"sip:{self._server}"
        own = f"<sip:{extension}@any.domain>"
        number = next(_numbers)
        fixed = {"from_": own, "to": own, "call": f"register-{number}@test", "tag": f"r{number}"}
        challenge = self.send("REGISTER", uri, **fixed)
        credentials = digest(challenge, extension, password, "REGISTER", uri)
        return self.send("REGISTER", uri, credentials, "Expires: 300", cseq="2", **fixed)

    def within(
        self, response: str, method: str, call: str, *headers: str, body: str = "", **fixed: str
    ) -> str:
        """A request inside the dialog that `response` has made."""
        contact = re.search(r"<([^>]+)>", header(response, "Contact"))
        assert contact is not None
        uri = contact[1]
        return self.send(method, uri, *headers, body=body, call=call, to=header(response, "To"), **fixed)


def header(message: str, name: str) -> str:
    """Value of a header; empty when it is not there."""
    found = re.search(rf"^{name}: *(.*?)\r$", message, re.MULTILINE)
    return found[1] if found else ""


def status(response: str) -> int:
    return int(response.split(" ", 2)[1])


def digest(challenge: str, user: str, password: str, method: str, uri: str) -> str:
    """The Authorization header (RFC 2617) that answers a 401."""
    asked = dict(re.findall(r'(\w+)="([^"]*)"', header(challenge, "WWW-Authenticate")))
    one = _md5(f"{user}:{asked['realm']}:{password}")
    two = _md5(f"{method}:{uri}")
    answer = _md5(f"{one}:{asked['nonce']}:00000001:cnonce:auth:{two}")
    return (
        f'Authorization: Digest username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
        f'uri="{uri}", response="{answer}", algorithm=MD5, qop=auth, nc=00000001, cnonce="cnonce", '
        f'opaque="{asked.get("opaque", "")}"'
    )


def _md5(text: str) -> str:
    return md5(text.encode()).hexdigest()  # noqa: S324 - SIP digest is MD5
