"""`ivr.ports.Switchboard` over AMI: typed commands and events; only this file and conf know `PJSIP/NNN`.

Event and header names: Asterisk's manager documentation (app_queue, stasis_bridges, talk detection).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from ivr.asterisk import channel_vars
from ivr.asterisk.ami import Ami, AmiMessage, Value
from ivr.asterisk.floor_events import WANTED, leg_of, member_of, to_event, voice_end_ms, waiting_of
from ivr.domain.errors import Unavailable
from ivr.domain.estimate import Told
from ivr.ports import FloorEvent, LeftQueue, Snapshot

__all__ = ["WANTED", "AmiSwitchboard"]
TONE_SECONDS = 1.0
"""For the engine's own half of a call to answer."""
VOICE_LEVEL = 256
"""From this loudness on (mean of 16-bit samples) it is a voice: Asterisk's own default."""
CODEC = "alaw"
"""Of the halves of our own calls, as of most telephones. With Asterisk's default, slin, a citizen whom we
called heard nothing of what was played before the bridge (22.10.1: no RTP at all until then)."""
NO_KEY = "D"
ANSWER_SLACK = 5.0
"""Seconds that Asterisk may take beyond the ringing to say what came of a call."""
_GONE = ("no such channel", "channel not found", "no such caller")
_AS_GOOD = ("already there", "not there", "unable to remove interface", *_GONE)
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

    async def set_penalty(self, queue: str, extension: str, penalty: int) -> None:
        action = {"Action": "QueuePenalty", "Interface": _interface(extension), "Queue": queue}
        await self._do({**action, "Penalty": str(penalty)})

    async def withdraw(self, queue: str, leg: str, *, why: LeftQueue) -> None:
        await self._do(
            {"Action": "QueueWithdrawCaller", "Queue": queue, "Caller": leg, "WithdrawInfo": why.value}
        )

    async def tell_wait(self, leg: str, told: Told) -> None:
        await self.set_variable(leg, channel_vars.LANGUAGE, channel_vars.language(told))

    async def promote(self, queue: str, leg: str, priority: int) -> None:
        action = {"Action": "QueueChangePriorityCaller", "Queue": queue, "Caller": leg}
        await self._do({**action, "Priority": str(priority), "Immediate": "yes"})

    async def hurry(self, leg: str) -> None:
        """By a key that no telephone has, twice: it ends app_queue's sentence, then the second of rest that
        follows each sentence before the queue looks, and leads nowhere."""
        for _ in range(2):
            await self._do({"Action": "PlayDTMF", "Channel": leg, "Digit": NO_KEY, "Receive": "true"})

    async def redirect(
        self, leg: str, *, context: str, exten: str = "s", other: str = "", other_exten: str = ""
    ) -> None:
        place = {"Context": context, "Exten": exten, "Priority": "1"}
        extra = {"ExtraChannel": other, "ExtraContext": context, "ExtraPriority": "1"}
        extra["ExtraExten"] = other_exten or exten
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
                "OtherChannelId": f"{id_}-far",  # Asterisk's own has a semicolon: no call in the journals
                "Codecs": CODEC,
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

    async def hear_out(self, leg: str) -> None:
        await self.set_variable(leg, channel_vars.TALK_DETECT, f"{voice_end_ms()},{VOICE_LEVEL}")

    async def tone(self, leg: str) -> None:
        begun = await self.originate(
            id_=f"ekc-tone-{uuid4().hex}",
            first="play@silence-tone",
            context="silence-tone",
            exten="whisper",
            variables={channel_vars.LEG: leg},
            seconds=TONE_SECONDS,
        )
        if not begun:
            raise Unavailable("Asterisk did not begin a tone")

    async def hang_up(self, leg: str) -> None:
        await self._do({"Action": "Hangup", "Channel": leg, "Cause": "16"})

    async def journal(self, event: str, *, call: str, queue: str, extension: str) -> None:
        line = {"Queue": queue, "Event": event, "Uniqueid": call, "Interface": _interface(extension)}
        await self._do({"Action": "QueueLog", **line})

    async def _do(self, action: Mapping[str, Value]) -> Sequence[AmiMessage]:
        answer = await self._ami.action(action)
        said = str(answer[0].get("Message", "")).lower()
        if answer[0].get("Response") != "Success" and not any(words in said for words in _AS_GOOD):
            raise Unavailable(f"Asterisk refused the AMI action {action['Action']}")
        return answer


def _interface(extension: str) -> str:
    return f"PJSIP/{extension}"
