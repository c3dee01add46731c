"""Agencies ("участники информирования", §3б) with their consultation topics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from db import tables
from db.access import Access
from db.tables import agencies
from ivr.domain.menu import Topic


class SqlAgencies:
    """`ivr.ports.Agencies`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def upsert(self, topics: Iterable[Topic]) -> int:
        """See the port. A key has one topic, and an agency's title one key: what is in the way is replaced.

        Where the rows name an agency differently, the last name counts for all of them.
        """
        self._db.serialise("agencies")
        incoming = list(topics)
        names = {topic.agency: topic.agency_name for topic in incoming}
        latest = {topic.key: replace(topic, agency_name=names[topic.agency]) for topic in incoming}
        known = {topic.key: topic for topic in self.topics()}
        self._name(names)
        changed = {key: topic for key, topic in latest.items() if known.get(key) != topic}
        self._replace(changed, known, kept=latest.keys() - changed.keys())
        return len(changed)

    def _name(self, names: Mapping[str, str]) -> None:
        self._db.insert_missing(agencies, [{"code": code, "name": name} for code, name in names.items()])
        for code, name in names.items():
            renamed = agencies.update().where(agencies.c.code == code, agencies.c.name != name)
            self._db.run(renamed.values(name=name))

    def _replace(self, changed: Mapping[str, Topic], known: Mapping[str, Topic], kept: set[str]) -> None:
        titles = {(topic.agency, topic.title) for topic in changed.values()}
        moved = {key for key, topic in known.items() if (topic.agency, topic.title) in titles} - kept
        self._db.run(tables.topics.delete().where(tables.topics.c.key.in_(sorted({*changed, *moved}))))
        rows = [
            {"key": t.key, "agency": t.agency, "title": t.title, "line": t.line} for t in changed.values()
        ]
        self._db.insert(tables.topics, rows)

    def topics(self) -> Sequence[Topic]:
        """In the order of keys."""
        topics = tables.topics.c
        statement = (
            select(topics.agency, agencies.c.name.label("agency_name"), topics.key, topics.title, topics.line)
            .join(agencies, agencies.c.code == topics.agency)
            .order_by(topics.key)
        )
        return [Topic(**row) for row in self._db.rows(statement)]

    def codes(self) -> Sequence[str]:
        return [row["code"] for row in self._db.rows(select(agencies.c.code).order_by(agencies.c.code))]
