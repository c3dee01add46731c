"""SNILS, a citizen's pension account and the main identifier (§21): nine digits and two check digits.

No message of this module repeats the number it is about.
"""

from __future__ import annotations

import re

from ivr.domain.errors import BadInput

LENGTH = 11
GROUP_SIZES = (3, 3, 3, 2)
"""As it is written on the card, and read out."""
UNCHECKED = 1_001_998
"""Numbers up to 001-001-998 were issued without check digits: any two may follow."""
_SEPARATORS = re.compile(r"[\s\u2010-\u2015\u2212-]")
_ELEVEN = re.compile(r"[0-9]{11}")
_NINE = re.compile(r"[0-9]{9}")


def parse(text: str) -> str:
    """The 11 digits of a SNILS written in any usual way: `112-233-445 95`, `112 233 445 95`, `11223344595`.

    Raises BadInput when it is no SNILS.
    """
    digits = _SEPARATORS.sub("", text)
    if not _ELEVEN.fullmatch(digits):
        raise BadInput("a SNILS has 11 digits, written as 112-233-445 95")
    if not is_valid(digits):
        raise BadInput("the check digits of the SNILS do not fit its number; compare it with the document")
    return digits


def is_valid(digits: str) -> bool:
    """Whether these are the 11 digits of a possible SNILS; nothing but digits is accepted."""
    if not _ELEVEN.fullmatch(digits):
        return False
    number = int(digits[:9])
    return 0 < number <= UNCHECKED or (number > 0 and check_digits(digits[:9]) == digits[9:])


def check_digits(nine: str) -> str:
    """The two check digits of a number: the sum of digit·(10 - position), mod 101, where 100 counts as 0.

    nine: its nine digits. Raises BadInput for anything else.
    """
    if not _NINE.fullmatch(nine):
        raise BadInput("check digits belong to nine digits")
    total = sum(int(digit) * weight for digit, weight in zip(nine, range(9, 0, -1), strict=True))
    return f"{total % 101 % 100:02}"


def groups(digits: str) -> tuple[str, str, str, str]:
    """`11223344595` as it is written on the card and read back: 112, 233, 445, 95."""
    return digits[:3], digits[3:6], digits[6:9], digits[9:]


def mask(digits: str) -> str:
    """What may be shown of a SNILS without naming anybody: its check digits."""
    return f"***-***-*** {digits[9:]}"
