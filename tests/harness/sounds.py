"""The sound of a prompt, made as the engine makes it, to be looked for in what a caller has heard."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from ivr.asterisk.tree import find_asterisk
from ivr.ports import Prompt
from ivr.settings import Settings
from ivr.speech.prompts import PromptStore


def sound_of(prompt: Prompt, folder: Path) -> Path:
    """A wav of this prompt, kept in `folder`."""
    settings = Settings(state=folder)
    store = PromptStore.from_settings(settings, core=find_asterisk(settings).russian)

    async def make() -> Path:
        made = await store.audio(prompt)
        kept = folder / f"{prompt.id}-{made.stem}.wav"
        shutil.copyfile(made, kept)
        store.release(made)
        return kept

    return asyncio.run(make())
