"""A participant's information resource (docs/information-resource.md): a real server on loopback in a thread
of its own, honest by default and, when told so, slow, wrong, dead or talking rubbish.

    with Participant() as soc:
        soc.applications.append({...})
        soc.next(hangs, answers({"applications": []}))      # the next two questions, then honest again
        ... EKC_RESOURCES__SOC__URL=soc.url ...
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

START_SECONDS = 10.0
MOST_HEAD = 65_536
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question as it came over the wire."""

    line: str
    """`POST /path HTTP/1.1`"""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    connection: int
    """Counts the connections of this server from 1."""

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    @property
    def question(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[Asked, asyncio.StreamWriter], Awaitable[bool]]
"""Answers a question; False closes the connection."""


class Participant:
    """The server. `url` is what goes into the settings; `asked` is everything it was asked."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, base: str = "/ekc/v1") -> None:
        self.applications: list[dict[str, Any]] = []
        """Rows of the contract with `snils`."""
        self.personal: dict[str, dict[str, Any]] = {}
        """By SNILS: payments, applications, notices."""
        self.asked: list[Asked] = []
        self.base = base
        self.port = 0
        self._tls = tls
        self._news = threading.Condition()
        self._next: deque[Behaviour] = deque()
        self._always: Behaviour = self._honest
        self._connections = 0
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{self.base}"

    def next(self, *behaviours: Behaviour) -> None:
        """How the next questions are answered, one each."""
        self._next.extend(behaviours)

    def always(self, behaviour: Behaviour | None) -> None:
        """How all others are answered; None: honestly."""
        self._always = behaviour or self._honest

    def wait_asked(self, count: int, seconds: float = 30.0) -> None:
        """Block until so many questions have come; not for the event loop's thread."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.asked) >= count, seconds):
                raise AssertionError(f"{len(self.asked)} of {count} questions came in {seconds:g} s")

    def start(self) -> None:
        """Listen; after `stop`, at the same port."""
        self._running = _Running(self._serve, self.port, self._tls)
        self.port = self._running.port

    def stop(self) -> None:
        """Close the port and every connection; stopping twice is the same as once."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number, goes_on = self._connections, True
        while goes_on and (asked := await _question(reader, number)) is not None:
            with self._news:
                self.asked.append(asked)
                self._news.notify_all()
            behaviour = self._next.popleft() if self._next else self._always
            goes_on = await behaviour(asked, writer)

    async def _honest(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        question = asked.question
        if asked.path == f"{self.base}/applications":
            found = [a for a in self.applications if _is_of(a, question["number"], question["accepted_on"])]
            return await answers({"applications": found})(asked, writer)
        if asked.path == f"{self.base}/personal":
            nothing: dict[str, Any] = {"payments": [], "applications": [], "notices": []}
            known = self.personal.get(question["snils"], {})
            return await answers({**nothing, **known, "snils": question["snils"]})(asked, writer)
        return await answers({"error": "no such thing"}, status=404)(asked, writer)


def _is_of(application: Mapping[str, Any], digits: str, accepted_on: str) -> bool:
    number = "".join(c for c in application["number"] if c in "0123456789")
    return (number, application["accepted_on"]) == (digits, accepted_on)


async def _question(reader: asyncio.StreamReader, connection: int) -> Asked | None:
    """The next question of a connection; None when it ends."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip("\r\n").split("\r\n")
        fields = (field.partition(":") for field in rest)
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, OSError):
        return None
    return Asked(line=line, headers=headers, body=body, connection=connection)


class _Running:
    """A listening server in its thread."""

    def __init__(
        self,
        serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
        port: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._serve = serve
        self.port = port
        self._tls = tls
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._end = asyncio.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="participant", daemon=True)
        self._thread.start()
        if not self._started.wait(START_SECONDS) or self._error is not None:
            raise RuntimeError(f"the participant does not listen: {self._error}")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(START_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError("the participant does not stop")

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._listen())
        except OSError as error:
            self._error = error
            self._started.set()

    async def _listen(self) -> None:
        server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, ssl=self._tls, limit=MOST_HEAD
        )
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._end.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writer.transport.set_write_buffer_limits(high=0)  # `drain` waits until everything is written
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):  # the other side has gone, or the server stops
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


# --- how a question can be answered ----------------------------------------------------------------


def says(data: bytes, *, then_close: bool = False) -> Behaviour:
    """These bytes, whatever they are."""

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> bool:
        writer.write(data)
        await writer.drain()
        if then_close and writer.can_write_eof():  # not over TLS
            writer.write_eof()
        return not then_close

    return behave


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """A status line and header of HTTP/1.1."""
    lines = [f"HTTP/1.1 {status} Anything", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answers(
    document: object, *, status: int = 200, content_type: str = JSON, headers: Mapping[str, str] | None = None
) -> Behaviour:
    """A whole answer. document: what becomes JSON, or the bytes of the body themselves."""
    body = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
    fields = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}
    return says(head(status, fields) + body)


def redirects(where: str) -> Behaviour:
    return answers({}, status=307, headers={"Location": where})


def half(document: object) -> Behaviour:
    """The first half of an answer, then the end of the connection."""
    body = json.dumps(document, ensure_ascii=False).encode()
    fields = {"Content-Type": JSON, "Content-Length": str(len(body))}
    return says(head(200, fields) + body[: len(body) // 2], then_close=True)


async def drops(asked: Asked, writer: asyncio.StreamWriter) -> bool:
    """Reads the question and closes the connection."""
    return False


async def hangs(asked: Asked, writer: asyncio.StreamWriter) -> bool:
    """Reads the question and says nothing for ever."""
    await asyncio.Event().wait()
    return False


async def drips(asked: Asked, writer: asyncio.StreamWriter) -> bool:
    """An answer that goes on and on, a byte at a time: each read is quick, the whole never ends."""
    writer.write(head(200, {"Content-Type": JSON, "Content-Length": "100000"}))
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def floods(asked: Asked, writer: asyncio.StreamWriter) -> bool:
    """An endless answer of unknown length, as fast as it is read."""
    writer.write(head(200, {"Content-Type": JSON, "Transfer-Encoding": "chunked"}))
    piece = b" " * 50_000
    while True:
        writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        await writer.drain()
