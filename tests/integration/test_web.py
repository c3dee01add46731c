"""The engine's HTTP face over real sockets, and `ekc status` asking it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr.domain.errors import BadInput
from ivr.files import write_whole
from ivr.metrics import Metrics
from ivr.services.probes import PortNeed, port_is_free, sip_answers, tcp_answers
from ivr.services.status import ask_engine
from ivr.settings import Settings
from ivr.web import app as web_app
from ivr.web import server as web_server
from ivr.web.app import create_app
from ivr.web.server import WebServer, serve

READY = {"ready": True, "engine": {"pid": os.getpid()}}


class Source:
    """A status source that counts its looks."""

    def __init__(self) -> None:
        self.document: Mapping[str, object] = READY
        self.looks = 0
        self.hold: asyncio.Event | None = None

    async def __call__(self) -> Mapping[str, object]:
        self.looks += 1
        if self.hold is not None:
            await self.hold.wait()
        return self.document


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics.create()


@pytest.fixture
async def web(source: Source, metrics: Metrics) -> AsyncIterator[WebServer]:
    server = await serve(create_app(source, metrics), "127.0.0.1", 0)
    yield server
    await server.shutdown()


Answer = tuple[int, Mapping[str, str], bytes]


async def ask(web: WebServer, path: str, method: str = "GET") -> Answer:
    def blocking() -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=15)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    return await asyncio.to_thread(blocking)


async def test_health_is_200_with_the_document_while_the_line_is_ready(web: WebServer) -> None:
    code, headers, body = await ask(web, "/health")
    assert (code, json.loads(body)) == (200, READY)
    assert headers["content-type"] == "application/json"


async def test_health_is_503_with_the_document_while_it_is_not(web: WebServer, source: Source) -> None:
    source.document = {"ready": False, "alarms": [{"what": "x"}]}
    code, _, body = await ask(web, "/health")
    assert (code, json.loads(body)) == (503, source.document)


async def test_a_look_that_hangs_is_a_503_in_time(
    web: WebServer, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_app, "STATUS_SECONDS", 0.05)
    source.hold = asyncio.Event()
    code, _, body = await ask(web, "/health")
    assert (code, json.loads(body)) == (503, {"ready": False})


async def test_a_crowd_of_monitors_costs_one_look(web: WebServer, source: Source) -> None:
    answers = await asyncio.gather(*(ask(web, "/health") for _ in range(20)))
    assert {code for code, _, _ in answers} == {200}
    assert source.looks == 1


async def test_metrics_are_in_prometheus_text_format(web: WebServer, metrics: Metrics) -> None:
    metrics.calls.labels(outcome="served").inc()
    code, headers, body = await ask(web, "/metrics")
    assert code == 200
    assert headers["content-type"].startswith("text/plain; version=")
    assert b'ekc_calls_total{outcome="served"} 1.0\n' in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/health", "/metrics"])
async def test_other_methods_are_refused(web: WebServer, source: Source, path: str, method: str) -> None:
    assert (await ask(web, path, method))[0] == 405
    assert source.looks == 0


@pytest.mark.parametrize("path", ["/", "/health/", "/docs", "/../etc/passwd", "/health/x"])
async def test_there_is_nothing_else(web: WebServer, path: str) -> None:
    assert (await ask(web, path))[0] == 404


@pytest.mark.parametrize(("path", "method"), [("/health", "GET"), ("/nothing", "GET"), ("/health", "POST")])
async def test_every_answer_is_guarded_and_names_no_software(web: WebServer, path: str, method: str) -> None:
    _, headers, _ = await ask(web, path, method)
    assert "server" not in headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_a_client_that_does_not_finish_its_request_is_let_go(
    source: Source, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_server, "REQUEST_SECONDS", 0.2)
    web = await serve(create_app(source, metrics), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    assert await asyncio.wait_for(reader.read(), 15) == b""
    writer.close()
    await web.shutdown()


async def test_headers_without_end_are_refused(web: WebServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (web_server.HEADER_BYTES + 1000))
    assert b" 400 " in (await asyncio.wait_for(reader.readline(), 15))
    writer.close()


async def test_a_crowd_of_idle_connections_gets_a_clear_refusal(
    web: WebServer, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(web_server.CONNECTIONS)]
    assert (await ask(web, "/health"))[0] == 503
    assert source.looks == 0
    for _, writer in idle:
        writer.close()


async def test_the_signal_handlers_of_the_engine_stay(source: Source, metrics: Metrics) -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    web = await serve(create_app(source, metrics), "127.0.0.1", 0)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    await web.shutdown()


async def test_after_the_shutdown_the_port_is_free(source: Source, metrics: Metrics) -> None:
    web = await serve(create_app(source, metrics), "127.0.0.1", 0)
    assert await tcp_answers("127.0.0.1", web.port)
    await web.shutdown()
    assert not await tcp_answers("127.0.0.1", web.port)
    assert port_is_free(PortNeed(name="web", host="127.0.0.1", port=web.port, kind="tcp"))


async def test_an_occupied_port_is_one_sentence_with_the_remedy(
    web: WebServer, source: Source, metrics: Metrics
) -> None:
    with pytest.raises(BadInput, match=rf"port {web.port}/tcp of the web is occupied.*EKC_WEB_PORT"):
        await serve(create_app(source, metrics), "127.0.0.1", web.port)


async def test_an_address_of_another_machine_is_one_sentence(source: Source, metrics: Metrics) -> None:
    with pytest.raises(BadInput, match="EKC_BIND"):
        await serve(create_app(source, metrics), "192.0.2.1", 0)


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[[int], Settings]:
    def make(port: int) -> Settings:
        settings = Settings(state=tmp_path, web_port=port)
        settings.run_dir.mkdir()
        return settings

    return make


async def test_status_asks_the_running_engine(
    web: WebServer, settings_for: Callable[[int], Settings]
) -> None:
    settings = settings_for(web.port)
    write_whole(settings.run_dir / "engine.pid", f"{os.getpid()}\n")
    assert await asyncio.to_thread(ask_engine, settings) == READY


async def test_status_does_not_believe_another_systems_engine(
    web: WebServer, source: Source, settings_for: Callable[[int], Settings]
) -> None:
    settings = settings_for(web.port)
    write_whole(settings.run_dir / "engine.pid", f"{os.getpid()}\n")
    source.document = READY | {"engine": {"pid": 1}}
    assert await asyncio.to_thread(ask_engine, settings) is None


@pytest.mark.parametrize("document", [{}, {"ready": True}, {"engine": 5}])
async def test_status_does_not_believe_another_program(
    web: WebServer, source: Source, settings_for: Callable[[int], Settings], document: dict[str, Any]
) -> None:
    source.document = {"ready": True} | document
    assert await asyncio.to_thread(ask_engine, settings_for(web.port)) is None


async def test_status_finds_nobody_on_a_free_port(settings_for: Callable[[int], Settings]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound, but not listening: connections are refused
        assert await asyncio.to_thread(ask_engine, settings_for(probe.getsockname()[1])) is None


class _Sip(asyncio.DatagramProtocol):
    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.requests.append(data)
        if self.answer:
            self.transport.sendto(self.answer, addr)


@pytest.mark.parametrize(
    ("answer", "alive"),
    [
        (b"SIP/2.0 200 OK\r\n\r\n", True),
        (b"SIP/2.0 401 Unauthorized\r\n\r\n", True),
        (b"", False),
        (b"hello", False),
    ],
)
async def test_a_sip_server_is_alive_when_it_answers_options(answer: bytes, alive: bool) -> None:
    loop = asyncio.get_running_loop()
    transport, sip = await loop.create_datagram_endpoint(lambda: _Sip(answer), local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    assert await sip_answers("127.0.0.1", port, seconds=5.0 if answer else 0.1) is alive
    transport.close()
    assert sip.requests[0].startswith(f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\n".encode())
    assert sip.requests[0].endswith(b"Content-Length: 0\r\n\r\n")


async def test_a_port_without_a_sip_server_is_not_alive() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert await sip_answers("127.0.0.1", port, seconds=5.0) is False
