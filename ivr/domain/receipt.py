"""The receipt (расписка) a citizen holds: its number and date open the status of an application (§20)."""

from __future__ import annotations

import re
from datetime import date

from ivr.domain.errors import BadInput

EARLIEST = date(1990, 1, 1)
"""No application that anybody asks about is older."""


def digits_of(number: str) -> str:
    """What a keypad can say of a receipt's number: its digits, `56-000123/А` as `56000123`."""
    return re.sub(r"[^0-9]", "", number)


def parse_date(text: str, *, today: date) -> date:
    """The day that was typed as `DDMMYYYY`.

    today: the present day in the site's zone; a receipt is never of a later one. Raises BadInput.
    """
    if not re.fullmatch(r"[0-9]{8}", text):
        raise BadInput("a date has eight digits: day, month, year")
    try:
        day = date(int(text[4:]), int(text[2:4]), int(text[:2]))
    except ValueError:
        raise BadInput("there is no such day in the calendar") from None
    return check_date(day, today=today)


def check_date(day: date, *, today: date) -> date:
    """The day itself when a receipt may carry it; raises BadInput."""
    if not EARLIEST <= day <= today:
        raise BadInput(f"a receipt's date lies between {EARLIEST} and today")
    return day
