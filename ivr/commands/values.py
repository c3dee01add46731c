"""Values on the command line: times, days, opening hours, passwords, and numbers on their way out."""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ivr.commands.output import masked

if TYPE_CHECKING:
    from ivr.commands.site import Site

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

REVEAL = click.option("--reveal", is_flag=True, help="Telephone numbers in clear; audited.")
SINCE = click.option(
    "--since", metavar="TIME", help="Only from then on: 2026-11-24T10:00, or 30m, 2h, 1d ago."
)
LIMIT = click.option("--limit", type=click.IntRange(min=1), help="At most so many, the newest first.")


def moment(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """`2026-11-24`, `2026-11-24T10:00`, with or without offset, or `30m`, `2h`, `1d` ago.

    What has no offset is in the site's zone. Raises BadParameter (wrong usage).
    """
    if ago := _AGO.fullmatch(text.strip()):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        time_ = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no time; write 2026-11-24T10:00, 2026-11-24 or, for some time ago, 30m, 2h, 1d"
        ) from None
    return time_ if time_.tzinfo else time_.replace(tzinfo=zone)


def coming(text: str, *, zone: ZoneInfo) -> datetime:
    """`2026-11-24T10:00`; without an offset it is in the site's zone. Raises BadParameter (wrong usage)."""
    try:
        time_ = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(f"{text!r} is no time; write it as 2026-11-24T10:00") from None
    return time_ if time_.tzinfo else time_.replace(tzinfo=zone)


def since_moment(site: Site, since: str | None) -> datetime | None:
    return None if since is None else moment(since, now=site.clock.now(), zone=site.settings.zone)


def day(text: str) -> date:
    """`2026-11-24`. Raises BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date; write it as 2026-11-24") from None


def hours(text: str) -> tuple[time, time | None]:
    """`09:00-18:00` as opening and closing; `24:00` closes with the day and is None. Raises BadParameter."""
    match = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", text.strip())
    if not match:
        raise click.BadParameter(f"{text!r} are no hours; write them as 09:00-18:00")
    first, last = match[0].split("-")
    try:
        opens = time.fromisoformat(first)
        closes = None if last == "24:00" else time.fromisoformat(last)
    except ValueError:
        raise click.BadParameter(f"{text!r}: there is no such time of day") from None
    if closes is not None and closes <= opens:
        raise click.BadParameter(f"{text!r}: the line would close before it opens")
    return opens, closes


def password_from_stdin(given: bool) -> str:
    """The password: from standard input with `--password-stdin`, else asked on the terminal.

    It never comes from the command line, which every user of the machine can read.
    """
    if given:
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
        return text.removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise click.UsageError("give the password on standard input, with --password-stdin")
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def shown(row: dict[str, object], *, reveal: bool) -> dict[str, object]:
    """A row with its number masked unless it is to be revealed."""
    number = row["number"]
    return row if reveal or number is None else {**row, "number": masked(str(number))}
