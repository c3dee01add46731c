"""Holds, written into the journal of queues as lines of ours: Asterisk's journals do not tell of them.

So the time on hold comes from the journals like all else (services/passages.py). An engine that is away while
an operator holds does not write: that hold counts as talk or, if only its end is missed, to the end of the
talk. The sum of both is true in any case.
"""

from __future__ import annotations

from ivr.ports import FloorEvent, FloorKind, Switchboard
from ivr.services.call_story import HOLD, UNHOLD
from ivr.services.floor import Floor

_LINES = {FloorKind.HELD: HOLD, FloorKind.RESUMED: UNHOLD}
_NO_QUEUE = "NONE"


class Holds:
    """Listens to the floor: `floor.listen(holds.note)`."""

    def __init__(self, floor: Floor, switchboard: Switchboard) -> None:
        self._floor = floor
        self._switchboard = switchboard

    async def note(self, event: FloorEvent) -> None:
        """An operator puts a citizen on hold, or comes back. Raises Unavailable."""
        line = _LINES.get(event.kind)
        if line is None or not event.extension:
            return
        talk = self._floor.view.talks.get(event.extension)
        call, queue = (talk.call, talk.queue) if talk is not None else (event.linked, "")
        await self._switchboard.journal(line, call=call, queue=queue or _NO_QUEUE, extension=event.extension)
