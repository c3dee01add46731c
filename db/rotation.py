"""New keys for old while calls go on (`ekc keys rotate`).

Keys are announced in `key_marks`, their files written, and only then do they become current, for all programs
at one moment (db/marks.py). Then rows are sealed and hashed anew, a few at a time. What nothing refers to any
more is retired: out of use first, then its file is erased. Each step is one transaction or one change of a
file, and the next run finds out from the database where the last one ended: it may be killed anywhere.

Two kinds of keys may outlive a rotation. Counters of guesses are kept by hashes of SNILS nobody knows, which
cannot be hashed anew; their hash key stays until they are forgotten. A pepper stays until the last code that
was made with it has been changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine, LargeBinary, func, or_, select

from db import marks
from db.crypto import Vault
from db.engine import storage_errors
from db.keys import KeyKind, new_key
from db.marks import Mark, MarkState
from db.resealing import Passed, anew, row_count, tables
from db.rotating_alone import alone
from db.tables import citizens, guesses
from ivr.domain.errors import BadInput, KeyLost, SealBroken, StorageDown
from ivr.domain.ids import TIME_LETTERS
from ivr.ports import KeyRotation

TRIES = 7
"""How often the database may be found busy or gone without any row's having been done meanwhile."""
_WAIT_S = 0.5
_LEAST_PAUSE_S = 0.001


def rotate(
    engine: Engine,
    vault: Vault,
    *,
    pepper: bool,
    forget_before: datetime,
    progress: Callable[[int, int], None],
    pause: Callable[[float], None] = time.sleep,
) -> KeyRotation:
    """Go through all steps, with a pause after each that is as long as it took: others want to write, too.

    Raises BadInput when a rotation runs already, StorageDown when the database stays away.
    """
    failures, furthest = 0, 0
    run = Rotation(engine, vault, pepper=pepper, forget_before=forget_before)
    steps = run.steps()
    while True:
        started = time.perf_counter()
        try:
            with storage_errors():
                done = next(steps, None)
        except (KeyLost, SealBroken):
            raise
        except StorageDown:
            failures += 1
            if failures == TRIES:
                raise
            pause(_WAIT_S * 2**failures)
            steps = run.steps()  # the database tells it where to go on
            continue
        if done is None:
            return run.result
        if done[0] > furthest:
            failures, furthest = 0, done[0]
        progress(*done)
        pause(max(time.perf_counter() - started, _LEAST_PAUSE_S))


