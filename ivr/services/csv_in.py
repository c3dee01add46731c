"""CSV with a header, as spreadsheets write it (RFC 4180), with a comma or a semicolon."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from ivr.domain.errors import BadInput
from ivr.services.rows import LONGEST_ROW, NOTES, SHOWN, Line, Lines, Refused, TooLong, checked

MOST_COLUMNS = 40


class CsvTable:
    """`ivr.services.rows.Table` of CSV."""

    def __init__(self, lines: Lines, header: str, columns: Sequence[str]) -> None:
        self._lines = lines
        self._separator = ";" if header.count(";") > header.count(",") else ","
        self._header = _names(header, self._separator)
        self._columns = columns
        _check_header(self._header, columns)

    def __iter__(self) -> Iterator[Line | Refused]:
        reader = csv.reader(self._lines, delimiter=self._separator, strict=True)
        while True:
            self._lines.begin_row()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield self._refused("the quotes or line breaks of the row are not those of CSV")
            except TooLong:
                yield self._too_long()
                if self._lines.inside_quotes:
                    return  # where the next row begins nobody can tell
            else:
                if any(fields):
                    yield self._row(fields)

    def _too_long(self) -> Refused:
        reason = f"the row is longer than {LONGEST_ROW} bytes"
        if self._lines.inside_quotes:
            reason += ", for a quote is not closed; nothing after it was read"
        return self._refused(reason)

    def _refused(self, reason: str) -> Refused:
        return Refused(number=self._lines.first, reason=reason, raw=(self._lines.text.rstrip("\r\n"),))

    def _row(self, fields: list[str]) -> Line | Refused:
        number, raw = self._lines.first, tuple(fields)
        if len(fields) != len(self._header):
            reason = f"the row has {len(fields)} fields, the header has {len(self._header)}"
            return Refused(number=number, reason=reason, raw=raw)
        named = dict(zip(self._header, fields, strict=True))
        return checked(Line(number=number, values={name: named[name] for name in self._columns}, raw=raw))

    def rejects_head(self) -> str:
        return self._written([*NOTES, *(name for name in self._header if name not in NOTES)])

    def reject(self, refused: Refused) -> str:
        fields = refused.raw
        if len(fields) == len(self._header):
            fields = tuple(f for name, f in zip(self._header, fields, strict=True) if name not in NOTES)
        return self._written([str(refused.number), refused.reason, *fields])

    def _written(self, fields: Sequence[str]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self._separator, lineterminator="\n").writerow(fields)
        return text.getvalue().encode("utf-8", SHOWN).decode("utf-8")


def _names(header: str, separator: str) -> list[str]:
    try:
        [fields] = csv.reader([header], delimiter=separator, strict=True)
    except (csv.Error, ValueError):
        raise BadInput("the header is no line of CSV; its first line names the columns") from None
    return [field.strip().casefold() for field in fields]


def _check_header(header: Sequence[str], columns: Sequence[str]) -> None:
    if len(header) > MOST_COLUMNS:
        raise BadInput(f"the header has {len(header)} columns; it should have {', '.join(columns)}")
    twice = [name for name in columns if header.count(name) > 1]
    if twice:
        raise BadInput(f"the header has {twice[0]} twice; name each column once")
    missing = [name for name in columns if name not in header]
    if len(missing) == len(columns):
        raise BadInput(f"the file has no header; its first line should be {','.join(columns)}")
    if missing:
        raise BadInput(f"the header lacks {', '.join(missing)}; what is unknown is an empty field")
    for place, name in enumerate(header, start=1):
        if name not in columns and name not in NOTES:
            raise BadInput(f"column {place} of the header is unknown; columns are {', '.join(columns)}")
    if len(set(header)) != len(header):
        raise BadInput("the header has a column twice; name each column once")
