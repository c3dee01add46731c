"""Callbacks: promises to call a citizen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, Column, ColumnElement, bindparam, func, select

from db.access import Access, Row, Statement, chunks
from db.prepared import Prepared
from db.repositories.card_hashes import NUMBER, number_hash
from db.tables import callback_attempts, callbacks, cards
from ivr.domain.callback import OPEN_STATES, PENDING_STATES, Attempt, Callback, Source, State
from ivr.domain.errors import NotFound
from ivr.ports import CallbackCounts


def _in(states: Collection[State]) -> ColumnElement[bool]:
    """With the states themselves, not parameters: only so does a partial index fit."""
    return callbacks.c.state.in_(bindparam(None, sorted(states), expanding=True, literal_execute=True))


_OPEN = _in(OPEN_STATES)
_NEVER = frozenset({"id", "number", "number_hash"})
"""Columns that stay as they were requested."""
_NUMBERS = callbacks.c.number_hash.in_(bindparam("hashes", expanding=True))
_OPEN_OF_NUMBER = Prepared(select(callbacks).where(_NUMBERS, _OPEN).with_for_update(), lists=("hashes",))
"""Held to the end of the transaction; SQLite has one writer anyway, and its dialect leaves that out."""
_OPEN_OF_CARD = Prepared(
    select(callbacks).where(callbacks.c.card == bindparam("wanted"), _OPEN).order_by(callbacks.c.due).limit(1)
)
_STATE = (
    callbacks.update()
    .where(callbacks.c.id == bindparam("wanted"))
    .values({column.name: bindparam(column.name) for column in callbacks.c if column.name not in _NEVER})
)
_OF_CALLBACKS: BindParameter[str] = bindparam("wanted", expanding=True)
_BY_ID = select(callbacks).where(callbacks.c.id.in_(_OF_CALLBACKS)).order_by(callbacks.c.id).with_for_update()
_ATTEMPTS = Prepared(
    select(callback_attempts)
    .where(callback_attempts.c.callback.in_(_OF_CALLBACKS))
    .order_by(callback_attempts.c.position),
    lists=("wanted",),
)


class SqlCallbacks:
    """`ivr.ports.Callbacks`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def request(self, callback: Callback) -> Callback:
        """See the port. Raises NotFound when there is no such card."""
        if self._db.first(select(cards.c.id).where(cards.c.id == callback.card)) is None:
            raise NotFound(f"there is no card {callback.card}")
        hashes = self._db.vault.lookups(NUMBER, callback.number)
        self._db.serialise(f"callbacks {hashes[0].hex()}")
        existing = self._callbacks(select(callbacks).where(callbacks.c.number_hash.in_(hashes), _OPEN))
        if existing:
            return existing[0]
        self._db.insert(callbacks, [self._row(callback)])
        self._put_attempts([callback])
        return callback

    def get(self, id_: str) -> Callback:
        """See the port. On PostgreSQL the row is held until the end of the transaction: what is read here
        and saved below cannot be changed by another engine in between."""
        found = self.held([id_])
        if not found:
            raise NotFound(f"there is no callback {id_}")
        return found[0]

    def held(self, ids: Collection[str]) -> Sequence[Callback]:
        """See the port. In the order of ids, so that no two programs wait for each other."""
        pieces = chunks(sorted(ids))
        return [found for piece in pieces for found in self._callbacks(_BY_ID, wanted=piece)]

    def save(self, *changed: Callback) -> None:
        """See the port."""
        rows = [{"wanted": callback.id, **_state(callback)} for callback in changed]
        if rows and self._db.connection.execute(_STATE, rows).rowcount != len(rows):
            names = ", ".join(callback.id for callback in changed)
            raise NotFound(
                f"there is no callback {names}" if len(rows) == 1 else f"one is not there: {names}"
            )
        self._put_attempts(changed)

    def list(self, *, open_only: bool = False) -> Sequence[Callback]:
        statement = select(callbacks).order_by(callbacks.c.due, callbacks.c.arrived_at, callbacks.c.id)
        return self._callbacks(statement.where(_OPEN) if open_only else statement)

    def open_for_number(self, number: str) -> Callback | None:
        found = self._callbacks(_OPEN_OF_NUMBER, hashes=self._db.vault.lookups(NUMBER, number))
        return found[0] if found else None

    def of_number(self, number: str, *, limit: int = 5) -> Sequence[Callback]:
        hashes = self._db.vault.lookups(NUMBER, number)
        statement = select(callbacks).where(callbacks.c.number_hash.in_(hashes))
        return self._callbacks(statement.order_by(callbacks.c.id.desc()).limit(limit))

    def take(
        self, states: Collection[State], *, due_by: datetime | None, queue: str | None = None, limit: int
    ) -> Sequence[Callback]:
        which = [_in(states)]
        which += [] if due_by is None else [callbacks.c.due <= due_by]
        if queue is not None:
            self._db.serialise(f"callbacks of {queue}")
            which += [callbacks.c.queue == queue]
        statement = select(callbacks).where(*which).order_by(callbacks.c.arrived_at, callbacks.c.id)
        return self._callbacks(statement.limit(limit).with_for_update(skip_locked=True))

    def in_states(self, states: Collection[State]) -> Sequence[Callback]:
        statement = select(callbacks).where(_in(states))
        return self._callbacks(statement.order_by(callbacks.c.arrived_at, callbacks.c.id))

    def due_queues(self, now: datetime) -> Mapping[str, int]:
        return self._counted(callbacks.c.queue, _in(PENDING_STATES), callbacks.c.due <= now)

    def counts(self, now: datetime) -> CallbackCounts:
        oldest = select(func.min(callbacks.c.due)).where(_in(PENDING_STATES), callbacks.c.due <= now)
        return CallbackCounts(
            by_state=self._counted(callbacks.c.state),
            by_source=self._counted(callbacks.c.source, _OPEN),
            oldest_due=self._db.connection.execute(oldest).scalar(),
        )

    def _counted(self, column: Column[str], *which: ColumnElement[bool]) -> Mapping[str, int]:
        found = self._db.connection.execute(select(column, func.count()).where(*which).group_by(column))
        return {name: number for name, number in found}  # noqa: C416 - dict() takes a result for a mapping

    def open_for_card(self, card: str) -> Callback | None:
        found = self._callbacks(_OPEN_OF_CARD, wanted=card)
        return found[0] if found else None

    def _row(self, callback: Callback) -> Row:
        vault = self._db.vault
        clear = {"number": callback.number}
        return {
            "id": callback.id,
            **vault.seal_row(callbacks, clear, row=callback.id),
            **vault.hash_row(number_hash(clear)),
            **_state(callback),
        }

    def _put_attempts(self, changed: Sequence[Callback]) -> None:
        """Attempts become more, and better known; they never become fewer."""
        rows = [
            {
                "callback": callback.id,
                "position": n,
                "at": attempt.at,
                "result": attempt.result,
                "leg": attempt.leg,
            }
            for callback in changed
            for n, attempt in enumerate(callback.attempts)
        ]
        self._db.put(callback_attempts, rows)

    def _callbacks(self, statement: Statement, **values: object) -> Sequence[Callback]:
        rows = self._db.rows(statement, **values)
        attempts: dict[str, list[Attempt]] = {row["id"]: [] for row in rows}
        for ids in chunks(list(attempts)):
            for row in self._db.rows(_ATTEMPTS, wanted=ids):
                attempts[row["callback"]].append(Attempt(at=row["at"], result=row["result"], leg=row["leg"]))
        opened = (self._db.vault.open_row(callbacks, row) for row in rows)
        return [_to_callback(row, attempts[row["id"]]) for row in opened]


def _state(callback: Callback) -> Row:
    """What changes in the life of a callback."""
    return {
        "card": callback.card,
        "source": callback.source.value,
        "state": callback.state.value,
        "queue": callback.queue,
        "arrived_at": callback.arrived_at,
        "due": callback.due,
        "operator": callback.operator,
        "leg": callback.leg,
        "leg_at": callback.leg_at,
        "node": callback.node or None,
    }


def _to_callback(row: Row, attempts: Sequence[Attempt]) -> Callback:
    return Callback(
        id=row["id"],
        card=row["card"],
        number=row["number"],
        source=Source(row["source"]),
        state=State(row["state"]),
        queue=row["queue"],
        arrived_at=row["arrived_at"],
        due=row["due"],
        operator=row["operator"],
        leg=row["leg"],
        leg_at=row["leg_at"],
        node=row["node"] or "",
        attempts=tuple(attempts),
    )
