"""Cards and contacts (§13, §15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from db.access import Access, Row, chunks
from db.repositories import card_statements as sql
from db.repositories.card_hashes import NUMBER, number_hash
from db.repositories.card_search import ids_of
from db.repositories.contacts import CONTACT_FIELDS, new_contact, to_contact
from db.repositories.upserts import SNILS
from db.tables import card_topics, cards, contacts, counters
from ivr.domain.enquiry import Card, Contact, ContactOutcome, Direction, Level, Outcome
from ivr.domain.errors import NotFound
from ivr.domain.ids import is_id, new_id
from ivr.ports import CallRow, CardSearch

_TEXTS = ("questions", "comment", "answer_source", "answer")
_FIELDS = frozenset(
    (*_TEXTS, "closed_at", "level", "agency", "callback_at", "confirmed", "operator", "outcome")
)


class SqlCards:
    """`ivr.ports.Cards`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def open(self, *, call: str, node: str, number: str | None, at: datetime) -> Card:
        """See the port. The second of two programs that open the card of one call waits, then finds it."""
        id_ = self._card_of(call, node)
        if id_ is None:
            self._db.serialise("cards.open")
            id_ = self._card_of(call, node) or self._new(call=call, node=node, number=number, at=at)
        card = self.get(id_)
        if card.number is None and number is not None:
            self._db.change(cards, id_, self._number(id_, number))
            card = self.get(id_)
        return card

    def _card_of(self, call: str, node: str) -> str | None:
        found = self._db.first(sql.CARD_OF, at_node=node, wanted=call)
        return None if found is None else str(found["card"])

    def register(self, *, number: str, at: datetime) -> Card:
        return self.get(self._put(number, at))

    def _new(self, *, call: str, node: str, number: str | None, at: datetime) -> str:
        id_ = self._put(number, at)
        self._db.insert(contacts, [new_contact(card=id_, node=node, call=call, at=at)])
        return id_

    def _put(self, number: str | None, at: datetime) -> str:
        id_ = new_id(at)
        row = {
            "id": id_,
            "registration_number": self._next_number(at),
            "registered_at": at,
            "level": Level.NONE.value,
            **(self._number(id_, number) if number is not None else {}),
        }
        self._db.insert(cards, [row])
        return id_

    def _next_number(self, at: datetime) -> str:
        """`YYYY-NNNNNN`, the year in the site's zone; counted in this transaction, so none is left out."""
        year = at.astimezone(self._db.zone).year
        name = f"registration {year}"
        self._db.insert_missing(counters, [{"name": name, "value": 0}])
        counted = self._db.first(sql.NEXT, wanted=name)
        assert counted is not None  # the row was made above # noqa: S101
        return f"{year:04}-{counted['value']:06}"

    def _number(self, id_: str, number: str) -> Row:
        vault = self._db.vault
        clear = {"number": number}
        return {**vault.seal_row(cards, clear, row=id_), **vault.hash_row(number_hash(clear))}

    def get(self, id_: str) -> Card:
        return self._cards([self._row(id_)])[0]

    def _row(self, id_: str) -> Row:
        row = self._db.first(sql.CARD, wanted=id_)
        if row is None:
            raise NotFound(f"there is no card {id_}")
        return row

    def of_call(self, call: str) -> Card | None:
        row = self._contact_row(call)
        return None if row is None else self.get(row["card"])

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[Card]:
        statement = select(*sql.READ).order_by(
            cards.c.registered_at.desc(), cards.c.registration_number.desc()
        )
        if since is not None:
            statement = statement.where(cards.c.registered_at >= since)
        return self._cards(self._db.rows(statement.limit(limit)))

    def search(
        self, wanted: CardSearch, *, limit: int | None = None, before: str | None = None
    ) -> Sequence[Card]:
        """See the port: first the ids, which indexes alone tell, so only cards of the page are touched."""
        found = self._db.rows(ids_of(self._db.vault, wanted, before=before).limit(limit))
        pieces = chunks([row["id"] for row in found])
        return self._cards([row for ids in pieces for row in self._db.rows(sql.PAGE, wanted=ids)])

    def identified(self, id_: str, *, snils: str) -> None:
        id_, vault = self._row(id_)["id"], self._db.vault
        sealed, hashed = vault.seal_row(cards, {"snils": snils}, row=id_), vault.lookup(SNILS, snils)
        values = {**sealed, "snils_hash": hashed, "level": Level.PERSONAL.value}
        self._db.change(cards, id_, values)

    def snils_of(self, id_: str) -> str | None:
        row = self._db.first(sql.SNILS, wanted=self._row(id_)["id"])
        return None if row is None else self._db.vault.open_row(cards, row)["snils"]

    def change(self, id_: str, **fields: object) -> None:
        """See the port. Raises NotFound, TypeError for a field that cannot be set."""
        id_ = id_ if is_id(id_) else self._row(id_)["id"]
        topics = fields.pop("topics", None)
        if unknown := fields.keys() - _FIELDS:
            raise TypeError(f"a card's {', '.join(sorted(unknown))} cannot be changed")
        if fields and not self._db.change(cards, id_, self._stored(id_, fields)):
            raise NotFound(f"there is no card {id_}")
        if isinstance(topics, Iterable):
            self._replace_topics(id_, [str(title) for title in topics])

    def _stored(self, id_: str, fields: Mapping[str, object]) -> Row:
        """An empty text is NULL: nothing is not worth a seal."""
        values = {name: (value or None) if name in _TEXTS else value for name, value in fields.items()}
        return self._db.vault.seal_row(cards, values, row=id_)

    def _replace_topics(self, id_: str, titles: Sequence[str]) -> None:
        """Titles keep the agency they had; new ones belong to the card's."""
        known = {row["title"]: row["agency"] for row in self._topics(card_topics.c.card == id_)}
        agency = self._row(id_)["agency"] or ""
        self._db.run(card_topics.delete().where(card_topics.c.card == id_))
        rows = [
            {"card": id_, "position": n, "agency": known.get(title, agency), "title": title}
            for n, title in enumerate(dict.fromkeys(titles))
        ]
        self._db.insert(card_topics, rows)

    def add_topic(self, id_: str, *, agency: str, topic: str) -> None:
        """Add a topic and make its agency the card's; the same topic twice is once."""
        id_ = self._row(id_)["id"]
        self._db.change(cards, id_, {"agency": agency})
        known = self._topics(card_topics.c.card == id_)
        if not any((row["agency"], row["title"]) == (agency, topic) for row in known):
            position = known[-1]["position"] + 1 if known else 0
            row = {"card": id_, "position": position, "agency": agency, "title": topic}
            self._db.insert(card_topics, [row])

    def close(self, id_: str, *, outcome: Outcome, at: datetime) -> None:
        self.change(id_, outcome=outcome, closed_at=at)

    def contact(self, call: str) -> Contact | None:
        row = self._contact_row(call)
        return None if row is None else to_contact(row)

    def known(self, calls: Iterable[str]) -> Set[str]:
        """See the port."""
        found: set[str] = set()
        for part in chunks(sorted(set(calls))):
            found.update(row["call"] for row in self._db.rows(sql.KNOWN, wanted=part))
        return found

    def change_contact(self, call: str, **fields: object) -> None:
        """See the port. Raises TypeError for a field that cannot be set."""
        if unknown := fields.keys() - CONTACT_FIELDS:
            raise TypeError(f"a contact's {', '.join(sorted(unknown))} cannot be changed")
        statement = sql.changing_contact(tuple(fields))
        if not self._db.run(statement, wanted=call, ours=self._db.node, **fields):
            raise NotFound(f"there is no call {call}")

    def dialled(self, id_: str, *, call: str, node: str, at: datetime) -> None:
        id_ = self._row(id_)["id"]
        row = new_contact(card=id_, node=node, call=call, at=at, direction=Direction.OUTBOUND)
        self._db.insert_missing(contacts, [row])

    def on_the_line(self, number: str, *, since: datetime) -> bool:
        """See the port."""
        hashes = self._db.vault.lookups(NUMBER, number)
        found = (
            select(contacts.c.id)
            .join(cards, cards.c.id == contacts.c.card)
            .where(
                cards.c.number_hash.in_(hashes),
                contacts.c.direction == Direction.INBOUND.value,
                contacts.c.outcome.is_(None),
                contacts.c.at >= since,
            )
        )
        return self._db.first(found.limit(1)) is not None

    def outbound(self, since: datetime) -> Sequence[Contact]:
        """See the port."""
        which = (contacts.c.direction == Direction.OUTBOUND.value) & (contacts.c.at >= since)
        found = select(contacts).where(which).order_by(contacts.c.at, contacts.c.id)
        return [to_contact(row) for row in self._db.rows(found)]

    def calls(self, *, limit: int | None = None) -> Sequence[CallRow]:
        statement = (
            select(contacts.c.call, contacts.c.at, contacts.c.outcome, cards.c.id, cards.c.number)
            .join(cards, cards.c.id == contacts.c.card)
            .order_by(contacts.c.at.desc(), contacts.c.id.desc())
            .limit(limit)
        )
        return [_call_row(self._db.vault.open_row(cards, row)) for row in self._db.rows(statement)]

    def unfinished(self, node: str) -> Sequence[str]:
        statement = (
            select(contacts.c.call)
            .join(cards, cards.c.id == contacts.c.card)
            .where(cards.c.outcome.is_(None) | contacts.c.outcome.is_(None), contacts.c.node == node)
            .order_by(contacts.c.at, contacts.c.id)
        )
        return [row["call"] for row in self._db.rows(statement)]

    def contacts(self, since: datetime, until: datetime) -> Sequence[Contact]:
        """See the port."""
        within = (contacts.c.at >= since) & (contacts.c.at < until)
        found = select(contacts).where(within).order_by(contacts.c.at, contacts.c.id)
        return [to_contact(row) for row in self._db.rows(found)]

    def _contact_row(self, call: str) -> Row | None:
        return self._db.first(sql.CONTACT, wanted=call, ours=self._db.node)

    def _topics(self, which: ColumnElement[bool]) -> Sequence[Row]:
        return self._db.rows(select(card_topics).where(which).order_by(card_topics.c.position))

    def _cards(self, rows: Sequence[Row]) -> Sequence[Card]:
        """Cards of these rows, with their topics and contacts, in a few statements however many they are."""
        topics: dict[str, list[str]] = {row["id"]: [] for row in rows}
        calls: dict[str, list[Contact]] = {row["id"]: [] for row in rows}
        for ids in chunks([row["id"] for row in rows]):
            for row in self._db.rows(sql.TOPICS, wanted=ids):
                topics[row["card"]].append(row["title"])
            for row in self._db.rows(sql.CONTACTS, wanted=ids):
                calls[row["card"]].append(to_contact(row))
        opened = (self._db.vault.open_row(cards, row) for row in rows)
        return [_to_card(row, topics[row["id"]], calls[row["id"]]) for row in opened]


def _to_card(row: Row, topics: Sequence[str], calls: Sequence[Contact]) -> Card:
    values: dict[str, Any] = {**row}
    values |= {name: row[name] or "" for name in _TEXTS}
    values["level"] = Level(row["level"])
    values["outcome"] = row["outcome"] and Outcome(row["outcome"])
    return Card(**values, topics=tuple(topics), contacts=tuple(calls))


def _call_row(row: Row) -> CallRow:
    outcome = ContactOutcome(row["outcome"]) if row["outcome"] else None
    return CallRow(
        call=row["call"],
        at=row["at"],
        number=row["number"],
        card=row["id"],
        state="ended" if outcome else "in_progress",
        outcome=outcome,
    )
