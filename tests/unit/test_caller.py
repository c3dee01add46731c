"""The ladder of identification: which path a call takes, and what may be told at its end (§21)."""

from __future__ import annotations

from itertools import product

import pytest

from ivr.domain.caller import FAILED, Evidence, MatchSource, Path, choose_path, judge
from ivr.domain.enquiry import Level

MINE, OTHER = "+79123456789", "+79990000000"


@pytest.mark.parametrize(
    ("calling", "on_file", "has_code", "path"),
    [
        (MINE, MINE, True, Path.CODE),
        (MINE, MINE, False, Path.CODE_AND_DOCUMENT),
        (OTHER, MINE, True, Path.CODE_AND_DOCUMENT),
        (None, MINE, True, Path.CODE_AND_DOCUMENT),
        (MINE, None, True, Path.CODE_AND_DOCUMENT),
        (None, None, True, Path.CODE_AND_DOCUMENT),
        (MINE, None, False, Path.CODE_AND_DOCUMENT),
    ],
)
def test_the_code_alone_is_enough_only_from_the_number_on_file(
    calling: str | None, on_file: str | None, has_code: bool, path: Path
) -> None:
    assert choose_path(calling, on_file, has_code=has_code) is path


@pytest.mark.parametrize("number", [True, False])
@pytest.mark.parametrize("document", [True, False])
@pytest.mark.parametrize("path", list(Path))
def test_nothing_is_told_without_the_code(path: Path, number: bool, document: bool) -> None:
    assert judge(path, Evidence(number=number, code=False, document=document)) == FAILED


def test_code_and_number_open_and_the_number_is_what_matched() -> None:
    verdict = judge(Path.CODE, Evidence(number=True, code=True, document=False))
    assert (verdict.level, verdict.match_source) == (Level.PERSONAL, MatchSource.NUMBER)


def test_code_and_document_open_from_any_number_and_the_document_is_what_matched() -> None:
    for number in (True, False):
        verdict = judge(Path.CODE_AND_DOCUMENT, Evidence(number=number, code=True, document=True))
        assert (verdict.level, verdict.match_source) == (Level.PERSONAL, MatchSource.DOCUMENT)


def test_the_short_path_needs_the_number_also_at_its_end() -> None:
    assert judge(Path.CODE, Evidence(number=False, code=True, document=True)) == FAILED


def test_the_long_path_needs_the_document_also_from_the_number_on_file() -> None:
    assert judge(Path.CODE_AND_DOCUMENT, Evidence(number=True, code=True, document=False)) == FAILED


def test_all_failures_are_one() -> None:
    verdicts = {
        judge(path, Evidence(number=number, code=code, document=document))
        for path, (number, code, document) in product(Path, product((True, False), repeat=3))
    }
    assert {v for v in verdicts if v.level is Level.NONE} == {FAILED}
