"""Cards with their contacts, in memory: `ivr.ports.Cards`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ivr.domain.enquiry import Card, Contact, Direction, Level, Outcome
from ivr.domain.errors import NotFound
from ivr.domain.ids import first_id, new_id
from ivr.ports import CallRow, CardSearch
from ivr.testing.rows import Rows, aware

ZONE = ZoneInfo("Asia/Yekaterinburg")
NODE = "node1"
_FIELDS = frozenset(
    ("questions", "comment", "answer_source", "answer", "closed_at", "level", "agency", "callback_at")
) | {"confirmed", "operator", "outcome", "topics"}
_CONTACT_FIELDS = frozenset(("waiting_s", "talking_s", "wrapup_s", "outcome"))


@dataclass(frozen=True, kw_only=True)
class _Call:
    """A contact, and what the database keeps beside it."""

    card: str
    node: str
    contact: Contact


class MemoryCards(Rows):
    """`ivr.ports.Cards`; `rows` are the cards by id, without their contacts and topics."""

    def __init__(self, *, node: str = NODE, zone: ZoneInfo = ZONE) -> None:
        self.rows: dict[str, Card] = {}
        self._calls: list[_Call] = []
        self._topics: dict[str, tuple[tuple[str, str], ...]] = {}
        self._snils: dict[str, str] = {}
        self._counters: dict[int, int] = {}
        self._node = node
        self._zone = zone

    def open(self, *, call: str, node: str, number: str | None, at: datetime) -> Card:
        known = next((c.card for c in self._calls if (c.node, c.contact.call) == (node, call)), None)
        id_ = known or self._new(call=call, node=node, at=at)
        if self.rows[id_].number is None and number is not None:
            self.rows[id_] = replace(self.rows[id_], number=number)
        return self.get(id_)

    def register(self, *, number: str, at: datetime) -> Card:
        id_ = self._put(at)
        self.rows[id_] = replace(self.rows[id_], number=number)
        return self.get(id_)

    def _new(self, *, call: str, node: str, at: datetime) -> str:
        id_ = self._put(at)
        contact = Contact(call=call, direction=Direction.INBOUND, at=at)
        self._calls.append(_Call(card=id_, node=node, contact=contact))
        return id_

    def _put(self, at: datetime) -> str:
        id_ = new_id(at)
        year = at.astimezone(self._zone).year
        self._counters[year] = self._counters.get(year, 0) + 1
        number = f"{year:04}-{self._counters[year]:06}"
        self.rows[id_] = Card(id=id_, registration_number=number, registered_at=at)
        return id_

    def get(self, id_: str) -> Card:
        return self._whole(self._row(id_))

    def _row(self, id_: str) -> Card:
        for card in self.rows.values():
            if id_ in (card.id, card.registration_number):
                return card
        raise NotFound(f"there is no card {id_}")

    def _whole(self, card: Card) -> Card:
        titles = tuple(title for _, title in self._topics.get(card.id, ()))
        contacts = sorted((c.contact for c in self._calls if c.card == card.id), key=lambda c: c.at)
        return replace(card, topics=titles, contacts=tuple(contacts))

    def of_call(self, call: str) -> Card | None:
        found = self._call(call)
        return None if found is None else self.get(found.card)

    def list(self, *, since: datetime | None = None, limit: int | None = None) -> Sequence[Card]:
        found = [c for c in self.rows.values() if since is None or c.registered_at >= since]
        found.sort(key=lambda c: (c.registered_at, c.registration_number), reverse=True)
        return [self._whole(card) for card in found[:limit]]

    def search(
        self, wanted: CardSearch, *, limit: int | None = None, before: str | None = None
    ) -> Sequence[Card]:
        aware(wanted.since, wanted.until)
        found = [c for c in self.rows.values() if (before is None or c.id < before) and self._fits(c, wanted)]
        found.sort(key=lambda c: c.id, reverse=True)
        return [self._whole(card) for card in found[:limit]]

    def _fits(self, card: Card, wanted: CardSearch) -> bool:
        titles = {title for _, title in self._topics.get(card.id, ())}
        return (
            wanted.number in (None, card.number)
            and wanted.snils in (None, self._snils.get(card.id))
            and wanted.agency in (None, card.agency)
            and (wanted.topic is None or wanted.topic in titles)
            and wanted.operator in (None, card.operator)
            and wanted.outcome in (None, card.outcome)
            and (wanted.since is None or card.id >= first_id(wanted.since))
            and (wanted.until is None or card.id < first_id(wanted.until))
        )

    def identified(self, id_: str, *, snils: str) -> None:
        row = self._row(id_)
        self.rows[row.id] = replace(row, level=Level.PERSONAL)
        self._snils[row.id] = snils

    def snils_of(self, id_: str) -> str | None:
        return self._snils.get(self._row(id_).id)

    def change(self, id_: str, **fields: Any) -> None:
        """See the port. Raises NotFound, TypeError for a field that cannot be set."""
        row = self._row(id_)
        if unknown := fields.keys() - _FIELDS:
            raise TypeError(f"a card's {', '.join(sorted(unknown))} cannot be changed")
        aware(fields.get("closed_at"), fields.get("callback_at"))
        topics = fields.pop("topics", None)
        self.rows[row.id] = replace(row, **fields)
        if topics is not None:
            self._replace_topics(row.id, topics)

    def _replace_topics(self, id_: str, titles: Iterable[str]) -> None:
        known = {title: agency for agency, title in self._topics.get(id_, ())}
        agency = self.rows[id_].agency or ""
        self._topics[id_] = tuple((known.get(title, agency), title) for title in dict.fromkeys(titles))

    def add_topic(self, id_: str, *, agency: str, topic: str) -> None:
        """Add a topic and make its agency the card's; the same topic twice is once."""
        row = self._row(id_)
        self.rows[row.id] = replace(row, agency=agency)
        known = self._topics.get(row.id, ())
        self._topics[row.id] = tuple(dict.fromkeys((*known, (agency, topic))))

    def close(self, id_: str, *, outcome: Outcome, at: datetime) -> None:
        self.change(id_, outcome=outcome, closed_at=at)

    def contact(self, call: str) -> Contact | None:
        found = self._call(call)
        return None if found is None else found.contact

    def known(self, calls: Iterable[str]) -> Set[str]:
        return {c.contact.call for c in self._calls}.intersection(calls)

    def change_contact(self, call: str, **fields: Any) -> None:
        """See the port. Raises TypeError for a field that cannot be set."""
        if unknown := fields.keys() - _CONTACT_FIELDS:
            raise TypeError(f"a contact's {', '.join(sorted(unknown))} cannot be changed")
        found = self._call(call)
        if found is None:
            raise NotFound(f"there is no call {call}")
        changed = replace(found, contact=replace(found.contact, **fields))
        self._calls[self._calls.index(found)] = changed

    def unfinished(self, node: str) -> Sequence[str]:
        found = [c for c in self._calls if c.node == node and self._goes_on(c)]
        return [c.contact.call for c in sorted(found, key=lambda c: c.contact.at)]

    def _goes_on(self, call: _Call) -> bool:
        return self.rows[call.card].outcome is None or call.contact.outcome is None

    def contacts(self, since: datetime, until: datetime) -> Sequence[Contact]:
        aware(since, until)
        found = [c.contact for c in self._calls if since <= c.contact.at < until]
        return sorted(found, key=lambda contact: contact.at)

    def contacts_of(self, node: str, call: str) -> Sequence[tuple[str, Contact]]:
        """(card, contact) of this call on this node."""
        return [(c.card, c.contact) for c in self._calls if (c.node, c.contact.call) == (node, call)]

    def _call(self, call: str) -> _Call | None:
        """Our own node's before another's, then the newest."""
        found = [c for c in self._calls if c.contact.call == call]
        return max(found, key=lambda c: (c.node == self._node, c.contact.at), default=None)

    def dialled(self, id_: str, *, call: str, node: str, at: datetime) -> None:
        card = self._row(id_)
        aware(at)
        if not any((c.node, c.contact.call) == (node, call) for c in self._calls):
            contact = Contact(call=call, direction=Direction.OUTBOUND, at=at)
            self._calls.append(_Call(card=card.id, node=node, contact=contact))

    def on_the_line(self, number: str, *, since: datetime) -> bool:
        return any(
            self.rows[c.card].number == number
            and c.contact.direction is Direction.INBOUND
            and c.contact.outcome is None
            and c.contact.at >= since
            for c in self._calls
        )

    def outbound(self, since: datetime) -> Sequence[Contact]:
        found = (c.contact for c in self._calls if c.contact.direction is Direction.OUTBOUND)
        return sorted((contact for contact in found if contact.at >= since), key=lambda c: c.at)

    def calls(self, *, limit: int | None = None) -> Sequence[CallRow]:
        newest = self._calls[::-1]
        newest.sort(key=lambda c: c.contact.at, reverse=True)  # stable: of one moment, the last comes first
        return [_call_row(self.rows[c.card], c.contact) for c in newest[:limit]]


def _call_row(card: Card, contact: Contact) -> CallRow:
    return CallRow(
        call=contact.call,
        at=contact.at,
        number=card.number,
        card=card.id,
        state="ended" if contact.outcome else "in_progress",
        outcome=contact.outcome,
    )
