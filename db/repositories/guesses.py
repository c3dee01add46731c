"""Counters of failed look-ups, under keyed hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, select

from db.access import Access
from db.prepared import Prepared
from db.tables import guesses
from ivr.ports import GuessCounter, GuessLock

_HASHES: BindParameter[bytes] = bindparam("hashes", expanding=True)
_HERE = (guesses.c.scope == bindparam("scope")) & guesses.c.key_hash.in_(_HASHES)
_COUNTER = Prepared(
    select(guesses.c.failures, guesses.c.since, guesses.c.locked_until, guesses.c.locks)
    .where(_HERE)
    .order_by(guesses.c.since.desc()),
    lists=("hashes",),
)
_CLEARED = Prepared(guesses.delete().where(_HERE), lists=("hashes",))


class SqlGuesses:
    """`ivr.ports.Guesses`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def get(self, scope: str, key: str) -> GuessCounter | None:
        """See the port. Until the end of the transaction nobody else reads this counter: of two calls that
        guess at once, neither overlooks the other."""
        hashes = self._hashes(scope, key)
        self._db.serialise(f"guesses {scope} {hashes[0].hex()}")
        row = self._db.first(_COUNTER, scope=scope, hashes=hashes)
        return None if row is None else GuessCounter(**row)

    def put(self, scope: str, key: str, counter: GuessCounter) -> None:
        self.clear(scope, key)
        current = self._hashes(scope, key)[0]
        self._db.insert(guesses, [{"scope": scope, "key_hash": current, **asdict(counter)}])

    def clear(self, scope: str, key: str) -> None:
        hashes = self._hashes(scope, key)
        self._db.serialise(f"guesses {scope} {hashes[0].hex()}")
        self._db.run(_CLEARED, scope=scope, hashes=hashes)

    def locked(self, now: datetime) -> Sequence[GuessLock]:
        columns = (guesses.c.scope, guesses.c.locked_until, guesses.c.locks)
        in_force = select(*columns).where(guesses.c.locked_until > now)
        rows = self._db.rows(in_force.order_by(guesses.c.scope, guesses.c.locked_until))
        return [GuessLock(**row) for row in rows]

    def _hashes(self, scope: str, key: str) -> Sequence[bytes]:
        """Newest key first."""
        return self._db.vault.lookups(f"guesses {scope}", key)
