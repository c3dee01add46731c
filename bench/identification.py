"""What an attempt to be identified costs, on every path side by side (§21).

A caller must not learn by the clock whether a SNILS exists, has a code, or which part was wrong: all failures
from one kind of number have a ratio near 1. On a real SQLite store, with real argon2.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.options import Options
from bench.report import Report, Table
from ivr.bootstrap import LocalSite
from ivr.domain.benefits import Citizen
from ivr.domain.enquiry import Level
from ivr.services.identification import Caller, Identification
from ivr.settings import IdentificationRules, Settings

SUMMARY = "One attempt: the path is chosen, code and document are compared. Ratios are to a wrong code."
ROUNDS = 40
SNILS, WITHOUT_CODE, UNKNOWN = "11223344595", "08765430300", "00100199800"
OWN, OTHER = "+79123456789", "+79990000000"
CODE, DOCUMENT, WRONG = "мама1", "5604123456", "000"
TYPED = "52521"
MANY = 10**9
"""Tries: nobody is locked here."""
REFERENCE = "wrong code"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Somebody who calls and what is typed."""

    number: str | None = OTHER
    snils: str = SNILS
    code: str = TYPED
    document: str = DOCUMENT
    right: bool = False


CASES: Mapping[str, Case] = {
    REFERENCE: Case(code=WRONG),
    "wrong document": Case(document=WRONG),
    "both wrong": Case(code=WRONG, document=WRONG),
    "unknown SNILS": Case(snils=UNKNOWN),
    "no code set": Case(snils=WITHOUT_CODE),
    "wrong code, number withheld": Case(number=None, code=WRONG),
    "wrong code, own number": Case(number=OWN, code=WRONG, document=""),
    "right, own number": Case(number=OWN, document="", right=True),
    "right, other number": Case(right=True),
}


class _NoAlarms:
    def set(self, key: str, what: str, remedy: str, now: datetime) -> None:
        raise AssertionError(f"{key}: {what} though nothing is limited here")

    def clear(self, key: str) -> None:
        """There are none."""


def run(options: Options) -> Report:
    return Report(tables=[Table(title=SUMMARY, rows=measure(options))])


def measure(options: Options) -> list[dict[str, object]]:
    """A row for each case, in milliseconds and as a ratio of medians."""
    rounds = options.rounds
    with tempfile.TemporaryDirectory(prefix="ekc-bench-") as folder:
        site = LocalSite(_settings(Path(folder)))
        try:
            _fill(site)
            seconds = asyncio.run(_measure(site, rounds))
        finally:
            site.close()
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return [
        {
            "what": name,
            "median_ms": round(middle[name] * 1000, 2),
            "p95_ms": round(sorted(seconds[name])[int(0.95 * (rounds - 1))] * 1000, 2),
            "ratio": round(middle[name] / middle[REFERENCE], 3),
        }
        for name in CASES
    ]


def _settings(state: Path) -> Settings:
    rules = IdentificationRules(tries_per_snils=MANY, tries_per_number=MANY, tries_per_line=MANY)
    return Settings(state=state, identification=rules)


def _fill(site: LocalSite) -> None:
    hashes = site.code_book().hashes(CODE)
    with site.store.transaction() as uow:
        people = [
            Citizen(snils=snils, phone=OWN, document_series=DOCUMENT[:4], document_number=DOCUMENT[4:])
            for snils in (SNILS, WITHOUT_CODE)
        ]
        uow.citizens.upsert(people)
        uow.citizens.set_code(SNILS, hashes)
        uow.commit()


async def _measure(site: LocalSite, rounds: int) -> dict[str, list[float]]:
    """Seconds of each attempt. The order changes from round to round, so that nobody always comes first."""
    service = Identification.of(site.settings, site.store, site.code_book(), site.clock, _NoAlarms())
    chance = random.Random(1)  # noqa: S311 - an order, not a secret
    for case in CASES.values():
        await _attempt(service, case)
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(rounds):
        for name in chance.sample(list(CASES), len(CASES)):
            seconds[name].append(await _attempt(service, CASES[name]))
    return seconds


async def _attempt(service: Identification, case: Case) -> float:
    """Seconds of one attempt; it must have come out as it should."""
    begin = time.perf_counter()
    ticket = await service.choose_path(Caller(call="bench", card="", number=case.number), case.snils)
    assert ticket is not None, "locked"
    attempt = await service.check(ticket, code=case.code, document=case.document)
    took = time.perf_counter() - begin
    assert (attempt.verdict.level is Level.PERSONAL) is case.right, case
    return took
