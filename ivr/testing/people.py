"""The embedded information resource in memory: agencies, citizens, applications, payments, notices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from ivr.domain.benefits import Citizen, Notice, Payment
from ivr.domain.enquiry import Application
from ivr.domain.errors import NotFound
from ivr.domain.menu import Topic
from ivr.domain.receipt import digits_of
from ivr.ports import CodeHashes, Credentials
from ivr.testing.rows import Rows, put_changed


class MemoryAgencies(Rows):
    """`ivr.ports.Agencies`; `rows` by key, names of agencies by code."""

    def __init__(self) -> None:
        self.rows: dict[str, Topic] = {}
        self._names: dict[str, str] = {}

    def upsert(self, topics: Iterable[Topic]) -> int:
        """See the port. A key has one topic, and an agency's title one key: what is in the way is replaced.

        Where the rows name an agency differently, the last name counts for all of them.
        """
        incoming = list(topics)
        known = {topic.key: topic for topic in self.topics()}
        self._names |= {topic.agency: topic.agency_name for topic in incoming}
        latest = {topic.key: self._named(topic) for topic in incoming}
        changed = {key: topic for key, topic in latest.items() if known.get(key) != topic}
        titles = {(topic.agency, topic.title) for topic in changed.values()}
        kept = latest.keys() - changed.keys()
        moved = {key for key, topic in known.items() if (topic.agency, topic.title) in titles} - kept
        self.rows = {key: topic for key, topic in self.rows.items() if key not in moved} | changed
        return len(changed)

    def topics(self) -> Sequence[Topic]:
        """In the order of keys."""
        return [self._named(self.rows[key]) for key in sorted(self.rows)]

    def codes(self) -> Sequence[str]:
        return sorted(self._names)

    def _named(self, topic: Topic) -> Topic:
        return replace(topic, agency_name=self._names[topic.agency])


class MemoryApplications(Rows):
    """`ivr.ports.Applications`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str], Application] = {}

    def upsert(self, applications: Iterable[Application]) -> int:
        """See the port. The last of several rows with one identity counts."""
        return put_changed(self.rows, (((a.agency, digits_of(a.number), a.snils), a) for a in applications))

    def by_receipt(self, digits: str, accepted_on: date) -> Sequence[Application]:
        wanted = (digits_of(digits), accepted_on)
        return [a for a in self.rows.values() if (digits_of(a.number), a.accepted_on) == wanted]

    def of(self, snils: str) -> Sequence[Application]:
        found = (a for a in self.rows.values() if a.snils == snils)
        return sorted(found, key=lambda a: a.accepted_on, reverse=True)


class MemoryCitizens(Rows):
    """`ivr.ports.Citizens`; `rows` by SNILS, their codes beside them."""

    def __init__(self) -> None:
        self.rows: dict[str, Citizen] = {}
        self._codes: dict[str, CodeHashes] = {}

    def upsert(self, citizens: Iterable[Citizen]) -> int:
        return put_changed(self.rows, ((citizen.snils, citizen) for citizen in citizens))

    def get(self, snils: str) -> Citizen:
        if snils not in self.rows:
            raise NotFound("there is no citizen with this SNILS")
        return self.rows[snils]

    def credentials(self, snils: str) -> Credentials | None:
        citizen = self.rows.get(snils)
        if citizen is None:
            return None
        document = digits_of(citizen.document_series + citizen.document_number)
        return Credentials(phone=citizen.phone, document=document, code=self._codes.get(snils))

    def set_code(self, snils: str, code: CodeHashes) -> None:
        self.get(snils)
        self._codes[snils] = code


class MemoryPayments(Rows):
    """`ivr.ports.Payments`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str, date, Decimal], Payment] = {}

    def upsert(self, payments: Iterable[Payment]) -> int:
        return put_changed(self.rows, (((p.snils, p.agency, p.title, p.date, p.amount), p) for p in payments))

    def of(self, snils: str) -> Sequence[Payment]:
        found = (p for p in self.rows.values() if p.snils == snils)
        return sorted(found, key=lambda p: p.date, reverse=True)


class MemoryNotices(Rows):
    """`ivr.ports.Notices`."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str, str, str], Notice] = {}

    def upsert(self, notices: Iterable[Notice]) -> int:
        return put_changed(self.rows, (((n.snils, n.agency, n.event, n.measure), n) for n in notices))

    def of(self, snils: str) -> Sequence[Notice]:
        return [notice for notice in self.rows.values() if notice.snils == snils]
