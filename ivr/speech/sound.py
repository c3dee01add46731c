"""Sound files as Asterisk plays them: 8 kHz, 16 bit, mono; joined, trimmed and brought to one loudness.

libsoxr and numpy do the work, without the interpreter's lock: some milliseconds for a minute of speech.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 8000
"""Hertz of everything a telephone hears."""
LOUDNESS = 0.08
"""RMS of the speaking parts, of full scale (-22 dB): near that of Asterisk's own recordings."""
PEAK = 0.7
"""No sample goes over this part of full scale, so that a-law and transcoding never clip."""
_FULL = 32767
_BLOCK = RATE // 50
_SILENT = 0.02
_EDGE = RATE // 33

Samples = NDArray[np.float32]
"""Mono, in -1…1."""
Item = Path | int
"""A .wav file, or so many milliseconds of silence."""


def read(path: Path) -> tuple[int, Samples]:
    """(hertz, samples) of a PCM .wav of 16 bit; channels are mixed. Raises ValueError for any other file."""
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(-1)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is no PCM .wav file") from error
    if width != 2:
        raise ValueError(f"{path} has {8 * width} bits a sample; 16 are needed")
    whole = data[: len(data) - len(data) % (2 * channels)]
    frames = np.frombuffer(whole, dtype="<i2").reshape(-1, channels)
    return rate, frames.mean(axis=1, dtype=np.float32) / np.float32(_FULL)


def write(path: Path, samples: Samples) -> None:
    """8 kHz, 16 bit, mono. Raises OSError."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((samples.clip(-1, 1) * _FULL).astype("<i2").tobytes())


def resample(samples: Samples, rate: int) -> Samples:
    """The same sound at 8 kHz."""
    made: Samples = soxr.resample(samples, rate, RATE)
    return made


def trim(samples: Samples) -> Samples:
    """Without the silence at both ends, but for a breath of 30 ms; an all silent sound stays empty."""
    loudness = np.abs(samples)
    heard = np.flatnonzero(loudness > _SILENT * loudness.max(initial=0))
    return samples[max(0, heard[0] - _EDGE) : heard[-1] + _EDGE] if heard.size else samples[:0]


def level(samples: Samples) -> Samples:
    """Brought to LOUDNESS, as far as PEAK allows."""
    peak = np.abs(samples).max(initial=0)
    return samples if peak == 0 else samples * min(LOUDNESS / _speaking_rms(samples), PEAK / peak)


def _speaking_rms(samples: Samples) -> float:
    """RMS over the blocks of 20 ms in which somebody speaks: within 26 dB of the loudest block."""
    starts = np.arange(0, samples.size, _BLOCK)
    power = np.add.reduceat(samples**2, starts) / np.diff(starts, append=samples.size)
    return float(np.sqrt(power[power >= power.max() / 400].mean()))


def join(items: Iterable[Item]) -> Samples:
    """Files and silences, one after the other. Raises ValueError or OSError for what is no sound."""
    parts = [np.zeros(0, np.float32)]
    for item in items:
        if isinstance(item, int):
            parts.append(np.zeros(item * RATE // 1000, np.float32))
            continue
        rate, samples = read(item)
        parts.append(level(trim(resample(samples, rate))))
    return np.concatenate(parts)
