"""What a supervisor must know of operators on duty: whose telephone is gone, who was put on a pause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ivr.domain.operators import NO_ANSWER, ON_DUTY, REFUSES, OperatorState
from ivr.ports import Clock, Member
from ivr.services.duty_rules import Wanted, is_away

_AWAY = "operator {} is logged in, but the telephone is not there"
_SEE_TO_IT = "see to the telephone, or `ekc operators logout EXTENSION`"
_DEAF = "operator {} took no call and was put on a pause"
_ASK = "ask the operator; *14 on the telephone or `ekc operators ready EXTENSION` ends it"


class Board(Protocol):
    """Where alarms stand: `ivr.services.alarms.Alarms`."""

    def set(self, key: str, what: str, remedy: str, now: datetime) -> None: ...

    def clear(self, key: str) -> None: ...


class DutyAlarms:
    """Of one engine."""

    def __init__(self, board: Board, clock: Clock, *, away_seconds: float) -> None:
        """away_seconds: a telephone that is gone for so long is an alarm."""
        self._board = board
        self._clock = clock
        self._away_seconds = away_seconds
        self._since: dict[str, float] = {}
        self._standing: set[str] = set()

    def away(self, extension: str) -> bool:
        """Whether the telephone of an operator on duty is not there."""
        return extension in self._since

    def look(self, everybody: Mapping[str, Wanted], members: Mapping[str, Sequence[Member]]) -> None:
        """Raise and clear alarms. Raises OSError."""
        on_duty = [e for e, wanted in everybody.items() if wanted.operator.state in ON_DUTY]
        now = self._clock.monotonic()
        self._since = {e: self._since.get(e, now) for e in on_duty if is_away(members.get(e, ()))}
        standing = {
            f"operator.away.{extension}": (_AWAY.format(extension), _SEE_TO_IT)
            for extension, since in self._since.items()
            if now - since >= self._away_seconds
        }
        standing |= {
            f"operator.paused.{extension}": (_DEAF.format(extension), _ASK)
            for extension in on_duty
            if _put_on_a_pause(everybody[extension])
        }
        for key, (what, remedy) in standing.items():
            self._board.set(key, what, remedy, self._clock.now())
        for key in self._standing - standing.keys():
            self._board.clear(key)
        self._standing = set(standing)


def _put_on_a_pause(wanted: Wanted) -> bool:
    operator = wanted.operator
    return operator.state is OperatorState.PAUSED and operator.reason in (NO_ANSWER, REFUSES)
