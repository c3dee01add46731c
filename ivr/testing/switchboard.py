"""A telephone switch without telephones: `ivr.ports.Switchboard` and the events it would send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from ivr.domain.errors import Unavailable
from ivr.domain.estimate import Told
from ivr.ports import FloorEvent, FloorKind, LeftQueue, Leg, Member, MemberStatus, Snapshot, Waiting


@dataclass(frozen=True, kw_only=True)
class Redirected:
    """A leg that was sent on in the dialplan."""

    leg: str
    context: str
    exten: str
    other: str
    other_exten: str = ""


@dataclass(frozen=True, kw_only=True)
class Originated:
    """A call that was made."""

    id_: str
    first: str
    context: str
    exten: str
    variables: Mapping[str, str]
    seconds: float


class FakeSwitchboard:
    """Queues, members, callers and legs in memory; every change of a member is told like Asterisk tells it.

    Set `on_event` (`floor.take`) to hear of them. A test moves the rest: `phone`, `join`, `leave`, `connect`.
    """

    def __init__(
        self, queues: Iterable[str] = ("general",), *, on_event: Callable[[FloorEvent], None] | None = None
    ) -> None:
        self.queues = list(queues)
        self.on_event = on_event
        self.members: dict[tuple[str, str], Member] = {}
        """By queue and extension."""
        self.phones: dict[str, MemberStatus] = {}
        """What the telephones do; one that is not named is free."""
        self.waiting: list[Waiting] = []
        self.legs: dict[str, Leg] = {}
        """By name."""
        self.down = False
        self.refusing: set[str] = set()
        """Names of methods that are refused."""
        self.commands: list[str] = []
        """Names of the methods that were called, in order, refused ones too."""
        self.redirected: list[Redirected] = []
        self.originated: list[Originated] = []
        self.answers: dict[str, bool] = {}
        """Whether a call to `first` is answered; one that is not named is."""
        self.withdrawn: list[tuple[str, str, LeftQueue]] = []
        """Queue, leg and reason."""
        self.told: dict[str, Told] = {}
        """By leg: what a waiting caller is told."""
        self.hurried: list[str] = []
        """Legs for which the queue was to look at once."""
        self.journaled: list[tuple[str, str, str, str]] = []
        """Event, call, queue, extension of our own lines in the journal of queues."""
        self.variables: dict[tuple[str, str], str] = {}
        """By leg and name."""
        self.heard_out: list[str] = []
        """Legs whose voice is told."""
        self.tones: list[str] = []
        """Legs that have heard a tone."""

    # --- the port ---

    async def snapshot(self) -> Snapshot:
        self._check("snapshot")
        members, legs = tuple(self.members.values()), tuple(self.legs.values())
        return Snapshot(members=members, waiting=tuple(self.waiting), legs=legs)

    async def add_member(
        self, queue: str, extension: str, *, penalty: int = 0, paused: bool = False, reason: str = ""
    ) -> None:
        """A member that is there stays as it is, penalty and pause included (app_queue.c)."""
        self._check("add_member")
        if queue not in self.queues:
            raise Unavailable("Asterisk refused the AMI action QueueAdd")
        if (queue, extension) in self.members:
            return
        self._put(
            Member(
                queue=queue,
                extension=extension,
                paused=paused,
                reason=reason if paused else "",
                status=self.phones.get(extension, MemberStatus.FREE),
                penalty=penalty,
            )
        )

    async def remove_member(self, queue: str, extension: str) -> None:
        self._check("remove_member")
        if queue not in self.queues:
            raise Unavailable("Asterisk refused the AMI action QueueRemove")
        if self.members.pop((queue, extension), None) is not None:
            self.emit(FloorEvent(kind=FloorKind.MEMBER, queue=queue, extension=extension))

    async def pause(self, extension: str, *, paused: bool, reason: str = "", queue: str = "") -> None:
        self._check("pause")
        found = [m for m in self._of(extension) if queue in ("", m.queue)]
        if not found:
            raise Unavailable("Asterisk refused the AMI action QueuePause")
        for member in found:
            self._put(replace(member, paused=paused, reason=reason if paused else ""))

    async def set_penalty(self, queue: str, extension: str, penalty: int) -> None:
        self._check("set_penalty")
        if (queue, extension) not in self.members:
            raise Unavailable("Asterisk refused the AMI action QueuePenalty")
        self._put(replace(self.members[queue, extension], penalty=penalty))

    async def withdraw(self, queue: str, leg: str, *, why: LeftQueue) -> None:
        self._check("withdraw")
        self.withdrawn.append((queue, leg, why))
        for waiting in [w for w in self.waiting if (w.queue, w.leg) == (queue, leg)]:
            self.leave(waiting.call)

    async def tell_wait(self, leg: str, told: Told) -> None:
        self._check("tell_wait")
        self.told[leg] = told

    async def promote(self, queue: str, leg: str, priority: int) -> None:
        """Not told: who wants to know the new places asks for a snapshot."""
        self._check("promote")
        known = [replace(w, priority=priority) if w.leg == leg else w for w in self.waiting]
        ordered = sorted((w for w in known if w.queue == queue), key=lambda w: (-w.priority, w.position))
        places = {w.call: place for place, w in enumerate(ordered, 1)}
        self.waiting = [replace(w, position=places.get(w.call, w.position)) for w in known]

    async def hurry(self, leg: str) -> None:
        self._check("hurry")
        self.hurried.append(leg)

    async def redirect(
        self, leg: str, *, context: str, exten: str = "s", other: str = "", other_exten: str = ""
    ) -> None:
        self._check("redirect")
        if leg not in self.legs or (other and other not in self.legs):
            raise Unavailable("Asterisk refused the AMI action Redirect")
        self.redirected.append(
            Redirected(leg=leg, context=context, exten=exten, other=other, other_exten=other_exten)
        )
        for name in (leg, other) if other else (leg,):
            self._unbridge(name)

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
        self._check("originate")
        if any(leg.call == id_ for leg in self.legs.values()):
            raise Unavailable("Asterisk refused to make a call")
        made = Originated(
            id_=id_, first=first, context=context, exten=exten, variables=dict(variables), seconds=seconds
        )
        self.originated.append(made)
        return self.answers.get(first, True)

    async def set_variable(self, leg: str, name: str, value: str) -> None:
        self._check("set_variable")
        if leg in self.legs:
            self.variables[leg, name] = value

    async def hear_out(self, leg: str) -> None:
        self._check("hear_out")
        self.heard_out.append(leg)

    async def tone(self, leg: str) -> None:
        self._check("tone")
        self.tones.append(leg)

    async def hang_up(self, leg: str) -> None:
        self._check("hang_up")
        if leg in self.legs:
            self.gone(leg)

    async def journal(self, event: str, *, call: str, queue: str, extension: str) -> None:
        self._check("journal")
        self.journaled.append((event, call, queue, extension))

    # --- what happens on the floor ---

    def emit(self, event: FloorEvent) -> None:
        if self.on_event is not None:
            self.on_event(event)

    def phone(self, extension: str, status: MemberStatus) -> None:
        """The telephone does something else; a registration that comes or goes is told, too."""
        before = self.phones.get(extension, MemberStatus.FREE)
        self.phones[extension] = status
        if MemberStatus.AWAY in (before, status) and before is not status:
            detail = "gone" if status is MemberStatus.AWAY else "here"
            self.emit(FloorEvent(kind=FloorKind.PHONE, extension=extension, detail=detail))
        for member in self._of(extension):
            self._put(replace(member, status=status))

    def join(self, waiting: Waiting) -> None:
        """A caller comes into a queue; everybody behind moves down."""
        self._move(waiting.queue, waiting.position, 1)
        self.waiting.append(waiting)
        self.emit(
            FloorEvent(
                kind=FloorKind.JOINED,
                call=waiting.call,
                queue=waiting.queue,
                leg=waiting.leg,
                place=waiting.position,
            )
        )

    def leave(self, call: str) -> None:
        """A caller leaves the queue, for whatever reason."""
        for waiting in [w for w in self.waiting if w.call == call]:
            self.waiting.remove(waiting)
            self._move(waiting.queue, waiting.position, -1)
            self.emit(FloorEvent(kind=FloorKind.LEFT, call=call, queue=waiting.queue))

    def no_answer(self, queue: str, extension: str, call: str, seconds: float) -> None:
        """The telephone rang for so long in vain; 0 seconds: it refused at once."""
        self._tell(FloorKind.NO_ANSWER, queue, extension, call, seconds)

    def connect(self, queue: str, extension: str, call: str, *, waited: float = 0.0) -> None:
        """The operator takes the call."""
        self.leave(call)
        self.phone(extension, MemberStatus.TALKING)
        self._tell(FloorKind.CONNECTED, queue, extension, call, waited)

    def complete(self, queue: str, extension: str, call: str, *, talked: float, by: str = "caller") -> None:
        """They have talked. by: `caller`, `agent` or `transfer`."""
        self.phone(extension, MemberStatus.FREE)
        self._tell(FloorKind.COMPLETED, queue, extension, call, talked, by)

    def gone(self, leg: str) -> None:
        """A leg hangs up."""
        known = self.legs.pop(leg)
        self.emit(
            FloorEvent(
                kind=FloorKind.HUNG_UP,
                call=known.call,
                linked=known.linked,
                extension=known.extension or "",
            )
        )

    # --- inside ---

    def _check(self, method: str) -> None:
        self.commands.append(method)
        if self.down:
            raise Unavailable("there is no connection to Asterisk's manager interface")
        if method in self.refusing:
            raise Unavailable(f"Asterisk refused {method}")

    def _move(self, queue: str, place: int, by: int) -> None:
        """Everybody who waits there at this place or behind it."""
        self.waiting = [
            replace(w, position=w.position + by) if w.queue == queue and w.position >= place else w
            for w in self.waiting
        ]

    def _of(self, extension: str) -> list[Member]:
        return [member for member in self.members.values() if member.extension == extension]

    def _put(self, member: Member) -> None:
        self.members[member.queue, member.extension] = member
        self.emit(
            FloorEvent(kind=FloorKind.MEMBER, queue=member.queue, extension=member.extension, member=member)
        )

    def _unbridge(self, leg: str) -> None:
        self.legs[leg] = replace(self.legs[leg], bridge="")

    def _tell(
        self, kind: FloorKind, queue: str, extension: str, call: str, seconds: float, detail: str = ""
    ) -> None:
        self.emit(
            FloorEvent(kind=kind, queue=queue, extension=extension, call=call, seconds=seconds, detail=detail)
        )
