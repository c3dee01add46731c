"""Dead air of callers who speak, and of callers by keys alone beside a full pool, on real calls.

`python -m bench.speech_calls PORT CALLERS` plays CALLERS who say the same again and again, until stdin ends.
"""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench import deadair
from bench.calls_report import ENGINE
from bench.contestant import PROJECT
from bench.deadair_report import Probed
from bench.keypad import PACKET, KeypadCaller, NoSilence, dead_air
from bench.options import Options
from bench.report import Report
from bench.showing import say
from bench.speech_report import ALONE, BY_KEYS, BY_VOICE, FULL, Waits, calls_report
from bench.stand import Stand
from bench.voices import Utterance, utterances
from tests.harness.processes import wait_for
from tests.harness.rtp import SAMPLES
from tools.speech_model.espeak import Espeak

AGAIN = "повторите"
"""As the key `*`: the menu is said once more."""
VOICES = 8
STREAMS = 20
SPEAKERS = 10
"""Whose dead air is taken, side by side."""
PATIENCE = 10.0
"""Seconds for a prompt and its end."""
WORD_PATIENCE = 5.0
"""Seconds for the prompt after a word; who hears none was not understood."""
LISTENED_SECONDS = 90.0
"""Within which the pool is full, or the worker is there."""
PCMA = 8
QUIET = bytes([0xD5]) * SAMPLES
"""A-law of nothing."""


class Speaker(KeypadCaller):
    """A caller whose telephone sends sound all the time they speak, and until they are answered."""

    def say(self, utterance: Utterance) -> float:
        """Seconds from the end of the last word to the next prompt. Raises NoSilence, TimeoutError."""
        end, last = 0.0, utterance.end // SAMPLES
        begin = time.monotonic()
        for number in range(len(utterance.packets) + round(WORD_PATIENCE / PACKET)):
            time.sleep(max(begin + number * PACKET - time.monotonic(), 0))
            self._send_sound(utterance.packets[number] if number < len(utterance.packets) else QUIET)
            end = time.time() if number == last else end
            waited = dead_air(self.heard[-500:], end) if number > last else None
            if waited is not None:
                return waited
        raise TimeoutError("no prompt after a word")

    def _send_sound(self, payload: bytes) -> None:
        self._sequence = (self._sequence + 1) % 2**16
        self._timestamp = (self._timestamp + SAMPLES) % 2**32
        head = struct.pack("!BBHII", 0x80, PCMA, self._sequence, self._timestamp, self._source)
        self._out.sendto(head + payload, self._peer)


def sayings() -> list[Utterance]:
    return utterances(Espeak(), [AGAIN] * VOICES, random.Random(1))  # noqa: S311 - no secret


# --- measured ---


def run(model: Path, options: Options) -> Report:
    """model: the folder of ours."""
    times = options.by_effort(3, 3, 40)
    found: dict[tuple[str, str], list[Waits]] = {}
    with deadair.menus() as system:
        system.ekc("speech", "install", str(model))
        system.ekc("speech", "use", model.name)
        for round_ in range(options.rounds):
            for key, waits in _round(system, times):
                found.setdefault(key, []).append(waits)
                say(f"speech, round {round_ + 1}, {', '.join(key)}: {len(waits.seconds)} prompts")
    return calls_report({key: _together(waits) for key, waits in found.items()})


def _round(system: Stand, times: int) -> Iterator[tuple[tuple[str, str], Waits]]:
    with _engine(system, listens=False):
        yield (BY_KEYS, ALONE), _keyed(deadair.probe(system, ENGINE, times))
    with _engine(system, listens=True):
        yield (BY_VOICE, ALONE), voiced(system, times)
        with _speaking(system, STREAMS):
            yield (BY_KEYS, FULL), _keyed(deadair.probe(system, ENGINE, times))
        with _speaking(system, STREAMS - SPEAKERS):
            yield (BY_VOICE, FULL), voiced(system, times)


@contextmanager
def _engine(system: Stand, *, listens: bool) -> Iterator[None]:
    given = {"EKC_SPEECH__ENABLED": str(listens).lower(), "EKC_SPEECH__STREAMS": str(STREAMS)}
    system.command_env = {**system.command_env, **given}
    with system.engine("bench.engine"):
        yield
        system.wait_no_calls()


@contextmanager
def _speaking(system: Stand, callers: int) -> Iterator[None]:
    """So many conversations that are listened to, all of them."""
    words = [sys.executable, "-m", "bench.speech_calls", str(system.line_port), str(callers)]
    with subprocess.Popen(words, cwd=PROJECT, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            wait_for(lambda: _taken(system) >= callers, LISTENED_SECONDS, f"{callers} streams to be taken")
            yield
        finally:
            process.stdin.close()
            process.wait(LISTENED_SECONDS)
    wait_for(lambda: _taken(system) == 0, LISTENED_SECONDS, "the streams to be free")


def _taken(system: Stand) -> int:
    streams = json.loads(system.ekc("status", "--json", check=False).out)["speech_streams"]
    return int(streams["taken"]) if streams else 0


def _keyed(probed: Probed) -> Waits:
    return Waits(seconds=probed.seconds, failures=probed.failures)


def _together(rounds: Sequence[Waits]) -> Waits:
    failures: Counter[str] = sum((Counter(waits.failures) for waits in rounds), Counter())
    return Waits(seconds=tuple(s for waits in rounds for s in waits.seconds), failures=failures)


def voiced(system: Stand, times: int) -> Waits:
    """Callers who say it so many times each."""
    said = sayings()
    with ThreadPoolExecutor(SPEAKERS) as pool:
        results = list(pool.map(lambda number: _speak(system, number, said, times), range(SPEAKERS)))
    failures: Counter[str] = sum((bad for _, bad in results), Counter())
    return Waits(seconds=tuple(s for seconds, _ in results for s in seconds), failures=failures)


def _speak(
    system: Stand, number: int, said: Sequence[Utterance], times: int
) -> tuple[list[float], Counter[str]]:
    found, failures = [], Counter[str]()
    time.sleep(number * 0.1)
    with Speaker(system.line_port, f"7914{number:07d}") as caller:
        for place in range(times):
            try:
                caller.wait_quiet(deadair.SILENCE if place else deadair.FIRST_SILENCE, at_most=PATIENCE)
                found.append(caller.say(said[(number + place) % len(said)]))
            except (TimeoutError, NoSilence) as error:
                failures[str(error)] += 1
    return found, failures


# --- those who fill the pool ---


def main() -> None:
    port, callers = int(sys.argv[1]), int(sys.argv[2])
    said, over = sayings(), threading.Event()
    speaking = [
        threading.Thread(target=_keep_speaking, args=(port, number, said, over)) for number in range(callers)
    ]
    for one in speaking:
        one.start()
    sys.stdin.read()
    over.set()
    for one in speaking:
        one.join()


def _keep_speaking(port: int, number: int, said: Sequence[Utterance], over: threading.Event) -> None:
    """Who is not understood says it again, as people do."""
    time.sleep(number * 0.1)
    with Speaker(port, f"7915{number:07d}") as caller:
        while not over.is_set():
            try:
                caller.wait_quiet(deadair.SILENCE, at_most=PATIENCE)
                caller.say(said[number % len(said)])
            except (TimeoutError, NoSilence):
                continue


if __name__ == "__main__":
    main()
