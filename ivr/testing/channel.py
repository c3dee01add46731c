"""A telephone channel without a telephone: `ivr.ports.Channel`, on a virtual clock."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from ivr.domain.errors import BadInput, CallerHungUp, Unavailable
from ivr.ports import KEYS, Boarding, CallFacts, Heard
from ivr.testing.caller import ScriptedCaller
from ivr.testing.clock import VirtualClock


class FakeChannel:
    """Plays to a `ScriptedCaller`; nothing takes any real time.

    A prompt's id is the name of its file. durations: seconds of prompts by id, the others last `lasting`.
    unplayable: ids whose file Asterisk cannot open. results: what dialplan applications return, by name; an
    application that is not among them, when there are any, is unknown.
    """

    def __init__(
        self,
        clock: VirtualClock,
        *,
        call: str = "node1-1764000000.1",
        number: str | None = "+79123456789",
        arrived_at: datetime | None = None,
        lasting: float = 2.0,
        durations: Mapping[str, float] | None = None,
    ) -> None:
        self.clock = clock
        self.caller = ScriptedCaller(clock)
        self.id = call
        self.environment: Mapping[str, str] = {"uniqueid": call}
        self.known = CallFacts(number=number, arrived_at=arrived_at or clock.now())
        self.lasting = lasting
        self.durations = dict(durations or {})
        self.unplayable: set[str] = set()
        self.results: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self.answered = False
        self.ears = True
        """Whether there is a recogniser to connect to; False in the middle of a call: it is gone."""
        self.listening = False
        self.expected: list[str] = []
        """Names of the grammars that questions were listened to with."""
        self.heard: list[str] = []
        """Ids of the prompts that began to play."""
        self.executed: list[tuple[str, ...]] = []
        self.handed_over: tuple[str, int, str] | None = None
        """Queue, priority, enquiry."""
        self.boarding: Boarding | None = None
        self.listened: list[tuple[str, bool]] = []
        """Legs that were listened to, and whether they heard this side."""
        self.finished = False

    async def facts(self) -> CallFacts:
        await self._command()
        return self.known

    async def answer(self) -> None:
        await self._command()
        self.answered = True

    async def play(self, audio: Path, *, stop_on: str = KEYS) -> str | None:
        await self._command()
        sound = audio.stem
        if sound in self.unplayable:
            raise Unavailable("Asterisk cannot play a prompt: the file is missing or unreadable")
        self.heard.append(sound)
        self.caller.hears(sound)
        ends = self.clock.monotonic() + self.durations.get(sound, self.lasting)
        while True:
            key = await self._next_key(ends - self.clock.monotonic())
            if key is None or key in stop_on:
                return key

    async def wait_key(self, seconds: float) -> str | None:
        await self._command()
        return await self._next_key(seconds)

    async def open_ears(self) -> bool:
        await self._command()
        self.listening = self.ears
        return self.ears

    async def expect(self, grammar: str) -> bool:
        await self._command()
        if not (self.listening and self.ears):
            return False
        self.expected.append(grammar)
        return True

    async def listen(self, audio: Path, seconds: float) -> str | Heard | None:
        """A recogniser that is gone hears nothing, and nobody is told."""
        await self._command()
        if not self.listening:
            raise Unavailable("Asterisk has no recogniser for this call")
        lasting = 0.0
        if audio.stem != "silence":
            self.heard.append(audio.stem)
            self.caller.hears(audio.stem)
            lasting = self.durations.get(audio.stem, self.lasting)
        try:
            return self.caller.next_deed(lasting + max(1, math.ceil(seconds)))
        finally:
            await _turns()

    async def _next_key(self, seconds: float) -> str | None:
        try:
            return self.caller.next_key(seconds)
        finally:
            await _turns()

    async def get_variable(self, name: str) -> str | None:
        await self._command()
        return self.variables.get(name)

    async def set_variable(self, name: str, value: str) -> None:
        """Also when the caller has gone: the dialplan's `h` reads it."""
        self._check_ours()
        self.variables[name] = value
        await _turns()

    async def execute(self, application: str, *arguments: str) -> str:
        await self._command()
        if any("," in argument for argument in arguments):
            raise BadInput("a comma in an argument of a dialplan application makes two of it")
        if self.results and application not in self.results:
            raise BadInput(f"Asterisk has no application {application}")
        self.executed.append((application, *arguments))
        return self.results.get(application, "0")

    async def hang_up(self) -> None:
        await self._command()
        self.caller.gone = True

    async def listen_in(self, leg: str, *, whisper: bool) -> None:
        """The talk is over at once."""
        await self._command()
        self.listened.append((leg, whisper))

    async def hand_over(
        self, queue: str, *, priority: int, enquiry: str, boarding: Boarding | None = None
    ) -> None:
        self._check_ours()
        self.boarding = boarding
        self.handed_over = (queue, priority, enquiry)
        await _turns()

    async def finish(self) -> None:
        self._check_ours()
        self.finished = True
        await _turns()

    async def _command(self) -> None:
        self._check_ours()
        await _turns()
        if self.caller.gone:
            raise CallerHungUp

    def _check_ours(self) -> None:
        if self.finished or self.handed_over is not None:
            raise RuntimeError("the handler has given this channel away: that was to be its last deed")


async def _turns() -> None:
    """Let work that waits for the clock go on, as it does while a real command is under way."""
    for _ in range(3):
        await asyncio.sleep(0)
