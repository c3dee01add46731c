"""Talks whose end, or all of it, CEL has lost: on a full disk one journal may miss what the other has.

When an operator's talk is over the queue itself writes COMPLETEAGENT or COMPLETECALLER with its length, and
CONNECT before has told whose leg it was. Pure; lines in the order of time, as in call_story.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from ivr.ports import JournalLine
from ivr.services.call_story import Talk, extension_of
from ivr.services.journal_lines import QUEUE_LOG

_COMPLETED = frozenset({"COMPLETEAGENT", "COMPLETECALLER"})


def mended(talks: Iterable[Talk], lines: Sequence[JournalLine]) -> tuple[Talk, ...]:
    """These talks (of CEL), with what the queue alone knows; what CEL knows the end of stays as it is."""
    ends = {told.leg: told for told in _told(lines)}
    known = [_ended(talk, ends.get(talk.leg)) for talk in talks]
    legs = {talk.leg for talk in known}
    lost = [told for leg, told in ends.items() if leg not in legs]
    return tuple(sorted([*known, *lost], key=lambda talk: talk.since))


def _ended(talk: Talk, told: Talk | None) -> Talk:
    if talk.until is not None or told is None or told.until is None:
        return talk
    return replace(talk, until=talk.since + (told.until - told.since))


def _told(lines: Sequence[JournalLine]) -> Iterator[Talk]:
    """Talks that are over, of at least a second, as queue_log has them: whole seconds."""
    leg = ""
    for line in (line for line in lines if line.journal == QUEUE_LOG):
        if line.event == "CONNECT":
            leg = line.data.get("leg", "")
        elif line.event in _COMPLETED and leg:
            extension, talked = extension_of(line), line.data.get("talked", "")
            if extension is not None and talked.isdecimal() and 0 < int(talked) < 86400:
                since = line.at - timedelta(seconds=int(talked))
                yield Talk(extension=extension, since=since, until=line.at, leg=leg)
            leg = ""
