"""Opaque ids that sort by time: 26 characters, as ULID writes them (https://github.com/ulid/spec)."""

from __future__ import annotations

import os
from datetime import datetime

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TIME_LETTERS = 10
"""Characters of an id that tell its time."""
_CHANCE_LETTERS = 16
"""The others."""


def new_id(at: datetime) -> str:
    """An id of this moment: 48 bits of milliseconds since the epoch and 80 bits of chance.

    It says nothing of whom it names. Naive datetimes are refused with ValueError.
    """
    return first_id(at) + _letters(int.from_bytes(os.urandom(10), "big"), _CHANCE_LETTERS)


def first_id(at: datetime) -> str:
    """What no id of this moment's millisecond, or of a later one, sorts before."""
    return _letters(_milliseconds(at), TIME_LETTERS)


def is_id(text: str) -> bool:
    """Whether this looks like an id, and not like a registration number."""
    return len(text) == TIME_LETTERS + _CHANCE_LETTERS


def _milliseconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("a time without a zone names no moment")
    return int(at.timestamp() * 1000)


def _letters(number: int, count: int) -> str:
    return "".join(_LETTERS[(number >> 5 * place) & 31] for place in reversed(range(count)))
