"""Deferred enquiries, and what callbacks were promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Select, bindparam, select, true

from db.access import Access, Row
from db.prepared import Prepared
from db.repositories.card_hashes import NUMBER
from db.tables import callbacks, cards, deferred
from ivr.domain.callback import OPEN_STATES, Source
from ivr.domain.deferred import OPEN_STATES as UNANSWERED
from ivr.domain.deferred import Deferred, State
from ivr.domain.errors import NotFound
from ivr.ports import Typed

_OPEN = callbacks.c.state.in_(sorted(OPEN_STATES))


class SqlDeferred:
    """`ivr.ports.DeferredEnquiries`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def put(self, deferred: Deferred) -> None:
        """See the port. Raises NotFound."""
        if self._db.first(select(cards.c.id).where(cards.c.id == deferred.card)) is None:
            raise NotFound(f"there is no card {deferred.card}")
        row = _row(deferred)
        if not self._db.run(_TABLE.update().where(_TABLE.c.card == deferred.card).values(row)):
            self._db.insert(_TABLE, [row])

    def of_card(self, card: str) -> Deferred | None:
        """See the port."""
        row = self._db.first(_OF_CARD, wanted=card)
        return None if row is None else _to_deferred(row)

    def list(self, *, open_only: bool = False) -> Sequence[Deferred]:
        which = _TABLE.c.state.in_(sorted(UNANSWERED)) if open_only else true()
        return [_to_deferred(row) for row in self._db.rows(_select(which))]

    def registered(self, since: datetime, until: datetime) -> Sequence[Deferred]:
        """See the port."""
        within = (cards.c.registered_at >= since) & (cards.c.registered_at < until)
        return [_to_deferred(row) for row in self._db.rows(_select(within))]


_TABLE = deferred


def _select(which: ColumnElement[bool]) -> Select[*tuple[object, ...]]:
    return (
        select(_TABLE, cards.c.registered_at)
        .join(cards, cards.c.id == _TABLE.c.card)
        .where(which)
        .order_by(cards.c.registered_at, _TABLE.c.card)
    )


_OF_CARD = Prepared(_select(_TABLE.c.card == bindparam("wanted")).with_for_update(of=_TABLE))
"""Held to the end of the transaction; SQLite's dialect leaves that out."""


def _row(deferred: Deferred) -> Row:
    row = asdict(deferred)
    del row["registered_at"]  # it is the card's
    return {**row, "state": deferred.state.value}


def _to_deferred(row: Row) -> Deferred:
    return Deferred(**{**row, "state": State(row["state"])})


class SqlAgreements:
    """`ivr.ports.Agreements`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def taken(self, since: datetime, until: datetime, *, besides: str = "") -> Sequence[datetime]:
        """See the port."""
        self._db.serialise("callbacks slots")
        statement = select(callbacks.c.due).where(
            callbacks.c.source == Source.AGREED.value,
            _OPEN,
            callbacks.c.due >= since,
            callbacks.c.due < until,
            callbacks.c.id != besides,
        )
        return [row["due"] for row in self._db.rows(statement.order_by(callbacks.c.due))]

    def typed(self, number: str, *, since: datetime) -> Sequence[Typed]:
        """See the port: the number on the card is the caller's."""
        hashes = self._db.vault.lookups(NUMBER, number)
        self._db.serialise(f"typed {hashes[0].hex()}")
        statement = (
            select(callbacks.c.arrived_at, callbacks.c.state)
            .join(cards, cards.c.id == callbacks.c.card)
            .where(cards.c.number_hash.in_(hashes), callbacks.c.number_hash.not_in(hashes))
            .where(callbacks.c.arrived_at >= since)
            .order_by(callbacks.c.arrived_at)
        )
        return [Typed(row["arrived_at"], row["state"] in OPEN_STATES) for row in self._db.rows(statement)]
