"""Synthesised prompts of all tests, by content: what one system has made the next one need not make again."""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path

from tests.harness.commands import PROJECT

PROMPTS = PROJECT / ".run" / "prompts"
_CONTENT = re.compile(r"[0-9a-f]{32}\.wav")


def copy_prompts(source: Path, target: Path) -> None:
    """The files that are named by their content; each is whole from the moment it has its name."""
    if not source.is_dir():
        return
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in source.iterdir():
        if _CONTENT.fullmatch(path.name) and not (target / path.name).exists():
            part = target / f".{path.name}.{secrets.token_hex(4)}"
            shutil.copy2(path, part)
            part.replace(target / path.name)
