"""The real flow with SQL: arrivals line, greeting, menu, SNILS, secret code, an answer, hang-up (§21).

Everybody who calls must be identified. On SQLite and on PostgreSQL, by the engine as `ekc up` starts it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import psutil

from bench import codes
from bench.calls import stand, turn
from bench.calls_report import ENGINE
from bench.cpu import seconds_of, seconds_of_tree
from bench.flow_report import Measured, report
from bench.options import Options
from bench.report import Report
from bench.showing import say
from bench.stand import Stand, wait_quiet
from ivr.bootstrap import LocalSite
from ivr.settings import Settings
from tests.harness.postgres import Postgres, cluster
from tests.harness.scenario import HangUp, Key, Scenario
from tests.harness.sipp import Sipp

ROUNDS = 1
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
BACKENDS = (SQLITE, POSTGRESQL)
FIRST, GAP = 1.0, 0.2
"""Seconds from the answer to the first key, and from key to key."""
LISTENS = 4.0
"""Seconds after the code, in which the answer begins."""
PATIENCE = 60.0
IDLE_SECONDS = 4.0
"""That the engine without calls is looked at: some of its routines come every few seconds."""
HASHES = 10
"""That are timed to know what one costs."""


def run(options: Options) -> Report:
    rate, seconds = options.by_effort((2.0, 5.0), (5.0, 12.0), (8.0, 60.0))
    found: dict[str, list[Measured]] = {name: [] for name in BACKENDS}
    for _ in range(options.rounds):
        for name in BACKENDS:
            with database(name) as server:
                measured = measure(server, rate, seconds)
            found[name].append(measured)
            say(f"flow, {name}: {measured.calls - sum(measured.failures.values())} of {measured.calls} good")
    return report(found, rate=rate)


@contextmanager
def database(name: str) -> Iterator[Postgres | None]:
    """A PostgreSQL of the bench's own; None: SQLite, which is the default."""
    with cluster() if name == POSTGRESQL else nullcontext() as server:
        yield server


def measure(server: Postgres | None, rate: float, seconds: float) -> Measured:
    where: dict[str, Any] = {} if server is None else {"database_url": server.url(server.create())}
    with stand(**where) as system:
        system.open_today()
        who = codes.people(system, of_one_length=True)
        with turn(system, ENGINE) as contestant:
            assert contestant.pid is not None
            return _call(system, contestant.pid, server, who, rate=rate, seconds=seconds)


def _call(
    system: Stand,
    engine: int,
    server: Postgres | None,
    who: Sequence[codes.Person],
    *,
    rate: float,
    seconds: float,
) -> Measured:
    asterisk, calls = system.pid("asterisk"), round(rate * seconds)
    idle = (wait_quiet(asterisk), wait_quiet(engine, window=IDLE_SECONDS), 0.0, 0.0)
    before, begin = _cpu(asterisk, engine, server), time.monotonic()
    good = _offer(system, who, calls, rate)
    system.wait_no_calls()
    settled = system.records.audited("identification.attempt")
    time.sleep(1.0)
    took = time.monotonic() - begin
    cost = [
        1000 * max(late - early - rest * took, 0.0) / calls
        for late, early, rest in zip(_cpu(asterisk, engine, server), before, idle, strict=True)
    ]
    identified = sum(row.result.startswith("personal") for row in settled)
    failures = Counter({"sipp: not as it should be": calls - good, "not identified": calls - identified})
    return Measured(
        calls=calls,
        failures=+failures,
        asterisk_ms=cost[0],
        engine_ms=cost[1],
        synthesis_ms=cost[2],
        server_ms=None if server is None else cost[3],
        argon2_ms=hash_ms(system),
    )


def _offer(system: Stand, who: Sequence[codes.Person], calls: int, rate: float) -> int:
    """How many of these calls sipp found as they should be."""
    scenario = Scenario(steps=steps(len(who[0][1])))
    numbers = [phone.removeprefix("+") for phone, _ in who]
    fields = [tuple(keys) for _, keys in who]
    sipp = Sipp(system.line, scenario, numbers=numbers, fields=fields, calls=calls, rate=rate)
    made = sipp.finish(calls / rate + PATIENCE)
    return sum(call.status == 200 and call.ended_by == "us" and not call.refused_keys for call in made)


def steps(keys: int) -> Sequence[Key | HangUp]:
    """So many keys of the caller's own (sipp's fields), then listen and hang up."""
    typed = [Key(f"[field{place + 1}]", after=GAP if place else FIRST) for place in range(keys)]
    return [*typed, HangUp(after=LISTENS)]


def _cpu(asterisk: int, engine: int, server: Postgres | None) -> tuple[float, float, float, float]:
    """Seconds: Asterisk, engine, the engine's children that have ended (synthesis), database server."""
    ended = psutil.Process(engine).cpu_times()
    children = ended.children_user + ended.children_system
    return (
        seconds_of(asterisk),
        seconds_of(engine),
        children,
        0.0 if server is None else seconds_of_tree(server.pid),
    )


def hash_ms(system: Stand) -> float:
    """CPU of one comparison of a secret code, by argon2 as the engine does it."""
    site = LocalSite(Settings(state=system.state))
    book = site.code_book()
    try:
        hashes = book.hashes("мама1")
        begin = time.process_time()
        for _ in range(HASHES):
            book.verify_keypad("52521", hashes)
        return 1000 * (time.process_time() - begin) / HASHES
    finally:
        book.close()
        site.close()
