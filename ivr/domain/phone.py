"""Telephone numbers: one spelling for each (E.164), whoever wrote it. 8…, 7… and +7… are one number.

What a trunk sends as the caller's number was typed by the caller's telephone: it is never trusted to be a
number, short, or ASCII.
"""

from __future__ import annotations

import re

import phonenumbers

from ivr.domain.errors import BadInput

REGION = "RU"
LONGEST = 64
"""Characters; no way of writing a number needs more."""
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_WRITTEN = re.compile(r"\+?[0-9 ()./\u00a0\u2010-\u2015-]+")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_RUSSIAN = re.compile(r"\+7(?!810)[3-9][0-9]{9}")
"""810 is no area: it is how one dials abroad, and ten digits that begin so are a foreign number cut short."""
_MASK = "***"


def normalise(text: str) -> str:
    """The number in E.164, `+79123456789`.

    text: any usual form: with 8, 7, +7, 00, 8-10 or ten digits only; with spaces, brackets, dashes; a SIP
    or tel URI. Raises BadInput, which does not repeat the text, when it cannot be dialled.
    """
    user = _user_part(text)
    if len(text) > LONGEST or not _WRITTEN.fullmatch(user):
        raise BadInput("this is no telephone number; write it as +79123456789")
    plus = "+" if user.startswith("+") else ""
    number = _e164(plus + re.sub(r"[^0-9]", "", user))
    if number is None:
        raise BadInput("there is no such telephone number; write it as +79123456789")
    return number


def from_trunk(text: str | None) -> str | None:
    """The caller's number as a trunk sends it, E.164; None when it is withheld, unknown or rubbish."""
    if text is None or not text.isascii():
        return None
    try:
        return normalise(text)
    except BadInput:
        return None


def mask(number: str) -> str:
    """`+79123456789` as `+7912***6789`; of a shorter one at most the last two digits stay."""
    if len(number) >= len("+79123456789"):
        return f"{number[:5]}{_MASK}{number[-4:]}"
    return f"{_MASK}{number[-2:]}" if len(number) > len("+123") else _MASK


def _user_part(text: str) -> str:
    """The number's own part of `<sip:+79123456789@host;user=phone>`."""
    inner = text.strip().removeprefix("<").removesuffix(">")
    return re.split("[@;]", _SCHEME.sub("", inner, count=1), maxsplit=1)[0].strip()


def _e164(dialled: str) -> str | None:
    try:
        parsed = phonenumbers.parse(_international(dialled), REGION)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if number.startswith("+7"):
        return number if _RUSSIAN.fullmatch(number) else None
    return number if _E164.fullmatch(number) else None


def _international(dialled: str) -> str:
    """With a plus where the digits say of themselves that a country code comes first."""
    if dialled.startswith("00"):
        return "+" + dialled[2:]
    if dialled.startswith("810") and len(dialled) > len("89123456789"):
        return "+" + dialled[3:]
    if len(dialled) == len("79123456789") and dialled[0] in "78":
        return "+7" + dialled[1:]
    if len(dialled) > len("9123456789") and dialled[0] not in "+08":
        return "+" + dialled
    return dialled
