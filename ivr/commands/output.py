"""What commands print: one JSON document, JSON lines, or a table for people. Nothing else goes to stdout."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from ivr.domain.errors import BadInput
from ivr.files import write_whole

MASK = "***"
Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Output:
    """How this run prints."""

    as_json: bool
    zone: ZoneInfo
    """Of the site: every time is printed in it."""

    def document(self, value: object) -> None:
        """One JSON document."""
        click.echo(json.dumps(plain(value, self.zone), ensure_ascii=False, indent=2))

    def line(self, value: object) -> None:
        """One line of JSON, sent at once."""
        click.echo(json.dumps(plain(value, self.zone), ensure_ascii=False))

    def done(self, value: object, sentence: str) -> None:
        """The result of a deed: `value` as JSON, or one sentence for people."""
        if self.as_json:
            self.document(value)
        else:
            click.echo(sentence)

    def rows(self, rows: Sequence[Row], columns: Sequence[str], *, empty: str) -> None:
        """A list: whole rows as JSON, or a table of some columns; `empty` is said where there is none."""
        if self.as_json:
            self.document(rows)
        elif rows:
            self._table(columns, ([cell(row[c], self.zone) for c in columns] for row in rows))
        else:
            click.echo(empty)

    def thing(self, thing: Row) -> None:
        """One thing: the document as JSON, or a line for each field; lists of rows as indented lines."""
        if self.as_json:
            self.document(thing)
            return
        width = max((len(name) for name in thing), default=0)
        for name, value in thing.items():
            click.echo(f"{name:<{width}}  {cell(value, self.zone)}")

    def _table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        from rich import box  # rich takes a while to load: not for JSON, nor for --help
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*(Text(value) for value in row))
        console = Console(highlight=False)
        with console.capture() as captured:
            console.print(table)
        click.echo(captured.get(), nl=False)


def masked(number: str | None) -> str | None:
    """`+79123456789` as `+7912***6789`; of a shorter number only the last two digits are left."""
    if number is None:
        return None
    return f"{number[:5]}{MASK}{number[-4:]}" if len(number) >= 11 else f"{MASK}{number[-2:]}"


def plain(value: object, zone: ZoneInfo) -> Any:
    """`value` in JSON's own kinds; times as ISO 8601 with the offset of `zone`.

    Raises BadInput for a time without a zone: it could mean anything.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadInput("a time without a zone cannot be printed")
        return value.astimezone(zone).isoformat(timespec="milliseconds")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): plain(v, zone) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v, zone) for v in value]
    return str(value) if isinstance(value, Path) else value


def cell(value: object, zone: ZoneInfo) -> str:
    """`value` for people: times to the second, without control characters that would move the cursor."""
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        case Mapping():
            return ", ".join(f"{k} {cell(v, zone)}" for k, v in value.items())
        case list() | tuple():
            return "; ".join(cell(v, zone) for v in value) or "-"
    text = str(plain(value, zone))
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def as_csv(rows: Iterable[Row], columns: Sequence[str], zone: ZoneInfo) -> str:
    """CSV with a header; lists of texts are joined by `|`, lists of rows are JSON."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_cell(plain(row[column], zone)) for column in columns])
    return text.getvalue()


def _csv_cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "|".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read (0600), whole or not at all. Raises BadInput with why not."""
    try:
        if path.exists() and not stat.S_ISREG(
            path.stat().st_mode
        ):  # a pipe, /dev/stdout: nothing to keep whole
            path.write_text(text, encoding="utf-8")
            return
        write_whole(path, text)
    except OSError as error:
        raise BadInput(
            f"cannot write {path}: {error.strerror}; name a file in a folder you may write to"
        ) from None
