"""Speech for telephones: what a citizen or an operator says, as a wav that a phone can play."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

PAUSE_SECONDS = 1.0
CALL_SECONDS = 600.0
"""Longer than any call of a test."""


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
