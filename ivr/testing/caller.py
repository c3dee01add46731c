"""A caller who does what a script says, at moments of a virtual clock."""

from __future__ import annotations

import heapq
from collections import Counter
from itertools import count

from ivr.domain.errors import CallerHungUp
from ivr.ports import KEYS, Heard
from ivr.testing.clock import VirtualClock

Deed = str | Heard | None
"""A key, something said, or None: the caller hangs up."""


class ScriptedCaller:
    """Presses keys, speaks and hangs up: at a moment of the call, or some time after a prompt has begun.

    What is pressed while nobody reads is not lost but read next, as Asterisk keeps it.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.gone = False
        self._began = clock.monotonic()
        self._heard: Counter[str] = Counter()
        self._waiting: list[tuple[tuple[str, int], float, Deed]] = []
        self._coming: list[tuple[float, int, Deed]] = []
        self._numbers = count()

    def presses(
        self,
        keys: str,
        *,
        at: float = 0.0,
        on: str | None = None,
        after: float = 0.0,
        hearing: int = 1,
        gap: float = 0.1,
    ) -> None:
        """Type `keys`, `gap` seconds apart.

        at: seconds from the beginning of the call. on: a prompt's id instead: `after` seconds from when it
        begins to be heard for the `hearing`-th time. Raises ValueError for what no telephone has.
        """
        if not keys or set(keys) - set(KEYS):
            raise ValueError(f"a telephone has no such keys: {keys!r}")
        for n, key in enumerate(keys):
            self._do(key, at=at + n * gap, on=on, after=after + n * gap, hearing=hearing)

    def says(
        self,
        words: str,
        *,
        score: int = 100,
        at: float = 0.0,
        on: str | None = None,
        after: float = 0.0,
        hearing: int = 1,
        lasting: float = 1.0,
    ) -> None:
        """Speak for `lasting` seconds, and be understood so when that is over; the moments as in `presses`.

        words: `[unk]` for what no grammar knows; empty: the recogniser is lost meanwhile.
        """
        if Heard(text=words, score=score).words:
            self._do(Heard(text=Heard.BEGUN, score=0), at=at, on=on, after=after, hearing=hearing)
        heard = Heard(text=words, score=score)
        self._do(heard, at=at + lasting, on=on, after=after + lasting, hearing=hearing)

    def leaves(self, *, at: float = 0.0, on: str | None = None, after: float = 0.0, hearing: int = 1) -> None:
        """Hang up; the moments are those of `presses`."""
        self._do(None, at=at, on=on, after=after, hearing=hearing)

    def _do(self, key: Deed, *, at: float, on: str | None, after: float, hearing: int) -> None:
        if on is None:
            self._plan(self._began + at, key)
        else:
            self._waiting.append(((on, hearing), after, key))

    def _plan(self, moment: float, key: Deed) -> None:
        heapq.heappush(self._coming, (moment, next(self._numbers), key))

    # --- for the channel ---

    def hears(self, sound: str) -> None:
        """A prompt begins now."""
        self._heard[sound] += 1
        place, now = (sound, self._heard[sound]), self.clock.monotonic()
        for waits_for, after, key in self._waiting:
            if waits_for == place:
                self._plan(now + after, key)
        self._waiting = [deed for deed in self._waiting if deed[0] != place]

    def next_key(self, seconds: float) -> str | None:
        """The next key within so many seconds, which pass until then; None when there is none.

        A key at the very end counts; what is said meanwhile is lost. Raises CallerHungUp when that comes
        first, and ever after.
        """
        ends = self.clock.monotonic() + seconds
        while True:
            deed = self.next_deed(ends - self.clock.monotonic())
            if not isinstance(deed, Heard):
                return deed

    def next_deed(self, seconds: float) -> Deed:
        """As next_key, but what is said counts, too."""
        now = self.clock.monotonic()
        if self.gone:
            raise CallerHungUp
        if not self._coming or self._coming[0][0] > now + max(seconds, 0.0) + _ROUNDING:
            self.clock.forward(max(seconds, 0.0))
            return None
        moment, _, deed = heapq.heappop(self._coming)
        self.clock.forward(max(moment - now, 0.0))
        if deed is None:
            self.gone = True
            raise CallerHungUp
        return deed


_ROUNDING = 1e-7
"""Less than the clock's microsecond: sums of seconds may be off by a bit."""
