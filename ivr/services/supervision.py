"""Supervisors listen to talks and whisper to operators (§9.1): asked by `*31` and `*32`, refused, audited."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.domain.errors import NotFound
from ivr.domain.operators import Operator
from ivr.domain.supervision import Refusal, refusal
from ivr.ports import Clock, Leg, TraceEvent, UnitOfWork
from ivr.services.audit import By
from ivr.services.floor import View

LISTEN, WHISPER = "talks.listen", "talks.whisper"
"""Actions in the audit."""
KIND = "supervisor"
"""Of the event in the citizen's trace; id: who listens; outcome: `listens` or `whispers`."""
NOBODY = "-"
"""The subject of a refusal when what was dialled is no extension of ours: it may be anything."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A talk that is being listened to."""

    leg: str
    """Name of the operator's leg (Leg.name)."""
    call: str
    """Uniqueid of the citizen's leg."""


def talk_of(view: View, extension: str) -> Heard | None:
    """The talk of an operator with a citizen that goes on now."""
    for leg in view.legs.values():
        if leg.extension == extension and leg.bridge and (citizen := _citizen(view, leg)) is not None:
            return Heard(leg=leg.name, call=citizen.call)
    return None


def _citizen(view: View, leg: Leg) -> Leg | None:
    together = (other for other in view.legs.values() if other.bridge == leg.bridge)
    return next((other for other in together if other.extension is None), None)


class Supervision:
    """Decides, and writes down, who listens to whom."""

    def __init__(self, view: View, clock: Clock) -> None:
        self._view, self._clock = view, clock

    def ask(self, uow: UnitOfWork, who: str, whom: str, *, whisper: bool) -> Heard | Refusal:
        """Extension `who` wants to hear the talk of extension `whom`; both answers are audited (§10, §11);
        who listens stands in the trace of the call, too."""
        operator = _found(uow, whom)
        heard = talk_of(self._view, whom)
        refused = refusal(_found(uow, who), operator, talking=heard is not None)
        by = By(actor=who, at=self._clock.now())
        if heard is not None and refused is None:
            outcome = "whispers" if whisper else "listens"
            uow.traces.add([TraceEvent(call=heard.call, at=by.at, kind=KIND, id=who, outcome=outcome)])
        by.note(
            uow,
            WHISPER if whisper else LISTEN,
            whom if operator is not None else NOBODY,
            call=heard.call if heard is not None and refused is None else None,
            result=refused.value if refused is not None else "ok",
        )
        return refused or heard or Refusal.NOT_TALKING


def _found(uow: UnitOfWork, extension: str) -> Operator | None:
    try:
        return uow.operators.get(extension)
    except NotFound:
        return None
