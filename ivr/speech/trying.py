"""Asks a model something, in a process of its own (trial.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from collections.abc import Collection, Sequence
from pathlib import Path

from ivr.domain.errors import BadInput
from ivr.ports import HeardWord, Transcript

SECONDS = 300.0
"""For one trial: the largest models take a minute to load from a slow disk."""
WORDS = "--words"
"""What trial.py is told to look for words."""
LONGEST_SECONDS = 600.0
"""Of a recording."""
RATES = range(8000, 48001)
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def try_model(folder: Path) -> None:
    """Raises BadInput when Vosk cannot load it."""
    _ask(str(folder))


def transcribe(folder: Path, recording: Path, phrases: Sequence[str]) -> Transcript:
    """What the model in `folder` understands. Raises BadInput for a file that is no mono PCM .wav."""
    seconds = seconds_of(recording)
    grammar = [json.dumps([*phrases, "[unk]"], ensure_ascii=False)] if phrases else []
    said = json.loads(_ask(str(folder), str(recording), *grammar))
    words = tuple(HeardWord(word=w["word"], start=w["start"], end=w["end"], conf=w["conf"]) for w in said)
    text = " ".join(word.word for word in words)
    return Transcript(model=folder.name, text=text, seconds=seconds, words=words)


def unknown_words(folder: Path, words: Collection[str]) -> frozenset[str]:
    """Those that the model in `folder` does not know. Raises BadInput."""
    asked = json.dumps(sorted(words), ensure_ascii=False).encode()
    return frozenset(json.loads(_ask(str(folder), WORDS, given=asked)))


def seconds_of(recording: Path) -> float:
    """Raises BadInput when it is no mono PCM .wav of 16 bits and a bearable length."""
    try:
        with wave.open(str(recording), "rb") as file:
            kind = (file.getnchannels(), file.getsampwidth())
            rate, seconds = file.getframerate(), file.getnframes() / max(file.getframerate(), 1)
    except OSError as error:
        raise BadInput(f"cannot read {recording}: {error.strerror}") from None
    except (wave.Error, EOFError):
        raise BadInput(f"{recording} is no PCM .wav file; convert it to mono with 16 bits") from None
    if kind != (1, 2) or rate not in RATES:
        raise BadInput(f"{recording} must be mono, 16 bits, 8 to 48 kHz; convert it")
    if seconds > LONGEST_SECONDS:
        raise BadInput(f"{recording} is longer than {LONGEST_SECONDS:g} s; cut it")
    return seconds


def _ask(*arguments: str, given: bytes = b"") -> bytes:
    """given: what the trial may read."""
    command = (sys.executable, "-m", "ivr.speech.trial", *arguments)
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env=os.environ | _ONE_THREAD,
        )
    except subprocess.TimeoutExpired:
        raise BadInput(f"the model does not answer within {SECONDS:g} s; take a smaller one") from None
    if done.returncode != 0:
        raise BadInput("Vosk cannot use that model: it is damaged or made for another version; fetch it anew")
    return done.stdout
