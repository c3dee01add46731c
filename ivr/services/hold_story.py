"""What the lines of services/holds.py mean: holds, and consultations of a colleague (§23). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.ports import JournalLine
from ivr.services.call_story import Talk, extension_of
from ivr.services.journal_lines import QUEUE_LOG

HOLD, UNHOLD = "HOLD", "UNHOLD"
"""Lines of ours in queue_log."""
_ROUNDED = timedelta(seconds=2)
"""A line of queue_log about a moment may be a second early, and one of ours some time late."""


@dataclass(frozen=True, kw_only=True)
class Hold:
    """An operator had the other side on hold. Times of queue_log: whole seconds, rounded down."""

    extension: str
    since: datetime
    until: datetime | None
    """None: to the end of the talk."""


def holds(lines: Iterable[JournalLine]) -> tuple[Hold, ...]:
    """When operators had the citizen on hold; from the lines that services/holds.py has written.

    One hold may be within another: the menu of a transfer is one, and the consultation that begins there
    another before the first has ended.
    """
    going: dict[str, tuple[Hold, int]] = {}
    over: list[Hold] = []
    for line in (line for line in lines if line.journal == QUEUE_LOG and line.event in (HOLD, UNHOLD)):
        extension = extension_of(line)
        if extension is None:
            continue
        hold, depth = going.pop(extension, (Hold(extension=extension, since=line.at, until=None), 0))
        depth += 1 if line.event == HOLD else -1
        if depth > 0:
            going[extension] = hold, depth
        elif depth == 0:
            over.append(replace(hold, until=line.at))
    return (*over, *(hold for hold, _ in going.values()))


def consultations(
    talks_: Sequence[Talk], holds_: Iterable[Hold], end: datetime | None = None
) -> tuple[Hold, ...]:
    """Parts of holds in which the operator was out of the talk, to ask a colleague about the citizen (§23).

    Each begins with the end of a talk, and ends when the hold does, when anybody talks with the citizen, or
    with the call (`end`). A hold whose own end is not known (no engine, a telephone put down) is none.
    """
    return tuple(found for hold in holds_ if (found := _consulted(hold, talks_, end)) is not None)


def _consulted(hold: Hold, talks_: Sequence[Talk], end: datetime | None) -> Hold | None:
    latest = hold.since + _ROUNDED
    own = [t.until for t in talks_ if t.extension == hold.extension and t.since <= latest and t.until]
    parted = own[-1] if own else None
    if hold.until is None or parted is None or hold.since > parted + _ROUNDED:
        return None
    again = [talk.since for talk in talks_ if talk.since >= parted]
    until = min([hold.until, *again, *([end] if end is not None else [])])
    return replace(hold, since=parted, until=until) if until > parted else None
