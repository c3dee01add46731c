"""Callers who speak: how many at once, how soon they are understood, and how often wrongly.

Our synthetic model and voices it was never trained on. Without Asterisk: the engine's pool with one worker
process, and a thread in its place. On real calls: from the end of a word to the next prompt, and what callers
by keys alone notice of a full pool.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import uvloop
from vosk import Model, SetLogLevel

from bench import speech_calls, speech_errors
from bench.cpu import seconds_of
from bench.options import Options
from bench.report import Report, Table
from bench.showing import say
from bench.speech_load import Ears, Line, filled, needed, speak
from bench.speech_report import (
    MEMORY_TITLE,
    PROCESS,
    THREAD,
    Found,
    Streams,
    memory_rows,
    streams_table,
    targets,
)
from bench.speech_threads import Threads
from bench.voices import utterances
from ivr import grammars
from ivr.speech.pool import Pool
from ivr.speech.worker import Worker
from tools.speech_model import LEXICON, WEIGHTS, asked, lexicon
from tools.speech_model.build import build
from tools.speech_model.espeak import Espeak
from tools.speech_model.net import Net

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROUNDS = 1
MEMORY_STREAMS = (0, 10, 50, 100)
SAYINGS = {
    "menu": ("статус заявления", "выплаты", "консультация", "оператор", "повторите"),
    "SNILS": ("сто двенадцать двести тридцать три", "сорок пять", "ноль семь"),
}
VOICES = 3
"""Times that each of them is said, each time by another voice."""
START_SECONDS = 30.0


def run(options: Options) -> Report:
    callers = options.by_effort((20, 100), (20, 100, 200), (20, 50, 100, 150, 200, 250, 300, 400, 500, 600))
    seconds = options.by_effort(4.0, 4.0, 20.0)
    with tempfile.TemporaryDirectory(prefix="ekc-bench-") as folder:
        model = Path(folder) / "ekc-synthetic"
        build(Net.load(WEIGHTS), lexicon.load(LEXICON), model)
        lines = said(model)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(_streams(model, lines, callers, seconds, options.rounds))
            memory = runner.run(_memory(model, lines))
        say("speech: errors by grammar")
        errors = speech_errors.table(model, utterances=options.by_effort(10, 12, 200))
        calls = speech_calls.run(model, options)
    memory_table = Table(title=MEMORY_TITLE, rows=memory_rows(memory))
    tables = [streams_table(found, options.rounds), memory_table, *calls.tables, errors]
    return Report(tables=tables, targets=[*targets(found), *calls.targets])


def said(model: Path) -> list[Line]:
    """What callers say, by many voices; only what a recogniser that has all the time understands."""
    SetLogLevel(-1)
    worker, synthesiser = Worker(Model(str(model))), Espeak()
    chance, known = random.Random(1), asked.questions()  # noqa: S311 - nothing secret
    found = []
    for name, texts in SAYINGS.items():
        grammar = grammars.with_common(known[name].grammar)
        for utterance in utterances(synthesiser, texts * VOICES, chance):
            line = needed(worker, utterance, grammar)
            found += [line] if line is not None else []
    return found


# --- without Asterisk ---


async def _streams(
    model: Path, lines: Sequence[Line], callers: Sequence[int], seconds: float, rounds: int
) -> Found:
    """By turns, up to the first number that is too much for one of the two in that round."""
    chance = random.Random(1)  # noqa: S311 - an order
    found: Found = {}
    for round_ in range(rounds):
        for name in chance.sample((PROCESS, THREAD), 2):
            async with _ears(name, model, lines) as (ears, pid):
                for count in callers:
                    streams = await _measured(ears, pid, lines, count, seconds)
                    found.setdefault((name, count), []).append(streams)
                    say(f"speech, round {round_ + 1}, {name}, {count} streams: {streams.told}")
                    if streams.too_much:
                        break
    return found


async def _measured(ears: Ears, pid: int, lines: Sequence[Line], count: int, seconds: float) -> Streams:
    """pid: whose work the recognition is. The event loop's own part is taken off a thread's."""
    loop_alone = 0.0
    if pid == os.getpid():
        loop_alone = await _cost_of_speaking(lines, count, seconds)
    before = seconds_of(pid)
    outcome = await speak(ears, lines, callers=count, seconds=seconds)
    worked = seconds_of(pid) - before - loop_alone
    return Streams(outcome=outcome, cpu_pct=100 * worked / seconds)


async def _cost_of_speaking(lines: Sequence[Line], count: int, seconds: float) -> float:
    """CPU of those who speak, when nobody listens."""
    before = seconds_of(os.getpid())
    await speak(_Deaf(), lines, callers=count, seconds=seconds / 2)
    return 2 * (seconds_of(os.getpid()) - before)


class _Deaf:
    """Nobody."""

    def open(self, _on_heard: object) -> None: ...
    def listen(self, _stream: object, _grammar: str) -> bool:
        return True

    def feed(self, _stream: object, _sound: bytes) -> None: ...
    def close(self, _stream: object) -> None: ...


@asynccontextmanager
async def _ears(name: str, model: Path, lines: Sequence[Line]) -> AsyncIterator[tuple[Ears, int]]:
    """One recogniser that stands, and the process that it is in."""
    taught = {line.grammar.name: line.grammar for line in lines}
    if name == THREAD:
        threads = Threads(model)
        threads.teach(taught)
        with threads.running():
            yield threads, os.getpid()
        return
    async with _pool(model) as (pool, pid):
        pool.teach(taught)
        yield pool, pid


@asynccontextmanager
async def _pool(model: Path) -> AsyncIterator[tuple[Pool, int]]:
    """The engine's, with one worker, and that one's process."""
    pool = Pool(model, workers=1, streams=max(MEMORY_STREAMS))
    running = asyncio.create_task(pool.run())
    try:
        async with asyncio.timeout(START_SECONDS):
            while not pool.works:  # noqa: ASYNC110 - the pool has no event for it
                await asyncio.sleep(0.05)
        children = psutil.Process().children()
        (worker,) = [child for child in children if "ivr.speech.worker" in child.cmdline()]
        yield pool, worker.pid
    finally:
        running.cancel()
        await asyncio.wait([running])


async def _memory(model: Path, lines: Sequence[Line]) -> Mapping[int, float]:
    """Megabytes of a worker process with so many streams, each in the middle of a sentence."""
    found = {}
    async with _pool(model) as (pool, pid):
        pool.teach({line.grammar.name: line.grammar for line in lines})
        process, streams = psutil.Process(pid), 0
        for wanted in MEMORY_STREAMS:
            await filled(pool, lines, wanted - streams)
            streams = wanted
            found[wanted] = process.memory_info().rss / 2**20
    return found
