"""Operators' accounts: who may take calls, for whom, and with which telephone.

The caller commits, then has the telephone switch reload its accounts: an account works at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from ivr.domain.errors import BadInput, NotFound
from ivr.domain.operators import (
    AGENCY_CODE,
    EXTENSION,
    GENERAL_QUEUE,
    NO_ANSWER,
    PAUSE,
    REFUSES,
    SIP_REALM,
    Operator,
    OperatorState,
    Place,
    agency_queue,
    usual_places,
)
from ivr.domain.queue_rules import MOST_PENALTY
from ivr.ports import UnitOfWork
from ivr.services.audit import By

LONGEST_NAME = 80
LONGEST_REASON = 60
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
_NOT_IN_NAMES = frozenset('"<>;\\[]{}$')
"""Characters that mean something in a SIP header or in Asterisk's configuration."""


def add(
    uow: UnitOfWork,
    by: By,
    *,
    name: str,
    extension: str,
    agency: str,
    line: int,
    password: str,
    supervisor: bool = False,
) -> Operator:
    """A new operator, logged out. Raises BadInput with what is wrong and how to mend it."""
    _check_extension(extension)
    _check_name(name)
    _check_password(password)
    _check_agency(uow, agency)
    if line not in (1, 2):
        raise BadInput(f"line {line} does not exist: an operator works on line 1 or 2")
    operator = Operator(
        extension=extension,
        name=name.strip(),
        agency=agency,
        line=line,
        since=by.at,
        supervisor=supervisor,
    )
    uow.operators.add(operator, ha1(extension, password))
    by.note(uow, "operators.add", extension)
    if supervisor:
        by.note(uow, "operators.appoint", extension)
    return operator


def disable(uow: UnitOfWork, by: By, extension: str) -> Operator:
    """Switch an account off; twice is the same as once. Raises NotFound."""
    operator = uow.operators.get(extension)
    if operator.state is not OperatorState.DISABLED:
        uow.operators.set_state(extension, OperatorState.DISABLED, reason="", at=by.at)
    by.note(uow, "operators.disable", extension)
    return operator


def enable(uow: UnitOfWork, by: By, extension: str) -> Operator:
    """Switch a disabled account on again, logged out. Raises NotFound."""
    operator = uow.operators.get(extension)
    if operator.state is OperatorState.DISABLED:
        uow.operators.set_state(extension, OperatorState.LOGGED_OUT, reason="", at=by.at)
    by.note(uow, "operators.enable", extension)
    return operator


def appoint(uow: UnitOfWork, by: By, extension: str, *, supervisor: bool) -> Operator:
    """Make an operator a supervisor (§9.1), or one no more. Raises NotFound."""
    uow.operators.appoint(extension, supervisor=supervisor)
    by.note(uow, "operators.appoint" if supervisor else "operators.dismiss", extension)
    return uow.operators.get(extension)


def move(
    uow: UnitOfWork,
    by: By,
    extension: str,
    *,
    agency: str | None = None,
    line: int | None = None,
    places: Sequence[Place] = (),
) -> Operator:
    """To other queues: those named, else the usual ones of the agency and line. Raises NotFound, BadInput."""
    operator = uow.operators.get(extension)
    if agency is None and line is None and not places:
        raise BadInput("there is nothing to change; name --agency, --line or --queue")
    agency, line = agency or operator.agency, line or operator.line
    _check_agency(uow, agency)
    for place in places:
        _check_place(uow, place)
    uow.operators.assign(extension, agency=agency, line=line)
    uow.operators.set_places(extension, places or usual_places(agency, line))
    by.note(uow, "operators.move", extension)
    return uow.operators.get(extension)


