"""Silence in conversation (§19): tells the operator, and the card, that a citizen does not answer any more.

Best effort, for it comes from live events: after a gap in them every clock starts anew. The clock itself is
ivr/domain/silence.py.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ivr.domain.callback import leg_call
from ivr.domain.errors import Unavailable
from ivr.domain.silence import AWAY, TRANSFER, SilenceClock
from ivr.observe import get_logger
from ivr.ports import Clock, FloorEvent, FloorKind, Leg, Store, Switchboard, UnitOfWork
from ivr.services.audit import By
from ivr.services.floor import Floor
from ivr.speaking import Tell

BRIDGE, SILENCE = "bridge", "silence"
"""Kind and outcome of the event in the trace; its id is the operator's extension."""
ACTOR = "ivr"
MINUTE = 60.0
_log = get_logger("ivr.silence")


def remark(limit: float) -> str:
    """The line on the card; limit: seconds."""
    long = "минуты" if limit == MINUTE else f"{limit:g} с"
    return f"Молчание гражданина более {long}"


def after(clock: SilenceClock, event: FloorEvent, now: float) -> SilenceClock:
    """What an event of one leg does to the clock of the talk that the leg is in; now: monotonic seconds."""
    leg, operator = event.call, bool(event.extension)
    match event.kind:
        case FloorKind.TALKING:
            return clock.operator_speaks(leg) if operator else clock.citizen_speaks()
        case FloorKind.SILENT:
            return clock.operator_stops(leg, now - event.seconds) if operator else clock.citizen_stops()
        case FloorKind.KEY:
            return clock.key()
        case FloorKind.HELD:
            return _muted(clock, leg, now).stand(leg, now)
        case FloorKind.RESUMED:
            return clock.go_on(leg, now)
    return clock


def _muted(clock: SilenceClock, leg: str, now: float) -> SilenceClock:
    """A telephone that holds or has left sends nothing more, not even the end of its voice."""
    return clock.operator_stops(leg, now) if leg in clock.operators else clock


@dataclass(frozen=True, kw_only=True)
class _Mark:
    """What is to be written on a card."""

    call: str
    at: datetime


