"""The supervisor's questions over real sockets; the test plays the line and its manager interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest

from ivr.asterisk.ami_probe import ami_answers
from ivr.services.probe_call import call_answered

PATIENCE = 5.0
"""Seconds until a test that waits in vain fails."""
EXTENSION = "probe0123456789abcdef"


class Line(asyncio.DatagramProtocol):
    """A SIP server that answers an INVITE with these statuses, one after the other."""

    def __init__(self, statuses: Sequence[str], *, deaf: int = 0) -> None:
        """deaf: so many INVITEs get lost."""
        self.statuses, self.deaf = statuses, deaf
        self.heard: list[str] = []
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self.transport is not None
        text = data.decode()
        self.heard.append(text)
        method = text.split()[0]
        if method == "INVITE":
            if self.deaf:
                self.deaf -= 1
                return
            for status in self.statuses:
                self.transport.sendto(answer(text, status), addr)
        if method == "ACK" and self.statuses and self.statuses[-1].startswith("200"):
            self.transport.sendto(b"\x80\x08 sound", addr)
            self.transport.sendto(request("BYE", text), addr)

    @property
    def methods(self) -> list[str]:
        return [
            " ".join(text.split()[:2]) if text.startswith("SIP") else text.split()[0] for text in self.heard
        ]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110 - nobody sets an event for a test
                await asyncio.sleep(0.01)


def header(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{name}: "))


def answer(invite: str, status: str) -> bytes:
    """A response with a tag of ours in To."""
    lines = [f"SIP/2.0 {status}", *(header(invite, name) for name in ("Via", "From", "Call-ID", "CSeq"))]
    return "\r\n".join([*lines, f"{header(invite, 'To')};tag=line", "Content-Length: 0", "", ""]).encode()


def request(method: str, ack: str) -> bytes:
    """Of the line's own, in the same dialog."""
    lines = [f"{method} sip:probe@127.0.0.1 SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKline"]
    lines += [header(ack, "To").replace("To", "From", 1), header(ack, "From").replace("From", "To", 1)]
    return "\r\n".join([*lines, header(ack, "Call-ID"), f"CSeq: 7 {method}", "", ""]).encode()


@asynccontextmanager
async def line(*statuses: str, deaf: int = 0) -> AsyncIterator[tuple[Line, int]]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: Line(statuses, deaf=deaf), local_addr=("127.0.0.1", 0)
    )
    try:
        yield protocol, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def test_a_call_that_is_taken_is_acknowledged_and_its_hang_up_agreed_to() -> None:
    async with line("100 Trying", "200 OK") as (other, port):
        assert await call_answered("127.0.0.1", port, EXTENSION, seconds=PATIENCE) == 200
        await other.until(lambda: len(other.heard) == 3)
        assert other.methods == ["INVITE", "ACK", "SIP/2.0 200"]
        invite, ack, agreed = other.heard
        assert invite.startswith(f"INVITE sip:{EXTENSION}@127.0.0.1:{port} SIP/2.0")
        body = invite.partition("\r\n\r\n")[2]
        assert "m=audio" in body and f"Content-Length: {len(body)}" in invite
        assert header(ack, "To").endswith(";tag=line")
        assert header(ack, "Via") != header(invite, "Via"), "of a 2xx it is a transaction of its own"
        assert header(agreed, "CSeq") == "CSeq: 7 BYE"


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "503 Service Unavailable"])
async def test_a_refusal_is_an_answer_and_is_acknowledged_in_its_transaction(status: str) -> None:
    async with line(status) as (other, port):
        assert await call_answered("127.0.0.1", port, EXTENSION, seconds=PATIENCE) == int(status[:3])
        await other.until(lambda: len(other.heard) == 2)
        invite, ack = other.heard
        assert ack.startswith("ACK ") and header(ack, "Via") == header(invite, "Via")


async def test_a_line_that_only_tries_has_not_answered_and_is_told_that_we_are_gone() -> None:
    async with line("100 Trying") as (other, port):
        assert await call_answered("127.0.0.1", port, EXTENSION, seconds=0.8) == 0
        await other.until(lambda: other.methods == ["INVITE", "CANCEL"])


async def test_an_invitation_that_got_lost_is_sent_again() -> None:
    async with line("200 OK", deaf=1) as (other, port):
        assert await call_answered("127.0.0.1", port, EXTENSION, seconds=PATIENCE) == 200
        assert other.methods[:3] == ["INVITE", "INVITE", "ACK"]
        assert other.heard[0] == other.heard[1]


async def test_where_nobody_listens_nobody_answers() -> None:
    async with line() as (_, port):
        pass
    assert await call_answered("127.0.0.1", port, EXTENSION, seconds=0.2) == 0


# --- the manager interface ---------------------------------------------------------------------------


@asynccontextmanager
async def manager(answers: dict[str, str | None]) -> AsyncIterator[int]:
    """A manager interface; an action that is not among the answers, or has None, gets no answer."""

    serving: set[asyncio.Task[object] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                action = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
                if (text := answers.get(action)) is not None:
                    writer.write(b"Event: FullyBooted\r\n\r\n" + text.encode() + b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*(task for task in serving if task is not None))
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"Login": "Response: Success", "Ping": "Response: Success\r\nPing: Pong"}, id="works"),
        pytest.param({"Login": "Response: Error"}, id="refuses, but lives"),
    ],
)
async def test_a_manager_interface_that_answers_lives(answers: dict[str, str | None]) -> None:
    async with manager(answers) as port:
        assert await ami_answers("127.0.0.1", port, "ekc", "secret", seconds=PATIENCE)


@pytest.mark.parametrize("answers", [{}, {"Login": "Response: Success"}])
async def test_a_connection_that_stands_and_is_silent_is_no_sign_of_life(
    answers: dict[str, str | None],
) -> None:
    async with manager(answers) as port:
        with pytest.raises(TimeoutError):
            await ami_answers("127.0.0.1", port, "ekc", "secret", seconds=0.2)
