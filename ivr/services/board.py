"""The live board (§9.1): queues, operators, callbacks. The engine writes it each second, others read it.

`<state>/run/board.json`, mode 0600: one document, replaced whole. It names operators and counts citizens;
nobody's number is in it. What happens now is the floor's view; states and today's figures are the database's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ivr.domain import periods
from ivr.domain.errors import NotRunning
from ivr.domain.figures import Limits
from ivr.domain.operators import GENERAL_QUEUE, Operator, OperatorState, agency_queue
from ivr.files import write_whole
from ivr.ports import Clock, Member, MemberStatus, Store, UnitOfWork
from ivr.services import reports
from ivr.services.floor import Floor, View

FILE = "board.json"
STALE_SECONDS = 10.0
"""A board that is older tells of an engine that is gone or stuck."""
FIGURES_SECONDS = 10.0
"""How often today's figures are counted anew."""
Document = Mapping[str, Any]
_NOTHING = {"offered": 0, "answered": 0, "abandoned": 0, "service_level": None, "asa_s": None}


class Doing(StrEnum):
    """What an operator is doing, as far as the telephone and the own state tell together."""

    READY = "ready"  # may be rung
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"  # talks, the citizen is on hold
    WRAPUP = "wrapup"
    PAUSED = "paused"
    AWAY = "away"  # logged in, and the telephone is not there
    LOGGED_OUT = "logged_out"


@dataclass(frozen=True, kw_only=True)
class QueueLine:
    """One queue."""

    queue: str
    waiting: int
    longest_s: int
    """Of who waits now."""
    operators: Mapping[Doing, int]
    """Members of the queue by what they are doing; a doing of nobody's is left out."""
    today: Mapping[str, object]
    """`offered, answered, abandoned, service_level, asa_s` since midnight of the site's zone."""


@dataclass(frozen=True, kw_only=True)
class OperatorLine:
    """One operator who is not disabled."""

    extension: str
    name: str
    agency: str
    state: OperatorState
    reason: str
    since: datetime
    """Of the state."""
    doing: Doing
    queue: str
    """Of the present talk; empty without one."""
    talking_s: int


@dataclass(frozen=True, kw_only=True)
class CallbackLine:
    """Promised callbacks."""

    open: int
    due: int
    """Of them, those whose time has come."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """Everything at one moment."""

    at: datetime
    live: bool
    """False: the connection to the telephone switch is lost, and the view is of before."""
    queues: Sequence[QueueLine]
    operators: Sequence[OperatorLine]
    callbacks: CallbackLine


@dataclass(frozen=True, kw_only=True)
class _Today:
    """What is counted less often than each second."""

    counted_at: float
    queues: Mapping[str, Mapping[str, object]]
    callbacks: CallbackLine


class BoardKeeper:
    """Makes the board and writes it; `write` is a routine of the engine's."""

    def __init__(
        self,
        floor: Floor,
        store: Store,
        clock: Clock,
        *,
        run_dir: Path,
        zone: ZoneInfo,
        limits: Limits,
        on_board: Callable[[Board], None] = lambda _board: None,
    ) -> None:
        """on_board: told of each board that was written."""
        self._floor = floor
        self._store = store
        self._clock = clock
        self._path = run_dir / FILE
        self._zone = zone
        self._limits = limits
        self._on_board = on_board
        self._today: _Today | None = None

    async def write(self) -> None:
        """Raises StorageDown, OSError; the file then keeps its age, and readers see it."""
        board = await self.collect()
        write_whole(self._path, json.dumps(view(board, self._zone), ensure_ascii=False))
        self._on_board(board)

    async def collect(self) -> Board:
        """The board of now. Raises StorageDown."""
        now, ticks = self._clock.now(), self._clock.monotonic()
        if self._today is None or ticks - self._today.counted_at >= FIGURES_SECONDS:
            self._today = await self._store.run(lambda uow: self._count(uow, now, ticks))
        operators, queues = await self._store.run(_known)
        view_ = self._floor.view
        doing = {operator.extension: doing_of(operator, view_) for operator in operators}
        names = [*queues, *sorted({queue for queue, _ in view_.members} - set(queues))]
        today = self._today
        return Board(
            at=now,
            live=self._floor.rebuilt_at is not None,
            queues=[_queue_line(name, view_, doing, today.queues, now) for name in names],
            operators=[_operator_line(o, doing[o.extension], view_, ticks) for o in operators],
            callbacks=today.callbacks,
        )

    def _count(self, uow: UnitOfWork, now: datetime, ticks: float) -> _Today:
        day = now.astimezone(self._zone).date()
        report = reports.by_queue(uow, periods.days(day, day, self._zone), limits=self._limits)
        rows = {str(row["queue"]): {name: row[name] for name in _NOTHING} for row in report.rows}
        due = [callback.due for callback in uow.callbacks.list(open_only=True)]
        callbacks = CallbackLine(open=len(due), due=sum(at <= now for at in due))
        return _Today(counted_at=ticks, queues=rows, callbacks=callbacks)


