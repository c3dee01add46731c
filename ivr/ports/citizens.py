"""Storage of what is known of citizens, and how they are identified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from ivr.domain.benefits import Citizen, Notice, Payment
from ivr.domain.enquiry import Application
from ivr.domain.guessing import GuessCounter


class Applications(Protocol):
    def upsert(self, applications: Iterable[Application]) -> int:
        """Insert or update by (agency, number digits, snils); how many rows really changed."""
        ...

    def by_receipt(self, digits: str, accepted_on: date) -> Sequence[Application]:
        """Applications whose number has these digits and which were accepted on this day."""
        ...

    def of(self, snils: str) -> Sequence[Application]:
        """All of one citizen, newest first."""
        ...


@dataclass(frozen=True, kw_only=True)
class CodeHashes:
    """The two hashes of one secret code (§21), argon2id with a pepper, as `services/codes.py` makes them: the
    pepper's id, then argon2's own text, which begins with `$`."""

    keypad: str
    """Of the form that a telephone keypad can say."""
    exact: str
    """Of the code as it was given, for operators."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a caller's answers are compared with; read in one query."""

    phone: str | None
    """E.164."""
    document: str
    """Digits of the document's series and number."""
    code: CodeHashes | None
    """None: no code was ever set."""


@dataclass(frozen=True, kw_only=True)
class KeyRotation:
    """What `ekc keys rotate` has done."""

    resumed: bool
    """It went on with one that had been interrupted, and made no new keys."""
    rows: int
    """Rows that were sealed and hashed anew."""
    removed: int
    """Keys that nothing refers to any more, whose files are gone."""
    kept: int
    """Old keys that counters of guesses or secret codes still need."""
    unreadable: int
    """Rows that do not open; while there are any, the old keys stay."""


class Peppers(Protocol):
    """The site's secrets that codes are hashed with besides their salt: files, never in the database."""

    def current(self) -> str:
        """The id of the pepper that new hashes get, ten ASCII letters. Raises StorageDown."""
        ...

    def key(self, id_: str) -> bytes:
        """The pepper itself, 32 bytes. Raises KeyLost."""
        ...


class Citizens(Protocol):
    """Keyed by SNILS; looked up by its keyed hash."""

    def upsert(self, citizens: Iterable[Citizen]) -> int:
        """Insert or update by SNILS; how many rows really changed. Codes stay as they are."""
        ...

    def get(self, snils: str) -> Citizen:
        """Raises NotFound, which does not repeat the SNILS."""
        ...

    def credentials(self, snils: str) -> Credentials | None: ...

    def set_code(self, snils: str, code: CodeHashes) -> None:
        """Replace the hashes: the old ones are gone. Raises NotFound, StorageDown when the pepper they were
        made with is in use no more (hash again)."""
        ...


class Payments(Protocol):
    def upsert(self, payments: Iterable[Payment]) -> int:
        """Insert or update by (snils, agency, title, date, amount); how many rows really changed."""
        ...

    def of(self, snils: str) -> Sequence[Payment]:
        """All of one citizen, newest first."""
        ...


class Notices(Protocol):
    def upsert(self, notices: Iterable[Notice]) -> int:
        """Insert or update by (snils, agency, event, measure); how many rows really changed."""
        ...

    def of(self, snils: str) -> Sequence[Notice]:
        """All of one citizen, in the order they were given."""
        ...


@dataclass(frozen=True, kw_only=True)
class GuessLock:
    """A lock in force; whose it is cannot be told, for keys are hashed."""

    scope: str
    locked_until: datetime
    locks: int
    """How many in a row, this one included."""


class Guesses(Protocol):
    """Counters of failed look-ups; `key` is hashed with the site's key before it is stored."""

    def get(self, scope: str, key: str) -> GuessCounter | None: ...

    def put(self, scope: str, key: str, counter: GuessCounter) -> None: ...

    def clear(self, scope: str, key: str) -> None: ...

    def locked(self, now: datetime) -> Sequence[GuessLock]:
        """Every lock in force at `now`, by scope, then by its end."""
        ...
