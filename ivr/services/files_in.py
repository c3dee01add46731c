"""Files of rows: CSV with a header, or JSON lines of the same names (docs/files.md). Bytes in, rows out.

Nothing of a file is trusted: each row is a `Line`, or is `Refused` with a reason that repeats none of it; a
file that cannot be read at all raises BadInput with one sentence. A row is bounded before it is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from ivr.domain.errors import BadInput
from ivr.services.csv_in import CsvTable
from ivr.services.json_in import JsonTable
from ivr.services.rows import LONGEST_ROW, Lines, Table, TooLong, is_text


def open_table(file: BinaryIO, columns: Sequence[str]) -> Table:
    """The rows of a file with exactly these columns, in any order.

    Raises BadInput when the file is empty, not UTF-8, or its header lacks a column, has one twice or an
    unknown one.
    """
    lines = Lines(file)
    first = _first(lines)
    if first.lstrip().startswith(("{", "[")):
        return JsonTable(lines, first, columns)
    return CsvTable(lines, first, columns)


def _first(lines: Lines) -> str:
    """The first line that is not blank."""
    while True:
        lines.begin_row()
        try:
            line = next(lines)
        except StopIteration:
            raise BadInput("the file is empty; its first line names the columns") from None
        except TooLong:
            raise BadInput(
                f"the first line is longer than {LONGEST_ROW} bytes; it names the columns"
            ) from None
        if "\x00" in line or not is_text(line):  # UTF-16 has zeros in every Latin letter
            raise BadInput("the file is not UTF-8; save it as UTF-8 and bring it in again")
        if line.strip():
            return line