def _known(uow: UnitOfWork) -> tuple[Sequence[Operator], Sequence[str]]:
    operators = [o for o in uow.operators.list() if o.state is not OperatorState.DISABLED]
    lines = [agency_queue(code, line) for code in sorted(uow.agencies.codes()) for line in (1, 2)]
    return operators, [GENERAL_QUEUE, *lines]


def doing_of(operator: Operator, view_: View) -> Doing:
    """The telephone goes first: who talks in a pause talks."""
    members = [m for (_, extension), m in view_.members.items() if extension == operator.extension]
    status = _busiest(members)
    if operator.extension in view_.talks and status is not MemberStatus.HOLDING:
        return Doing.TALKING
    if status in (MemberStatus.TALKING, MemberStatus.HOLDING, MemberStatus.RINGING):
        return Doing(status.value)
    if operator.state in (OperatorState.LOGGED_OUT, OperatorState.DISABLED):
        return Doing.LOGGED_OUT
    if status is MemberStatus.AWAY:
        return Doing.AWAY
    return Doing(operator.state.value)


def _busiest(members: Sequence[Member]) -> MemberStatus | None:
    """Of one telephone in several queues; None for a member of none."""
    order = list(MemberStatus)
    return max((member.status for member in members), key=order.index, default=None)


def _queue_line(
    name: str,
    view_: View,
    doing: Mapping[str, Doing],
    today: Mapping[str, Mapping[str, object]],
    now: datetime,
) -> QueueLine:
    waiting = [one for one in view_.queue(name) if not one.extension]
    longest = max((now - one.since for one in waiting), default=timedelta())
    members = (extension for queue, extension in view_.members if queue == name)
    return QueueLine(
        queue=name,
        waiting=len(waiting),
        longest_s=max(0, int(longest.total_seconds())),
        operators=dict(Counter(doing[extension] for extension in members if extension in doing)),
        today=today.get(name, _NOTHING),
    )


def _operator_line(operator: Operator, doing: Doing, view_: View, ticks: float) -> OperatorLine:
    talk = view_.talks.get(operator.extension)
    return OperatorLine(
        extension=operator.extension,
        name=operator.name,
        agency=operator.agency,
        state=operator.state,
        reason=operator.reason,
        since=operator.since,
        doing=doing,
        queue=talk.queue if talk is not None else "",
        talking_s=int(ticks - talk.since) if talk is not None else 0,
    )


def view(board: Board, zone: ZoneInfo) -> Document:
    """In JSON's own kinds; times ISO 8601 in the site's zone."""
    found = asdict(board)
    found["at"] = _iso(board.at, zone)
    for row, operator in zip(found["operators"], board.operators, strict=True):
        row["since"] = _iso(operator.since, zone)
    return found


def _iso(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="milliseconds")


def read(run_dir: Path, now: datetime) -> Document:
    """The board that the engine has written. Raises NotRunning when there is none or it has got old."""
    try:
        found: Document = json.loads((run_dir / FILE).read_text("utf-8"))
    except FileNotFoundError:
        raise NotRunning("there is no board: the engine writes it; start it with `ekc up`") from None
    age = (now - datetime.fromisoformat(found["at"])).total_seconds()
    if age > STALE_SECONDS:
        raise NotRunning(f"the board is {age:.0f} s old: the engine is gone; start it with `ekc up`")
    return found
