"""Callers who wait in a queue while fifty operators talk, wrap up and are rung again.

By the engine of `ekc up` in its real flow, and by app_queue in plain dialplan with the same settings. As soon
as one caller is served another one calls, so the same number waits all the time.
"""

from __future__ import annotations

import random
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil

from bench.calls_report import ENGINE, PLAIN
from bench.cpu import seconds_of, seconds_of_tree
from bench.options import Options
from bench.phones import Phones
from bench.report import Report
from bench.showing import say
from bench.stand import Stand
from bench.waiting_board import BoardWatch, delays, moments, visitors
from bench.waiting_hall import (
    KEY,
    NUMBERS,
    OPERATORS,
    QUEUES,
    WRAPUP_SECONDS,
    hall,
    queued,
    turn,
)
from bench.waiting_report import Cell, Measured, after_ready, failures, report, rings
from ivr.domain.operators import OperatorState
from tests.harness.processes import TooLate, wait_for
from tests.harness.scenario import HungUpOn, Key, Scenario
from tests.harness.sipp import Sipp

ROUNDS = 1
RATE = 20.0
"""New calls a second, until all are there."""
KEY_AFTER = 1.0
MORE_CALLS = 2000
"""Beyond those who wait at once; each from a number of its own."""
FILL_SECONDS = 60.0
SETTLE_SECONDS = 8.0
"""Until operators' talks are no more in step."""
GRACE_SECONDS = 6.0
END_SECONDS = 90.0
LONGEST = 3600.0
BOARD_SECONDS = 3.0
"""For the last change to be seen."""
BROKEN = ("ekc_agi_refused_total", "ekc_flows_broken_total")
BUCKET = re.compile(r'ekc_ami_lag_seconds_bucket\{le="([^"]+)"\}')


def run(options: Options) -> Report:
    steps = options.by_effort((50,), (200,), (200, 1000))
    seconds = options.by_effort(10.0, 20.0, 60.0)
    chance = random.Random(1)  # noqa: S311 - an order, not a secret
    found: dict[Cell, list[Measured]] = {
        Cell(name, callers): [] for callers in steps for name in (PLAIN, ENGINE)
    }
    for callers in steps:
        with hall(callers + OPERATORS) as (system, phones):
            for round_ in range(options.rounds):
                for name in chance.sample((PLAIN, ENGINE), 2):
                    with turn(system, name) as engine:
                        measured = measure(system, phones, name, engine, callers, seconds)
                    found[Cell(name, callers)].append(measured)
                    say(f"waiting, round {round_ + 1}, {name}, {callers} callers: {measured.told}")
    return report(found)


def measure(
    system: Stand, phones: Phones, name: str, engine: int | None, callers: int, seconds: float
) -> Measured:
    """One contestant, once so many wait."""
    calls, begun = callers + OPERATORS, time.time()
    scenario = Scenario(to=NUMBERS[name], steps=[Key(KEY, after=KEY_AFTER), HungUpOn(LONGEST)])
    numbers = [f"7916{n:07d}" for n in range(calls + MORE_CALLS)]
    with Sipp(system.line, scenario, numbers=numbers, at_once=calls, rate=RATE) as sipp:
        all_there = lambda: queued(system, QUEUES[name]) >= callers  # noqa: E731 - shorter than its name
        try:
            wait_for(all_there, calls / RATE + FILL_SECONDS, "all callers to wait", step=1.0)
        except TooLate:
            return none_measured(system, queued(system, QUEUES[name]))
        time.sleep(SETTLE_SECONDS)
        looked = look(system, engine, seconds)
        sipp.begin_no_more()
        cut = time.time()
        system.node.console("channel request hangup all")
        made = sipp.finish(END_SECONDS)
    system.wait_no_calls(END_SECONDS)
    rung = [call for call in phones.rung() if begun <= call.at]
    talks = sum(call.answered and call.over is not None and call.over < cut for call in rung)
    again, forgotten = rings(rung, wrapup=WRAPUP_SECONDS, since=looked.begin, until=looked.end)
    bad = failures(made, talks, cut=cut, grace=GRACE_SECONDS) + looked.failures
    bad["operators forgotten"] = forgotten
    bad["no telephone rang again"] = not again
    return Measured(
        failures=bad,
        served_per_minute=60 * len(again) / (looked.end - looked.begin),
        asterisk_pct=looked.asterisk_pct,
        ring_s=again,
        engine_pct=looked.engine_pct,
        lag_s=looked.lag_s,
        board_s=looked.board_s,
        ready_s=() if engine is None else after_ready(_ready(system, looked), rung, until=looked.end),
    )


