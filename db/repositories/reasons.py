"""Directories of numbered reasons."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import and_, select

from db.access import Access
from db.tables import reasons


class SqlReasons:
    """`ivr.ports.Reasons`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def list(self, kind: str) -> Mapping[str, str]:
        """See the port."""
        rows = self._db.rows(select(reasons).where(reasons.c.kind == kind).order_by(reasons.c.key))
        return {row["key"]: row["title"] for row in rows}

    def set(self, kind: str, key: str, title: str) -> None:
        self.remove(kind, key)
        self._db.insert(reasons, [{"kind": kind, "key": key, "title": title}])

    def remove(self, kind: str, key: str) -> bool:
        """See the port."""
        return self._db.run(reasons.delete().where(and_(reasons.c.kind == kind, reasons.c.key == key))) > 0
