"""The sound of a prompt, made as the engine makes it, to be looked for in what a caller has heard.

`python -m tests.harness.sounds` makes all that can be made beforehand: systems that start at once would each
make the same.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from ivr.asterisk.tree import find_asterisk
from ivr.ports import Prompt
from ivr.settings import Settings
from ivr.speech.prompts import PromptStore
from ivr.speech.synthesis import Synthesiser
from tests.harness.kept_prompts import PROMPTS


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


def prepare() -> None:
    """Fill the folder that the tests' systems share."""
    with TemporaryDirectory() as folder:
        settings = Settings(state=Path(folder))
        store = PromptStore(
            Synthesiser(settings.synthesis_command, seconds=settings.synthesis_seconds),
            voice=settings.synthesis_command,
            cache=PROMPTS,
            private=Path(folder) / "speech",
            core=find_asterisk(settings).russian,
        )
        asyncio.run(store.prepare())


if __name__ == "__main__":
    prepare()
