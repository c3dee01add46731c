"""What callers say in the measurements: by voices that our model was never trained on, through A-law."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np
from numpy.typing import NDArray

from tests.harness.rtp import ALAW_TABLE, SAMPLES
from tools.speech_model.espeak import Espeak
from tools.speech_model.evaluate import spoken
from tools.speech_model.features import RATE

FRAME_SECONDS = SAMPLES / RATE
QUIET_FRAME = bytes(2 * SAMPLES)
_LOUD = 0.02
"""Of the loudest sample: below it is the end of a word."""
_AFTER = RATE
"""Samples of quiet that `spoken` puts behind."""


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """Something said, with half a second of quiet or more before it and none after it."""

    text: str
    samples: NDArray[np.int16]
    """At 8 kHz; a whole number of packets."""
    end: int
    """Of the last word, in samples from the beginning."""

    @cached_property
    def frames(self) -> tuple[bytes, ...]:
        """20 ms each, 16 bits a sample."""
        return frames_of(self.samples)

    @cached_property
    def packets(self) -> tuple[bytes, ...]:
        """20 ms each, as a telephone sends them (G.711 a-law)."""
        data = a_law_codes(self.samples)
        return tuple(data[at : at + SAMPLES] for at in range(0, len(data), SAMPLES))

    @property
    def end_seconds(self) -> float:
        return self.end / RATE


def frames_of(samples: NDArray[np.int16]) -> tuple[bytes, ...]:
    """20 ms each; the last one is filled with quiet."""
    data = np.concatenate([samples, np.zeros(-len(samples) % SAMPLES, np.int16)]).tobytes()
    return tuple(data[at : at + 2 * SAMPLES] for at in range(0, len(data), 2 * SAMPLES))


def utterances(synthesiser: Espeak, texts: Iterable[str], chance: Random) -> list[Utterance]:
    """One of each text. The quiet before the word is of another length each time."""
    return [_utterance(synthesiser, text, chance) for text in texts]


def _utterance(synthesiser: Espeak, text: str, chance: Random) -> Utterance:
    sound = spoken(synthesiser, text, chance, hard=False, seed=0)[:-_AFTER]
    before = np.zeros(chance.randrange(RATE // 2), np.int16)
    sound = np.concatenate([before, sound])
    sound = np.concatenate([sound, np.zeros(-len(sound) % SAMPLES, np.int16)])
    return Utterance(text=text, samples=sound, end=end_of(sound))


def end_of(samples: NDArray[np.int16]) -> int:
    """The number of samples up to the last one that can be heard. Raises ValueError for silence."""
    loud = np.abs(samples.astype(np.int32))
    if not loud.any():
        raise ValueError("there is nothing to hear")
    return int(np.flatnonzero(loud >= _LOUD * loud.max())[-1]) + 1


_VALUES = np.array(ALAW_TABLE, np.int32)
_ORDER = np.argsort(_VALUES)
_MIDDLES = (_VALUES[_ORDER][1:] + _VALUES[_ORDER][:-1]) / 2


def a_law_codes(samples: NDArray[np.int16]) -> bytes:
    """The nearest code of G.711 a-law for each sample."""
    return _ORDER[np.searchsorted(_MIDDLES, samples)].astype(np.uint8).tobytes()
