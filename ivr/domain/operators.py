"""Operators: who they are, which queues they serve and what they are doing."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


TRANSITIONS: Mapping[OperatorState, frozenset[OperatorState]] = {
    OperatorState.LOGGED_OUT: frozenset({OperatorState.READY, OperatorState.DISABLED}),
    OperatorState.READY: frozenset(
        {OperatorState.PAUSED, OperatorState.WRAPUP, OperatorState.LOGGED_OUT, OperatorState.DISABLED}
    ),
    OperatorState.PAUSED: frozenset({OperatorState.READY, OperatorState.LOGGED_OUT, OperatorState.DISABLED}),
    OperatorState.WRAPUP: frozenset(
        {OperatorState.READY, OperatorState.PAUSED, OperatorState.LOGGED_OUT, OperatorState.DISABLED}
    ),
    OperatorState.DISABLED: frozenset({OperatorState.LOGGED_OUT}),
}
"""What may follow what. Going on in the same state is no change (but for a pause's reason)."""
ON_DUTY = frozenset({OperatorState.READY, OperatorState.PAUSED, OperatorState.WRAPUP})
"""Logged in: a member of the own queues, whether paused there or not."""
PAUSE = "pause"
"""The directory of reasons for a pause, `*13N`."""
PAUSE_REASONS = {"1": "обед", "2": "перерыв", "3": "обучение", "4": "совещание", "5": "отложенные обращения"}
"""What the directory holds before a site has changed it."""
NO_ANSWER = "не отвечает"
"""The reason of the pause that two rings in vain in a row lead to."""
REFUSES = "отклоняет звонки"
"""The reason of the pause that many refusals in a row lead to."""


def may(now: OperatorState, then: OperatorState) -> bool:
    """Whether this state may follow that one."""
    return now is then or then in TRANSITIONS[now]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A queue that an operator serves."""

    queue: str
    penalty: int = 0
    """Lower is rung first."""


@dataclass(frozen=True, kw_only=True)
class StateChange:
    """From `at` on the operator was in this state."""

    extension: str
    state: OperatorState
    reason: str
    at: datetime


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
    last_call: str = ""
    """Uniqueid of the citizen's leg of the last talk; empty before the first one."""
    missed: int = 0
    """Rings in vain in a row."""
    supervisor: bool = False
    """May listen to talks of operators of the own agency (§9.1)."""


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


def usual_places(agency: str, line: int) -> tuple[Place, ...]:
    """The queues an operator serves unless somebody says otherwise."""
    return tuple(Place(queue=queue) for queue in queues_of(agency, line))
