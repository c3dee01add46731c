"""Passages of calls through queues."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, select

from db.access import Access, Row, chunks
from db.prepared import Prepared
from db.repositories.card_statements import CONTACT
from db.tables import contacts, passages
from ivr.domain.errors import NotFound
from ivr.domain.passage import Passage

_ROWS = (
    select(passages, contacts.c.call)
    .join(contacts, contacts.c.id == passages.c.contact)
    .order_by(passages.c.entered, passages.c.contact, passages.c.position)
)
_OF_CONTACT = Prepared(_ROWS.where(passages.c.contact == bindparam("wanted")))


class SqlPassages:
    """`ivr.ports.Passages`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def put(self, call: str, found: Sequence[Passage]) -> None:
        """See the port. Raises NotFound."""
        contact = self._contact(call)
        known = self._db.rows(_OF_CONTACT, wanted=contact)
        if [_to_passage(row) for row in known] == list(found):
            return
        if known:
            self._db.run(passages.delete().where(passages.c.contact == contact))
        self._db.insert(passages, [_row(contact, n, passage) for n, passage in enumerate(found)])

    def of_calls(self, calls: Sequence[str]) -> Sequence[Passage]:
        """See the port."""
        rows = [row for part in chunks(list(calls)) for row in self._rows(contacts.c.call.in_(part))]
        return [_to_passage(row) for row in rows]

    def entered(self, since: datetime, until: datetime) -> Sequence[Passage]:
        """See the port."""
        rows = self._rows((passages.c.entered >= since) & (passages.c.entered < until))
        return [_to_passage(row) for row in rows]

    def _rows(self, which: ColumnElement[bool]) -> Sequence[Row]:
        return self._db.rows(_ROWS.where(which))

    def _contact(self, call: str) -> str:
        """Ours before another node's, as in cards."""
        row = self._db.first(CONTACT, wanted=call, ours=self._db.node)
        if row is None:
            raise NotFound(f"there is no call {call}")
        return str(row["id"])


def _row(contact: str, position: int, passage: Passage) -> Row:
    return {
        "contact": contact,
        "position": position,
        "queue": passage.queue,
        "entered": passage.entered,
        "left": passage.left,
        "why": passage.why,
        "operator": passage.operator,
        "talking_s": passage.talking_s,
        "hold_s": passage.hold_s,
        "missed": list(passage.missed),
    }


def _to_passage(row: Row) -> Passage:
    values = {name: value for name, value in row.items() if name not in ("contact", "position")}
    return Passage(**{**values, "missed": tuple(row["missed"])})
