"""The line's ears: the model in use, its worker processes, and the server that Asterisk sends sound to."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from websockets.asyncio.server import Server

from ivr.asterisk import conf
from ivr.asterisk.layout import own_directory
from ivr.domain.errors import BadInput
from ivr.hearing import Hearing
from ivr.metrics import Metrics
from ivr.ports import Clock
from ivr.services.alarms import Alarms
from ivr.services.status import SpeechState
from ivr.settings import Settings
from ivr.speech import trying
from ivr.speech.aeap import listen
from ivr.speech.models import ModelFolder
from ivr.speech.pool import Pool

GAUGE_SECONDS = 1.0
AGAIN_SECONDS = 10.0
WORDS_SECONDS = 10.0
"""A caller waits so long for the words that the model knows."""
START_SECONDS = 60.0
"""What a worker may take to load a big model."""
SILENT = "no recognition process works: callers answer by keys alone"


class Ears:
    """Of one engine. The model is the one in use when the engine starts."""

    def __init__(self, settings: Settings, metrics: Metrics, alarms: Alarms, clock: Clock) -> None:
        self._alarms = alarms
        self._clock = clock
        self._settings = settings
        self._metrics = metrics
        models = ModelFolder(settings.models_dir, own=own_directory)
        self._model = models.in_use() if settings.speech.enabled else None
        self._asking = asyncio.Lock()
        self.pool = Pool(
            self._model,
            workers=settings.speech.workers,
            streams=settings.speech.streams,
            hang_seconds=settings.speech.hang_seconds,
            on_busy=metrics.speech_refused.inc,
            on_death=metrics.speech_deaths.inc,
        )

    @property
    def hearing(self) -> Hearing | None:
        """None: there is no model, and the line works by keys alone."""
        if self.pool.model is None:
            return None
        return Hearing(
            recogniser=self.pool,
            confidence=self._settings.speech.confidence,
            pause=self._settings.speech.pause_seconds,
            count=lambda grammar, result: self._metrics.speech_turns.labels(grammar, result).inc(),
        )

    @property
    def state(self) -> SpeechState | None:
        """None: keys alone."""
        if self.pool.model is None:
            return None
        return SpeechState(
            model=self.pool.model, streams=self._settings.speech.streams, taken=self.pool.taken
        )

    async def unknown_words(self, words: Collection[str]) -> Collection[str]:
        """Those that the model does not know. Raises BadInput, TimeoutError.

        A process loads the model for it: one at a time, also when nobody waits for it any more.
        """
        async with asyncio.timeout(WORDS_SECONDS):
            return await asyncio.shield(self._look_up(words))

    async def _look_up(self, words: Collection[str]) -> Collection[str]:
        async with self._asking:
            if self._model is None:
                return words
            return await asyncio.to_thread(trying.unknown_words, self._model, words)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.pool.run())
            group.create_task(self._show())
            server = await self._listen()
            try:
                await asyncio.Event().wait()
            finally:
                server.close()

    async def _listen(self) -> Server:
        """A port that is taken keeps nobody from answering by keys; it is tried again."""
        while True:
            try:
                return await listen(self.pool, conf.SPEECH_HOST, self._settings.speech_port)
            except BadInput as taken:
                self._alarms.set("speech.port", str(taken), "`ekc doctor`", self._clock.now())
                await asyncio.sleep(AGAIN_SECONDS)
            finally:
                self._alarms.clear("speech.port")

    async def _show(self) -> None:
        """The gauge, and an alarm while nothing is recognised for longer than a worker takes to start."""
        loop = asyncio.get_running_loop()
        worked = loop.time()
        while True:
            self._metrics.speech_streams.set(self.pool.taken)
            if self.pool.works:
                worked = loop.time()
                self._alarms.clear("speech")
            elif loop.time() - worked > START_SECONDS:
                self._alarms.set("speech", SILENT, "`ekc speech test`, log/engine.log", self._clock.now())
            await asyncio.sleep(GAUGE_SECONDS)
