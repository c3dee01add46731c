"""The network's shape and its committed form: affine layers whose weights are whole numbers of 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.speech_model.features import BANDS, Floats
from tools.speech_model.phones import PHONES

WIDTH = 160
OFFSETS: tuple[tuple[int, int, int], ...] = ((-1, 0, 1), (-1, 0, 1), *(((-3, 0, 3),) * 4))
"""Which frames each hidden layer sees, in steps of 10 ms; from the second on there is one output in three."""
CONTEXT = sum(offsets[-1] for offsets in OFFSETS)
STEP = 3


@dataclass(frozen=True, kw_only=True)
class Affine:
    """One layer: `weights @ input + bias`; a ReLU follows all but the last."""

    weights: Floats
    """(outputs, inputs)."""
    bias: Floats


@dataclass(frozen=True, kw_only=True)
class Net:
    """Six hidden layers and the output; log-probabilities less those of the phones by themselves."""

    layers: Sequence[Affine]
    log_priors: Floats

    def save(self, path: Path) -> None:
        arrays: dict[str, NDArray[np.generic]] = {"log_priors": self.log_priors}
        for number, layer in enumerate(self.layers):
            scale = np.abs(layer.weights).max(axis=1, keepdims=True) / 127.0
            arrays[f"weights{number}"] = np.round(layer.weights / scale).astype(np.int8)
            arrays[f"scale{number}"] = scale.astype(np.float32)
            arrays[f"bias{number}"] = layer.bias.astype(np.float32)
        np.savez_compressed(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Net:
        """Raises OSError or KeyError when the file is none of ours."""
        with np.load(path, allow_pickle=False) as arrays:
            layers = [
                Affine(
                    weights=arrays[f"weights{n}"].astype(np.float32) * arrays[f"scale{n}"],
                    bias=arrays[f"bias{n}"],
                )
                for n in range(len(OFFSETS) + 1)
            ]
            return cls(layers=layers, log_priors=arrays["log_priors"])


def sizes() -> list[tuple[int, int]]:
    """(inputs, outputs) of each layer."""
    inside = [(3 * WIDTH, WIDTH)] * (len(OFFSETS) - 1)
    return [(3 * BANDS, WIDTH), *inside, (WIDTH, len(PHONES))]
