"""The same call by different engines on one Asterisk: how many a second, and what one costs.

Contestants come in turns; while one has its turn, none of the others runs, the engine included.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import script
from bench.call_servers import PANORAMISK, PYST2
from bench.calls_report import ENGINE, PLAIN, Cell, Measured, Outcomes, report
from bench.contestant import served
from bench.cpu import seconds_of, seconds_of_tree
from bench.offered import offer
from bench.options import Options
from bench.report import Report
from bench.showing import say
from bench.stand import Stand, wait_quiet
from bench.wire_load import ROUTE
from tests.harness.voices import tones

ROUNDS = 2
CALLS = 2000
"""At once: a thousand a second that take twice as long as they should."""
CONTESTANTS = {PLAIN: "benchplain", ENGINE: "benchengine", PANORAMISK: "benchpanoramisk", PYST2: "benchpyst"}
"""And the number that reaches each."""
LONG_SECONDS = 60.0
"""Of the prompt of the media bench."""
WARM_UP_RATE, WARM_UP_SECONDS = 40.0, 1.0
SETTLE_SECONDS = 1.0
"""For what is written down after the last call; it counts as cost of the calls."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A contestant that stands."""

    number: str
    pid: int | None
    """None: the dialplan alone."""


def run(options: Options) -> Report:
    rates, seconds = offers(options)
    chance = random.Random(1)  # noqa: S311 - an order, not a secret
    found: Outcomes = {}
    with stand() as system:
        for round_ in range(options.rounds):
            for name in chance.sample(list(CONTESTANTS), len(CONTESTANTS)):
                with turn(system, name) as contestant:
                    for rate, measured in sweep(system, contestant, round_, rates, seconds):
                        found.setdefault(Cell(name, rate), []).append(measured)
                        say(f"calls, round {round_ + 1}, {name}, {rate}/s: {measured.told}")
    return report(found, rates=rates, rounds=options.rounds, names=list(CONTESTANTS))


def offers(options: Options) -> tuple[Sequence[int], float]:
    """New calls a second, ascending, and for how many seconds each."""
    rates = options.by_effort((50,), (100, 800, 900, 1000), range(100, 1301, 100))
    return rates, options.by_effort(2.0, 3.0, 10.0)


def half_of_highest(system: Stand, options: Options) -> float:
    """Of the engine's highest rate, calls a second: as given, or measured now.

    Raises RuntimeError when not even the lowest rate goes well.
    """
    if options.half_rate is not None:
        return options.half_rate
    with turn(system, ENGINE) as contestant:
        tried = list(sweep(system, contestant, 0, *offers(options)))
    sound = [rate for rate, measured in tried if measured.offered.sound]
    if not sound:
        raise RuntimeError(f"the engine fails at {tried[0][0]} calls a second already: {tried[0][1].told}")
    say(f"the engine's highest rate: {sound[-1]} calls a second")
    return sound[-1] / 2


def highest_of_engine(made: Report) -> float:
    """Calls a second, of a report of this bench; 0 when it failed."""
    rows: dict[str, Any] = {str(row["what"]): row["highest"] for row in made.tables[1].rows}
    return float(rows[ENGINE])


@contextmanager
def stand(**settings: Any) -> Iterator[Stand]:
    """Asterisk alone, with everybody's extension and the prompt of the script."""
    system = Stand(calls=CALLS, **settings)
    prompt = tones(system.state / "bench", ["bench"], seconds=0.1) / "bench"
    long = tones(system.state / "bench", ["long"], seconds=LONG_SECONDS) / "long"
    os.environ[script.PROMPT] = str(prompt)
    sounds = {script.PROMPT: str(prompt), script.LONG_PROMPT: str(long)}
    system.command_env = {**system.command_env, **sounds}
    with system:
        system.add_extensions("bench-plain", script.plain(str(prompt)))
        system.add_extensions("from-trunk", {CONTESTANTS[PLAIN]: ["Goto(bench-plain,s,1)"]})
        system.add_extensions("from-trunk", {CONTESTANTS[ENGINE]: script.by_agi(system.agi_port, ROUTE)})
        yield system


@contextmanager
def turn(system: Stand, name: str) -> Iterator[Turn]:
    """Start this one, warm it up, and end it."""
    number = CONTESTANTS[name]
    if name == PLAIN:
        yield _warm(system, Turn(number=number, pid=None))
    elif name == ENGINE:
        with system.engine("bench.engine") as pid:
            yield _warm(system, Turn(number=number, pid=pid))
    else:
        with served("bench.call_servers", name) as other:
            system.node.console(f"dialplan remove extension {number}@from-trunk")
            system.add_extensions("from-trunk", {number: script.by_agi(other.port, ROUTE)})
            yield _warm(system, Turn(number=number, pid=other.pid))


def _warm(system: Stand, contestant: Turn) -> Turn:
    offer(system.line, contestant.number, rate=WARM_UP_RATE, seconds=WARM_UP_SECONDS)
    system.wait_no_calls()
    return contestant


def sweep(
    system: Stand, contestant: Turn, round_: int, rates: Sequence[int], seconds: float
) -> Iterator[tuple[int, Measured]]:
    """Rate by rate, up to the first that is too much."""
    for rate in rates:
        measured = measure(system, contestant, round_, rate, seconds)
        yield rate, measured
        if not measured.offered.sound:
            return


def measure(system: Stand, contestant: Turn, round_: int, rate: float, seconds: float) -> Measured:
    """CPU of calls alone: what is taken when nobody calls is taken off."""
    asterisk = system.pid("asterisk")
    idle_asterisk = wait_quiet(asterisk)
    idle_own = 0.0 if contestant.pid is None else wait_quiet(contestant.pid)
    before, begin = _cpu(asterisk, contestant.pid), time.monotonic()
    offered = offer(system.line, contestant.number, rate=rate, seconds=seconds)
    system.wait_no_calls()
    time.sleep(SETTLE_SECONDS)
    after, took = _cpu(asterisk, contestant.pid), time.monotonic() - begin
    cost = [
        1000 * max(late - early - idle * took, 0.0) / offered.calls
        for late, early, idle in zip(after, before, (idle_asterisk, idle_own), strict=True)
    ]
    return Measured(
        round_=round_,
        offered=offered,
        asterisk_ms=cost[0],
        own_ms=None if contestant.pid is None else cost[1],
        idle_pct=100 * idle_own,
    )


def _cpu(asterisk: int, own: int | None) -> tuple[float, float]:
    return seconds_of(asterisk), 0.0 if own is None else seconds_of_tree(own)
