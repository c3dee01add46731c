"""The keyed hashes by which cards and callbacks are found."""

from __future__ import annotations

from db.access import Row
from db.crypto import Keyed
from db.repositories.upserts import SNILS

NUMBER = "number"
"""Purpose of the keyed hash of telephone numbers: cards and callbacks of one number can be found together."""


def number_hash(clear: Row) -> dict[str, Keyed]:
    """The keyed hash of a row of cards or callbacks in clear, by its column."""
    return {} if clear["number"] is None else {"number_hash": (NUMBER, clear["number"])}


def card_hashes(clear: Row) -> dict[str, Keyed]:
    """Both keyed hashes of a row of cards in clear, as far as there is what they are of."""
    snils = {} if clear["snils"] is None else {"snils_hash": (SNILS, clear["snils"])}
    return number_hash(clear) | snils
