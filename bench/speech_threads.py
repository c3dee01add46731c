"""What the engine's pool is measured against: recognition by a thread of the engine's own process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from vosk import Model, SetLogLevel

from bench.speech_load import phrases
from ivr.ports import Grammar, Heard
from ivr.speech.pool import heard
from ivr.speech.worker import Worker
from ivr.speech.worker_wire import Kind, Packet

if TYPE_CHECKING:
    from collections.abc import Iterator

OnHeard = Callable[[Heard], None]


class Threads:
    """`bench.speech_load.Ears` by one thread beside the event loop: Vosk frees the GIL."""

    def __init__(self, model: Path) -> None:
        SetLogLevel(-1)
        self._worker = Worker(Model(str(model)))
        self._packets: SimpleQueue[Packet | None] = SimpleQueue()
        self._streams: dict[int, OnHeard] = {}
        self._grammars: dict[str, bytes] = {}
        self._numbers = 0
        self._loop = asyncio.get_running_loop()

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._work, name="recogniser")
        thread.start()
        try:
            yield
        finally:
            self._packets.put(None)
            thread.join()

    def teach(self, grammars: Mapping[str, Grammar]) -> None:
        self._grammars |= {name: phrases(grammar) for name, grammar in grammars.items()}

    def open(self, on_heard: OnHeard) -> int:
        self._numbers += 1
        self._streams[self._numbers] = on_heard
        return self._numbers

    def listen(self, stream: int, grammar: str) -> bool:
        self._packets.put(Packet(stream, Kind.RESET, self._grammars[grammar]))
        return True

    def feed(self, stream: int, sound: bytes) -> None:
        self._packets.put(Packet(stream, Kind.AUDIO, sound))

    def close(self, stream: int) -> None:
        self._packets.put(Packet(stream, Kind.CLOSE))

    def _work(self) -> None:
        while (packet := self._packets.get()) is not None:
            answer = self._worker.take(packet)
            if answer is not None and answer.kind is Kind.RESULT:
                self._loop.call_soon_threadsafe(self._streams[answer.stream], heard(answer.data))
