"""The recogniser's processes and Asterisk's way to them, with our model and voices it never heard."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from ivr.ports import Grammar, Heard
from ivr.speech.aeap import LATE_SECONDS, listen
from ivr.speech.pool import Pool, Stream
from tests.harness.recogniser import Sayings, build_model

MENU = Grammar(name="menu", phrases=("статус", "выплаты", "консультация"))
STRICT = Grammar(name="operator", phrases=("оператор",), strict=True)
PATIENCE = 30.0
"""For a worker to start and to understand a word, on a busy machine."""
QUIET = bytes(16_000 * 2)
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: asterisk\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: speech_to_text\r\n\r\n"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def sayings(tmp_path_factory: pytest.TempPathFactory) -> Sayings:
    return Sayings(tmp_path_factory.mktemp("sayings"))


def sound(sayings: Sayings, text: str, voice: str = "m4") -> bytes:
    with wave.open(str(sayings.wav(text, voice))) as file:
        return file.readframes(file.getnframes())


class Ears:
    """What comes back from a pool."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()

    async def next(self) -> Heard:
        async with asyncio.timeout(PATIENCE):
            while (heard := await self.heard.get()).begun:
                pass
            return heard


@asynccontextmanager
async def running(model: Path | None, **how: float) -> AsyncIterator[Pool]:
    deaths: list[None] = []
    pool = Pool(
        model,
        workers=1,
        streams=2,
        hang_seconds=how.get("hang_seconds", PATIENCE),
        on_death=lambda: deaths.append(None),
    )
    pool.teach({grammar.name: grammar for grammar in (MENU, STRICT)})
    task = asyncio.create_task(pool.run())
    try:
        if model is not None:
            await until(lambda: pool.works)
        yield pool
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 -- processes tell by what they write
            await asyncio.sleep(0.02)


def worker_of(pool: Pool) -> int:
    process = pool._workers[0].process
    assert process is not None
    return process.pid


def opened(pool: Pool, grammar: str = "menu") -> tuple[Stream, Ears]:
    ears = Ears()
    stream = pool.open(ears.heard.put_nowait)
    assert pool.listen(stream, grammar)
    return stream, ears


async def test_turn_after_turn_is_understood_until_another_grammar_is_asked_for(
    model: Path, sayings: Sayings
) -> None:
    async with running(model) as pool:
        stream, ears = opened(pool)
        for words in ("статус", "выплаты"):
            pool.feed(stream, sound(sayings, words) + QUIET)
            heard = await ears.next()
            assert heard.text == words and heard.score > 50
        assert not pool.listen(stream, "unknown")
        assert pool.listen(stream, "operator")
        pool.feed(stream, sound(sayings, "покупаю картошку") + QUIET)
        pool.feed(stream, sound(sayings, "оператор") + QUIET)
        assert (await ears.next()).words == ("оператор",), "other words pass for silence"


async def test_a_killed_worker_loses_one_answer_and_hears_what_is_said_while_it_starts(
    model: Path, sayings: Sayings
) -> None:
    async with running(model) as pool:
        stream, ears = opened(pool)
        pool.feed(stream, sound(sayings, "статус")[:6000])
        os.kill(worker_of(pool), signal.SIGKILL)
        assert await ears.next() == Heard(text="", score=0)
        assert not pool.works and not pool.reserve()
        assert pool.listen(stream, "menu")
        pool.feed(stream, sound(sayings, "консультация") + QUIET)
        assert (await ears.next()).text == "консультация"


async def test_a_worker_that_hangs_is_killed_and_its_callers_are_asked_again(
    model: Path, sayings: Sayings
) -> None:
    async with running(model, hang_seconds=2) as pool:
        stream, ears = opened(pool)
        hung = worker_of(pool)
        os.kill(hung, signal.SIGSTOP)
        pool.feed(stream, sound(sayings, "статус") + QUIET)
        assert (await ears.next()).text == ""
        await until(lambda: pool.works)
        assert worker_of(pool) != hung


async def test_streams_are_limited_and_without_a_model_there_are_none(model: Path) -> None:
    async with running(model) as pool:
        assert [pool.reserve() for _ in range(3)] == [True, True, False]
        pool.release()
        assert pool.reserve() and pool.taken == 2
    async with running(None) as pool:
        assert pool.model is None and not pool.reserve()


# --- as Asterisk asks ---


async def ask(link: ClientConnection, request: str, id_: str, **more: object) -> dict[str, object]:
    await link.send(json.dumps({"request": request, "id": id_, **more}))
    answer: dict[str, object] = json.loads(await link.recv())
    return answer


async def results(link: ClientConnection) -> dict[str, object]:
    """The next words, as the request that brings them; each is answered as Asterisk does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            request = json.loads(await link.recv())
            await link.send(json.dumps({"response": "set", "id": request["id"]}))
            (result,) = request["params"]["results"]
            if result["text"] != Heard.BEGUN:
                found: dict[str, object] = result
                return found


async def test_who_speaks_another_codec_is_cut_off_and_not_refused() -> None:
    """A refused `setup` would cost Asterisk its memory: see LATE_SECONDS."""
    async with running(None) as pool, await listen(pool, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", subprotocols=["speech_to_text"]) as link:  # type: ignore[list-item]
            with pytest.raises(ConnectionClosedError):
                await ask(link, "setup", "1", version="0.1.0", codecs=[{"name": "ulaw"}])


async def test_a_websocket_that_the_engine_comes_late_to_is_refused() -> None:
    async with running(None) as pool, await listen(pool, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as asterisk:
            asterisk.sendall(HANDSHAKE)
            time.sleep(1.2 * LATE_SECONDS)  # noqa: ASYNC251 -- nobody else has his turn
            answer = await asyncio.to_thread(asterisk.recv, 4096)
    assert answer.startswith(b"HTTP/1.1 503")


async def test_a_telephone_that_sends_nothing_while_its_owner_is_silent_is_understood(
    model: Path, sayings: Sayings
) -> None:
    async with running(model) as pool, await listen(pool, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", subprotocols=["speech_to_text"]) as link:  # type: ignore[list-item]
            setup = await ask(link, "setup", "1", version="0.1.0", codecs=[{"name": "slin"}])
            assert setup["codecs"] == [{"name": "slin"}]
            assert "error_msg" in await ask(link, "set", "2", params={"grammar": "unknown"})
            assert "error_msg" not in await ask(link, "set", "3", params={"grammar": "menu"})
            await link.send(sound(sayings, "статус"))
            heard = await results(link)
            assert (heard["text"], heard["grammar"]) == ("статус", "menu")
