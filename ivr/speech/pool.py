"""Recognition in worker processes, so that neither Vosk's work nor its faults touch the calls' event loop.

`ivr.ports.Recogniser`. A worker that dies takes with it the answers that were just being spoken: their
callers are asked again. It is started anew, and hears what was said meanwhile.
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
from ivr.speech.worker_wire import UNKNOWN, Kind, Packet, Unpacker, WrongPacket, pack

BACKLOG_BYTES = 1 << 20
"""Of sound that a worker has not taken yet; what comes beyond is dropped, for it lags by minutes."""
LATE_BYTES = 20 * 16_000
"""Of sound that is kept for a worker that is being started: twenty seconds; then the answer is lost."""
AGAIN_SECONDS = 1.0
"""Between the death of a worker and the next one."""
_CHUNK = 1 << 16
_log = get_logger("ivr.speech")
OnHeard = Callable[[Heard], None]


@dataclass(kw_only=True, eq=False)
class Stream:
    """One caller's sound."""

    number: int
    """Of the turn: what comes of an earlier one is dropped."""
    worker: _Worker
    on_heard: OnHeard
    listening: bool = False
    strict: bool = False
    """Whether unknown words are not reported."""
    late: list[Packet] = field(default_factory=list)
    """What the worker has not been there for."""
    late_bytes: int = 0

    def send(self, packet: Packet) -> None:
        """To the worker, as soon as it is there."""
        if self.worker.ready:
            self.worker.send(packet)
            return
        self.late.append(packet)
        self.late_bytes += len(packet.data)
        if self.late_bytes > LATE_BYTES:
            self.lose()

    def catch_up(self) -> None:
        """The worker is there."""
        for packet in self.late:
            self.worker.send(packet)
        self._drop()

    def lose(self) -> None:
        """The answer that was being spoken; the next question is heard again."""
        self._drop()
        if self.listening:
            self.listening = False
            self.on_heard(Heard(text="", score=0))

    def begin(self, number: int, worker: _Worker, grammar: Grammar) -> None:
        """The next turn, of this number, on this worker."""
        phrases = json.dumps([*grammar.phrases, UNKNOWN], ensure_ascii=False).encode()
        self.leave()
        self.number, self.worker = number, worker
        worker.streams[number] = self
        self.listening, self.strict = True, grammar.strict
        self.send(Packet(self.number, Kind.RESET, phrases))

    def leave(self) -> None:
        self.listening = False
        self._drop()
        if self.worker.streams.pop(self.number, None) is not None and self.worker.ready:
            self.worker.send(Packet(self.number, Kind.CLOSE))

    def _drop(self) -> None:
        self.late, self.late_bytes = [], 0


@dataclass(kw_only=True, eq=False)
class _Worker:
    """A place for a process and its streams; `process` is None while there is none."""

    process: Process | None = None
    ready: bool = False
    asked: bool = False
    """Whether it owes the answer to a ping."""
    streams: dict[int, Stream] = field(default_factory=dict)

    def send(self, packet: Packet) -> None:
        if self.process is None or self.process.stdin is None:
            return
        pipe = self.process.stdin
        if pipe.is_closing():  # its death is about to be noticed; uvloop raises for what is written meanwhile
            return
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
        hang_seconds: float = 10.0,
        on_busy: Callable[[], object] = lambda: None,
        on_death: Callable[[], object] = lambda: None,
    ) -> None:
        """model: a folder; None: nothing is ever recognised. streams: at most so many at once.

        hang_seconds: a worker that has not come so far within so long is killed.
        on_busy: a stream was asked for in vain. on_death: a worker ended by itself.
        """
        self._model = model
        self._workers = [_Worker() for _ in range(workers)]
        self._most = streams
        self._hang_seconds = hang_seconds
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

    @property
    def works(self) -> bool:
        """Whether a worker is there."""
        return any(worker.ready for worker in self._workers)

    def reserve(self) -> bool:
        if self._model is None:
            return False
        if self._taken >= self._most or not self.works:
            self._on_busy()
            return False
        self._taken += 1
        return True

    def release(self) -> None:
        self._taken -= 1

    def teach(self, grammars: Mapping[str, Grammar]) -> None:
        self._grammars.update(grammars)

    def forget(self, grammar: str) -> None:
        self._grammars.pop(grammar, None)

    # --- streams ---

    def open(self, on_heard: OnHeard) -> Stream:
        """A stream on the worker with the fewest; nothing is heard before `listen`."""
        return Stream(number=0, worker=self._lightest(), on_heard=on_heard)

    def _lightest(self) -> _Worker:
        return min(self._workers, key=lambda worker: (not worker.ready, len(worker.streams)))

    def listen(self, stream: Stream, grammar: str) -> bool:
        """What is said from now on is of that grammar, turn by turn; False when nobody has taught it."""
        known = self._grammars.get(grammar)
        if known is None:
            return False
        self._numbers += 1
        stream.begin(self._numbers, stream.worker if stream.worker.ready else self._lightest(), known)
        return True

    def feed(self, stream: Stream, sound: bytes) -> None:
        """16-bit samples at 8 kHz. Ignored before `listen` and after a lost answer."""
        if stream.listening:
            stream.send(Packet(stream.number, Kind.AUDIO, sound))

    def close(self, stream: Stream) -> None:
        stream.leave()

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
            watching = asyncio.create_task(self._watch(worker, process))
            try:
                await self._read(worker, process)
                code = await process.wait()
                _log.error("speech_worker_died", pid=process.pid, code=code)
                self._on_death()
            finally:
                watching.cancel()
                self._lose(worker)
                await _end(process)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _watch(self, worker: _Worker, process: Process) -> None:
        """Vosk may think about a few words for minutes, and every caller of the worker waits with it."""
        while not worker.ready:  # noqa: ASYNC110 -- to load a big model takes its time
            await asyncio.sleep(AGAIN_SECONDS)
        while not worker.asked:
            worker.asked = True
            worker.send(Packet(0, Kind.PING))
            await asyncio.sleep(self._hang_seconds)
        _log.error("speech_worker_hangs", pid=process.pid, seconds=self._hang_seconds)
        with suppress(ProcessLookupError):
            process.kill()

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
        worker.process, worker.ready, worker.asked = None, False, False
        for stream in list(worker.streams.values()):
            stream.lose()


_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _take(worker: _Worker, packet: Packet) -> None:
    if packet.kind is Kind.READY:
        worker.ready = True
        for waiting in list(worker.streams.values()):
            waiting.catch_up()
        return
    if packet.kind is Kind.PING:
        worker.asked = False
        return
    stream = worker.streams.get(packet.stream)
    if stream is None or not stream.listening:
        return
    if packet.kind is Kind.BEGUN:
        stream.on_heard(Heard(text=Heard.BEGUN, score=0))
    elif packet.kind is Kind.RESULT:
        said = heard(packet.data)
        if said.words or not stream.strict:
            stream.on_heard(said)


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
