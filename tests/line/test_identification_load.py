"""Many at once: everybody is identified, and nobody else's prompts stutter."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ivr.ports import Prompt
from tests.harness.listening import samples
from tests.harness.rtp import SAMPLES, Listener, flow, sound
from tests.harness.sounds import sound_of
from tests.line.identifying import FIRST, PAUSE, Calling, Known, elsewhere

pytestmark = pytest.mark.line

CALLERS = 50
ANSWERED = FIRST + PAUSE - 1.5
"""Seconds after which all fifty have been answered and listen; soon they type."""
LONGEST = 0.15
"""Seconds between two packets on a busy test machine; a telephone's jitter buffer can grow to that."""
ALAW_STEP = 1024
"""The coarsest step of a-law, of 32768."""


def test_every_row_of_the_file_came_in(known: Known) -> None:
    """The people who call were imported by file, their codes with them."""
    said = known.imported
    assert said["rejected"] == 0
    assert said["accepted"] == said["changed"] > CALLERS


def test_fifty_enter_their_codes_at_once_while_another_one_listens(known: Known, tmp_path: Path) -> None:
    """All fifty reach level `personal`; what another one hears meanwhile is whole and in time."""
    greeting = samples(sound_of(Prompt.of("greeting", recording=False), tmp_path))
    fifty = {p.phone: Calling(number=p.phone, typed=f",{p.by_code}") for p in known.take(CALLERS)}
    with ThreadPoolExecutor(1) as pool:
        talking = pool.submit(known.play, fifty, apart=0)
        time.sleep(ANSWERED)
        with Listener(known.system.line_port, elsewhere()) as listener:
            told = talking.result()
    failed = [t.lived.steps for t in told.values() if t.level != "personal"]
    assert failed == []
    assert {t.attempts for t in told.values()} == {("personal match_source=number",)}
    packets = listener.packets[: len(greeting) // SAMPLES]
    came = flow(packets)
    assert came.missing == 0
    assert came.longest < LONGEST, came
    heard = sound(packets)
    assert max(abs(a - b) for a, b in zip(heard, greeting, strict=False)) <= ALAW_STEP
