"""The test in the part of Asterisk: one FastAGI connection, line by line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from ivr.asterisk.agi import FastAgiServer, Handler

PATIENCE = 5.0
"""Seconds until a test that waits in vain fails."""


class Asterisk:
    """A call that Asterisk hands over to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> Asterisk:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def call(cls, port: int, route: str = "line", call: str = "1700000000.1") -> Asterisk:
        """A connection that has said its environment."""
        asterisk = await cls.connect(port)
        asterisk.say(
            "agi_network: yes", f"agi_network_script: {route}", f"agi_uniqueid: {call}", "agi_rdnis:", ""
        )
        return asterisk

    def say(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\n" for line in lines).encode())

    async def hears(self) -> str:
        """The next command, or an empty string when the server has closed."""
        try:
            line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
        except ConnectionResetError:
            return ""
        return line.decode().removesuffix("\n")

    async def answers(self, answers: Sequence[tuple[str, str]]) -> None:
        """Expect these commands and answer each."""
        for command, answer in answers:
            assert await self.hears() == command
            self.say(answer)

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionResetError, BrokenPipeError):
            return


@asynccontextmanager
async def serving(
    routes: Mapping[str, Handler], *, limit: int = 10, idle_seconds: float = PATIENCE
) -> AsyncIterator[FastAgiServer]:
    """A server on a port of its own."""
    server = FastAgiServer(routes, limit=limit, idle_seconds=idle_seconds)
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.drain(0)


async def until_idle(server: FastAgiServer) -> None:
    """Wait for the server to have let go of every call."""
    async with asyncio.timeout(PATIENCE):
        while server.active:  # noqa: ASYNC110 -- the server has counters, no events
            await asyncio.sleep(0.001)
