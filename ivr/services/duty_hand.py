"""The hand that changes memberships: commands to the telephone switch, and the view that knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ivr.ports import Member, MemberStatus, Switchboard
from ivr.services.duty_rules import Deed, Step
from ivr.services.floor import Floor


class Hand:
    """Of one node."""

    def __init__(self, switchboard: Switchboard, floor: Floor) -> None:
        self._switchboard = switchboard
        self._floor = floor

    def members(self) -> Mapping[str, list[Member]]:
        """The memberships of each extension, as far as is known."""
        found: dict[str, list[Member]] = {}
        for member in self._floor.view.members.values():
            found.setdefault(member.extension, []).append(member)
        return found

    async def do(self, extension: str, step: Step) -> None:
        """Raises Unavailable."""
        board, queue = self._switchboard, step.queue
        match step.deed:
            case Deed.ADD:
                await board.add_member(
                    queue, extension, penalty=step.penalty, paused=step.paused, reason=step.reason
                )
            case Deed.REMOVE:
                await board.remove_member(queue, extension)
            case Deed.PENALTY:
                await board.set_penalty(queue, extension, step.penalty)
            case Deed.PAUSE | Deed.UNPAUSE:
                await board.pause(extension, paused=step.paused, reason=step.reason, queue=queue)
        self._believe(extension, step)

    def _believe(self, extension: str, step: Step) -> None:
        """The event that tells of it may still be on its way."""
        members, key = self._floor.view.members, (step.queue, extension)
        known = members.get(key)
        if step.deed is Deed.REMOVE:
            members.pop(key, None)
        elif step.deed is Deed.ADD:
            members.setdefault(key, _new(extension, step))
        elif known is not None and step.deed is Deed.PENALTY:
            members[key] = replace(known, penalty=step.penalty)
        elif known is not None:
            members[key] = replace(known, paused=step.paused, reason=step.reason)


def _new(extension: str, step: Step) -> Member:
    return Member(
        queue=step.queue,
        extension=extension,
        paused=step.paused,
        reason=step.reason,
        status=MemberStatus.FREE,
        penalty=step.penalty,
    )
