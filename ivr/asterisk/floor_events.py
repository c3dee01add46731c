"""Manager events as `FloorEvent`s: one table (names and headers: Asterisk's manager documentation)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ivr.asterisk.ami import AmiMessage
from ivr.ports import FloorEvent, FloorKind, Leg, Member, MemberStatus, Waiting

_PHONE = re.compile(r"PJSIP/([0-9]{3,5})(?:-[0-9a-f]{8})?")
_STATUS = {
    "1": MemberStatus.FREE,
    "2": MemberStatus.TALKING,
    "3": MemberStatus.TALKING,  # busy
    "6": MemberStatus.RINGING,
    "7": MemberStatus.TALKING,  # rings while in use
    "8": MemberStatus.HOLDING,
}
"""AST_DEVICE_… of devicestate.h; the others are ways of being away."""
_UNKNOWN = "0"
VOICE_END_SECONDS = 1.0
"""So long it has been quiet when a voice is said to have ended (Switchboard.hear_out)."""
CITIZENS_KEY = "CitizensKey"
_Make = Callable[[AmiMessage], FloorEvent | None]


def voice_end_ms() -> int:
    """VOICE_END_SECONDS as TALK_DETECT wants it."""
    return int(VOICE_END_SECONDS * 1000)


def extension_of(name: str) -> str | None:
    """The extension in the name of a channel or interface; None for the trunk's."""
    found = _PHONE.fullmatch(name)
    return found[1] if found else None


def to_event(message: AmiMessage) -> FloorEvent | None:
    """None for an event that says nothing of a caller, an operator or a telephone of ours."""
    make = _TABLE.get(_text(message, "Event"))
    return make(message) if make is not None else None


def member_of(row: AmiMessage) -> Member | None:
    """A QueueMember row or a QueueMember… event; None for anything else."""
    extension = extension_of(_text(row, "Interface") or _text(row, "Location"))
    if not _text(row, "Event").startswith("QueueMember") or extension is None:
        return None
    return Member(
        queue=_text(row, "Queue"),
        extension=extension,
        paused=_text(row, "Paused") == "1",
        reason=_text(row, "PausedReason"),
        status=_status(_text(row, "Status")),
        penalty=_whole(row, "Penalty"),
    )


def waiting_of(row: AmiMessage, now: datetime) -> Waiting:
    """A QueueEntry row."""
    return Waiting(
        queue=_text(row, "Queue"),
        call=_text(row, "Uniqueid"),
        position=_whole(row, "Position"),
        since=now - timedelta(seconds=_whole(row, "Wait")),
        priority=_whole(row, "Priority"),
        leg=_text(row, "Channel"),
        extension=extension_of(_text(row, "Channel")) or "",
    )


def leg_of(row: AmiMessage) -> Leg:
    """A CoreShowChannel row."""
    name = _text(row, "Channel")
    return Leg(
        name=name,
        call=_text(row, "Uniqueid"),
        linked=_text(row, "Linkedid"),
        extension=extension_of(name),
        bridge=_text(row, "BridgeId"),
    )


def _status(code: str) -> MemberStatus:
    """A phone whose state nobody has asked yet counts as free: app_queue rings it, too."""
    return MemberStatus.FREE if code == _UNKNOWN else _STATUS.get(code, MemberStatus.AWAY)


def _text(message: AmiMessage, name: str) -> str:
    """A header; of one that came twice the first."""
    value = message.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _whole(message: AmiMessage, name: str) -> int:
    text = _text(message, name)
    return int(text) if text.lstrip("-").isdecimal() else 0


def _moment(message: AmiMessage) -> float:
    """By Asterisk's own clock (manager.conf, `timestampevents`)."""
    seconds, dot, parts = _text(message, "Timestamp").partition(".")
    return float(f"{seconds}{dot}{parts}") if seconds.isdecimal() and parts.isdecimal() else 0.0


