"""How words sound, as espeak-ng says them: the committed lexicon.json."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools.speech_model.espeak import Espeak, Voice
from tools.speech_model.phones import SILENCE, sounds

Lexicon = Mapping[str, tuple[str, ...]]
"""A word and its phones."""


def pronounced(words: Iterable[str]) -> Lexicon:
    """Raises ValueError for a word that has no sound at all."""
    synthesiser = Espeak()
    return {word: _phones(synthesiser, word) for word in sorted(set(words))}


def _phones(synthesiser: Espeak, word: str) -> tuple[str, ...]:
    _, events = synthesiser.say(word, Voice(variant=""))
    phones = tuple(sound.phone for sound in sounds(events) if sound.phone != SILENCE)
    if not phones:
        raise ValueError(f"{word!r} has no sound")
    return phones


def save(lexicon: Lexicon, path: Path) -> None:
    lines = [
        f"  {json.dumps(word, ensure_ascii=False)}: {json.dumps(' '.join(lexicon[word]))}" for word in lexicon
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def load(path: Path) -> Lexicon:
    return {word: tuple(phones.split()) for word, phones in json.loads(path.read_text("utf-8")).items()}
