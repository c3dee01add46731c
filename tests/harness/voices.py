"""Speech for telephones: what a citizen or an operator says, as a wav that a phone can play."""

from __future__ import annotations

import subprocess
from pathlib import Path


def say(wav: Path, text: str) -> Path:
    """Make `wav` (8 kHz, mono, 16 bits) say the Russian text; its path."""
    raw = wav.with_suffix(".raw.wav")
    subprocess.run(["espeak-ng", "-v", "ru", "-s", "130", "-w", raw, text], check=True, timeout=30)
    subprocess.run(["sox", raw, "-r", "8000", "-c", "1", "-b", "16", wav], check=True, timeout=30)
    raw.unlink()
    return wav
