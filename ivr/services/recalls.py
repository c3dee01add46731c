"""Citizens who wait for an operator they have lost, and telephones that come back in time."""

from __future__ import annotations

from ivr.ports import Clock, MemberStatus, Patchboard, Switchboard
from ivr.services.floor import Floor


class Recalls:
    """Of one engine; the dialplan itself rings the operator as long as the telephone is there."""

    def __init__(
        self,
        *,
        switchboard: Switchboard,
        patchboard: Patchboard,
        floor: Floor,
        clock: Clock,
        back_seconds: float,
    ) -> None:
        """back_seconds: how long a citizen waits for the telephone of a lost operator."""
        self._switchboard = switchboard
        self._patchboard = patchboard
        self._floor = floor
        self._clock = clock
        self._back_seconds = back_seconds
        self._lost: dict[str, tuple[str, float]] = {}
        """By extension: the citizen's call, and until when it waits for this telephone."""

    def lost(self, citizen: str, extension: str) -> None:
        """The citizen's operator was lost; the dialplan rings the telephone, for a while."""
        self._lost[extension] = (citizen, self._clock.monotonic() + self._back_seconds)

    async def is_back(self, extension: str) -> None:
        """Ring it anew, unless it rings already or the citizen talks or is gone. Raises Unavailable."""
        call, until = self._lost.pop(extension, ("", 0.0))
        members = self._floor.view.members.values()
        rings = any(m.extension == extension and m.status is MemberStatus.RINGING for m in members)
        if self._clock.monotonic() >= until or rings:
            return
        snapshot = await self._switchboard.snapshot()
        for leg in snapshot.legs:
            if leg.call == call and not leg.bridge:
                await self._patchboard.ring_again(leg.name, at_once=True)
