"""Secret codes (§21): 1 to 10 letters and digits, and what a telephone keypad can say of them.

No message of this module repeats the code it is about.
"""

from __future__ import annotations

import re
import unicodedata

from ivr.domain.errors import BadInput

LONGEST = 10
_CODE = re.compile(rf"[0-9a-zа-я]{{1,{LONGEST}}}")
_KEYS = {
    "2": "abcабвг",
    "3": "defдежз",
    "4": "ghiийкл",
    "5": "jklмноп",
    "6": "mnoрсту",
    "7": "pqrsфхцч",
    "8": "tuvшщъы",
    "9": "wxyzьэюя",
}
"""Which letters stand on which key, Latin and Cyrillic."""
_KEYPAD = str.maketrans({letter: key for key, letters in _KEYS.items() for letter in letters})


def normalise(text: str) -> str:
    """The code as it is compared: small letters, ё as е, without spaces around it.

    Raises BadInput when it is no code.
    """
    code = unicodedata.normalize("NFC", text).strip().lower().replace("ё", "е")
    if not _CODE.fullmatch(code):
        raise BadInput(f"a secret code has 1 to {LONGEST} Russian or Latin letters and digits, nothing else")
    return code


def keypad(code: str) -> str:
    """The digits that say a code on a telephone: `мама1` as `52521`. Raises BadInput when it is no code."""
    return normalise(code).translate(_KEYPAD)