def _caller(kind: FloorKind, *, seconds: str = "", scale: float = 1.0, detail: str = "") -> _Make:
    """An event of app_queue: Channel is the citizen's leg, Interface the operator's."""

    def make(message: AmiMessage) -> FloorEvent:
        who = "Channel" if kind is FloorKind.JOINED else "Interface"
        return FloorEvent(
            kind=kind,
            call=_text(message, "Uniqueid"),
            linked=_text(message, "Linkedid"),
            queue=_text(message, "Queue"),
            extension=extension_of(_text(message, who)) or "",
            seconds=_whole(message, seconds) * scale if seconds else 0.0,
            detail=_text(message, detail) if detail else "",
            leg=_text(message, "Channel") if kind is FloorKind.JOINED else "",
            place=_whole(message, "Position") if kind is FloorKind.JOINED else 0,
            at=_moment(message),
        )

    return make


def _leg(kind: FloorKind, *, detail: str = "", seconds: float = 0.0) -> _Make:
    """An event of one channel."""

    def make(message: AmiMessage) -> FloorEvent:
        return FloorEvent(
            kind=kind,
            call=_text(message, "Uniqueid"),
            linked=_text(message, "Linkedid"),
            extension=extension_of(_text(message, "Channel")) or "",
            detail=_text(message, detail) if detail else "",
            leg=_text(message, "Channel"),
            seconds=seconds,
            at=_moment(message),
        )

    return make


def _citizens_key(message: AmiMessage) -> FloorEvent | None:
    """The only event of our own: features.conf."""
    is_key = _text(message, "UserEvent") == CITIZENS_KEY
    return _leg(FloorKind.KEY)(message) if is_key else None


def _member(message: AmiMessage) -> FloorEvent | None:
    member = member_of(message)
    if member is None:
        return None
    gone = _text(message, "Event") == "QueueMemberRemoved"
    return FloorEvent(
        kind=FloorKind.MEMBER,
        queue=member.queue,
        extension=member.extension,
        member=None if gone else member,
        at=_moment(message),
    )


def _phone(message: AmiMessage) -> FloorEvent | None:
    extension = extension_of(f"PJSIP/{_text(message, 'EndpointName')}")
    if extension is None:
        return None
    here = _text(message, "ContactStatus") in ("Reachable", "NonQualified", "Created", "Updated")
    detail = "here" if here else "gone"
    return FloorEvent(kind=FloorKind.PHONE, extension=extension, detail=detail, at=_moment(message))


_TABLE: Mapping[str, _Make] = {
    "QueueCallerJoin": _caller(FloorKind.JOINED),
    "QueueCallerLeave": _caller(FloorKind.LEFT),
    "AgentCalled": _caller(FloorKind.RINGING),
    "AgentRingNoAnswer": _caller(FloorKind.NO_ANSWER, seconds="RingTime", scale=0.001),
    "AgentConnect": _caller(FloorKind.CONNECTED, seconds="HoldTime"),
    "AgentComplete": _caller(FloorKind.COMPLETED, seconds="TalkTime", detail="Reason"),
    "QueueMemberAdded": _member,
    "QueueMemberRemoved": _member,
    "QueueMemberPause": _member,
    "QueueMemberStatus": _member,
    "QueueMemberPenalty": _member,
    "ChannelTalkingStart": _leg(FloorKind.TALKING),
    "ChannelTalkingStop": _leg(FloorKind.SILENT, seconds=VOICE_END_SECONDS),
    "UserEvent": _citizens_key,
    "BridgeEnter": _leg(FloorKind.BRIDGED, detail="BridgeUniqueid"),
    "BridgeLeave": _leg(FloorKind.UNBRIDGED, detail="BridgeUniqueid"),
    "Hold": _leg(FloorKind.HELD),
    "Unhold": _leg(FloorKind.RESUMED),
    "Hangup": _leg(FloorKind.HUNG_UP),
    "ContactStatus": _phone,
}
WANTED = frozenset(_TABLE)
"""The names of the events that `to_event` understands."""