def set_reason(uow: UnitOfWork, by: By, *, key: str, title: str) -> None:
    """A reason for pauses, `*13N`. Raises BadInput."""
    if len(key) != 1 or not key.isascii() or not key.isdigit():
        raise BadInput(f"a reason has a number of one digit, not {key!r}")
    if not title.strip() or not title.isprintable() or len(title) > LONGEST_REASON:
        raise BadInput(f"a reason is one line of 1 to {LONGEST_REASON} characters")
    if title.strip() in (NO_ANSWER, REFUSES):
        raise BadInput(f"{title.strip()!r} is what the system itself says; choose other words")
    uow.reasons.set(PAUSE, key, title.strip())
    by.note(uow, "operators.reasons.set", key)


def remove_reason(uow: UnitOfWork, by: By, key: str) -> None:
    """Raises NotFound."""
    if not uow.reasons.remove(PAUSE, key):
        raise NotFound(f"there is no reason {key}")
    by.note(uow, "operators.reasons.remove", key)


def set_password(uow: UnitOfWork, by: By, *, extension: str, password: str) -> None:
    """Raises NotFound, BadInput."""
    uow.operators.get(extension)
    _check_password(password)
    uow.operators.set_ha1(extension, ha1(extension, password))
    by.note(uow, "operators.set-password", extension)


def listed(uow: UnitOfWork, *, now: datetime, zone: ZoneInfo) -> Sequence[dict[str, object]]:
    """Every operator with the keys of the outer interface, by extension; today is a day of `zone`."""
    today = datetime.combine(now.astimezone(zone).date(), time(), tzinfo=zone)
    operators = uow.operators.list(today=today)
    return [view(operator) for operator in sorted(operators, key=lambda o: (len(o.extension), o.extension))]


def view(operator: Operator) -> dict[str, object]:
    """An operator with the keys of the outer interface."""
    return {
        "extension": operator.extension,
        "name": operator.name,
        "agency": operator.agency,
        "line": operator.line,
        "state": operator.state.value,
        "reason": operator.reason,
        "since": operator.since,
        "calls_today": operator.calls_today,
    }


def ha1(extension: str, password: str) -> str:
    """The digest secret that the telephone switch keeps instead of the password (RFC 2617 §3.2.2.2)."""
    secret = f"{extension}:{SIP_REALM}:{password}".encode("ascii")
    return hashlib.md5(secret, usedforsecurity=False).hexdigest()  # SIP phones speak no better digest


def _check_extension(extension: str) -> None:
    if not EXTENSION.fullmatch(extension):
        raise BadInput(f"extension {extension!r}: give 3 to 5 digits, the first of them 2-9")


def _check_name(name: str) -> None:
    if not name.strip() or len(name.strip()) > LONGEST_NAME:
        raise BadInput(f"an operator's name has 1 to {LONGEST_NAME} characters")
    if not name.isprintable() or _NOT_IN_NAMES & set(name):
        raise BadInput(f"an operator's name is plain text without {' '.join(sorted(_NOT_IN_NAMES))}")


def _check_password(password: str) -> None:
    """The message never repeats the password."""
    if not (password.isascii() and password.isprintable()):
        raise BadInput("a password is one line of printable ASCII characters")
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadInput(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; give another one"
        )


def _check_place(uow: UnitOfWork, place: Place) -> None:
    known = [GENERAL_QUEUE, *(agency_queue(code, line) for code in uow.agencies.codes() for line in (1, 2))]
    if place.queue not in known:
        raise BadInput(f"there is no queue {place.queue!r}; known: {', '.join(known)}")
    if not 0 <= place.penalty <= MOST_PENALTY:
        raise BadInput(f"a penalty is a number from 0 to {MOST_PENALTY}")


def _check_agency(uow: UnitOfWork, agency: str) -> None:
    codes = uow.agencies.codes()
    if agency in codes:
        return
    if not AGENCY_CODE.fullmatch(agency):
        raise BadInput(f"agency {agency!r} is no code: a small latin letter, then letters, digits, `_`")
    known = f"known: {', '.join(sorted(codes))}" if codes else "none is known yet"
    raise BadInput(f"there is no agency {agency} ({known}); bring it in with `ekc agencies import FILE`")
