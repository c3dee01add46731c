"""Training: needs the extra `speech-model` (JAX), some minutes and two cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import NDArray

from tools.speech_model import bending
from tools.speech_model.corpus import Example
from tools.speech_model.features import Floats, transform
from tools.speech_model.net import CONTEXT, STEP, Affine, Net, sizes
from tools.speech_model.phones import PHONES

SPAN = 300
"""Frames of 10 ms that one row of a batch is judged on."""
BATCH = 64
RATE = 3e-3
MOMENTUM = 0.98
"""Of the running mean and variance that take the place of a batch's own."""
_LEAST_PRIOR = 1e-3
_EPSILON = 1e-5
Parameters = list[dict[str, Array]]
Statistics = list[tuple[Array, Array]]


def train(
    examples: Sequence[Example], *, epochs: int, seed: int, told: Callable[[int, float, float], None]
) -> Net:
    """told: the epoch, the loss, and which part of the frames was right."""
    mels = np.concatenate([example.log_mels for example in examples])
    phones = np.concatenate([example.phones for example in examples])
    chance = np.random.default_rng(seed)
    parameters, statistics = _begin(seed)
    steps = epochs * (len(mels) // (SPAN * BATCH))
    optimiser = optax.adamw(optax.cosine_onecycle_schedule(steps, RATE), weight_decay=1e-4)
    state = optimiser.init(parameters)
    step = _stepper(optimiser)
    for epoch in range(epochs):
        seen = []
        for inputs, wanted in _batches(mels, phones, chance):
            parameters, statistics, state, loss, right = step(parameters, statistics, state, inputs, wanted)
            seen.append((float(loss), float(right)))
        told(epoch, *np.mean(seen, axis=0))
    return _folded(parameters, statistics, phones)


def _begin(seed: int) -> tuple[Parameters, Statistics]:
    keys = jax.random.split(jax.random.key(seed), len(sizes()))
    parameters = [
        {"w": jax.random.normal(key, (inputs, outputs)) * np.sqrt(2.0 / inputs), "b": jnp.zeros(outputs)}
        for key, (inputs, outputs) in zip(keys, sizes(), strict=True)
    ]
    return parameters, [(jnp.zeros(outputs), jnp.ones(outputs)) for _, outputs in sizes()[:-1]]


def _stepper(optimiser: Any) -> Callable[..., Any]:
    def judged(parameters: Parameters, inputs: Array, wanted: Array) -> tuple[Array, Any]:
        logits, moments = _forward(parameters, inputs)
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, wanted).mean()
        return loss, (moments, (logits.argmax(-1) == wanted).mean())

    @jax.jit
    def step(parameters: Parameters, statistics: Statistics, state: Any, inputs: Array, wanted: Array) -> Any:
        (loss, (moments, right)), slopes = jax.value_and_grad(judged, has_aux=True)(
            parameters, inputs, wanted
        )
        changes, state = optimiser.update(slopes, state, parameters)
        kept = jax.tree.map(lambda old, new: MOMENTUM * old + (1 - MOMENTUM) * new, statistics, moments)
        return optax.apply_updates(parameters, changes), kept, state, loss, right

    return step


def _forward(parameters: Parameters, inputs: Array) -> tuple[Array, Statistics]:
    """Logits, and each hidden layer's mean and variance. inputs: (rows, SPAN + 2 * CONTEXT, BANDS)."""
    moments: Statistics = []
    heard = inputs
    for number, layer in enumerate(parameters[:-1]):
        step = STEP if number == 1 else 1
        length = (heard.shape[1] - 3) // step + 1
        seen = [heard[:, offset : offset + step * (length - 1) + 1 : step] for offset in range(3)]
        active = jax.nn.relu(jnp.concatenate(seen, axis=-1) @ layer["w"] + layer["b"])
        mean, variance = active.mean((0, 1)), active.var((0, 1))
        moments.append((mean, variance))
        heard = (active - mean) / jnp.sqrt(variance + _EPSILON)
    return heard @ parameters[-1]["w"] + parameters[-1]["b"], moments


def _batches(
    mels: Floats, phones: NDArray[np.uint8], chance: np.random.Generator
) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """Every part of the material once, in a new order and cut anew."""
    length = SPAN + 2 * CONTEXT
    starts = np.arange(chance.integers(SPAN), len(mels) - length, SPAN)
    chance.shuffle(starts)
    for first in range(0, len(starts) - BATCH + 1, BATCH):
        rows = starts[first : first + BATCH, None]
        bent = bending.bend(mels[rows + np.arange(length)], chance)
        yield bent @ transform(), phones[rows + np.arange(CONTEXT, CONTEXT + SPAN, STEP)].astype(np.int32)


def _folded(parameters: Parameters, statistics: Statistics, phones: NDArray[np.uint8]) -> Net:
    """Normalisation becomes a part of the layer behind it."""
    layers = []
    mean, deviation = np.zeros(sizes()[0][0]), np.ones(sizes()[0][0])
    for number, layer in enumerate(parameters):
        weights = np.asarray(layer["w"], np.float64) / deviation[:, None]
        bias = np.asarray(layer["b"], np.float64) - mean @ weights
        layers.append(Affine(weights=weights.T.astype(np.float32), bias=bias.astype(np.float32)))
        if number < len(statistics):
            copies = 1 if number == len(statistics) - 1 else 3
            mean = np.tile(np.asarray(statistics[number][0]), copies)
            deviation = np.sqrt(np.tile(np.asarray(statistics[number][1]), copies) + _EPSILON)
    shares = np.bincount(phones, minlength=len(PHONES)) / len(phones)
    return Net(layers=layers, log_priors=np.log(np.maximum(shares, _LEAST_PRIOR)).astype(np.float32))
