"""The live view of the floor: telephones, queues and talks, kept by events and rebuilt after a gap.

It is a view: the truth about contacts are the journals, the truth about operators is the database
(architecture.md, rule 1). Whoever has to act on an event registers a listener.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace

from ivr.domain.errors import EkcError
from ivr.observe import get_logger
from ivr.ports import Clock, FloorEvent, FloorKind, Leg, Member, MemberStatus, Snapshot, Switchboard, Waiting

Listener = Callable[[FloorEvent], Awaitable[None]]
MOST_EVENTS = 50_000
"""Events that wait to be handled; beyond it the view is rebuilt instead."""
AGAIN_SECONDS = 1.0
"""After a snapshot that failed."""
_log = get_logger("ivr.floor")


@dataclass(kw_only=True)
class Talk:
    """An operator and a citizen in one conversation, or an operator whom a colleague asks (§23)."""

    call: str
    """Uniqueid of the citizen's leg, or of the colleague's."""
    extension: str
    queue: str
    since: float
    """Monotonic seconds."""


@dataclass(kw_only=True)
class View:
    """What is known now. Transactions ask it from their own thread while events change it: each question is
    asked of a copy, which is made in one step (`dict.copy`)."""

    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    """By queue and extension."""
    waiting: dict[tuple[str, str], Waiting] = field(default_factory=dict)
    """By queue and call."""
    talks: dict[str, Talk] = field(default_factory=dict)
    """By extension."""
    legs: dict[str, Leg] = field(default_factory=dict)
    """By uniqueid, of the last snapshot and the bridges since."""

    def queue(self, name: str) -> list[Waiting]:
        """Who waits there, the next one first."""
        return sorted((w for (q, _), w in self.waiting.copy().items() if q == name), key=lambda w: w.position)

    def citizens(self) -> list[Waiting]:
        """Who waits in any queue; not an operator who asks for a colleague there (§23)."""
        return [waiting for waiting in self.waiting.copy().values() if not waiting.extension]

    def is_up(self, extension: str) -> bool:
        """Whether a leg of this operator's is there that has talked with somebody."""
        return any(leg.extension == extension for leg in self.legs.copy().values())

    def of(self, queue: str) -> list[Member]:
        """The members of a queue."""
        return [member for (known, _), member in self.members.copy().items() if known == queue]

    def free(self, queue: str) -> int:
        """Operators of a queue who can be rung now."""
        return sum(
            m.status is MemberStatus.FREE and not m.paused
            for (q, _), m in self.members.copy().items()
            if q == queue
        )

    def queues_of(self, extension: str) -> set[str]:
        return {queue for queue, known in self.members.copy() if known == extension}


