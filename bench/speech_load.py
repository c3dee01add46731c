"""Callers who speak in real time to the engine's recognisers: no Asterisk, an event loop as in the engine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from bench.voices import FRAME_SECONDS, QUIET_FRAME, Utterance
from ivr.ports import Grammar, Heard
from ivr.speech.worker import Worker
from ivr.speech.worker_wire import UNKNOWN, Kind, Packet

SLOTS = 20
"""Moments within the length of a packet at which packets come: callers are not in step."""
BEFORE_A_PAUSE = 5
"""Callers whose sentences are said at once, far faster than in real time."""
HEARD_OUT_SECONDS = 60.0
FIRST_FRAMES = 50
"""Within which everybody begins."""
OVERDUE_FRAMES = 50
PATIENCE_FRAMES = 150
"""Of quiet after a word: who is not understood by then is not understood."""


class Ears(Protocol):
    """As much of ivr.speech.pool.Pool as is measured."""

    def open(self, on_heard: Any) -> Any: ...
    def listen(self, stream: Any, grammar: str) -> bool: ...
    def feed(self, stream: Any, sound: bytes) -> None: ...
    def close(self, stream: Any) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something to say, and when a recogniser that takes no time would have understood it."""

    utterance: Utterance
    grammar: Grammar
    frames: int
    """Of 20 ms, quiet after the word included, that the recogniser has to have heard."""

    def frame(self, number: int) -> bytes:
        frames = self.utterance.frames
        return frames[number] if number < len(frames) else QUIET_FRAME


def needed(worker: Worker, utterance: Utterance, grammar: Grammar) -> Line | None:
    """None: it is not understood at all."""
    line = Line(utterance=utterance, grammar=grammar, frames=0)
    worker.take(Packet(0, Kind.RESET, phrases(grammar)))
    for number in range(len(utterance.frames) + PATIENCE_FRAMES):
        answer = worker.take(Packet(0, Kind.AUDIO, line.frame(number)))
        if answer is not None and answer.kind is Kind.RESULT:
            return Line(utterance=utterance, grammar=grammar, frames=number + 1)
    return None


def phrases(grammar: Grammar) -> bytes:
    """As the pool sends them."""
    return json.dumps([*grammar.phrases, UNKNOWN], ensure_ascii=False).encode()


@dataclass(kw_only=True)
class Outcome:
    """What so many callers at once have lived through."""

    after_word: list[float] = field(default_factory=list)
    """Seconds from the end of a word to the engine's having it."""
    late: list[float] = field(default_factory=list)
    """Of these, seconds that are not the quiet by which a recogniser knows that a word has ended."""
    lags: list[float] = field(default_factory=list)
    """Seconds by which the event loop was late for a packet."""
    lost: int = 0
    """Words that were not understood, though a recogniser that takes no time does."""


class Caller:
    """Says one line after the other."""

    def __init__(self, ears: Ears, lines: Sequence[Line], outcome: Outcome, chance: Random) -> None:
        self._ears = ears
        self._lines = lines
        self._outcome = outcome
        self._chance = chance
        self._loop = asyncio.get_running_loop()
        self._stream = ears.open(self._heard)
        self._begun = 0.0
        self._waits = chance.randrange(FIRST_FRAMES)
        self._number = 0
        self._line: Line | None = None

    def step(self, due: float) -> None:
        """The packet of this moment."""
        if self._line is None:
            self._waits -= 1
            if self._waits < 0:
                self._begin(due)
            return
        self._ears.feed(self._stream, self._line.frame(self._number))
        self._number += 1
        if self._number > len(self._line.utterance.frames) + PATIENCE_FRAMES:
            self._outcome.lost += 1
            self._line = None

    def _begin(self, due: float) -> None:
        self._line = self._chance.choice(self._lines)
        self._number, self._begun = 0, due
        self._ears.listen(self._stream, self._line.grammar.name)

    def _heard(self, heard: Heard) -> None:
        if self._line is None or heard.begun:
            return
        took = self._loop.time() - self._begun
        if heard.words:
            self._outcome.after_word.append(took - self._line.utterance.end_seconds)
            self._outcome.late.append(took - self._line.frames * FRAME_SECONDS)
        else:
            self._outcome.lost += 1
        self._line, self._waits = None, 0

    @property
    def overdue(self) -> bool:
        """Whether they were to be understood a second ago: whoever is slow is not spared by the end."""
        return self._line is not None and self._number > self._line.frames + OVERDUE_FRAMES

    def close(self) -> None:
        self._ears.close(self._stream)


async def speak(ears: Ears, lines: Sequence[Line], *, callers: int, seconds: float) -> Outcome:
    """So many callers for so long, each of whom speaks all the time, which none does for so long."""
    outcome, loop = Outcome(), asyncio.get_running_loop()
    chance = Random(callers)  # noqa: S311 - who says what, no secret
    waiting = [Caller(ears, lines, outcome, chance) for _ in range(callers)]
    begin, tick = loop.time(), 0
    while (due := begin + tick * FRAME_SECONDS / SLOTS) < begin + seconds:
        await asyncio.sleep(max(due - loop.time(), 0))
        outcome.lags.append(loop.time() - due)
        for caller in waiting[tick % SLOTS :: SLOTS]:
            caller.step(due)
        tick += 1
    outcome.lost += sum(caller.overdue for caller in waiting)
    for caller in waiting:
        caller.close()
    return outcome


async def filled(ears: Ears, lines: Sequence[Line], callers: int) -> None:
    """So many more callers have begun to speak, and the recogniser has heard all of it."""
    for number in range(callers):
        line = lines[number % len(lines)]
        stream = ears.open(lambda _heard: None)
        ears.listen(stream, line.grammar.name)
        for frame in line.utterance.frames:
            ears.feed(stream, frame)
        if number % BEFORE_A_PAUSE == 0:
            await _heard_out(ears, lines[0])
    await _heard_out(ears, lines[0])


async def _heard_out(ears: Ears, line: Line) -> None:
    """Until one who speaks now has been understood: packets are taken in their order."""
    done = asyncio.Event()
    stream = ears.open(lambda heard: None if heard.begun else done.set())
    ears.listen(stream, line.grammar.name)
    for number in range(line.frames):
        ears.feed(stream, line.frame(number))
    async with asyncio.timeout(HEARD_OUT_SECONDS):
        await done.wait()
    ears.close(stream)
