"""Passages: what became of one call in one queue, or with an operator who was reached without one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ivr.domain.figures import Fate

CONNECTED = "connected"
"""Why: an operator took the call."""
LOST = "lost"
"""Why: our failure ended the wait."""
UNKNOWN = "unknown"
"""Why: the wait is over, and no journal tells how."""
_FATES = {
    "": Fate.WAITING,
    CONNECTED: Fate.ANSWERED,
    "abandoned": Fate.ABANDONED,
    "callback": Fate.CALLBACK,
    LOST: Fate.LOST,
}
"""By why; what is not here was given back."""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """Made from lines of the journals alone (services/passages.py), so every figure leads back to them."""

    call: str
    """Uniqueid of the citizen's leg."""
    queue: str
    """Empty: an operator was reached without a queue, by a transfer."""
    entered: datetime
    """In whole seconds, as the journal of queues has it; without a queue the beginning of the talk."""
    left: datetime | None = None
    """The end of the wait: the beginning of the talk, if there was one. None: it goes on."""
    why: str = ""
    """`connected`, `abandoned`, `lost`, `unknown` or a value of ports.LeftQueue; empty while it goes on."""
    operator: str | None = None
    """Extension of who took the call."""
    talking_s: int = 0
    """In one bridge with that operator, without holds."""
    hold_s: int = 0
    """The operator had the citizen on hold."""
    missed: tuple[str, ...] = ()
    """Extensions that were rung in vain meanwhile, one entry for each time."""

    @property
    def fate(self) -> Fate | None:
        """None for a talk that no wait came before: nobody was offered to a queue."""
        return _FATES.get(self.why, Fate.GIVEN_BACK) if self.queue else None

    @property
    def waited_s(self) -> int:
        """Whole seconds, both ends rounded down: true on the average. 0 while it goes on."""
        if self.left is None:
            return 0
        return max(0, int((_whole(self.left) - _whole(self.entered)).total_seconds()))


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)
