"""JSON lines: one object a line. Numbers count as they are written; a list of texts is joined by `|`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from ivr.domain.errors import BadInput
from ivr.services.rows import (
    LIST_SEPARATOR,
    LONGEST_ROW,
    NOTES,
    SHOWN,
    Line,
    Lines,
    Refused,
    TooLong,
    checked,
)


class JsonTable:
    """`ivr.services.rows.Table` of JSON lines."""

    def __init__(self, lines: Lines, first: str, columns: Sequence[str]) -> None:
        if first.lstrip().startswith("["):
            raise BadInput(
                "the file is one JSON list; write JSON lines: one object a line, no list around them"
            )
        self._lines = lines
        self._first: str | None = first
        self._columns = columns

    def __iter__(self) -> Iterator[Line | Refused]:
        if self._first is not None:
            yield self._row(self._lines.number, self._first)
            self._first = None
        while True:
            self._lines.begin_row()
            try:
                text = next(self._lines)
            except StopIteration:
                return
            except TooLong:
                reason = f"the row is longer than {LONGEST_ROW} bytes"
                yield Refused(number=self._lines.first, reason=reason, raw=("",))
            else:
                if text.strip():
                    yield self._row(self._lines.number, text)

    def _row(self, number: int, text: str) -> Line | Refused:
        raw = (text.strip(),)
        try:
            values = _members(text)
            _check_names(values, self._columns)
        except BadInput as error:
            return Refused(number=number, reason=str(error), raw=raw)
        return checked(
            Line(number=number, values={name: values.get(name, "") for name in self._columns}, raw=raw)
        )

    def rejects_head(self) -> str:
        return ""

    def reject(self, refused: Refused) -> str:
        notes: dict[str, object] = {"line": refused.number, "reason": refused.reason}
        try:
            members = {name: value for name, value in _object(refused.raw[0]).items() if name not in NOTES}
            text = json.dumps({**notes, **members}, ensure_ascii=False)
        except (BadInput, RecursionError):
            text = json.dumps({**notes, "row": refused.raw[0]}, ensure_ascii=False)
        return text.encode("utf-8", SHOWN).decode("utf-8") + "\n"


def _object(text: str) -> dict[str, Any]:
    """The object of a line, each number as the text it was. Raises BadInput."""
    try:
        row = json.loads(
            text,
            parse_float=str,
            parse_int=str,
            parse_constant=_no_constant,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError):
        raise BadInput("the row is not valid JSON") from None
    if not isinstance(row, dict):
        raise BadInput("the row is no JSON object")
    return row


def _members(text: str) -> dict[str, str]:
    """The members of a line's object as texts. Raises BadInput."""
    return {name: _as_text(value) for name, value in _object(text).items() if name not in NOTES}


def _no_constant(_: str) -> NoReturn:
    raise BadInput("the row has a number that is none")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise BadInput("the row has a name twice")
    return row


def _as_text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list() if all(isinstance(item, str) and LIST_SEPARATOR not in item for item in value):
            return LIST_SEPARATOR.join(value)
    raise BadInput("values are texts, numbers or lists of texts without `|`")


def _check_names(values: Mapping[str, str], columns: Sequence[str]) -> None:
    if any(name not in columns for name in values):
        raise BadInput(f"the row has an unknown name; names are {', '.join(columns)}")
