"""Features as Kaldi makes them for `conf/mfcc.conf` of the model: 30 cepstra of 30 mel bands, 8 kHz.

Log-mel energies are kept apart from the cosine transform, so that training can bend them (kaldi:
feature-mfcc.cc, feature-window.cc, mel-computations.cc; snip-edges, no dither, no energy).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
RATE = 8000
WINDOW, HOP, FFT = 200, 80, 256
BANDS = 30
LOW, HIGH = 80.0, 3800.0
PREEMPHASIS = 0.97
LIFTER = 22.0


def log_mel(samples: NDArray[np.int16] | Floats) -> Floats:
    """(frames, BANDS) of a sound at RATE, in the scale of 16-bit samples."""
    count = 1 + (len(samples) - WINDOW) // HOP if len(samples) >= WINDOW else 0
    if not count:
        return np.zeros((0, BANDS), np.float32)
    wave = np.asarray(samples, np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(wave, WINDOW)[::HOP][:count].copy()
    frames -= frames.mean(axis=1, keepdims=True)
    frames[:, 1:] -= PREEMPHASIS * frames[:, :-1]
    frames[:, 0] *= 1 - PREEMPHASIS
    power = np.abs(np.fft.rfft(frames * _povey(), FFT)) ** 2
    energies = power[:, : FFT // 2].astype(np.float32) @ _mel_bands().T
    return np.log(np.maximum(energies, np.finfo(np.float32).eps)).astype(np.float32)


def cepstra(log_mels: Floats) -> Floats:
    """(…, BANDS) cepstra of log-mel energies."""
    return log_mels @ transform()


@cache
def transform() -> Floats:
    """The cosine transform and the lifter in one matrix (BANDS, BANDS)."""
    k, n = np.arange(BANDS)[:, None], np.arange(BANDS)[None, :]
    dct = np.sqrt(2.0 / BANDS) * np.cos(np.pi / BANDS * (n + 0.5) * k)
    dct[0] = np.sqrt(1.0 / BANDS)
    lifter = 1.0 + 0.5 * LIFTER * np.sin(np.pi * np.arange(BANDS) / LIFTER)
    return np.asarray((dct * lifter[:, None]).T, np.float32)


@cache
def _povey() -> Floats:
    n = np.arange(WINDOW)
    return np.asarray((0.5 - 0.5 * np.cos(2 * np.pi * n / (WINDOW - 1))) ** 0.85, np.float32)


@cache
def _mel_bands() -> Floats:
    edges = np.linspace(_mel(LOW), _mel(HIGH), BANDS + 2)
    bins = _mel(np.arange(FFT // 2) * RATE / FFT)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)), np.float32)


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0))