class Rotation:
    """One rotation. A crash between two steps is a generator that is not asked for its next one."""

    def __init__(self, engine: Engine, vault: Vault, *, pepper: bool, forget_before: datetime) -> None:
        self._engine = engine
        self._vault = vault
        self._kinds = [KeyKind.DATA, KeyKind.HASH, *([KeyKind.PEPPER] if pepper else [])]
        self._forget_before = forget_before
        self._begun = False
        self.result = KeyRotation(resumed=False, rows=0, removed=0, kept=0, unreadable=0)

    def steps(self) -> Iterator[tuple[int, int]]:
        """Do a step, then yield (rows done, rows in all)."""
        with alone(self._engine, self._vault.keys.directory):
            yield from self._drop_pending()
            yield from self._erase_retired()
            if not self._unfinished():
                yield from self._new_keys()
            self._begun = True
            yield from self._rows_anew()
            yield from self._retire()
            yield from self._erase_retired()

    def _unfinished(self) -> bool:
        """Whether rows may still be sealed with an older key: that is retired at the end only."""
        with self._transaction() as (connection, _):
            used = marks.by_kind(marks.read(connection, MarkState.USED))
        resumed = len(used[KeyKind.DATA]) > 1 or self.result.removed > 0
        self.result = replace(self.result, resumed=self.result.resumed or (resumed and not self._begun))
        return resumed or self._begun

    # --- new keys ---

    def _drop_pending(self) -> Iterator[tuple[int, int]]:
        """Keys that nobody ever used."""
        for mark in self._marks(MarkState.PENDING):
            self._erase(mark)
            yield 0, 0
            self._move(mark, MarkState.PENDING, None)
            yield 0, 0

    def _new_keys(self) -> Iterator[tuple[int, int]]:
        keys = [(kind, *new_key()) for kind in self._kinds]
        pending = [(kind, id_, self._vault.mark_of(key)) for kind, id_, key in keys]
        with self._transaction() as (connection, vault):
            _check_order(vault, pending)
            marks.add(connection, pending, MarkState.PENDING)
        yield 0, 0
        for kind, id_, key in keys:
            with self._files():
                self._vault.keys.write(kind, id_, key)
            yield 0, 0
        self._vault.keys.reload()
        with self._transaction(hold=True) as (connection, _):
            for mark in pending:
                if not marks.move(connection, mark, MarkState.PENDING, MarkState.USED):
                    raise BadInput("another program has changed the keys; run `ekc keys rotate` again")
        yield 0, 0

    # --- rows ---

    def _rows_anew(self) -> Iterator[tuple[int, int]]:
        """Until nothing old is found: rows that others were changing are passed over and come up again."""
        with self._transaction() as (connection, _):
            total = sum(row_count(connection, table) for table in tables())
        done, left = 0, True
        while left:
            left, unreadable = False, 0
            for passed in self._walk():
                left = left or passed.changed > 0 or passed.busy > 0
                unreadable += passed.unreadable
                done = min(total, done + passed.rows)
                self.result = replace(self.result, rows=self.result.rows + passed.changed)
                yield done, total
            self.result = replace(self.result, unreadable=unreadable)

    def _walk(self) -> Iterator[Passed]:
        """All rows, in pieces."""
        for table in tables():
            after: str | None = ""
            while after is not None:
                with self._transaction() as (connection, vault):
                    passed = anew(connection, vault, table, after)
                after = passed.last
                yield passed

    # --- old keys ---

    def _retire(self) -> Iterator[tuple[int, int]]:
        """Put the old keys that nothing refers to out of use."""
        with self._transaction() as (connection, _):
            quiet = or_(guesses.c.locked_until.is_(None), guesses.c.locked_until < self._forget_before)
            connection.execute(guesses.delete().where(guesses.c.since < self._forget_before, quiet))
        yield 0, 0
        with self._transaction(hold=True) as (connection, _):
            old = _old(marks.read(connection, MarkState.USED))
            idle = [mark for mark in old if not self._needed(connection, mark)]
            for mark in idle:
                marks.move(connection, mark, MarkState.USED, MarkState.RETIRED)
        self.result = replace(self.result, kept=len(old) - len(idle))
        yield 0, 0

    def _needed(self, connection: Connection, mark: Mark) -> bool:
        kind, id_, _ = mark
        if kind is KeyKind.PEPPER:
            codes = select(citizens.c.id).where(citizens.c.code_pepper == id_).limit(1)
            return connection.execute(codes).first() is not None
        if kind is KeyKind.HASH and id_.encode() in _hash_keys_of_guesses(connection):
            return True
        return self.result.unreadable > 0

    def _erase_retired(self) -> Iterator[tuple[int, int]]:
        for mark in self._marks(MarkState.RETIRED):
            self._erase(mark)
            yield 0, 0
            self._move(mark, MarkState.RETIRED, None)
            self.result = replace(self.result, removed=self.result.removed + 1)
            yield 0, 0

    # --- files and transactions ---

    def _erase(self, mark: Mark) -> None:
        kind, id_, _ = mark
        with self._files():
            self._vault.keys.erase(kind, id_)

    @contextmanager
    def _files(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BadInput(
                f"the keys in {self._vault.keys.directory} cannot be changed: {error.strerror}; "
                "mend that, then run `ekc keys rotate` again"
            ) from None

    @contextmanager
    def _transaction(self, *, hold: bool = False) -> Iterator[tuple[Connection, Vault]]:
        """hold: no transaction of any program uses keys meanwhile."""
        with self._engine.begin() as connection:
            if hold:
                marks.hold(connection)
            used = marks.in_use(connection)
            yield connection, self._vault.using(marks.by_kind(used))

    def _marks(self, state: MarkState) -> Sequence[Mark]:
        with self._transaction() as (connection, _):
            return marks.read(connection, state)

    def _move(self, mark: Mark, before: MarkState, after: MarkState | None) -> None:
        with self._transaction() as (connection, _):
            marks.move(connection, mark, before, after)


def _check_order(vault: Vault, new: Sequence[Mark]) -> None:
    """The newest key is the one with the greatest id, and ids are times."""
    if any(id_ <= max(vault.ids(kind), default="") for kind, id_, _ in new):
        raise BadInput("this machine's clock is behind the newest key's time; set it, then rotate again")


def _old(used: Sequence[Mark]) -> Sequence[Mark]:
    """All but the newest of each kind."""
    current = {(kind, ids[0]) for kind, ids in marks.by_kind(used).items() if ids}
    return [mark for mark in used if mark[:2] not in current]


def _hash_keys_of_guesses(connection: Connection) -> set[bytes]:
    ids = select(func.substr(guesses.c.key_hash, 1, TIME_LETTERS, type_=LargeBinary)).distinct()
    return {bytes(id_) for id_ in connection.execute(ids).scalars()}
