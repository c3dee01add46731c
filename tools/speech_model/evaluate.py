"""How often the model is wrong, by grammar, on voices it was never trained on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from vosk import KaldiRecognizer, Model, SetLogLevel

from tools.speech_model import corpus, words
from tools.speech_model.espeak import Espeak, Voice
from tools.speech_model.features import RATE

UNKNOWN = "[unk]"
_QUIET = RATE // 2
YES_NO = ("да", "нет", "верно", "неверно")
MENU = ("статус", "льготы", "выплаты", "консультация", "оператор", "заявление")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One grammar on one kind of line."""

    grammar: str
    hard: bool
    spoken: int
    """Words."""
    wrong: int
    """Words put in, left out or taken for others."""
    accepted: int = 0
    """Of words that the grammar has not: those that were taken for some that it has."""


def evaluate(folder: Path, *, seed: int = 7, utterances: int = 60) -> list[Row]:
    """A row for each grammar and line. Raises an Exception of Vosk's when `folder` is no model."""
    SetLogLevel(-1)
    model, synthesiser = Model(str(folder)), Espeak()
    rows = []
    for hard in (False, True):
        for grammar, known in (("digits", words.NUMBERS), ("yes/no", YES_NO), ("menu", MENU)):
            chance = Random(seed)  # noqa: S311 - nothing secret
            texts = list(_texts(grammar, known, chance, utterances))
            heard = [_heard(model, known, spoken(synthesiser, text, chance, hard, seed)) for text in texts]
            wrong = sum(distance(text.split(), said) for text, said in zip(texts, heard, strict=True))
            others = [words.pseudo_word(chance) for _ in range(utterances)]
            taken = sum(
                any(word != UNKNOWN for word in _heard(model, known, sound))
                for sound in (spoken(synthesiser, other, chance, hard, seed) for other in others)
            )
            count = sum(len(text.split()) for text in texts)
            rows.append(Row(grammar=grammar, hard=hard, spoken=count, wrong=wrong, accepted=taken))
    return rows


def _texts(grammar: str, known: Sequence[str], chance: Random, count: int) -> Iterator[str]:
    for _ in range(count):
        length = chance.randint(2, 4) if grammar == "digits" else 1
        yield " ".join(chance.choice(known) for _ in range(length))


def spoken(synthesiser: Espeak, text: str, chance: Random, hard: bool, seed: int) -> NDArray[np.int16]:
    """Said by a voice that was kept out of the training, half a second of quiet before it and a second after
    it; 16-bit samples at RATE. hard: from a room, through noise and a narrow microphone."""
    voice = Voice(variant=chance.choice(corpus.HELD_OUT), wpm=chance.randint(120, 180))
    said, _ = synthesiser.say(text, voice)
    wave, _ = corpus.at_8_khz(said)
    wave = np.concatenate([np.zeros(_QUIET), wave, np.zeros(2 * _QUIET)])
    if hard:
        return corpus.on_the_line(wave, chance, np.random.default_rng(seed))
    return corpus.a_law(wave / (np.abs(wave).max() or 1.0) * 12000)


def _heard(model: Model, known: Sequence[str], sound: NDArray[np.int16]) -> list[str]:
    recogniser = KaldiRecognizer(model, RATE, json.dumps([*known, UNKNOWN], ensure_ascii=False))
    recogniser.AcceptWaveform(sound.tobytes())
    return [word for word in json.loads(recogniser.FinalResult())["text"].split() if word != UNKNOWN]


def distance(wanted: Sequence[str], said: Sequence[str]) -> int:
    """Levenshtein, in words."""
    row = list(range(len(said) + 1))
    for i, word in enumerate(wanted, start=1):
        before, row[0] = row[0], i
        for j, other in enumerate(said, start=1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]
