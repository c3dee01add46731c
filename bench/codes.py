"""Many citizens enter SNILS and secret code at once: `python -m bench.codes PORT < PEOPLE`, one process.

PEOPLE: a JSON list of [phone, keys]. Prints a JSON list: for each the seconds of silence after the last key,
or null where nothing followed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench.contestant import PROJECT
from bench.keypad import KeypadCaller, NoSilence, dead_air
from ivr.domain import codes
from tests.harness.system import System

CALLERS = 50
FIRST = 1.0
"""Seconds from the answer to the first key."""
LISTENS = 8.0
"""Seconds after the last key."""
PATIENCE = 60.0

Person = tuple[str, str]
"""Who calls, and all keys from the main menu to the end of the code."""


def people(system: System, *, of_one_length: bool = False) -> list[Person]:
    """Invented people with a code, loaded into this system.

    of_one_length: as many as have a code of the commonest length.
    """
    found = [
        (p["phone"], f"2{p['snils']}{codes.keypad(p['secret_code'])}#")
        for p in system.demo_data(count=2 * CALLERS)
        if p["phone"] and p["secret_code"]
    ]
    if of_one_length:
        length = Counter(len(keys) for _, keys in found).most_common(1)[0][0]
        return [one for one in found if len(one[1]) == length]
    assert len(found) >= CALLERS, f"only {len(found)} people with a code"
    return found[:CALLERS]


@contextmanager
def entering(port: int, who: Sequence[Person]) -> Iterator[list[float | None]]:
    """All of them begin as the block begins; the list is filled when they have ended, after the block."""
    result: list[float | None] = []
    words = [sys.executable, "-m", "bench.codes", str(port)]
    with subprocess.Popen(
        words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(who))
        process.stdin.close()
        process.stdin = None
        yield result
        said, _ = process.communicate(timeout=PATIENCE)
    result += json.loads(said)


def enter(port: int, who: Person) -> float | None:
    """One call: dead air after the code."""
    phone, keys = who
    with KeypadCaller(port, phone.removeprefix("+")) as caller:
        time.sleep(FIRST)
        end = caller.type(keys)
        time.sleep(LISTENS)
        try:
            return dead_air(caller.heard, end)
        except NoSilence:
            return None


def main() -> None:
    port, who = int(sys.argv[1]), json.load(sys.stdin)
    with ThreadPoolExecutor(len(who)) as pool:
        json.dump(list(pool.map(lambda one: enter(port, one), who)), sys.stdout)


if __name__ == "__main__":
    main()
