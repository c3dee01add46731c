"""Keeps count of how one agency's service behaves: its breaker, what an alarm has to say, log and metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from ivr.domain.errors import ResourceDown
from ivr.ports import Clock
from ivr.resources.breaker import Breaker, BreakerState, Permit
from ivr.resources.failures import Failure, Silent

WRONG_IN_A_ROW = 3
"""So many answers in a row against the contract are an alarm; one may be one citizen's bad record."""

_log = structlog.get_logger(__name__)

Count = Callable[[str, str], None]
"""(agency, how a question ended): answered, silent, wrong, not_asked."""


@dataclass(frozen=True, kw_only=True)
class ResourceHealth:
    """How one agency's service does; nothing personal in it."""

    agency: str
    breaker: BreakerState
    silent: int
    """Questions in a row without an answer."""
    wrong: int
    """Answers in a row against the contract."""
    failing_since: datetime | None
    """When the first of them failed; None: the last question was answered well, or there was none."""
    last_failure: str
    """Why the last one failed, a few words of ours; empty while all is well."""

    @property
    def ok(self) -> bool:
        """False is worth an alarm."""
        return self.breaker is BreakerState.CLOSED and self.wrong < WRONG_IN_A_ROW

    @property
    def what(self) -> str:
        """The alarm's sentence; a wrong answer may be ours to mend (status 401), so nobody is blamed."""
        fails = "cannot be used" if self.breaker is BreakerState.CLOSED else "does not answer"
        return f"the information resource of {self.agency} {fails} ({self.last_failure})"

    @property
    def remedy(self) -> str:
        return (
            f"check [resources.{self.agency}] in ekc.toml, then ask the participant; "
            "see docs/information-resource.md"
        )


class Watch:
    """One agency's service as this engine has seen it. For one event loop."""

    def __init__(self, agency: str, breaker: Breaker, clock: Clock, count: Count) -> None:
        self.agency = agency
        self._breaker = breaker
        self._clock = clock
        self._count = count
        self._wrong = 0
        self._since: datetime | None = None
        self._reason = ""

    def admit(self) -> Permit:
        """Leave to ask. Raises ResourceDown while the breaker is open."""
        self._breaker, permit = self._breaker.admit(self._clock.monotonic())
        if permit is None:
            self._count(self.agency, "not_asked")
            raise ResourceDown(f"the information resource of {self.agency} is not asked: it did not answer")
        return permit

    def answered(self, permit: Permit) -> None:
        if self._since is not None:
            _log.info("resource.answers_again", agency=self.agency)
        self._breaker = self._breaker.answered(permit)
        self._wrong, self._since, self._reason = 0, None, ""
        self._count(self.agency, "answered")

    def failed(self, permit: Permit, failure: Failure, *, request: str) -> None:
        """request: the opaque id that the service was given with the question."""
        if isinstance(failure, Silent):
            self._breaker = self._breaker.failed(permit, self._clock.monotonic())
        else:  # it is there, so waiting for it costs nobody anything: the breaker is not for this
            self._breaker = self._breaker.answered(permit)
            self._wrong += 1
        self._since = self._since or self._clock.now()
        self._reason = failure.reason
        self._count(self.agency, failure.kind)
        _log.warning(
            "resource.failed",
            agency=self.agency,
            kind=failure.kind,
            reason=failure.reason,
            breaker=str(self._breaker.state),
            request=request,
        )

    def abandoned(self, permit: Permit) -> None:
        """The question was given up by whoever asked it."""
        self._breaker = self._breaker.abandoned(permit)

    def health(self) -> ResourceHealth:
        return ResourceHealth(
            agency=self.agency,
            breaker=self._breaker.state,
            silent=self._breaker.failures,
            wrong=self._wrong,
            failing_since=self._since,
            last_failure=self._reason,
        )