def none_measured(system: Stand, came: int) -> Measured:
    """Fewer wait than should."""
    system.node.console("channel request hangup all")
    bad = {f"only {came} got as far as the queue": 1}
    return Measured(failures=bad, served_per_minute=0, asterisk_pct=0, ring_s=())


# --- while they wait ---


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was seen in this time (seconds since the epoch)."""

    begin: float
    end: float
    asterisk_pct: float
    engine_pct: float | None = None
    lag_s: Sequence[tuple[float, float]] = ()
    board_s: Sequence[float] = ()
    failures: Counter[str] = field(default_factory=Counter)


def look(system: Stand, engine: int | None, seconds: float) -> Looked:
    asterisk, begin = system.pid("asterisk"), time.time()
    before = seconds_of(asterisk)
    if engine is None:
        time.sleep(seconds)
        took = time.time() - begin
        share = 100 * (seconds_of(asterisk) - before) / took
        return Looked(begin=begin, end=begin + took, asterisk_pct=share)
    own, counted = with_children(engine), scraped(system)
    board, unseen = watch_board(system, seconds)
    took = time.time() - begin
    later = scraped(system)
    lag = [(float(limit), later.get(key, 0) - counted.get(key, 0)) for key, limit in buckets(later)]
    bad = Counter({name: int(later[name] - counted[name]) for name in BROKEN})
    bad["changes never seen on the board"] = unseen
    return Looked(
        begin=begin,
        end=begin + took,
        asterisk_pct=100 * (seconds_of(asterisk) - before) / took,
        engine_pct=100 * (with_children(engine) - own) / took,
        lag_s=lag,
        board_s=board,
        failures=bad,
    )


def watch_board(system: Stand, seconds: float) -> tuple[list[float], int]:
    """Delays of the changes that were seen within this time, and how many were not."""
    with BoardWatch(system.state / "run") as watch:
        began = time.monotonic()
        made = visitors(system.line, seconds - BOARD_SECONDS).finish(seconds + END_SECONDS)
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    found = delays(*moments(made), watch.seen)
    known = [delay for delay in found if delay is not None]
    return known, len(found) - len(known)


def with_children(pid: int) -> float:
    """Seconds of CPU, with the programs that it runs, ended or not."""
    ended = psutil.Process(pid).cpu_times()
    return seconds_of_tree(pid) + float(ended.children_user + ended.children_system)


def scraped(system: Stand) -> dict[str, float]:
    """Of /metrics, by name and labels."""
    with urllib.request.urlopen(f"{system.web}/metrics", timeout=10) as answer:  # noqa: S310 - our own
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (x.rpartition(" ") for x in lines if x[0] != "#")}


def buckets(names: Iterable[str]) -> list[tuple[str, str]]:
    """Of the lag: their names and limits."""
    return [(name, found[1]) for name in names if (found := BUCKET.fullmatch(name))]


def _ready(system: Stand, looked: Looked) -> list[tuple[str, float]]:
    """Whom the database made ready meanwhile, by extension and moment."""
    since = datetime.fromtimestamp(looked.begin, UTC)
    with system.records.store.transaction() as uow:
        rows = uow.operators.history(since=since)
    return [
        (row.extension, row.at.timestamp())
        for row in rows
        if row.state is OperatorState.READY and looked.begin <= row.at.timestamp()
    ]
