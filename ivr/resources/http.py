"""A participant's own information resource (§22), asked over HTTP/JSON: docs/information-resource.md.

A citizen's secret code and document stay with us: whether somebody may hear an answer is decided before the
question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from ivr.domain.benefits import PersonalRecords
from ivr.domain.enquiry import Application
from ivr.domain.errors import BadInput, ResourceDown
from ivr.domain.ids import new_id
from ivr.ports import Clock
from ivr.resources.answers import read_applications, read_personal
from ivr.resources.breaker import Breaker
from ivr.resources.exchange import ask, open_client
from ivr.resources.failures import Failure, Silent, Wrong
from ivr.resources.trust import read_token, tls_context
from ivr.resources.watch import Count, ResourceHealth, Watch
from ivr.settings import HttpService

T = TypeVar("T")


class HttpResource:
    """`ivr.ports.InformationResource` of one agency. For one event loop; close it with `aclose`."""

    def __init__(self, agency: str, service: HttpService, clock: Clock, count: Count) -> None:
        """Raises BadInput for a file of the settings that is not usable."""
        self._agency = agency
        self._service = service
        self._clock = clock
        self._headers()  # a token that cannot be read is told at the start, not by the first caller
        self._client = open_client(tls_context(agency, service))
        breaker = Breaker(limit=service.breaker_failures, pause=service.breaker_seconds)
        self._watch = Watch(agency, breaker, clock, count)

    async def applications(self, digits: str, accepted_on: date) -> Sequence[Application]:
        """See the port."""
        return await self._ask(
            "applications",
            {"number": digits, "accepted_on": accepted_on.isoformat()},
            lambda body: read_applications(body, agency=self._agency, digits=digits, accepted_on=accepted_on),
        )

    async def personal(self, snils: str) -> PersonalRecords:
        """See the port."""
        return await self._ask(
            "personal",
            {"snils": snils},
            lambda body: read_personal(body, agency=self._agency, snils=snils),
        )

    def health(self) -> ResourceHealth:
        return self._watch.health()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _ask(self, path: str, question: Mapping[str, str], read: Callable[[bytes], T]) -> T:
        """What `read` makes of the answer. Raises ResourceDown, and tells the watch how it went."""
        permit = self._watch.admit()
        request = new_id(self._clock.now())
        try:
            found = read(await self._in_time(path, question, request))
        except Failure as failure:
            self._watch.failed(permit, failure, request=request)
            reason = failure.reason
        except BaseException:  # the caller hung up, or an error of ours: the permit must not stay out
            self._watch.abandoned(permit)
            raise
        else:
            self._watch.answered(permit)
            return found
        raise ResourceDown(f"the information resource of {self._agency} has no answer ({reason})")

    async def _in_time(self, path: str, question: Mapping[str, str], request: str) -> bytes:
        """The answer within the time for everything: connecting, both tries, reading."""
        url = f"{self._service.url.rstrip('/')}/{path}"
        try:
            headers = {**self._headers(), "X-Request-ID": request}
            async with asyncio.timeout(self._service.timeout_seconds):
                return await ask(self._client, url, question, headers)
        except TimeoutError:
            raise Silent(f"no answer in {self._service.timeout_seconds:g} s") from None
        except BadInput:
            raise Wrong("token_file cannot be used") from None

    def _headers(self) -> Mapping[str, str]:
        file = self._service.token_file
        return {} if file is None else {"Authorization": f"Bearer {read_token(self._agency, file)}"}
