"""Tries a model in a process of its own: Vosk's C library ends the process over a file it does not like.

`python -m ivr.speech.trial MODEL [FILE.wav [PHRASES]]` prints what it understood as JSON; without a file it
only loads the model. PHRASES: a JSON list of what may have been said. `… MODEL --words` reads a JSON list of
words from standard input and prints those that the model does not know.
"""

from __future__ import annotations

import json
import os
import sys
import wave
from collections.abc import Iterator, Sequence
from typing import Any

from vosk import KaldiRecognizer, Model, SetLogLevel

TELEPHONE = 8000
_FRAMES = 4000


def understood(model: Model, path: str, *grammar: str) -> list[dict[str, Any]]:
    """Vosk's words, each with start, end (seconds) and conf."""
    with wave.open(path, "rb") as file:
        recogniser = KaldiRecognizer(model, file.getframerate(), *grammar)
        recogniser.SetWords(True)
        return [word for result in _results(recogniser, file) for word in result.get("result", ())]


def _results(recogniser: Any, file: wave.Wave_read) -> Iterator[dict[str, Any]]:
    while sound := file.readframes(_FRAMES):
        if recogniser.AcceptWaveform(sound):
            yield json.loads(recogniser.Result())
    yield json.loads(recogniser.FinalResult())


def _exercise(model: Model) -> None:
    """What would otherwise go wrong in a call. Raises ValueError when the model has no list of words."""
    if model.vosk_model_find_word("<eps>") < 0:  # each list has it; Vosk does not mind a list it cannot read
        raise ValueError("no words")
    recogniser = KaldiRecognizer(model, TELEPHONE)
    recogniser.AcceptWaveform(bytes(TELEPHONE))
    recogniser.FinalResult()


def main(arguments: Sequence[str]) -> None:
    SetLogLevel(-1)
    out = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    model = Model(arguments[0])
    if len(arguments) == 1:
        _exercise(model)
        found: list[Any] = []
    elif arguments[1] == "--words":
        found = [word for word in json.load(sys.stdin) if model.vosk_model_find_word(word) < 0]
    else:
        found = understood(model, *arguments[1:])
    with os.fdopen(out, "w", encoding="utf-8") as file:
        json.dump(found, file, ensure_ascii=False)


if __name__ == "__main__":
    main(sys.argv[1:])
