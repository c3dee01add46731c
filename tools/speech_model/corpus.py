"""Training material: synthetic speech on synthetic telephone lines, with the phone of every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

from tools.speech_model import espeak, words
from tools.speech_model.features import HOP, RATE, WINDOW, Floats, log_mel
from tools.speech_model.phones import PHONES, SILENCE, Sound, sounds

HELD_OUT = ("Andy", "f3", "m4", "klatt3", "belinda", "steph2", "Mario", "linda", "paul", "Alicia")
"""Voices that the model is tested with and never trained on."""
_TRAINED = (
    "Alex Andrea Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Michael Mike Nguyen "
    "adam anika announcer antonio aunty benjamin boris caleb david ed edward edward2 f1 f2 f4 f5 grandma "
    "grandpa gustave iven iven2 iven3 iven4 john kaukovalta klatt klatt2 klatt4 klatt5 klatt6 m1 m2 m3 m5 m6 "
    "m7 m8 marcelo max michel miguel norbert pablo pedro quincy rob robert sandro shelby steph steph3 travis "
    "victor zac"
)
TRAINED: tuple[str, ...] = ("", *_TRAINED.split())
_LOUDEST = 32767.0


@dataclass(frozen=True, kw_only=True)
class Example:
    """One utterance on one line."""

    log_mels: Floats
    """(frames, bands)."""
    phones: NDArray[np.uint8]
    """(frames,): which phone is heard in the middle of the frame."""


def examples(synthesiser: espeak.Espeak, *, count: int, seed: int) -> Iterator[Example]:
    """The same ones for the same seed."""
    chance = Random(seed)  # noqa: S311 - nothing secret
    noise = np.random.default_rng(seed)
    for _ in range(count):
        text, voice = words.sentence(chance), some_voice(chance, TRAINED)
        said, events = synthesiser.say(text, voice)
        if len(said):
            with suppress(KeyError):  # a pseudo-word may hold a sound that Russian has not
                yield _example(said, sounds(events), chance, noise)


def some_voice(chance: Random, variants: Sequence[str]) -> espeak.Voice:
    return espeak.Voice(
        variant=chance.choice(variants),
        wpm=chance.randint(110, 230),
        pitch=chance.randint(20, 85),
        liveliness=chance.randint(20, 90),
    )


def _example(
    said: NDArray[np.int16], heard: Sequence[Sound], chance: Random, noise: np.random.Generator
) -> Example:
    wave, stretch = at_8_khz(said, chance.gauss(1.0, 0.07))
    before = int(chance.uniform(0.1, 0.6) * RATE)
    wave = np.concatenate([np.zeros(before), wave, np.zeros(int(chance.uniform(0.1, 0.6) * RATE))])
    mels = log_mel(on_the_line(wave, chance, noise))
    starts = [before + round(sound.start * stretch) for sound in heard]
    return Example(log_mels=mels, phones=_labels(len(mels), starts, [sound.phone for sound in heard]))


def _labels(frames: int, starts: Sequence[int], names: Sequence[str]) -> NDArray[np.uint8]:
    numbers = np.array([PHONES.index(SILENCE), *(PHONES.index(name) for name in names)], np.uint8)
    middles = np.arange(frames) * HOP + WINDOW // 2
    return numbers[np.searchsorted(np.array(starts), middles, side="right")]


def at_8_khz(said: NDArray[np.int16], speed: float = 1.0) -> tuple[NDArray[np.float64], float]:
    """The sound at RATE, `speed` times as fast (which moves the voice's formants, too); and how many of its
    samples one of the original is."""
    speed = min(1.25, max(0.8, speed))
    down = round(espeak.RATE * speed / 50)
    wave = resample_poly(said.astype(np.float64), RATE // 50, down)
    return wave, (RATE // 50) / down


def on_the_line(wave: NDArray[np.float64], chance: Random, noise: np.random.Generator) -> NDArray[np.int16]:
    """As a telephone brings it: a room, a microphone, noise, some level, A-law."""
    if chance.random() < 0.4:
        wave = _room(wave, chance, noise)
    if chance.random() < 0.6:
        wave = _microphone(wave, chance)
    wave = _level(wave, chance.uniform(-32.0, -3.0))
    if chance.random() < 0.8:  # the others are as still between words as only a machine is
        wave = wave + _noise(len(wave), chance, noise) * _rms(wave) * 10 ** (-chance.uniform(5.0, 45.0) / 20)
    return a_law(np.clip(wave, -_LOUDEST, _LOUDEST))


def _room(wave: NDArray[np.float64], chance: Random, noise: np.random.Generator) -> NDArray[np.float64]:
    length = int(chance.uniform(0.05, 0.3) * RATE)
    decay = np.exp(-6.9 * np.arange(length) / length)
    echo = noise.standard_normal(length) * decay * chance.uniform(0.02, 0.15)
    echo[0] = 1.0
    return np.asarray(fftconvolve(wave, echo)[: len(wave)])


def _microphone(wave: NDArray[np.float64], chance: Random) -> NDArray[np.float64]:
    low, high = chance.uniform(60, 400), chance.uniform(2600, 3900)
    return np.asarray(sosfilt(butter(2, [low, high], "bandpass", fs=RATE, output="sos"), wave))


def _level(wave: NDArray[np.float64], decibels: float) -> NDArray[np.float64]:
    loudest = float(np.max(np.abs(wave))) or 1.0
    return wave * (_LOUDEST * 10 ** (decibels / 20) / loudest)


def _noise(length: int, chance: Random, noise: np.random.Generator) -> NDArray[np.float64]:
    """White to brownish, of power 1."""
    white = noise.standard_normal(length)
    coloured = sosfilt(butter(1, chance.uniform(200, 3800), fs=RATE, output="sos"), white)
    return np.asarray(coloured) / (_rms(coloured) or 1.0)


def _rms(wave: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(wave)))) or 1.0


def a_law(wave: NDArray[np.float64]) -> NDArray[np.int16]:
    """What is left of a sound after A-law (ITU-T G.711, A = 87.6, 8 bits)."""
    a = 87.6
    scaled = np.abs(wave) / _LOUDEST
    small = scaled < 1 / a
    packed = np.where(small, a * scaled, 1 + np.log(np.maximum(a * scaled, 1.0))) / (1 + np.log(a))
    packed = np.round(packed * 127) / 127
    grown = packed * (1 + np.log(a))
    opened = np.where(grown < 1, grown / a, np.exp(np.maximum(grown, 1.0) - 1) / a)
    return np.asarray(np.sign(wave) * opened * _LOUDEST, np.int16)
