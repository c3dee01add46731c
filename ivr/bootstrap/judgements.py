"""What is told of a line and of an Asterisk to whoever asks."""

from __future__ import annotations

from datetime import datetime

from ivr.asterisk.tree import objection, tested
from ivr.ports import UnitOfWork
from ivr.services import status as line_status
from ivr.services.calendar import calendar_of
from ivr.settings import Settings


def line_state(settings: Settings, uow: UnitOfWork, now: datetime) -> line_status.LineState:
    """The calendar's word, with the own exceptions in force."""
    calendar = calendar_of(settings, uow.calendar.list())
    if calendar.is_open(now):
        return line_status.LineState(open=True, next_opening=None)
    return line_status.LineState(open=False, next_opening=calendar.next_opening(now))


def bad_version(version: str) -> str | None:
    """Why this Asterisk is not to be used, or that nobody has tried it."""
    why = objection(version)
    if why is None and not tested(version):
        return "this version has not been tried with this release: run `make test`"
    return why
