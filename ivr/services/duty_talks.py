"""When operators' talks begin and end, for their wrap-up: a talk may go from one bridge to another (§23).

An operator talks from the first bridge of a leg until that leg is gone: consultations, three-way talks and a
citizen who is taken back are parts of it, and wrap-up comes once, behind them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from ivr.domain.callback import leg_call
from ivr.ports import FloorEvent, FloorKind
from ivr.services.floor import Floor

_BEGINS = frozenset({FloorKind.CONNECTED, FloorKind.BRIDGED})


class DutyTalks:
    """Reads the floor's view, which has heard of each event first."""

    def __init__(self, floor: Floor) -> None:
        self._view = floor.view
        self._talked: set[str] = set()
        """Operators' legs that have been in a bridge."""
        self._noted: dict[str, str] = {}
        """By extension: the call that the operator talks about, as the database knows."""

    def begin(self, event: FloorEvent) -> bool:
        """Whether somebody may have begun to talk; `new` tells who."""
        if event.kind is FloorKind.BRIDGED and event.extension:
            self._talked.add(event.call)
        return event.kind in _BEGINS

    def new(self) -> Sequence[tuple[str, str]]:
        """(extension, call) of talks that have not been told yet."""
        found = [(talk.extension, leg_call(talk.call) or talk.call) for talk in self._view.talks.values()]
        new = [(extension, call) for extension, call in found if self._noted.get(extension) != call]
        self._noted.update(new)
        return new

    def end(self, event: FloorEvent) -> bool:
        """Whether the talk of the event's operator is over."""
        if not event.extension or self._view.is_up(event.extension):
            return False
        talked = event.kind is FloorKind.HUNG_UP and event.call in self._talked
        self._talked.discard(event.call)
        return talked or event.kind is FloorKind.COMPLETED

    def forget(self, extension: str) -> None:
        """The talk is over: the next one about the same call is a new one."""
        self._noted.pop(extension, None)

    def rebuilt(self) -> None:
        """Events may have been missed: all talks that go on are told again."""
        self._noted.clear()
        self._talked = {leg.call for leg in self._view.legs.values() if leg.extension and leg.bridge}
