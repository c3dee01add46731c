"""A patchboard that only notes what it was told: `ivr.ports.Patchboard`."""

from __future__ import annotations

from ivr.domain.errors import Unavailable
from ivr.ports import Channel, Whisper


class FakePatchboard:
    """`moves`: every order in its order, as a tuple of its name and arguments."""

    def __init__(self) -> None:
        self.moves: list[tuple[str, ...]] = []
        self.down = False
        self.operators: dict[str, str] = {}
        """Who talks with a citizen, by call."""

    async def choosing(self, citizen: str, *, on: bool) -> None:
        self._note("choosing", citizen, "on" if on else "off")

    async def offer(self, citizen: str, *, queue: str, whisper: Whisper | None) -> None:
        self._note("offer", citizen, queue, "whispered" if whisper else "")

    async def consult(self, first: str, citizen: str, *, queue: str, whisper: Whisper | None) -> None:
        self._note("consult", first, citizen, queue, "whispered" if whisper else "")

    async def bridge(self, citizen: str, partner: str, *, extension: str, queue: str = "") -> None:
        self._note("bridge", citizen, partner, extension, queue)

    async def join(self, citizen: str, partner: str, *, extension: str, queue: str) -> None:
        self._note("join", citizen, partner, extension, queue)

    async def ring_again(self, citizen: str, *, at_once: bool = False) -> None:
        self._note("ring_again", citizen, "at once" if at_once else "")

    async def operator_of(self, channel: Channel) -> str | None:
        return self.operators.get(channel.id)

    def _note(self, *order: str) -> None:
        if self.down:
            raise Unavailable("there is no connection to Asterisk's manager interface")
        self.moves.append(tuple(part for part in order if part))
