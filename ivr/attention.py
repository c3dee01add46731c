"""What comes from the caller: the next key, or the next words, or silence (§19)."""

from __future__ import annotations

from ivr.domain.errors import CallerSilent
from ivr.domain.keypad import TypedKeys
from ivr.hearing import Ear
from ivr.patience import Patience
from ivr.ports import Clock, Heard
from ivr.speaking import Mouth

_SHORTEST_WAIT = 0.001


class Attention:
    """Of one conversation. A key wins over words, for it was meant; a voice moves the silence clock."""

    def __init__(self, ear: Ear, mouth: Mouth, *, typed: TypedKeys, patience: Patience, clock: Clock) -> None:
        self._ear = ear
        self._mouth = mouth
        self._typed = typed
        self._patience = patience
        self._clock = clock

    async def next_answer(self) -> str | Heard:
        """To a question of one key or a few words. Raises CallerSilent."""
        return await self._next(digits=False)

    async def next_digit(self, *, begun: bool) -> str | Heard:
        """Of a number, which has begun or not. Raises CallerSilent."""
        return await self._next(digits=True, begun=begun)

    async def next_within(self, seconds: float) -> str | Heard | None:
        """None when so many seconds have passed from now on."""
        return await self._wait(self._clock.monotonic(), seconds)

    async def next_after(self, seconds: float) -> str | Heard | None:
        """None when so many seconds have passed since the last sound to the caller."""
        return await self._wait(self._ear.silent_since(), seconds)

    def put_back(self, key: str) -> None:
        """Let the key that was just taken be the next one again."""
        self._typed.put_back(key)

    async def _next(self, *, digits: bool, begun: bool = False) -> str | Heard:
        """The silence clock starts now. Exactly the limit is not over yet; reminders do not move it."""
        start, limit = self._ear.silent_since(), self._patience.silence
        for reminder in self._patience.reminded(digits=digits, begun=begun, by_voice=self._ear.by_voice):
            if came := await self._wait(start, min(reminder.at, limit)):
                return came
            if self._quiet(start) <= limit:
                await self._ear.renew()
                await self._mouth.say(reminder.prompt, ask=True)
        if came := await self._wait(start, limit):
            return came
        raise CallerSilent

    def _quiet(self, start: float) -> float:
        """Seconds that the caller has been silent for."""
        return self._clock.monotonic() - max(start, self._ear.voice_at)

    async def _wait(self, start: float, until: float) -> str | Heard | None:
        """None when more than `until` seconds have passed since `start`."""
        while not self._typed:
            if (heard := self._ear.take()) is not None:
                return heard
            left = until - self._quiet(start)
            if left < 0:
                return None
            self._mouth.note(await self._ear.wait_key(max(left, _SHORTEST_WAIT)))
        return self._typed.take()
