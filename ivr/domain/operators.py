"""Operators: who they are, which queues they serve and what they are doing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

GENERAL_QUEUE = "general"
"""Every first-line operator is a member of it."""
EXTENSION = re.compile(r"[2-9][0-9]{2,4}")
AGENCY_CODE = re.compile(r"[a-z][a-z0-9_]{0,30}")


class OperatorState(StrEnum):
    """What an operator is doing."""

    LOGGED_OUT = "logged_out"  # takes no calls
    READY = "ready"  # may be rung
    PAUSED = "paused"  # logged in, takes no calls for a reason
    WRAPUP = "wrapup"  # completes the card after a talk
    DISABLED = "disabled"  # the account is switched off


@dataclass(frozen=True, kw_only=True)
class Operator:
    """An operator's account and present state."""

    extension: str
    name: str
    agency: str
    line: int
    """1 or 2."""
    state: OperatorState = OperatorState.LOGGED_OUT
    reason: str = ""
    since: datetime
    """When the present state began."""
    calls_today: int = 0


@dataclass(frozen=True, kw_only=True)
class SipAccount:
    """What the telephone switch must know of an operator's phone."""

    extension: str
    name: str
    ha1: str
    """RFC 2617 digest secret: md5 of `extension:realm:password`, hex. It opens the account like one."""


SIP_REALM = "ekc"


def agency_queue(agency: str, line: int) -> str:
    """The queue of an agency's first or second line."""
    return f"{agency}-{line}"


def queues_of(agency: str, line: int) -> tuple[str, ...]:
    """The queues an operator is a member of."""
    own = agency_queue(agency, line)
    return (GENERAL_QUEUE, own) if line == 1 else (own,)
