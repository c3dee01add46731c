"""Speech bent in its log-mel energies, so that more is learnt than the sound of one synthesiser."""

from __future__ import annotations

import numpy as np

from tools.speech_model.features import BANDS, Floats


def bend(mels: Floats, chance: np.random.Generator) -> Floats:
    """Another voice, microphone, contrast and noise for each row. mels: (rows, frames, bands)."""
    bent = np.einsum("rtb,rbc->rtc", mels, _warps(len(mels), chance), optimize=True)
    rows = (len(mels), 1, 1)
    means = bent.mean(axis=1, keepdims=True)
    bent = means + (bent - means) * chance.normal(1.0, 0.12, rows)
    bent = bent + _equalisers(len(mels), chance) + chance.normal(0.0, 1.5, rows)
    floored = np.logaddexp(bent, _floors(bent, chance))
    bent = np.where(chance.random(rows) < 0.7, floored, bent)
    return _masked(np.asarray(bent, np.float32), chance)


def _warps(rows: int, chance: np.random.Generator) -> Floats:
    """Matrices that move bands up or down, as a longer or shorter throat does."""
    places = np.arange(BANDS)[None, :] * chance.normal(1.0, 0.05, (rows, 1)) + chance.normal(
        0, 0.3, (rows, 1)
    )
    distance = np.abs(np.arange(BANDS)[None, :, None] - np.clip(places, 0, BANDS - 1)[:, None, :])
    return np.maximum(0.0, 1.0 - distance).astype(np.float32)


def _equalisers(rows: int, chance: np.random.Generator) -> Floats:
    """A smooth curve over the bands for each row."""
    waves = np.cos(np.pi * np.arange(1, 5)[:, None] * (np.arange(BANDS) + 0.5)[None, :] / BANDS)
    heights = chance.normal(0.0, 0.7, (rows, 4)) / np.arange(1, 5) ** 0.5
    return np.asarray((heights @ waves)[:, None, :], np.float32)


def _floors(mels: Floats, chance: np.random.Generator) -> Floats:
    """Noise below which nothing is heard: 0.5 to 12 nepers under the loudest."""
    loudest = mels.max(axis=(1, 2), keepdims=True)
    level = loudest - chance.uniform(4.0, 14.0, (len(mels), 1, 1))
    tilt = chance.normal(0.0, 0.05, (len(mels), 1, 1)) * (np.arange(BANDS) - BANDS / 2)
    return np.asarray(level + tilt + chance.normal(0.0, 0.5, mels.shape), np.float32)


def _masked(mels: Floats, chance: np.random.Generator) -> Floats:
    """In one row of three some bands say nothing."""
    for row in np.flatnonzero(chance.random(len(mels)) < 0.33):
        first = chance.integers(BANDS)
        bands = slice(first, first + chance.integers(1, 5))
        mels[row, :, bands] = mels[row, :, bands].mean()
    return mels
