"""What the database has of arrivals: contacts, the ends of their traces, turns and callbacks, by call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from db.access import Access, Row, chunks
from db.repositories.card_hashes import NUMBER
from db.tables import callbacks, cards, contacts, traces, turns
from ivr.domain.callback import Source
from ivr.domain.enquiry import ContactOutcome, Outcome
from ivr.domain.reconciliation import Standing

_END, _OPERATOR, _QUEUE, _ASKED = "end", "operator", "queue", "asked"
_ASK, _DECLINED = "ask", "callback.declined"
_NOT_OF_THE_CALL = (Source.AGREED.value, Source.DEFERRED.value)


class SqlStandings:
    """`ivr.ports.Standings`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def of_calls(self, node: str, calls: Sequence[str]) -> Mapping[str, Sequence[Standing]]:
        found: dict[str, list[Standing]] = {}
        for part in chunks(list(calls)):
            rows = self._contacts((contacts.c.node == node) & contacts.c.call.in_(part))
            ended = self._traced(part, traces.c.kind == _END)
            asked = (traces.c.kind == _QUEUE) & (traces.c.outcome == _ASKED)
            wanted = self._traced(part, or_(traces.c.outcome == _OPERATOR, asked))
            wanted |= self._turns(node, part)
            declined = self._traced(part, (traces.c.kind == _ASK) & (traces.c.id == _DECLINED))
            made = self._made([row["card"] for row in rows])
            for row in rows:
                call = row["call"]
                standing = _standing(row, settled=call in ended, wanted=call in wanted, made=made)
                found.setdefault(call, []).append(replace(standing, answered=call in declined))
        return found

    def served_since(self, number: str, at: datetime) -> bool:
        hashes = self._db.vault.lookups(NUMBER, number)
        statement = (
            select(contacts.c.id)
            .join(cards, cards.c.id == contacts.c.card)
            .where(
                cards.c.number_hash.in_(hashes),
                contacts.c.at >= at,
                contacts.c.outcome == ContactOutcome.SERVED.value,
            )
        )
        return self._db.first(statement.limit(1)) is not None

    def has_callback(self, number: str) -> bool:
        hashes = self._db.vault.lookups(NUMBER, number)
        statement = select(callbacks.c.id).where(callbacks.c.number_hash.in_(hashes)).limit(1)
        return self._db.first(statement) is not None

    def _contacts(self, which: ColumnElement[bool]) -> Sequence[Row]:
        columns = (
            contacts.c.call,
            contacts.c.card,
            contacts.c.outcome,
            cards.c.outcome.label("card_outcome"),
        )
        statement = select(*columns).join(cards, cards.c.id == contacts.c.card).where(which)
        return self._db.rows(statement.order_by(contacts.c.at, contacts.c.id))

    def _traced(self, calls: Sequence[str], which: ColumnElement[bool]) -> set[str]:
        statement = select(traces.c.call).where(traces.c.call.in_(calls), which).distinct()
        return {row["call"] for row in self._db.rows(statement)}

    def _turns(self, node: str, calls: Sequence[str]) -> set[str]:
        statement = select(turns.c.call).where(turns.c.node == node, turns.c.call.in_(calls))
        return {row["call"] for row in self._db.rows(statement)}

    def _made(self, ids: Sequence[str]) -> Mapping[str, int]:
        counted = (
            select(callbacks.c.card, func.count().label("made"))
            .where(callbacks.c.card.in_(ids), callbacks.c.source.not_in(_NOT_OF_THE_CALL))
            .group_by(callbacks.c.card)
        )
        return {row["card"]: row["made"] for row in self._db.rows(counted)}


def _standing(row: Row, *, settled: bool, wanted: bool, made: Mapping[str, int]) -> Standing:
    return Standing(
        call=row["call"],
        card=row["card"],
        outcome=row["outcome"] and ContactOutcome(row["outcome"]),
        card_outcome=row["card_outcome"] and Outcome(row["card_outcome"]),
        settled=settled,
        wanted=wanted,
        callbacks=made.get(row["card"], 0),
    )
