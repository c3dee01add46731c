"""Rules of queues, callers' turns, announcements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, select

from db.access import Access, Row, chunks
from db.prepared import Prepared
from db.repositories.card_hashes import NUMBER
from db.tables import announcements, cards, contacts, queue_rules, turns
from ivr.domain.enquiry import ContactOutcome
from ivr.domain.queue_rules import Instead, QueueRules
from ivr.domain.waiting import Announcement, Turn

_OF_CALL = and_(contacts.c.call == turns.c.call, contacts.c.node == turns.c.node)
_TURNS = Prepared(
    select(turns).where(
        turns.c.node == bindparam("ours"), turns.c.call.in_(bindparam("wanted", expanding=True))
    ),
    lists=("wanted",),
)
_TURNS_OF_CARDS = Prepared(
    select(turns).where(turns.c.card.in_(bindparam("wanted", expanding=True))), lists=("wanted",)
)
_NEWEST_OF_NUMBER = Prepared(
    select(cards.c.id)
    .where(cards.c.number_hash.in_(bindparam("hashes", expanding=True)), cards.c.id != bindparam("besides"))
    .order_by(cards.c.registered_at.desc(), cards.c.id.desc())
    .limit(bindparam("most")),
    lists=("hashes",),
)
_ANNOUNCED = Prepared(
    select(*(announcements.c[name] for name in Announcement.__dataclass_fields__))
    .order_by(announcements.c.at.desc(), announcements.c.id.desc())
    .limit(1)
)


class SqlQueues:
    """`ivr.ports.Queues`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    # --- rules ---

    def rules(self) -> Mapping[str, QueueRules]:
        rows = self._db.rows(select(queue_rules).order_by(queue_rules.c.queue))
        return {row["queue"]: _to_rules(row) for row in rows}

    def set_rules(self, rules: QueueRules) -> None:
        self._db.serialise("queue_rules")
        self._db.run(queue_rules.delete().where(queue_rules.c.queue == rules.queue))
        row = {column.name: getattr(rules, column.name) for column in queue_rules.c}
        ways = {name: row[name].value for name in ("no_operator", "all_paused", "too_long")}
        self._db.insert(queue_rules, [{**row, **ways, "topics": dict(rules.topics)}])

    # --- turns ---

    def take_turn(self, turn: Turn) -> None:
        self._db.run(turns.delete().where(turns.c.node == self._db.node, turns.c.call == turn.call))
        row = {name: getattr(turn, name) for name in Turn.__dataclass_fields__}
        self._db.insert(turns, [{**row, "node": self._db.node}])

    def turns(self, calls: Iterable[str]) -> Mapping[str, Turn]:
        found: dict[str, Turn] = {}
        for part in chunks(list(calls)):
            rows = self._db.rows(_TURNS, ours=self._db.node, wanted=part)
            found |= {row["call"]: _to_turn(row) for row in rows}
        return found

    def earlier(self, number: str, *, besides: str, limit: int = 5) -> Sequence[tuple[str, Turn | None]]:
        hashes = self._db.vault.lookups(NUMBER, number)
        newest = self._db.rows(_NEWEST_OF_NUMBER, hashes=hashes, besides=besides, most=limit)
        ids = [row["id"] for row in newest]
        rows = self._db.rows(_TURNS_OF_CARDS, wanted=ids)
        by_card = {row["card"]: _to_turn(row) for row in rows}
        return [(id_, by_card.get(id_)) for id_ in ids]

    def handling(self, queue: str, *, since: datetime, limit: int = 50) -> Sequence[int]:
        statement = (
            select(contacts.c.talking_s, contacts.c.wrapup_s)
            .join(turns, _OF_CALL)
            .where(
                turns.c.queue == queue,
                contacts.c.at >= since,
                contacts.c.outcome == ContactOutcome.SERVED.value,
            )
            .order_by(contacts.c.at.desc())
            .limit(limit)
        )
        return [row["talking_s"] + row["wrapup_s"] for row in self._db.rows(statement)]

    # --- announcements ---

    def announce(self, announcement: Announcement, recording: bytes | None) -> None:
        row = {name: getattr(announcement, name) for name in Announcement.__dataclass_fields__}
        self._db.insert(announcements, [{**row, "recording": recording}])

    def announcement(self, now: datetime) -> Announcement | None:
        row = self._db.first(_ANNOUNCED)
        found = None if row is None else Announcement(**row)
        return found if found is not None and found.in_force(now) else None

    def recording(self, sound: str) -> bytes | None:
        found = self._db.first(
            select(announcements.c.recording).where(announcements.c.sound == sound).limit(1)
        )
        return None if found is None else bytes(found["recording"])

    def silence(self, now: datetime) -> bool:
        current = self.announcement(now)
        if current is None:
            return False
        self._db.run(announcements.update().where(announcements.c.id == current.id).values(until=now))
        return True


def _to_rules(row: Row) -> QueueRules:
    ways = {name: Instead(row[name]) for name in ("no_operator", "all_paused", "too_long")}
    return QueueRules(**{**row, **ways})


def _to_turn(row: Row) -> Turn:
    return Turn(**{name: row[name] for name in Turn.__dataclass_fields__})
