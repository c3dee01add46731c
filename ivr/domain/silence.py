"""When a citizen who talks with an operator has been silent for so long that the service may end (§19).

The clock starts when the operator stops talking. It is cleared by the citizen's voice or key and by the
operator's voice, and stands still on hold and while the citizen is out of the talk (transfer). So a long
explanation of the operator is no silence of the citizen. More than `limit` seconds are too long; exactly as
many are not.

Times are seconds of one clock that never goes back. What comes from live events may be missing or doubled:
every method takes what it is told for true and doubts in the citizen's favour.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Self

AWAY = "away"
"""Why it stands still: the citizen is in no bridge with an operator."""
TRANSFER = "transfer"
"""Why it stands still: the citizen hears music because of a transfer."""


@dataclass(frozen=True, kw_only=True)
class SilenceClock:
    """Of one citizen's leg; each method gives the clock as it is afterwards."""

    limit: float
    """Seconds; more of them are a silence."""
    asked: bool = False
    """The operators have spoken last, and all of them have stopped."""
    told: bool = False
    """The operator knows of this silence."""
    spent: float = 0.0
    """Seconds of silence before `since`."""
    since: float | None = None
    """It has been running since then; None: it does not run."""
    operators: Set[str] = frozenset()
    """Operators' legs that speak."""
    citizen: bool = False
    """The citizen speaks."""
    standing: Set[str] = frozenset()
    """Why it stands still: AWAY, TRANSFER, or the legs that have put the other side on hold."""

    # --- what happens ---

    def operator_speaks(self, leg: str) -> Self:
        return self._cleared(operators=self.operators | {leg})

    def operator_stops(self, leg: str, at: float) -> Self:
        """at: when the voice ended. With another operator's voice or the citizen's, nothing begins."""
        left = self.operators - {leg}
        if left or self.citizen:
            return replace(self, operators=left)
        return self._cleared(operators=left, asked=True, since=None if self.standing else at)

    def citizen_speaks(self) -> Self:
        return self._cleared(citizen=True)

    def citizen_stops(self) -> Self:
        return self._cleared(citizen=False)

    def key(self) -> Self:
        """The citizen pressed a key."""
        return self._cleared()

    def stand(self, why: str, at: float) -> Self:
        """Stand still for one more reason."""
        return replace(self, spent=self.silent_for(at), since=None, standing=self.standing | {why})

    def go_on(self, why: str, at: float) -> Self:
        """That reason is no more; a clock that stands for another one still stands."""
        left = self.standing - {why}
        since = at if self.asked and not left and self.since is None else self.since
        return replace(self, standing=left, since=since)

    def tell(self) -> Self:
        """The operator is told: once for each silence."""
        return replace(self, told=True)

    # --- what it says ---

    def silent_for(self, now: float) -> float:
        """Seconds without an answer."""
        return self.spent + (max(0.0, now - self.since) if self.since is not None else 0.0)

    def due(self, now: float) -> bool:
        """The operator is to be told now that completing is allowed."""
        return self.since is not None and not self.told and self.silent_for(now) > self.limit

    def _cleared(
        self,
        *,
        asked: bool = False,
        since: float | None = None,
        operators: Set[str] | None = None,
        citizen: bool | None = None,
    ) -> Self:
        return replace(
            self,
            asked=asked,
            told=False,
            spent=0.0,
            since=since,
            operators=self.operators if operators is None else operators,
            citizen=self.citizen if citizen is None else citizen,
        )
