"""Speech for telephones: what a citizen or an operator says, as a wav that a phone can play."""

from __future__ import annotations

import math
import subprocess
import wave
from array import array
from collections.abc import Iterable
from pathlib import Path

PAUSE_SECONDS = 1.0
CALL_SECONDS = 600.0
"""Longer than any call of a test."""
TO_OPERATORS = (
    *("operator.logged_in", "operator.logged_out", "operator.ready"),
    *("operator.paused", "operator.was_paused"),
    *("whisper", "whisper.callback"),
)
"""What operators hear at every turn: where a test is not about it, `tones` saves some seconds each time."""


def say(wav: Path, text: str) -> Path:
    """Make `wav` (8 kHz, mono, 16 bits) say the Russian text; its path."""
    raw = wav.with_suffix(".raw.wav")
    subprocess.run(["espeak-ng", "-v", "ru", "-s", "130", "-w", raw, text], check=True, timeout=30)
    subprocess.run(["sox", raw, "-r", "8000", "-c", "1", "-b", "16", wav], check=True, timeout=30)
    raw.unlink()
    return wav


def repeated(wav: Path, out: Path) -> Path:
    """Make `out` say the same again and again: baresip hangs up when a file ends."""
    with wave.open(str(wav), "rb") as source:
        parameters = source.getparams()
        sound = source.readframes(parameters.nframes)
    once = sound + bytes(int(PAUSE_SECONDS * parameters.framerate) * parameters.sampwidth)
    times = int(CALL_SECONDS * parameters.framerate * parameters.sampwidth / len(once)) + 1
    with wave.open(str(out), "wb") as long:
        long.setparams(parameters)
        long.writeframes(once * times)
    return out


def tones(folder: Path, ids: Iterable[str], *, seconds: float = 0.5) -> Path:
    """A folder for EKC_PROMPTS_DIR in which these prompts are short tones, each of another pitch."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, id_ in enumerate(ids):
        step = 2 * math.pi * (400 + 40 * place) / 8000
        sound = array("h", (int(8000 * math.sin(step * n)) for n in range(int(8000 * seconds))))
        with wave.open(str(folder / f"{id_}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(sound.tobytes())
    return folder


def once(wav: Path, out: Path, *, silent_for: float = 120.0) -> Path:
    """Make `out` say it once and then be silent: a phone that plays it falls silent and does not hang up."""
    with wave.open(str(wav), "rb") as source:
        parameters = source.getparams()
        sound = source.readframes(parameters.nframes)
    silence = bytes(int(silent_for * parameters.framerate) * parameters.sampwidth)
    with wave.open(str(out), "wb") as long:
        long.setparams(parameters)
        long.writeframes(sound + silence)
    return out


def pitch(out: Path, hertz: int, *, seconds: float = 60.0, loud: int = 6000) -> Path:
    """Make `out` one long pure tone: a voice that can be told from others that sound with it."""
    step = 2 * math.pi * hertz / 8000
    sound = array("h", (int(loud * math.sin(step * n)) for n in range(int(8000 * seconds))))
    with wave.open(str(out), "wb") as long:
        long.setnchannels(1)
        long.setsampwidth(2)
        long.setframerate(8000)
        long.writeframes(sound.tobytes())
    return out