class Floor:
    """Keeps the view and hands each event to its listeners, one after the other."""

    def __init__(
        self,
        switchboard: Switchboard,
        clock: Clock,
        *,
        on_handled: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """on_handled: told, of each event, how long ago the telephone switch had told of it (seconds)."""
        self.view = View()
        self.rebuilt_at: float | None = None
        """Monotonic seconds of the last snapshot; None: the view is not to be trusted."""
        self._switchboard = switchboard
        self._clock = clock
        self._on_handled = on_handled
        self._events: asyncio.Queue[FloorEvent | None] = asyncio.Queue(MOST_EVENTS)
        self._listeners: list[Listener] = []
        self._rebuilt: list[Callable[[], Awaitable[None]]] = []

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def on_rebuilt(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Told after each snapshot: events may have been missed before it."""
        self._rebuilt.append(listener)

    def take(self, event: FloorEvent) -> None:
        """Never blocks: it is called from the connection's own callback."""
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            _log.error("floor_overrun", events=MOST_EVENTS)
            while not self._events.empty():
                self._events.get_nowait()
            self.connected()

    def connected(self) -> None:
        """The connection is new: what happened in the gap is not known."""
        self.rebuilt_at = None
        self._events.put_nowait(None)

    async def run(self) -> None:
        """For ever. Begun anew after an error, it asks for everything: an event may be half taken in."""
        if self.rebuilt_at is not None:
            self.connected()
        while True:
            event = await self._events.get()
            if event is None:
                if not await self._guarded(self.rebuild()):  # Asterisk that just starts has no queues yet
                    asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._again)
            else:
                self._apply(event)
                for listener in self._listeners:
                    await self._guarded(listener(event))
                if event.at:
                    self._on_handled(max(0.0, self._clock.now().timestamp() - event.at))

    def _again(self) -> None:
        if self.rebuilt_at is None:
            self._events.put_nowait(None)

    async def rebuild(self) -> Snapshot:
        """Ask for everything and take it over. Raises Unavailable."""
        snapshot = await self._switchboard.snapshot()
        view = self.view
        view.members = {(m.queue, m.extension): m for m in snapshot.members}
        view.waiting = {(w.queue, w.call): w for w in snapshot.waiting}
        view.legs = {leg.call: leg for leg in snapshot.legs}
        view.talks = self._talks(snapshot.legs)
        self.rebuilt_at = self._clock.monotonic()
        for listener in self._rebuilt:
            await self._guarded(listener())
        return snapshot

    def _talks(self, legs: Iterable[Leg]) -> dict[str, Talk]:
        """Operators' legs in a bridge with a citizen's; talks that were known keep their beginning."""
        known = list(legs)
        citizens = {leg.bridge: leg for leg in known if leg.extension is None and leg.bridge}
        found = {}
        for leg in known:
            other = citizens.get(leg.bridge) if leg.extension is not None else None
            if leg.extension is not None and other is not None:
                found[leg.extension] = self._talk(leg.extension, other.call)
        return found

    def _talk(self, extension: str, call: str) -> Talk:
        known = self.view.talks.get(extension)
        if known is not None and known.call == call:
            return known
        return Talk(call=call, extension=extension, queue="", since=self._clock.monotonic())

    @staticmethod
    async def _guarded(work: Awaitable[object]) -> bool:
        """Whether it went well."""
        try:
            await work
            return True
        except EkcError as error:  # a part that does not answer now; the routines that check mend it
            _log.warning("floor_listener_failed", error=type(error).__name__, reason=str(error))
            return False

    def _apply(self, event: FloorEvent) -> None:
        view, key = self.view, (event.queue, event.call)
        match event.kind:
            case FloorKind.MEMBER if event.member is not None:
                view.members[event.queue, event.extension] = event.member
            case FloorKind.MEMBER:
                view.members.pop((event.queue, event.extension), None)
            case FloorKind.JOINED:
                self._let_in(event)
            case FloorKind.LEFT:
                self._close_up(view.waiting.pop(key, None))
            case FloorKind.CONNECTED:
                view.talks[event.extension] = Talk(
                    call=event.call,
                    extension=event.extension,
                    queue=event.queue,
                    since=self._clock.monotonic(),
                )
            case FloorKind.COMPLETED:  # an operator may talk with somebody else by now (transfer)
                self._over(lambda talk: (talk.extension, talk.call) == (event.extension, event.call))
            case FloorKind.BRIDGED:
                self._meet(event)
            case FloorKind.UNBRIDGED if (leg := view.legs.get(event.call)) and leg.bridge == event.detail:
                view.legs[event.call] = replace(leg, bridge="")
                self._over(lambda talk: self._parted(talk, event))
            case FloorKind.HUNG_UP:
                self._hung_up(event)

    def _meet(self, event: FloorEvent) -> None:
        """A leg comes into a bridge: an operator and a citizen there talk, whatever has led them there."""
        legs = self.view.legs
        legs[event.call] = Leg(
            name=event.leg,
            call=event.call,
            linked=event.linked,
            extension=event.extension or None,
            bridge=event.detail,
        )
        self.view.talks |= self._talks(leg for leg in legs.values() if leg.bridge == event.detail)

    def _parted(self, talk: Talk, event: FloorEvent) -> bool:
        """Whether a leg that went out of a bridge has ended this talk."""
        if event.call == talk.call:
            return True
        other = self.view.legs.get(talk.call)
        return event.extension == talk.extension and other is not None and other.bridge == event.detail

    def _over(self, ended: Callable[[Talk], bool]) -> None:
        talks = self.view.talks
        for extension in [extension for extension, talk in talks.items() if ended(talk)]:
            del talks[extension]

    def _let_in(self, event: FloorEvent) -> None:
        """Who enters by place or priority moves everybody behind down by one."""
        waiting = self.view.waiting
        place = event.place or len(self.view.queue(event.queue)) + 1
        for key, other in waiting.items():
            if other.queue == event.queue and other.position >= place:
                waiting[key] = replace(other, position=other.position + 1)
        waiting[event.queue, event.call] = Waiting(
            queue=event.queue,
            call=event.call,
            position=place,
            since=self._clock.now(),
            leg=event.leg,
            extension=event.extension,
        )

    def _close_up(self, gone: Waiting | None) -> None:
        """Everybody behind moves up by one."""
        if gone is None:
            return
        for key, other in self.view.waiting.items():
            if other.queue == gone.queue and other.position > gone.position:
                self.view.waiting[key] = replace(other, position=other.position - 1)

    def _hung_up(self, event: FloorEvent) -> None:
        view = self.view
        view.legs.pop(event.call, None)
        here = view.is_up(event.extension)
        for key in [key for key in view.waiting if key[1] == event.call]:
            self._close_up(view.waiting.pop(key))
        self._over(lambda talk: talk.call == event.call or (talk.extension == event.extension and not here))
