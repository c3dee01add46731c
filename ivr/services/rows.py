"""What every form of file has in common: rows, rejected rows, and lines bounded before they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, Protocol

LONGEST_ROW = 64 * 1024
"""Bytes."""
LONGEST_FIELD = 4096
"""Characters, before a column's own limit."""
NOTES = ("line", "reason")
"""What a file of rejects says before a row; in a file that is brought in again they are skipped."""
LIST_SEPARATOR = "|"
SHOWN = "backslashreplace"
"""How a file of rejects, which is UTF-8, shows bytes that are not."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row by the names of its columns; what is unknown is an empty text."""

    number: int
    """Of its first line in the file, from 1."""
    values: Mapping[str, str]
    raw: tuple[str, ...]
    """The fields, or the one line of JSON, as they stood in the file."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A row that stays out."""

    number: int
    reason: str
    """One sentence that says what is wrong and repeats nothing of the row."""
    raw: tuple[str, ...]


class Table(Protocol):
    """An opened file; iterated once."""

    def __iter__(self) -> Iterator[Line | Refused]: ...

    def rejects_head(self) -> str:
        """How a file of rejects of this form begins."""
        ...

    def reject(self, refused: Refused) -> str:
        """A row of it: the number of the line, the reason, and the row as it stood."""
        ...


class TooLong(Exception):
    """A row is longer than LONGEST_ROW."""


class Lines:
    """The file's lines as text; bytes that are no UTF-8 are kept as lone surrogates, as the row will tell."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0
        self.begin_row()

    def begin_row(self) -> None:
        self.first = self.number + 1
        self.text = ""
        self._size = 0
        self._quotes = 0

    @property
    def inside_quotes(self) -> bool:
        """Whether the row that was too long ended with an open quote."""
        return self._quotes % 2 == 1

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if self.number == 1:
            line = line.removeprefix(_BOM)
        self._take(line)
        if self._size > LONGEST_ROW:
            self._skip_rest(line)
            raise TooLong
        text = line.decode("utf-8", "surrogateescape")
        self.text += text
        return text

    def _take(self, part: bytes) -> None:
        self._size += len(part)
        self._quotes += part.count(b'"')

    def _skip_rest(self, part: bytes) -> None:
        """To the end of this line, in bounded pieces."""
        while part and not part.endswith(b"\n"):
            part = self._file.readline(LONGEST_ROW)
            self._take(part)


def is_text(value: str) -> bool:
    """Whether these were UTF-8 bytes: others have become lone surrogates."""
    return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)


def checked(line: Line) -> Line | Refused:
    """The row when its fields are texts of a sane length, each stripped of blanks around it."""
    for name, value in line.values.items():
        if not is_text(value):
            reason = f"{name} is not UTF-8; save the file as UTF-8"
        elif len(value) > LONGEST_FIELD:
            reason = f"{name} is longer than {LONGEST_FIELD} characters"
        else:
            continue
        return Refused(number=line.number, reason=reason, raw=line.raw)
    return replace(line, values={name: value.strip() for name, value in line.values.items()})
