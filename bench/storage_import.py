"""How many rows of a file of citizens are brought in per second (no codes: argon2 would be all of it)."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from datetime import date

from bench.storage_fill import NODE, NOW, ZONE, Database, snils_of
from db.store import open_store
from ivr.services.audit import By
from ivr.services.citizens_in import Citizens
from ivr.services.codes import CodeBook
from ivr.services.files_in import open_table
from ivr.services.imports import bring_in

COLUMNS = (
    "snils",
    "last_name",
    "first_name",
    "patronymic",
    "birth_date",
    "phone",
    "secret_code",
    "document_type",
    "document_series",
    "document_number",
)


def rate(database: Database, rows: int) -> float:
    """Rows a second. All of them must come in."""
    file = io.BytesIO(_csv(rows).encode())
    store = open_store(database.url, database.vault(), timezone=ZONE, node=NODE)
    book = CodeBook(store.peppers)
    try:
        kind = Citizens(codes=book, check_code=str, today=NOW.astimezone(ZONE).date())
        begin = time.perf_counter()
        counts = bring_in(store, By(actor="bench", at=NOW), kind, open_table(file, COLUMNS))
        took = time.perf_counter() - begin
        assert (counts.accepted, counts.rejected) == (rows, 0), str(counts)
        return rows / took
    finally:
        book.close()
        store.close()


def _csv(rows: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(rows))
    return out.getvalue()


def _rows(rows: int) -> Iterator[tuple[str, ...]]:
    birth = date(1970, 1, 1).isoformat()
    for place in range(rows):
        phone = f"+7915{place:07d}"
        yield (snils_of(place), "Иванов", "Иван", "Иванович", birth, phone, "", "", "", "")
