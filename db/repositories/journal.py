"""Lines of Asterisk's journals and how far they were read; both are stored in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, select

from db.access import Access, chunks
from db.prepared import Prepared
from db.tables import journal_lines, journal_positions
from ivr.ports import JournalLine, JournalPosition

_OF_LINKED = Prepared(
    select(*(column for column in journal_lines.c if column is not journal_lines.c.seq))
    .where(journal_lines.c.linked == bindparam("wanted"))
    .order_by(journal_lines.c.at, journal_lines.c.seq)
)
_HERE = (journal_positions.c.node == bindparam("at_node")) & (journal_positions.c.journal == bindparam("of"))
_POSITION = Prepared(select(journal_positions.c.generation, journal_positions.c.offset).where(_HERE))
_ADVANCE = Prepared(
    journal_positions.update().where(
        _HERE,
        journal_positions.c.generation == bindparam("read_generation"),
        journal_positions.c.offset == bindparam("read_offset"),
    ),
    columns=("generation", "offset"),
)


class SqlJournal:
    """`ivr.ports.Journal`."""

    def __init__(self, access: Access) -> None:
        self._db = access

    def position(self, node: str, journal: str) -> JournalPosition | None:
        row = self._db.first(_POSITION, at_node=node, of=journal)
        return None if row is None else JournalPosition(**row)

    def advance(
        self, node: str, journal: str, position: JournalPosition, *, read_from: JournalPosition | None
    ) -> bool:
        """See the port. Whoever moves holds the row's lock to the end of the transaction."""
        if read_from is None:
            self._db.serialise(f"journal {node} {journal}")
            if self.position(node, journal) is not None:
                return False
            self._db.insert(journal_positions, [{"node": node, "journal": journal, **asdict(position)}])
            return True
        before = {"read_generation": read_from.generation, "read_offset": read_from.offset}
        return self._db.run(_ADVANCE, at_node=node, of=journal, **before, **asdict(position)) == 1

    def add(self, lines: Iterable[JournalLine]) -> None:
        for part in chunks([{**vars(line), "data": dict(line.data)} for line in lines]):
            self._db.insert_missing(journal_lines, part)

    def of_linked(self, linked: str) -> Sequence[JournalLine]:
        return [JournalLine(**row) for row in self._db.rows(_OF_LINKED, wanted=linked)]
