"""`ivr.ports.Switchboard` over AMI: typed commands and events; only this file and conf know `PJSIP/NNN`.

Event and header names: Asterisk's manager documentation (app_queue, stasis_bridges, talk detection).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from ivr.asterisk.ami import Ami, AmiMessage, Value
from ivr.asterisk.floor_events import WANTED, leg_of, member_of, to_event, waiting_of
from ivr.domain.errors import Unavailable
from ivr.ports import FloorEvent, Snapshot

__all__ = ["WANTED", "AmiSwitchboard"]
ANSWER_SLACK = 5.0
"""Seconds that Asterisk may take beyond the ringing to say what came of a call."""
_AS_GOOD = ("already there", "not there", "unable to remove interface", "no such channel")
"""Refusals that say that what was wanted is so (app_queue.c, manager.c), in lower case."""


class AmiSwitchboard:
    """The switchboard of one node."""

    def __init__(
        self,
        ami: Ami,
        *,
        on_event: Callable[[FloorEvent], None] = lambda _event: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ami = ami
        self._on_event = on_event
        self._now = now

    def take(self, message: AmiMessage) -> None:
        """An event of the connection, for `Ami(on_event=…)`."""
        event = to_event(message)
        if event is not None:
            self._on_event(event)

    # --- the view ---

    async def snapshot(self) -> Snapshot:
        queues = await self._list({"Action": "QueueStatus"})
        channels = await self._list({"Action": "CoreShowChannels"})
        now = self._now()
        return Snapshot(
            members=tuple(m for row in queues if (m := member_of(row)) is not None),
            waiting=tuple(waiting_of(row, now) for row in queues if row.get("Event") == "QueueEntry"),
            legs=tuple(leg_of(row) for row in channels if row.get("Event") == "CoreShowChannel"),
        )

    async def _list(self, action: Mapping[str, Value]) -> Sequence[AmiMessage]:
        return await self._do(action)

    # --- commands ---

    async def add_member(
        self, queue: str, extension: str, *, penalty: int = 0, paused: bool = False, reason: str = ""
    ) -> None:
        await self._do(
            {
                "Action": "QueueAdd",
                "Queue": queue,
                "Interface": _interface(extension),
                "Penalty": str(penalty),
                "Paused": str(paused).lower(),
                "Reason": reason,
            }
        )

    async def remove_member(self, queue: str, extension: str) -> None:
        await self._do({"Action": "QueueRemove", "Queue": queue, "Interface": _interface(extension)})

    async def pause(self, extension: str, *, paused: bool, reason: str = "", queue: str = "") -> None:
        action = {
            "Action": "QueuePause",
            "Interface": _interface(extension),
            "Paused": str(paused).lower(),
            "Reason": reason,
        }
        await self._do(action | ({"Queue": queue} if queue else {}))

    async def redirect(self, leg: str, *, context: str, exten: str = "s", other: str = "") -> None:
        place = {"Context": context, "Exten": exten, "Priority": "1"}
        extra = {"ExtraChannel": other, "ExtraContext": context, "ExtraExten": exten, "ExtraPriority": "1"}
        await self._do({"Action": "Redirect", "Channel": leg, **place, **(extra if other else {})})

    async def originate(
        self,
        *,
        id_: str,
        first: str,
        context: str,
        exten: str,
        variables: Mapping[str, str],
        seconds: float,
    ) -> bool:
        answer = await self._ami.action(
            {
                "Action": "Originate",
                "Channel": f"Local/{first}/n",
                "Context": context,
                "Exten": exten,
                "Priority": "1",
                "Async": "true",
                "ChannelId": id_,
                "Timeout": str(int(seconds * 1000)),
                "Variable": [f"{name}={value}" for name, value in variables.items()],
            },
            seconds=seconds + ANSWER_SLACK,
        )
        if answer[0].get("Response") != "Success":
            raise Unavailable("Asterisk refused to make a call")
        return any(
            row.get("Response") == "Success" for row in answer if row.get("Event") == "OriginateResponse"
        )

    async def set_variable(self, leg: str, name: str, value: str) -> None:
        await self._do({"Action": "Setvar", "Channel": leg, "Variable": name, "Value": value})

    async def hang_up(self, leg: str) -> None:
        await self._do({"Action": "Hangup", "Channel": leg, "Cause": "16"})

    async def _do(self, action: Mapping[str, Value]) -> Sequence[AmiMessage]:
        answer = await self._ami.action(action)
        said = str(answer[0].get("Message", "")).lower()
        if answer[0].get("Response") != "Success" and not any(words in said for words in _AS_GOOD):
            raise Unavailable(f"Asterisk refused the AMI action {action['Action']}")
        return answer


def _interface(extension: str) -> str:
    return f"PJSIP/{extension}"
