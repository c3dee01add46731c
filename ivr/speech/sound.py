"""Sound files as Asterisk plays them: 8 kHz, 16 bit, mono; joined, trimmed and brought to one loudness.

Runs as a program of its own (`python -I -S sound.py OUT ITEM…`), for resampling in plain Python would
hold up the engine's event loop. An item is a .wav file, or `+250` for 250 ms of silence. Only the
standard library may be imported here.
"""

from __future__ import annotations

import math
import sys
import wave
from array import array
from collections.abc import Iterable
from operator import mul
from pathlib import Path

RATE = 8000
"""Hertz of everything a telephone hears."""
LOUDNESS = 0.08
"""RMS of the speaking parts, of full scale (-22 dB): near that of Asterisk's own recordings."""
PEAK = 0.7
"""No sample goes over this part of full scale, so that a-law and transcoding never clip."""
_FULL = 32767
_ZERO_CROSSINGS = 12
_PASSBAND = 0.925
_KAISER_BETA = 5.0
_BLOCK = RATE // 50
_SILENT = 0.02
_EDGE = RATE // 33


def read(path: Path) -> tuple[int, list[float]]:
    """(hertz, mono samples in -1…1) of a PCM .wav of 16 bit. Raises ValueError for any other file."""
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(-1)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is no PCM .wav file") from error
    if width != 2:
        raise ValueError(f"{path} has {8 * width} bits a sample; 16 are needed")
    samples = array("h")
    samples.frombytes(data[: len(data) - len(data) % (2 * channels)])
    if sys.byteorder == "big":
        samples.byteswap()
    if channels > 1:
        return rate, [
            sum(frame) / channels / _FULL for frame in zip(*[iter(samples)] * channels, strict=True)
        ]
    return rate, [s / _FULL for s in samples]


def write(path: Path, samples: Iterable[float]) -> None:
    """8 kHz, 16 bit, mono."""
    data = array("h", (int(max(-1.0, min(1.0, s)) * _FULL) for s in samples))
    if sys.byteorder == "big":
        data.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(data.tobytes())


def resample(samples: list[float], rate: int) -> list[float]:
    """The same sound at 8 kHz, by a polyphase filter (Kaiser-windowed sinc, 50 dB)."""
    if rate == RATE:
        return samples
    common = math.gcd(rate, RATE)
    up, down = RATE // common, rate // common
    reach = math.ceil(_ZERO_CROSSINGS * max(1.0, rate / RATE))
    phases = [_taps(phase / up, reach, rate) for phase in range(up)]
    padded = [0.0] * reach + samples + [0.0] * (reach + 1)
    made = []
    for n in range(len(samples) * up // down):
        whole, phase = divmod(n * down, up)
        made.append(sum(map(mul, phases[phase], padded[whole : whole + 2 * reach + 1])))
    return made


def _taps(offset: float, reach: int, rate: int) -> list[float]:
    """Filter for an output that lies `offset` of an input sample after the middle tap."""
    band = _PASSBAND * min(1.0, RATE / rate)
    taps = []
    for k in range(-reach, reach + 1):
        x = k - offset
        edge = 1 - (x / (reach + 1)) ** 2
        window = _bessel(_KAISER_BETA * math.sqrt(max(0.0, edge))) / _bessel(_KAISER_BETA)
        taps.append(window * (band if x == 0 else math.sin(math.pi * x * band) / (math.pi * x)))
    total = sum(taps)
    return [tap / total for tap in taps]


def _bessel(x: float) -> float:
    """I0, the modified Bessel function of order zero."""
    term = total = 1.0
    k = 1
    while term > 1e-9 * total:
        term *= (x / (2 * k)) ** 2
        total += term
        k += 1
    return total


def trim(samples: list[float]) -> list[float]:
    """Without the silence at both ends, but for a breath of 30 ms; an all silent sound stays empty."""
    loud = _SILENT * max(map(abs, samples), default=0.0)
    heard = [i for i, s in enumerate(samples) if abs(s) > loud]
    return samples[max(0, heard[0] - _EDGE) : heard[-1] + _EDGE] if heard else []


def level(samples: list[float]) -> list[float]:
    """Brought to LOUDNESS, as far as PEAK allows."""
    peak = max(map(abs, samples), default=0.0)
    if peak == 0:
        return samples
    gain = min(LOUDNESS / _speaking_rms(samples), PEAK / peak)
    return [gain * s for s in samples]


def _speaking_rms(samples: list[float]) -> float:
    """RMS over the blocks of 20 ms in which somebody speaks: within 26 dB of the loudest block."""
    blocks = [samples[i : i + _BLOCK] for i in range(0, len(samples), _BLOCK)]
    power = [sum(map(mul, block, block)) / len(block) for block in blocks]
    speaking = [p for p in power if p >= max(power) / 400]
    return math.sqrt(sum(speaking) / len(speaking))


def join(items: Iterable[str]) -> list[float]:
    """Files and silences, one after the other. Raises ValueError or OSError for what is no sound."""
    joined: list[float] = []
    for item in items:
        if item.startswith("+"):
            joined += [0.0] * (int(item) * RATE // 1000)
            continue
        rate, samples = read(Path(item))
        joined += level(trim(resample(samples, rate)))
    return joined


def main(arguments: list[str]) -> int:
    """Exit code 0, or 1 when a file is no sound."""
    out, *items = arguments
    try:
        write(Path(out), join(items))
    except (ValueError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
