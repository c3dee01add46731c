"""Recognition in worker processes, so that neither Vosk's work nor its faults touch the calls' event loop.

`ivr.ports.Recogniser`. A worker that dies takes with it the answers that were just being spoken: their
callers are asked again. It is started anew.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ivr.observe import get_logger
from ivr.ports import Grammar, Heard
from ivr.speech.worker_wire import Kind, Packet, Unpacker, WrongPacket, pack

BACKLOG_BYTES = 1 << 20
"""Of sound that a worker has not taken yet; what comes beyond is dropped, for it lags by minutes."""
AGAIN_SECONDS = 1.0
"""Between the death of a worker and the next one."""
_CHUNK = 1 << 16
_log = get_logger("ivr.speech")
OnHeard = Callable[[Heard], None]


@dataclass(kw_only=True, eq=False)
class Stream:
    """One caller's sound."""

    number: int
    worker: _Worker
    on_heard: OnHeard
    listening: bool = False


@dataclass(kw_only=True, eq=False)
class _Worker:
    """A place for a process and its streams; `process` is None while there is none."""

    process: Process | None = None
    ready: bool = False
    streams: dict[int, Stream] = field(default_factory=dict)

    def send(self, packet: Packet) -> None:
        if self.process is None or self.process.stdin is None or not self.ready:
            return
        pipe = self.process.stdin
        if packet.kind is not Kind.AUDIO or pipe.transport.get_write_buffer_size() < BACKLOG_BYTES:
            pipe.write(pack(packet))


class Pool:
    """Workers that share one model."""

    def __init__(
        self,
        model: Path | None,
        *,
        workers: int,
        streams: int,
        on_busy: Callable[[], object] = lambda: None,
        on_death: Callable[[], object] = lambda: None,
    ) -> None:
        """model: a folder; None: nothing is ever recognised. streams: at most so many at once.

        on_busy: a stream was asked for in vain. on_death: a worker ended by itself.
        """
        self._model = model
        self._workers = [_Worker() for _ in range(workers)]
        self._most = streams
        self._taken = 0
        self._numbers = 0
        self._grammars: dict[str, Grammar] = {}
        self._on_busy = on_busy
        self._on_death = on_death

    # --- ivr.ports.Recogniser ---

    @property
    def model(self) -> str | None:
        return self._model.name if self._model is not None else None

    @property
    def taken(self) -> int:
        """Streams reserved now."""
        return self._taken

    def reserve(self) -> bool:
        if self._model is None or not any(worker.ready for worker in self._workers):
            return False
        if self._taken >= self._most:
            self._on_busy()
            return False
        self._taken += 1
        return True

    def release(self) -> None:
        self._taken -= 1

    def teach(self, grammars: Mapping[str, Grammar]) -> None:
        self._grammars.update(grammars)

    # --- streams ---

    def open(self, on_heard: OnHeard) -> Stream:
        """A stream on the worker with the fewest; nothing is heard before `listen`."""
        self._numbers += 1
        worker = min(self._workers, key=lambda worker: (not worker.ready, len(worker.streams)))
        stream = Stream(number=self._numbers, worker=worker, on_heard=on_heard)
        worker.streams[stream.number] = stream
        return stream

    def listen(self, stream: Stream, grammar: str) -> bool:
        """The stream's next turn begins; False when nobody has taught that grammar."""
        known = self._grammars.get(grammar)
        if known is None:
            return False
        phrases = json.dumps([*known.phrases, Heard.UNKNOWN], ensure_ascii=False).encode()
        stream.listening = True
        stream.worker.send(Packet(stream.number, Kind.RESET, phrases))
        return True

    def feed(self, stream: Stream, sound: bytes) -> None:
        """16-bit samples at 8 kHz. Ignored between turns."""
        if stream.listening:
            stream.worker.send(Packet(stream.number, Kind.AUDIO, sound))

    def close(self, stream: Stream) -> None:
        stream.listening = False
        if stream.worker.streams.pop(stream.number, None) is not None:
            stream.worker.send(Packet(stream.number, Kind.CLOSE))

    # --- processes ---

    async def run(self) -> None:
        """Keep the workers alive until cancelled; then none of them stays."""
        if self._model is None:
            return
        async with asyncio.TaskGroup() as group:
            for worker in self._workers:
                group.create_task(self._keep(worker))

    async def _keep(self, worker: _Worker) -> None:
        while True:
            process = await self._start()
            worker.process = process
            try:
                await self._read(worker, process)
                code = await process.wait()
                _log.error("speech_worker_died", pid=process.pid, code=code)
                self._on_death()
            finally:
                self._lose(worker)
                await _end(process)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _start(self) -> Process:
        command = (sys.executable, "-m", "ivr.speech.worker", str(self._model))
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL, env=os.environ | _ONE_THREAD
        )

    async def _read(self, worker: _Worker, process: Process) -> None:
        unpacker = Unpacker()
        if process.stdout is None:
            return
        while data := await process.stdout.read(_CHUNK):
            try:
                for packet in unpacker.feed(data):
                    _take(worker, packet)
            except WrongPacket:
                _log.error("speech_worker_raves", pid=process.pid)
                return

    def _lose(self, worker: _Worker) -> None:
        worker.process, worker.ready = None, False
        for stream in list(worker.streams.values()):
            if stream.listening:
                stream.listening = False
                stream.on_heard(Heard(text="", score=0))


_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _take(worker: _Worker, packet: Packet) -> None:
    if packet.kind is Kind.READY:
        worker.ready = True
    stream = worker.streams.get(packet.stream)
    if packet.kind is Kind.RESULT and stream is not None and stream.listening:
        stream.listening = False
        stream.on_heard(heard(packet.data))


def heard(result: bytes) -> Heard:
    """Vosk's result with words. Raises ValueError when it is none."""
    said = json.loads(result)
    return Heard(text=str(said["text"]), score=round(100 * min(_certainties(said), default=0.0)))


def _certainties(said: Mapping[str, object]) -> Iterator[float]:
    words = said.get("result", ())
    for word in words if isinstance(words, Sequence) else ():
        if word["word"] != Heard.UNKNOWN:
            yield float(word["conf"])


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
