"""Whether the manager interface answers: a connection may stand while nobody serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping


async def ami_answers(host: str, port: int, user: str, secret: str, *, seconds: float = 2.0) -> bool:
    """Log in, ask, and leave again; whether there was an answer. Raises OSError and TimeoutError."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            await reader.readline()  # the greeting
            login = {"Action": "Login", "Username": user, "Secret": secret, "Events": "off"}
            answer = await _ask(reader, writer, login)
            if b"Response: Success" in answer:
                answer = await _ask(reader, writer, {"Action": "Ping"})
            writer.write(b"Action: Logoff\r\n\r\n")
            return answer.startswith(b"Response: ")
        finally:
            writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, action: Mapping[str, str]
) -> bytes:
    """The next message that is an answer."""
    writer.write("".join(f"{name}: {value}\r\n" for name, value in action.items()).encode() + b"\r\n")
    while True:
        try:
            message = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        if message.startswith(b"Response: "):
            return message
