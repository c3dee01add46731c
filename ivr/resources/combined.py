"""The whole line's information resource: every agency's own, asked at once, answers put together (§22, §23).

A caller names no agency, so all are asked. An agency that has a service of its own is answered by it alone:
rows that were imported for it before are older than what it knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, Protocol, TypeVar

import structlog

from ivr.domain.benefits import Notice, Payment, PersonalRecords
from ivr.domain.enquiry import Application
from ivr.domain.errors import Unavailable
from ivr.ports import InformationResource
from ivr.resources.watch import ResourceHealth

_log = structlog.get_logger(__name__)


class AgencyResource(InformationResource, Protocol):
    """One agency's own service."""

    def health(self) -> ResourceHealth: ...

    async def aclose(self) -> None: ...


T = TypeVar("T")
R = TypeVar("R", Application, Payment, Notice)


@dataclass(frozen=True)
class _Asked(Generic[T]):
    answers: Sequence[T]
    """Of the embedded resource first."""
    failures: Sequence[Unavailable]


class Resources:
    """`ivr.ports.InformationResource` over all agencies. For one event loop; close it with `aclose`."""

    def __init__(self, embedded: InformationResource, by_agency: Mapping[str, AgencyResource]) -> None:
        """by_agency: keyed by agency code."""
        self._embedded = embedded
        self._by_agency = dict(by_agency)

    async def applications(self, digits: str, accepted_on: date) -> Sequence[Application]:
        """See the port. What was found counts even if another resource is down.

        Raises Unavailable (ResourceDown, StorageDown) when nothing was found and somebody could not be asked:
        then «ничего не нашли» would be a guess.
        """

        async def embedded() -> Sequence[Application]:
            return self._ours(await self._embedded.applications(digits, accepted_on))

        asked = await self._all(embedded, lambda resource: resource.applications(digits, accepted_on))
        found = [application for answer in asked.answers for application in answer]
        if asked.failures and not found:
            raise asked.failures[0]
        if asked.failures:
            _log.warning("resources.answered_in_part", failed=len(asked.failures))
        return found

    async def personal(self, snils: str) -> PersonalRecords:
        """See the port. Raises Unavailable when anybody could not be asked.

        A part would be a wrong answer: a missing payment sounds like one that does not exist.
        """

        async def embedded() -> PersonalRecords:
            return self._without_others(await self._embedded.personal(snils))

        asked = await self._all(embedded, lambda resource: resource.personal(snils))
        if asked.failures:
            raise asked.failures[0]
        return _joined(asked.answers)

    def health(self) -> Sequence[ResourceHealth]:
        """How each agency's service does, in the order of their codes; the database has its own probe."""
        return [self._by_agency[agency].health() for agency in sorted(self._by_agency)]

    async def aclose(self) -> None:
        for resource in self._by_agency.values():
            await resource.aclose()

    async def _all(
        self, embedded: Callable[[], Awaitable[T]], ask: Callable[[AgencyResource], Awaitable[T]]
    ) -> _Asked[T]:
        """Everybody's answer or failure, asked at once; any other exception is an error of ours."""
        questions = (embedded(), *(ask(resource) for resource in self._by_agency.values()))
        results = await asyncio.gather(*questions, return_exceptions=True)
        answers: list[T] = []
        failures: list[Unavailable] = []
        for result in results:
            if isinstance(result, Unavailable):
                failures.append(result)
            elif isinstance(result, BaseException):
                raise result
            else:
                answers.append(result)
        return _Asked(answers, failures)

    def _ours(self, rows: Iterable[R]) -> tuple[R, ...]:
        return tuple(row for row in rows if row.agency not in self._by_agency)

    def _without_others(self, records: PersonalRecords) -> PersonalRecords:
        return replace(
            records,
            payments=self._ours(records.payments),
            applications=self._ours(records.applications),
            notices=self._ours(records.notices),
        )


def _joined(answers: Sequence[PersonalRecords]) -> PersonalRecords:
    payments = [payment for answer in answers for payment in answer.payments]
    applications = [application for answer in answers for application in answer.applications]
    return PersonalRecords(
        payments=tuple(sorted(payments, key=lambda p: p.date, reverse=True)),
        applications=tuple(sorted(applications, key=lambda a: a.accepted_on, reverse=True)),
        notices=tuple(notice for answer in answers for notice in answer.notices),
    )
