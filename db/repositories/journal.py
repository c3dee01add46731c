"""Lines of Asterisk's journals and how far they were read; both are stored in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, select

from db.access import Access, chunks
from db.tables import journal_lines, journal_positions
from ivr.ports import JournalLine, JournalPosition

_OF_LINKED = (
    select(journal_lines)
    .where(journal_lines.c.linked == bindparam("wanted"))
    .order_by(journal_lines.c.at, journal_lines.c.seq)
)


class SqlJournal:
    """`ivr.ports.Journal`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def position(self, node: str, journal: str) -> JournalPosition | None:
        table = journal_positions.c
        row = self._db.first(
            select(table.generation, table.offset).where(table.node == node, table.journal == journal)
        )
        return None if row is None else JournalPosition(**row)

    def advance(
        self, node: str, journal: str, position: JournalPosition, *, read_from: JournalPosition | None
    ) -> bool:
        """See the port. Whoever moves holds the row's lock to the end of the transaction."""
        place = {"node": node, "journal": journal}
        if read_from is None:
            self._db.serialise(f"journal {node} {journal}")
            if self.position(node, journal) is not None:
                return False
            self._db.insert(journal_positions, [{**place, **asdict(position)}])
            return True
        there = journal_positions.update().filter_by(**place, **asdict(read_from))
        return self._db.run(there.values(asdict(position))) == 1

    def add(self, lines: Iterable[JournalLine]) -> None:
        for part in chunks([{**vars(line), "data": dict(line.data)} for line in lines]):
            self._db.insert_missing(journal_lines, part)

    def of_linked(self, linked: str) -> Sequence[JournalLine]:
        return [
            JournalLine(**{name: value for name, value in row.items() if name != "seq"})
            for row in self._db.rows(_OF_LINKED, wanted=linked)
        ]
