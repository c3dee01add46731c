"""The ear of one conversation: what a caller says while a question is asked, beside the keys.

A stream of the recogniser is taken for the whole conversation, for to connect takes time in which keys would
be lost, and given back at its end. Whatever is wrong with the recogniser, keys alone are left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ivr import grammars
from ivr.domain.errors import Unavailable
from ivr.observe import get_logger
from ivr.ports import Channel, Clock, Grammar, Heard, Recogniser, Spoken

MOST_FAILURES = 2
"""In a row; then keys alone are left for the rest of the call, and «оператор»."""
SENTENCE_SECONDS = 15.0
"""Within so long the recogniser tells what somebody says who has begun to."""
_log = get_logger("ivr.hearing")


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """How an engine listens to its callers."""

    recogniser: Recogniser
    confidence: int = 50
    """Words of a lower score (Heard.score) are said back to the caller."""
    pause: float = 1.5
    """Seconds after which a number of any length is complete."""
    count: Callable[[str, str], object] = lambda _grammar, _result: None
    """Told of each thing said: name of the grammar and recognised, unsure, failed, lost."""


class Ear:
    """Plays and waits as a channel does, and listens meanwhile when a question may be answered by voice."""

    def __init__(
        self, channel: Channel, hearing: Hearing | None, *, clock: Clock, silence: Path, linger: float
    ) -> None:
        """silence: a file to listen with. linger: seconds after a question in which nothing else is said."""
        self._channel = channel
        self._hearing = hearing
        self._clock = clock
        self._silence = silence
        self._linger = max(1.0, math.floor(linger))
        self._reserved = False
        self._open = False
        self._grammar: Grammar | None = None
        self._heard: Heard | None = None
        self._failures = 0
        self._told = False
        self._quiet_since = 0.0
        self.voice_at = 0.0
        """When the caller has last begun to speak, on the monotonic clock."""

    # --- for how long ---

    async def open(self) -> None:
        """Take a stream, if there is one; without one the line asks by keys alone."""
        if self._hearing is None or self._reserved:
            return
        if not self._hearing.recogniser.reserve():
            self._hearing = None
            return
        self._reserved = True
        self._open = await self._channel.open_ears()
        if not self._open:
            _log.error("speech_refused", call=self._channel.id)
            self.close()

    def close(self) -> None:
        """Hear no more of this call, and give the stream back."""
        self.ignore()
        self._open = False
        if self._reserved and self._hearing is not None:
            self._hearing.recogniser.release()
        self._reserved, self._hearing = False, None

    # --- questions ---

    async def attend(self, spoken: Spoken | None) -> bool:
        """Listen for the answers of a question from now on; whether it may be answered by voice.

        None, and after too many failures: for an operator only.
        """
        self.ignore()
        if self._hearing is None:
            return False
        if not self._reserved:
            await self.open()
        if spoken is None or self.keys_only:
            await self._expect(grammars.OPERATOR)
            return False
        return await self._expect(grammars.with_common(spoken.grammar))

    async def renew(self) -> None:
        """Make sure that somebody still listens."""
        if self._grammar is not None:
            await self._expect(self._grammar)

    async def _expect(self, grammar: Grammar) -> bool:
        if not self._open or self._hearing is None:
            return False
        self._hearing.recogniser.teach({grammar.name: grammar})
        if await self._channel.expect(grammar.name):
            self._grammar = grammar
            return True
        _log.error("speech_lost", call=self._channel.id)
        self.close()
        return False

    def ignore(self) -> None:
        """Keys alone, until the next question."""
        if self._grammar is not None and self._grammar.once and self._hearing is not None:
            self._hearing.recogniser.forget(self._grammar.name)
        self._grammar = self._heard = None

    @property
    def by_voice(self) -> bool:
        """Whether the question that is being asked may be answered by voice."""
        return self._grammar is not None and not self._grammar.strict

    @property
    def listens(self) -> bool:
        """Whether questions may be answered by voice."""
        return self._open and not self.keys_only

    @property
    def keys_only(self) -> bool:
        return self._failures >= MOST_FAILURES

    def gives_up(self) -> bool:
        """Whether it is to be said now that keys alone are left: once."""
        said, self._told = self._told, self.keys_only
        return self.keys_only and not said and self._hearing is not None

    def sure(self, score: int, *, operator: bool = False) -> bool:
        """operator: half is enough, for «оператор» and «оператора» take certainty from each other."""
        wanted = self._hearing.confidence if self._hearing is not None else 0
        return score >= (wanted / 2 if operator else wanted)

    @property
    def pause(self) -> float:
        return self._hearing.pause if self._hearing is not None else 0.0

    def note(self, grammar: str, result: str) -> None:
        """How it went with what was said to that grammar: recognised, unsure, failed, lost."""
        if self._hearing is not None:
            self._hearing.count(grammar, result)
        self._failures = self._failures + 1 if result in ("failed", "lost") else 0

    # --- what a channel does ---

    def silent_since(self) -> float:
        """When the last sound to the caller ended, on the monotonic clock; never earlier than it did."""
        return self._quiet_since if self._grammar is not None else self._clock.monotonic()

    @property
    def has_heard(self) -> bool:
        return self._heard is not None

    def take(self) -> Heard | None:
        """What was said, once."""
        heard, self._heard = self._heard, None
        return heard

    async def play(self, audio: Path, *, stop_on: str) -> str | None:
        """As Channel.play; while a question is attended to, voice stops it, too (`take`)."""
        while self._grammar is not None:
            key = await self._listen(audio, self._linger)
            if self._grammar is not None and (key is None or key in stop_on):
                self._quiet_since = self._clock.monotonic() - self._linger + 1.0
                return key
        return await self._channel.play(audio, stop_on=stop_on)

    async def wait_key(self, seconds: float) -> str | None:
        """As Channel.wait_key; whole seconds while a question is attended to, and voice ends it, too."""
        if self._grammar is not None:
            return await self._listen(self._silence, seconds)
        return await self._channel.wait_key(seconds)

    async def _listen(self, audio: Path, seconds: float) -> str | None:
        try:
            came = await self._channel.listen(audio, seconds)
            while isinstance(came, Heard) and came.begun:
                self.voice_at = self._clock.monotonic()
                came = await self._channel.listen(self._silence, SENTENCE_SECONDS)
        except Unavailable:
            _log.error("speech_lost", call=self._channel.id)
            self.close()
            return None
        if isinstance(came, Heard):
            self._heard = came
            self.voice_at = self._clock.monotonic()
            return None
        return came
