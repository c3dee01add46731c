"""Dead air: from the end of a caller's digit to the first packet of the next prompt that is not silence.

Read on the wire, from RTP, with real RFC 4733 digits. `*` in a menu says it again: by the engine in its real
flow, and by a dialplan that does the same alone.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench import codes
from bench.calls import CONTESTANTS, half_of_highest, stand, turn
from bench.calls_report import ENGINE, PLAIN
from bench.deadair_report import AFTER_CODE, CODES, HALF, IDLE, Outcomes, Probed, report
from bench.keypad import KeypadCaller, NoSilence, dead_air
from bench.offered import Offered, offer
from bench.options import Effort, Options
from bench.report import Report
from bench.showing import say
from bench.stand import Stand
from tests.harness.scenario import LINE
from tests.harness.voices import tones

ROUNDS = 1
PROBES = 10
"""Callers who press keys, side by side."""
PROMPTS = ("greeting", "menu")
"""Short tones in this bench, the same for both."""
PROMPT_SECONDS = 0.3
NUMBERS = {PLAIN: "benchmenu", ENGINE: LINE}
SILENCE = 0.3
"""Seconds of it before a digit; before the first one more, for the greeting is followed by the menu."""
FIRST_SILENCE = 1.0
PATIENCE = 10.0
"""Seconds for the first prompt, and for each one after a digit."""
PRESS_SECONDS = 1.0
"""From one digit to the next."""
SETTLE_SECONDS = 1.5
"""That a load runs before the first digit."""


def run(options: Options) -> Report:
    presses = options.by_effort(5, 8, 60)
    chance = random.Random(1)  # noqa: S311 - an order, not a secret
    found: Outcomes = {(name, load): [] for load in (IDLE, HALF) for name in (PLAIN, ENGINE)}
    with menus() as system:
        half = half_of_highest(system, options)
        who = () if options.effort is Effort.QUICK else codes.people(system)
        for _ in range(options.rounds):
            for name in chance.sample((PLAIN, ENGINE), 2):
                with turn(system, name):
                    found[name, IDLE].append(probe(system, name, presses))
                    found[name, HALF].append(probe_loaded(system, name, presses, half))
                    if name == ENGINE and who:
                        for key, probed in probe_codes(system, presses, who).items():
                            found.setdefault(key, []).append(probed)
                    system.wait_no_calls()
                say(f"deadair, {name}: {', '.join(p[-1].told for (n, _), p in found.items() if n == name)}")
    return report(found, half=half)


@contextmanager
def menus() -> Iterator[Stand]:
    """The stand of the call bench, open today; its first prompts are tones, for the dialplan's menu too."""
    with tempfile.TemporaryDirectory(prefix="ekc-bench-") as folder:
        sounds = tones(Path(folder), PROMPTS, seconds=PROMPT_SECONDS)
        with stand(prompts_dir=sounds) as system:
            system.open_today()
            sentence = f"Playback({sounds / 'menu'})"
            menu = {"s": ["Answer()", sentence, "WaitExten(30)"], "*": [sentence, "WaitExten(30)"]}
            system.add_extensions("bench-menu", menu)
            system.add_extensions("from-trunk", {NUMBERS[PLAIN]: ["Goto(bench-menu,s,1)"]})
            yield system


def probe_loaded(system: Stand, name: str, presses: int, rate: float) -> Probed:
    """Beside calls of the call bench."""
    with ThreadPoolExecutor(1) as pool:
        seconds = 2 * SETTLE_SECONDS + presses * PRESS_SECONDS
        load: Future[Offered] = pool.submit(offer, system.line, CONTESTANTS[name], rate=rate, seconds=seconds)
        time.sleep(SETTLE_SECONDS)
        probed = probe(system, name, presses)
        offered = load.result()
    bad = {} if offered.sound else {f"load: {why}": n for why, n in offered.failures.items()}
    return Probed(seconds=probed.seconds, failures={**probed.failures, **bad})


def probe_codes(system: Stand, presses: int, who: Sequence[codes.Person]) -> dict[tuple[str, str], Probed]:
    """Beside citizens who are identified; all of them must be."""
    before = _identified(system)
    with codes.entering(system.line_port, who) as waits:
        time.sleep(SETTLE_SECONDS)
        probed = probe(system, ENGINE, presses)
    missing = len(who) - (_identified(system) - before)
    bad = {"not identified": missing} if missing else {}
    own = [wait for wait in waits if wait is not None]
    silent = {"nothing was said": len(waits) - len(own)} if len(own) < len(waits) else {}
    return {
        (ENGINE, CODES): Probed(seconds=probed.seconds, failures={**probed.failures, **bad}),
        (AFTER_CODE, CODES): Probed(seconds=tuple(own), failures={**silent, **bad}),
    }


def _identified(system: Stand) -> int:
    rows = system.records.audited("identification.attempt")
    return sum(row.result.startswith("personal") for row in rows)


def probe(system: Stand, name: str, presses: int) -> Probed:
    """Callers who press `*` so many times each."""
    with ThreadPoolExecutor(PROBES) as pool:
        made = pool.map(lambda number: _caller(system, name, number, presses), range(PROBES))
        results = list(made)
    failures: Counter[str] = sum((bad for _, bad in results), Counter())
    return Probed(seconds=tuple(s for seconds, _ in results for s in seconds), failures=failures)


def _caller(system: Stand, name: str, number: int, presses: int) -> tuple[list[float], Counter[str]]:
    chance = random.Random(number)  # noqa: S311 - moments, not secrets
    time.sleep(chance.random() * PRESS_SECONDS)
    found, failures = [], Counter[str]()
    with KeypadCaller(system.line_port, f"7913{number:07d}", to=NUMBERS[name]) as caller:
        silence = FIRST_SILENCE
        for _ in range(presses):
            try:
                caller.wait_quiet(silence + chance.random() * 0.02, at_most=PATIENCE)
                found.append(_press(caller))
            except (TimeoutError, NoSilence) as error:
                failures[str(error)] += 1
            silence = SILENCE
    return found, failures


def _press(caller: KeypadCaller) -> float:
    """Raises NoSilence, TimeoutError."""
    end = caller.press("*")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(0.02)
        waited = dead_air(caller.heard[-500:], end)
        if waited is not None:
            return waited
    raise TimeoutError("no prompt after a digit")
