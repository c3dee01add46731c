"""The ladder of identification (§21): what a caller has to give, and what may be told then.

SNILS and secret code are enough only from the number given when the code was set; from any other, the
identity document's series and number as well. Which of the two it is, is settled before any secret is looked
at, and so that a stranger learns nothing: whoever calls from another number is asked the same, whether the
SNILS is known or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ivr.domain.enquiry import Level


class Path(StrEnum):
    """What has to be given besides the SNILS."""

    CODE = "code"  # the call comes from the number on file
    CODE_AND_DOCUMENT = "code_and_document"  # any other number, or none; an unknown SNILS; no code set


class MatchSource(StrEnum):
    """What stood for the caller besides the code; told in the audit, for a number can be forged."""

    NUMBER = "number"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was found true of a caller, everything at once."""

    number: bool
    """The calling number is the one given when the code was set."""
    code: bool
    document: bool


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an attempt came to. There is one kind of failure: which part was wrong is not in here."""

    level: Level
    """`personal` or `none`."""
    match_source: MatchSource | None = None
    """None: nothing matched."""


FAILED = Verdict(level=Level.NONE)


def is_number_on_file(calling: str | None, on_file: str | None) -> bool:
    """Whether a call comes from the number given when the code was set; both E.164, None: not known."""
    return calling is not None and calling == on_file


def choose_path(calling: str | None, on_file: str | None, *, has_code: bool) -> Path:
    """The path of a call, before any secret is looked at.

    on_file: the citizen's number, None when there is none or the SNILS is unknown.
    """
    return Path.CODE if has_code and is_number_on_file(calling, on_file) else Path.CODE_AND_DOCUMENT


def judge(path: Path, evidence: Evidence) -> Verdict:
    """What the caller may hear (§21)."""
    if not evidence.code:
        return FAILED
    if path is Path.CODE and evidence.number:
        return Verdict(level=Level.PERSONAL, match_source=MatchSource.NUMBER)
    if path is Path.CODE_AND_DOCUMENT and evidence.document:
        return Verdict(level=Level.PERSONAL, match_source=MatchSource.DOCUMENT)
    return FAILED
