"""Who gets which caller: queues, their members, the legs of a node, and commands to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ivr.domain.estimate import Told
from ivr.ports.telephone import Channel, Whisper


class LeftQueue(StrEnum):
    """Why a caller came out of a queue without having been served."""

    NO_OPERATOR = "no_operator"  # nobody was logged in, or nobody is any more
    FULL = "full"  # as many wait as may
    TIMEOUT = "timeout"  # waited as long as the queue lets anybody wait
    CALLBACK = "callback"  # pressed 1 while waiting
    PAUSED = "paused"  # every operator has been away from the telephone for too long
    CLOSING = "closing"  # the line has closed, and the time for those who still waited is over (§12)


class Distributor(Protocol):
    """Decides which operator gets which waiting caller (architecture.md, rule 8); who may be rung is the
    Switchboard's to be told."""

    async def left(self, channel: Channel) -> LeftQueue:
        """Why the caller on this channel came back from the queue."""
        ...


class MemberStatus(StrEnum):
    """What an operator's telephone is doing."""

    FREE = "free"  # may be rung
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"  # talks, the other side on hold
    AWAY = "away"  # not registered, or its place on the network is lost


@dataclass(frozen=True, kw_only=True)
class Member:
    """An operator's membership in one queue, as the distributor has it."""

    queue: str
    extension: str
    paused: bool
    reason: str
    """Of the pause."""
    status: MemberStatus
    penalty: int = 0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A caller in a queue."""

    queue: str
    call: str
    """Uniqueid of the citizen's leg."""
    position: int
    """From 1."""
    since: datetime
    priority: int = 0
    leg: str = ""
    """Name of the citizen's leg (Leg.name); empty while it is not known."""
    extension: str = ""
    """Of an operator who asks for a colleague (§23): no citizen, and offered to nobody. Empty: a citizen."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A channel of the telephone switch."""

    name: str
    """Opaque: only the switchboard reads it."""
    call: str
    """Its uniqueid."""
    linked: str
    """Uniqueid of the call's first leg."""
    extension: str | None
    """Of an operator's telephone; None: a citizen's leg."""
    bridge: str
    """Opaque id of the bridge it is in; empty outside of one."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Everything at one moment."""

    members: tuple[Member, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    legs: tuple[Leg, ...] = ()


class FloorKind(StrEnum):
    """What happened on the floor."""

    JOINED = "joined"  # a caller entered a queue
    LEFT = "left"  # a caller left a queue: connected, given back, or gone
    RINGING = "ringing"  # an operator's telephone rings for a caller
    NO_ANSWER = "no_answer"  # it rang in vain, or was refused
    CONNECTED = "connected"  # operator and caller talk
    COMPLETED = "completed"  # they have talked
    MEMBER = "member"  # a membership came, changed or went
    TALKING = "talking"  # a leg begins to speak (Switchboard.hear_out)
    SILENT = "silent"  # it stops
    KEY = "key"  # a citizen has pressed a key in a talk; which one is nobody's business
    BRIDGED = "bridged"  # a leg came into a bridge
    UNBRIDGED = "unbridged"  # and left it
    HELD = "held"  # a leg put the other side on hold
    RESUMED = "resumed"
    HUNG_UP = "hung_up"  # a leg is gone
    PHONE = "phone"  # an operator's telephone came or went (registration)


@dataclass(frozen=True, kw_only=True)
class FloorEvent:
    """One event; fields that do not belong to its kind are empty."""

    kind: FloorKind
    call: str = ""
    """Uniqueid of the leg it speaks of; of the citizen's for queue events."""
    linked: str = ""
    queue: str = ""
    extension: str = ""
    """Of the operator it speaks of; JOINED: of one who enters the queue to ask a colleague (§23)."""
    seconds: float = 0.0
    """NO_ANSWER: how long it rang; COMPLETED: how long they talked; CONNECTED: how long the caller waited;
    SILENT: how long ago the voice ended."""
    leg: str = ""
    """JOINED: name of the citizen's leg; of events that speak of one leg: its name."""
    place: int = 0
    """JOINED: in the queue, from 1; 0: not known."""
    detail: str = ""
    """COMPLETED: who ended it (`caller`, `agent`, `transfer`); BRIDGED, UNBRIDGED: the bridge;
    PHONE: `here` or `gone`."""
    member: Member | None = None
    """MEMBER: its present state; None when it is gone."""
    at: float = 0.0
    """When the telephone switch told of it, seconds since the epoch; 0: it did not say."""


class Switchboard(Protocol):
    """Commands to the telephone switch and the live view of it. Every method raises Unavailable when there is
    no connection, no answer in time, or a refusal; no command is ever repeated by itself."""

    async def snapshot(self) -> Snapshot: ...

    async def add_member(
        self, queue: str, extension: str, *, penalty: int = 0, paused: bool = False, reason: str = ""
    ) -> None:
        """Being a member already is as good."""
        ...

    async def remove_member(self, queue: str, extension: str) -> None:
        """Being none is as good."""
        ...

    async def pause(self, extension: str, *, paused: bool, reason: str = "", queue: str = "") -> None:
        """In one queue, or in all of them."""
        ...

    async def set_penalty(self, queue: str, extension: str, penalty: int) -> None:
        """Of a member of this queue."""
        ...

    async def withdraw(self, queue: str, leg: str, *, why: LeftQueue) -> None:
        """Have a waiting caller leave the queue, to be asked about by `Distributor.left`.

        It happens as soon as the queue looks; one who is connected or gone by then is left alone.
        """
        ...

    async def tell_wait(self, leg: str, told: Told) -> None:
        """What a waiting caller is told from now on; the sound must be there (`WaitSounds`)."""
        ...

    async def promote(self, queue: str, leg: str, priority: int) -> None:
        """Give a waiting caller another priority, and at once the place that comes with it.

        One who is connected or gone by then is left alone.
        """
        ...

    async def hurry(self, leg: str) -> None:
        """Have the queue look at once whom it may ring for this waiting caller, who hears no sentence to its
        end."""
        ...

    async def redirect(
        self, leg: str, *, context: str, exten: str = "s", other: str = "", other_exten: str = ""
    ) -> None:
        """Send a leg, and with `other` its partner at the same moment, on in the dialplan.

        other_exten: of the partner, in the same context; empty: the same as the leg's.
        """
        ...

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
        """Call `first` (`extension@context` of our dialplan) and, when it is up, go on at exten of context.

        id_: the uniqueid of the new leg; one that is alive is not made twice. seconds: to answer. Whether it
        was answered.
        """
        ...

    async def set_variable(self, leg: str, name: str, value: str) -> None: ...

    async def hear_out(self, leg: str) -> None:
        """Tell from now on when this leg begins and stops to speak (FloorKind.TALKING, SILENT)."""
        ...

    async def tone(self, leg: str) -> None:
        """A discreet tone that this leg hears and nobody it talks with; returns when it has begun."""
        ...

    async def hang_up(self, leg: str) -> None:
        """Being gone is as good."""
        ...

    async def journal(self, event: str, *, call: str, queue: str, extension: str) -> None:
        """Add a line of ours to the journal of queues. event: capital letters; nothing personal."""
        ...


class Patchboard(Protocol):
    """Moves the legs of one talk when a citizen goes from one operator to another (§23).

    Legs are names (`Leg.name`), operators extensions. Every method but `operator_of` raises Unavailable as
    Switchboard does; then the legs are where they were.
    """

    async def choosing(self, citizen: str, *, on: bool) -> None:
        """The operator is in the transfer menu: hanging up there does not end the citizen's call."""
        ...

    async def offer(self, citizen: str, *, queue: str, whisper: Whisper | None) -> None:
        """Before everybody in this queue; when nobody takes the call, `operator_of` is rung again.

        whisper: what the operator hears before the bridge.
        """
        ...

    async def consult(self, first: str, citizen: str, *, queue: str, whisper: Whisper | None) -> None:
        """The operator's leg calls the queue, the citizen is on hold.

        The second operator sees the citizen's number and level, and hears the whisper first.
        """
        ...

    async def bridge(self, citizen: str, partner: str, *, extension: str, queue: str = "") -> None:
        """Citizen and operator into one bridge. queue: where the citizen belongs from now on; empty: as
        before."""
        ...

    async def join(self, citizen: str, partner: str, *, extension: str, queue: str) -> None:
        """The citizen into the bridge where the partner, an operator of this queue, talks already."""
        ...

    async def ring_again(self, citizen: str, *, at_once: bool = False) -> None:
        """The citizen rings `operator_of`, then goes to the head of the queue.

        at_once: rings anew in the time that is left, for the operator's telephone is just back.
        """
        ...

    async def operator_of(self, channel: Channel) -> str | None:
        """Extension of the operator that this citizen talks, or last talked, with."""
        ...