class SilenceWatch:
    """The clocks of all talks: `hear` takes note and waits for nothing, `look` does what is due."""

    def __init__(
        self,
        floor: Floor,
        switchboard: Switchboard,
        store: Store,
        clock: Clock,
        *,
        limit: float,
        teller: Callable[[str], Tell],
        on_hold: Callable[[str], bool] = lambda _call: False,
    ) -> None:
        """limit: seconds of silence that are allowed; teller: of a call's trace; on_hold: whether the citizen
        of this call hears music because of a transfer (Transfers.on_hold)."""
        self._floor, self._switchboard, self._store, self._clock = floor, switchboard, store, clock
        self._limit, self._teller, self._on_hold = limit, teller, on_hold
        self._clocks: dict[str, SilenceClock] = {}
        """By the citizen's leg."""
        self._heard: set[str] = set()
        """Legs whose voice is told."""
        self._marks: deque[_Mark] = deque()

    # --- what happens ---

    async def hear(self, event: FloorEvent) -> None:
        """For Floor.listen."""
        now = self._clock.monotonic()
        match event.kind:
            case FloorKind.BRIDGED:
                self._meet(event.detail, now)
            case FloorKind.UNBRIDGED:
                self._part(event, now)
            case FloorKind.HUNG_UP:
                self._clocks.pop(event.call, None)
                self._heard.discard(event.call)
            case _:
                for call in self._concerned(event.call):
                    self._clocks[call] = after(self._clocks[call], event, now)

    async def rebuilt(self) -> None:
        """For Floor.on_rebuilt. What was said in the gap is not known: nobody has been silent yet."""
        self._clocks.clear()
        self._heard.clear()
        for bridge in {leg.bridge for leg in self._floor.view.legs.values() if leg.bridge}:
            self._meet(bridge, self._clock.monotonic())

    def _meet(self, bridge: str, now: float) -> None:
        """Somebody came into a bridge: with an operator in it, its citizens talk."""
        if self._operators(bridge):
            for citizen in self._citizens(bridge):
                clock = self._clocks.get(citizen.call) or SilenceClock(limit=self._limit)
                self._clocks[citizen.call] = clock.go_on(AWAY, now)

    def _part(self, event: FloorEvent, now: float) -> None:
        """A leg went out of a bridge; the citizens who are left without an operator talk with nobody."""
        if (clock := self._clocks.get(event.call)) is not None:
            self._clocks[event.call] = clock.stand(AWAY, now)
        alone = not self._operators(event.detail)
        for citizen in self._citizens(event.detail):
            if (clock := self._clocks.get(citizen.call)) is not None:
                left = _muted(clock, event.call, now).go_on(event.call, now)
                self._clocks[citizen.call] = left.stand(AWAY, now) if alone else left

    def _concerned(self, leg: str) -> list[str]:
        """The citizens whose clock hears this leg: it is theirs, or in one bridge with theirs."""
        if leg in self._clocks:
            return [leg]
        known = self._floor.view.legs.get(leg)
        citizens = self._citizens(known.bridge) if known is not None else ()
        return [citizen.call for citizen in citizens if citizen.call in self._clocks]

    def _in(self, bridge: str) -> Sequence[Leg]:
        return [leg for leg in self._floor.view.legs.values() if bridge and leg.bridge == bridge]

    def _citizens(self, bridge: str) -> Sequence[Leg]:
        return [leg for leg in self._in(bridge) if leg.extension is None]

    def _operators(self, bridge: str) -> Sequence[Leg]:
        return [leg for leg in self._in(bridge) if leg.extension is not None]

    # --- what is done ---

    async def look(self) -> None:
        """A few times a second. Raises StorageDown: what is not on a card yet is written the next time."""
        for call in tuple(self._clocks):
            await self._hear_out(call)
        now = self._clock.monotonic()
        self._note_transfers(now)
        for call in [call for call, clock in self._clocks.items() if clock.due(now)]:
            await self._tell(call)
        while self._marks:
            mark = self._marks[0]
            await self._store.run(partial(_write, mark=mark, limit=self._limit))
            self._marks.popleft()

    def _note_transfers(self, now: float) -> None:
        """A citizen hears music while the operator is in the transfer menu, in the same bridge as before."""
        for call, clock in self._clocks.items():
            if self._on_hold(call):
                self._clocks[call] = clock.stand(TRANSFER, now)
            elif TRANSFER in clock.standing:
                self._clocks[call] = clock.go_on(TRANSFER, now)

    async def _hear_out(self, call: str) -> None:
        """Both sides of a talk, once each."""
        citizen = self._floor.view.legs.get(call)
        for leg in self._in(citizen.bridge) if citizen is not None else ():
            if leg.call not in self._heard:
                self._heard.add(leg.call)
                await self._tried(self._switchboard.hear_out(leg.name), "voice_not_heard", call)

    async def _tell(self, call: str) -> None:
        """Once for each silence: a tone of which nobody knows whether it was heard is not repeated."""
        self._clocks[call] = self._clocks[call].tell()
        self._marks.append(_Mark(call=call, at=self._clock.now()))
        citizen = self._floor.view.legs.get(call)
        for leg in self._operators(citizen.bridge) if citizen is not None else ():
            self._teller(call)(BRIDGE, leg.extension or "", SILENCE)
            await self._tried(self._switchboard.tone(leg.name), "tone_not_heard", call)

    @staticmethod
    async def _tried(command: Awaitable[None], failure: str, call: str) -> None:
        """One leg that is gone, or a switch that does not answer, keeps nothing from the others."""
        try:
            await command
        except Unavailable as error:
            _log.warning(failure, call=call, reason=str(error))


def _write(uow: UnitOfWork, mark: _Mark, limit: float) -> None:
    """One more line of the card's comment (§15). A call whose card could not be opened yet has none."""
    card = uow.cards.of_call(leg_call(mark.call) or mark.call)
    if card is None:
        return
    uow.cards.change(card.id, comment="\n".join(filter(None, (card.comment, remark(limit)))))
    By(actor=ACTOR, at=mark.at).note(uow, "cards.edit", card.id, call=mark.call, result="comment")
