"""Transfers in progress (§23) and citizens whose operator was lost: what happens, what is done, what is kept.

The stage of a transfer is this engine's view of a talk on its own node. If the engine dies, the dialplan
(dialplans/transfer.conf) brings every citizen back to an operator by itself.
"""

from __future__ import annotations

from ivr.domain.errors import Unavailable
from ivr.domain.transfer import ON_HOLD, Deed, Happening, Stage, Target, Transfer, Way
from ivr.observe import get_logger
from ivr.ports import (
    Clock,
    FloorEvent,
    FloorKind,
    LeftQueue,
    MemberStatus,
    Patchboard,
    Switchboard,
)
from ivr.services.floor import Floor
from ivr.services.holds import Holds
from ivr.services.recalls import Recalls
from ivr.services.transfer_notes import TransferNotes
from ivr.services.transfer_scene import Line, Scene, leg_of

_log = get_logger("ivr.transfers")


class Transfers:
    """All transfers of one engine."""

    def __init__(
        self,
        *,
        switchboard: Switchboard,
        patchboard: Patchboard,
        floor: Floor,
        notes: TransferNotes,
        clock: Clock,
        back_seconds: float,
    ) -> None:
        """back_seconds: how long a citizen waits for the telephone of a lost operator."""
        self.patchboard = patchboard
        self._switchboard = switchboard
        self._floor = floor
        self._notes = notes
        self._holds = Holds(floor, switchboard)
        self._recalls = Recalls(
            switchboard=switchboard,
            patchboard=patchboard,
            floor=floor,
            clock=clock,
            back_seconds=back_seconds,
        )
        self._lines: dict[str, Line] = {}
        """By the citizen's call."""
        self._choosing: set[str] = set()
        """Citizens whose operator is in the menu."""
        floor.listen(self.hear)
        floor.on_rebuilt(self.look_again)

    # --- asking ---

    def on_hold(self, citizen: str) -> bool:
        """Whether this citizen hears music because of a transfer: silence is nobody's fault (§19)."""
        line = self._lines.get(citizen)
        return citizen in self._choosing or (line is not None and line.transfer.stage in ON_HOLD)

    def of_first(self, call: str) -> Transfer | None:
        """The transfer that this operator's leg has begun."""
        line = self._of_first(call)
        return line.transfer if line is not None else None

    async def scene(self, call: str) -> Scene:
        """Who is in one bridge with this operator's leg. Raises Unavailable."""
        snapshot = await self._switchboard.snapshot()
        me = leg_of(snapshot, call)
        others = [leg for leg in snapshot.legs if leg.bridge == me.bridge and leg.call != call]
        citizen = others[0] if me.bridge and len(others) == 1 and others[0].extension is None else None
        line = self._of_first(call)
        if line is None or len(others) != 1 or others[0].extension is None:
            return Scene(me=me, citizen=citizen, transfer=None)
        if line.transfer.stage is Stage.RINGING:  # the event of the answer was missed
            await self._happen(line, Happening.ANSWERED, second=others[0].extension)
        return Scene(me=me, citizen=None, transfer=line.transfer)

    def somebody_at(self, queue: str, *, but: frozenset[str] = frozenset()) -> bool:
        """Whether a telephone of this queue may ring, now or soon."""
        return any(
            member.status is not MemberStatus.AWAY and not member.paused and member.extension not in but
            for member in self._floor.view.members.values()
            if member.queue == queue
        )

    # --- what the first operator decides ---

    async def choosing(self, scene: Scene, *, on: bool) -> None:
        """The operator is in the menu. Raises Unavailable."""
        if scene.citizen is None:
            return
        await self.patchboard.choosing(scene.citizen.name, on=on)
        if on:
            self._choosing.add(scene.citizen.call)
        else:
            self._choosing.discard(scene.citizen.call)

    async def begin(self, scene: Scene, target: Target, reason: str, way: Way) -> None:
        """Write it down and move the legs. Raises Unavailable: then everybody is where they were."""
        citizen, first = scene.citizen, scene.me.extension
        assert citizen is not None and first is not None  # noqa: S101 - the menu opens for such a scene only
        transfer = Transfer.begin(
            citizen=citizen.call,
            first=first,
            first_call=scene.me.call,
            target=target,
            reason=reason,
            way=way,
        )
        self._lines[citizen.call] = Line(transfer=transfer, citizen=citizen.name, first=scene.me.name)
        whisper = await self._notes.whisper(transfer)
        try:
            if way is Way.BLIND:
                await self.patchboard.offer(citizen.name, queue=target.queue, whisper=whisper)
            else:
                me = scene.me.name
                await self.patchboard.consult(me, citizen.name, queue=target.queue, whisper=whisper)
        except Unavailable:
            del self._lines[citizen.call]
            raise
        self._choosing.discard(citizen.call)
        await self._note_hold(None, transfer)
        await self._notes.begun(transfer, way)

    async def decide(self, transfer: Transfer, happening: Happening) -> None:
        """CONNECT, JOIN_ALL or TAKE_BACK, while the operators talk. Raises Unavailable."""
        if (line := self._lines.get(transfer.citizen)) is not None:
            await self._happen(line, happening)

    # --- what the dialplan tells ---

    async def nobody_came(self, call: str) -> None:
        """The first operator's call has ended without the second one. Raises Unavailable."""
        if (line := self._of_first(call)) is not None:
            ringing = line.transfer.stage is Stage.RINGING
            await self._happen(line, Happening.NOBODY if ringing else Happening.SECOND_LEFT)

    async def left_with(self, call: str) -> bool:
        """The first operator has hung up and left this leg of the second one: whether a citizen comes to it.

        Raises Unavailable.
        """
        leg = leg_of(await self._switchboard.snapshot(), call)
        for line in self._lines.values():
            if line.transfer.second == leg.extension and line.transfer.stage is Stage.CONSULTING:
                await self._happen(line, Happening.FIRST_LEFT)
                return True
        return False

    async def given_back(self, citizen: str) -> None:
        """Nobody took the citizen out of the second operator's queue; the dialplan rings the first again."""
        if (line := self._lines.get(citizen)) is not None:
            await self._happen(line, Happening.NOBODY, act=False)

    async def lost(self, citizen: str, extension: str) -> None:
        """The citizen's operator was lost; the dialplan rings the telephone, for a while."""
        self._notes.lost(citizen, extension)
        self._recalls.lost(citizen, extension)

    # --- what the floor tells ---

    async def hear(self, event: FloorEvent) -> None:
        """Raises Unavailable."""
        match event.kind:
            case FloorKind.CONNECTED:
                if (line := self._waiting(event.call)) is not None:
                    await self._happen(line, Happening.ANSWERED, second=event.extension)
            case FloorKind.NO_ANSWER:
                await self._refused(event)
            case FloorKind.HUNG_UP:
                await self._hung_up(event)
            case FloorKind.PHONE if event.detail == "here":
                await self._recalls.is_back(event.extension)

    def _waiting(self, call: str) -> Line | None:
        """The transfer whose second operator is looked for by this leg."""
        return next((line for line in self._lines.values() if line.transfer.caller == call), None)

    async def _refused(self, event: FloorEvent) -> None:
        """Who is left is rung by the queue itself; when nobody is, there is nothing to wait for."""
        line = self._waiting(event.call)
        if line is None:
            return
        line.transfer = transfer = line.transfer.without(event.extension)
        if not self.somebody_at(transfer.target.queue, but=transfer.refused | {transfer.first}):
            leg = line.citizen if transfer.stage is Stage.OFFERED else line.first
            await self._switchboard.withdraw(transfer.target.queue, leg, why=LeftQueue.NO_OPERATOR)

    async def _hung_up(self, event: FloorEvent) -> None:
        self._choosing.discard(event.call)
        for line in tuple(self._lines.values()):
            transfer = line.transfer
            if event.call == transfer.first_call:
                line.first_left = True
            if event.call == transfer.citizen:
                await self._happen(line, Happening.CITIZEN_LEFT)
            elif event.call == transfer.first_call and transfer.stage is not Stage.CONSULTING:
                # in a consultation the second operator's leg comes to `left_with`
                await self._happen(line, Happening.FIRST_LEFT)
            elif event.extension == transfer.second and transfer.stage is Stage.CONFERENCE:
                await self._happen(line, Happening.SECOND_LEFT)
            if line.transfer.over and line.first_left:  # until then it is told how it ended
                self._lines.pop(transfer.citizen, None)

    async def look_again(self) -> None:
        """Events were missed: who is gone now has no transfer any more."""
        here = self._floor.view.legs
        self._lines = {citizen: line for citizen, line in self._lines.items() if citizen in here}
        self._choosing &= here.keys()

    # --- the table at work ---

    async def _happen(self, line: Line, happening: Happening, *, second: str = "", act: bool = True) -> None:
        """Raises Unavailable when the deed cannot be done; the stage is then the one before."""
        before = line.transfer
        after, deed = before.after(happening, second=second)
        if after is before:
            return
        line.transfer = after
        if act:
            try:
                await self._do(line, deed)
            except Unavailable:
                line.transfer = before
                raise
        await self._note_hold(before, after)
        await self._notes.reached(after)

    async def _note_hold(self, before: Transfer | None, after: Transfer) -> None:
        """What is not written counts as no hold; the transfer goes on."""
        try:
            await self._holds.consulted(before, after)
        except Unavailable as error:
            _log.warning("hold_unwritten", call=after.citizen, reason=str(error))

    async def _do(self, line: Line, deed: Deed) -> None:
        transfer, queue = line.transfer, line.transfer.target.queue
        match deed:
            case Deed.OFFER:
                await self.patchboard.offer(
                    line.citizen, queue=queue, whisper=await self._notes.whisper(transfer)
                )
            case Deed.BRIDGE_SECOND:
                second = await self._second(transfer)
                await self.patchboard.bridge(line.citizen, second, extension=transfer.second, queue=queue)
            case Deed.BRIDGE_FIRST:
                await self.patchboard.bridge(line.citizen, line.first, extension=transfer.first)
            case Deed.ADD:
                second = await self._second(transfer)
                await self.patchboard.join(line.citizen, second, extension=transfer.second, queue=queue)
            case Deed.SEND_AWAY:
                await self._switchboard.hang_up(await self._second(transfer))
            case Deed.STOP:
                await self._switchboard.withdraw(queue, line.first, why=LeftQueue.NO_OPERATOR)
            case Deed.RING_FIRST:
                await self.patchboard.ring_again(line.citizen)

    async def _second(self, transfer: Transfer) -> str:
        """Name of the second operator's leg. Raises Unavailable when it is gone."""
        for leg in (await self._switchboard.snapshot()).legs:
            if leg.extension == transfer.second:
                return leg.name
        raise Unavailable("the second operator's telephone has hung up")

    def _of_first(self, call: str) -> Line | None:
        return next((line for line in self._lines.values() if line.transfer.first_call == call), None)
