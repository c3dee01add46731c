"""Files of rows: whatever their bytes, rows or refusals or one clear sentence, and never more of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.errors import BadInput
from ivr.services.files_in import open_table
from ivr.services.rows import LONGEST_FIELD, LONGEST_ROW, Line, Refused, Table

COLUMNS = ("snils", "title", "amount")
HEADER = "snils,title,amount\n"
PLAIN = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30).map(str.strip)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, PLAIN)), max_size=5)


def table(data: bytes | str) -> Table:
    return open_table(io.BytesIO(data.encode() if isinstance(data, str) else data), COLUMNS)


def rows(data: bytes | str) -> list[Line | Refused]:
    return list(table(data))


def one(data: bytes | str) -> Line:
    [row] = rows(data)
    assert isinstance(row, Line), row
    return row


def refused(data: bytes | str) -> Refused:
    [row] = [row for row in rows(data) if isinstance(row, Refused)]
    return row


def values(found: Iterable[Line | Refused]) -> list[Mapping[str, str]]:
    return [row.values for row in found if isinstance(row, Line)]


def as_csv(records: Iterable[Mapping[str, str]], separator: str) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=separator)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


# --- any bytes -------------------------------------------------------------------------------------

LIKELY = st.sampled_from(
    [HEADER.encode(), b'"', b",", b";", b"\n", b"\r", b"{", b'{"snils":', b"\xef\xbb\xbf", b"|"]
)
"""What a file is made of, so that chance gets past the header."""


@given(st.lists(st.one_of(LIKELY, st.binary(max_size=20)), max_size=30).map(b"".join))
def test_any_bytes_are_rows_and_refusals_or_one_clear_sentence(data: bytes) -> None:
    try:
        found = table(data)
    except BadInput as error:
        assert str(error)
        return
    for row in found:
        if isinstance(row, Line):
            assert row.values.keys() == set(COLUMNS)
        else:
            assert row.reason
            found.reject(row).encode("utf-8")


@given(ROWS, st.sampled_from([",", ";"]), st.booleans())
def test_csv_is_read_as_it_was_written_with_comma_or_semicolon_with_bom_or_without(
    records: list[dict[str, str]], separator: str, bom: bool
) -> None:
    data = as_csv(records, separator).encode("utf-8-sig" if bom else "utf-8")
    assert values(rows(data)) == [record for record in records if any(record.values())]


@given(ROWS.filter(bool))
def test_json_lines_are_read_as_they_were_written(records: list[dict[str, str]]) -> None:
    data = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    assert values(rows(data)) == records


@given(st.text(max_size=60))
def test_no_reason_repeats_what_the_row_says(text: str) -> None:
    secret = "тайна"
    found = rows(HEADER + secret + text.replace(secret, "") + "\n")
    assert not any(secret in row.reason for row in found if isinstance(row, Refused))


# --- files that are refused as a whole -------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty"),
        (b"\n \r\n", "the file is empty"),
        ("11223344595,Пособие,1.00\n".encode(), "the file has no header"),
        (b"snils,title\n", "the header lacks amount"),
        (b"snils,title,amount,title\n", "the header has title twice"),
        (b"snils,title,amount,line,line\n", "the header has a column twice"),
        (b"snils,title,amount,colour\n", "column 4 of the header is unknown"),
        (b"snils,title,amount," + b"x," * 50, "the header has 54 columns"),
        (b'"snils,title\n', "the header is no line of CSV"),
        (HEADER.encode("utf-16"), "the file is not UTF-8"),
        ("снилс,пособие\n".encode("cp1251"), "the file is not UTF-8"),
        (b"sn\x00ils,title,amount\n", "the file is not UTF-8"),
        (b"x" * (LONGEST_ROW + 10), "the first line is longer"),
        (b'[{"snils": "1"}]', "the file is one JSON list"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(data: bytes, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        table(data)


# --- rows of CSV -----------------------------------------------------------------------------------


def test_columns_come_in_any_order_and_case_and_fields_lose_the_blanks_around_them() -> None:
    assert one("Amount; SNILS ;title\n 1.00 ;2;  три \n").values == {
        "snils": "2",
        "title": "три",
        "amount": "1.00",
    }


def test_blank_rows_are_skipped_and_lines_are_counted_as_an_editor_counts_them() -> None:
    found = rows(HEADER + '\n,,\n"a\nb",2,3\n4,5,6\n')
    assert [row.number for row in found] == [4, 6]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2\n", "the row has 2 fields, the header has 3"),
        ("1,2,3,4\n", "the row has 4 fields, the header has 3"),
        ('"1"x,2,3\n', "the quotes or line breaks of the row are not those of CSV"),
        ('"1,2,3\n', "the quotes or line breaks of the row are not those of CSV"),
        ("1\r2,2,3\n", "the quotes or line breaks of the row are not those of CSV"),
        (f"1,{'x' * (LONGEST_FIELD + 1)},3\n", f"title is longer than {LONGEST_FIELD} characters"),
        (f"1,{'x' * LONGEST_ROW},3\n", f"the row is longer than {LONGEST_ROW} bytes"),
    ],
)
def test_a_row_that_is_none_is_refused_with_its_line_and_reason(row: str, reason: str) -> None:
    found = refused(HEADER + row)
    assert (found.number, found.reason) == (2, reason)


def test_bytes_that_are_no_utf_8_refuse_their_row_alone() -> None:
    found = rows(HEADER.encode() + "1,Пособие,3\n".encode("cp1251") + b"4,5,6\n")
    assert [type(row) for row in found] == [Refused, Line]
    assert "title is not UTF-8" in refused(HEADER.encode() + "1,Пособие,3\n".encode("cp1251")).reason


def test_after_a_row_that_is_too_long_reading_goes_on_with_the_next() -> None:
    found = rows(HEADER + f"1,{'x' * 3 * LONGEST_ROW},3\n4,5,6\n")
    assert [row.number for row in found] == [2, 3]
    assert values(found) == [{"snils": "4", "title": "5", "amount": "6"}]


def test_what_stands_inside_a_quote_is_never_taken_for_a_row() -> None:
    """Free text with line breaks that look like rows stays text, however long the quote is."""
    short = HEADER + '1,"free text\n4,5,6\n",3\n'
    assert [row.number for row in rows(short)] == [2]
    endless = HEADER + '1,"free text\n' + "4,5,6\n" * LONGEST_ROW
    [row] = rows(endless)
    assert isinstance(row, Refused)
    assert row.reason.endswith("nothing after it was read")


def test_a_file_of_rejects_is_the_same_file_with_line_and_reason_before_it() -> None:
    found = table("snils;title;amount\n1;2\n")
    [row] = found
    assert isinstance(row, Refused)
    assert found.rejects_head() == "line;reason;snils;title;amount\n"
    assert found.reject(row) == "2;the row has 2 fields, the header has 3;1;2\n"


def test_rejects_that_were_mended_are_brought_in_as_they_are() -> None:
    mended = "line,reason,snils,title,amount\n17,because,1,2,3\n"
    assert one(mended).values == {"snils": "1", "title": "2", "amount": "3"}
    again = table(mended)
    assert again.rejects_head() == "line,reason,snils,title,amount\n"
    assert again.reject(Refused(number=2, reason="still", raw=one(mended).raw)) == "2,still,1,2,3\n"
    assert one('{"line": 17, "reason": "because", "snils": "1"}').values["snils"] == "1"


def test_a_file_of_rejects_is_utf_8_whatever_the_row_was() -> None:
    found = table(HEADER.encode() + b"\xcf,2,3\n")
    [row] = found
    assert isinstance(row, Refused)
    assert "\\udccf,2,3" in found.reject(row)


# --- rows of JSON ----------------------------------------------------------------------------------


def test_numbers_count_as_they_are_written_and_what_is_left_out_is_unknown() -> None:
    assert one('{"snils": 11223344595, "amount": 1234.50}').values == {
        "snils": "11223344595",
        "title": "",
        "amount": "1234.50",
    }


def test_a_list_of_texts_is_joined() -> None:
    assert one('{"title": ["справка", "паспорт"], "snils": null}').values["title"] == "справка|паспорт"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x", "the row is not valid JSON"),
        ("[1]", "the row is no JSON object"),
        ('{"snils":' + "[" * 60000, "the row is not valid JSON"),
        ('{"snils": 1, "snils": 2}', "the row has a name twice"),
        ('{"snils": NaN}', "the row has a number that is none"),
        ('{"colour": "red"}', "the row has an unknown name; names are snils, title, amount"),
        ('{"snils": true}', "values are texts, numbers or lists of texts without `|`"),
        ('{"snils": {"a": 1}}', "values are texts, numbers or lists of texts without `|`"),
        ('{"title": ["a|b"]}', "values are texts, numbers or lists of texts without `|`"),
        ('{"title": "\\ud800"}', "title is not UTF-8; save the file as UTF-8"),
        ('{"title": "' + "x" * LONGEST_ROW + '"}', f"the row is longer than {LONGEST_ROW} bytes"),
    ],
)
def test_a_line_of_json_that_is_no_row_is_refused(row: str, reason: str) -> None:
    data = '{"snils": "1"}\n' + row + "\n"
    found = refused(data)
    assert (found.number, found.reason) == (2, reason)
    written = json.loads(table(data).reject(found))
    assert (written["line"], written["reason"]) == (2, reason)


def test_rejected_json_keeps_its_members_beside_line_and_reason() -> None:
    found = table('{"snils": "1", "colour": ["red"]}\n')
    [row] = found
    assert isinstance(row, Refused)
    assert found.rejects_head() == ""
    assert json.loads(found.reject(row)) == {"line": 1, "reason": row.reason, "snils": "1", "colour": ["red"]}
