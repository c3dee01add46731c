"""A contestant in a process of its own: it prints its port and serves until its stdin ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PATIENCE = 30.0
"""Seconds that it may take to end."""


class LoadFailed(Exception):
    """A process of the bench itself did not do its work."""


@dataclass(frozen=True)
class Served:
    """One that stands."""

    port: int
    pid: int


@contextmanager
def served(module: str, name: str, *more: str) -> Iterator[Served]:
    """Start `python -m MODULE NAME …` and end it with the block."""
    words: Sequence[str] = [sys.executable, "-m", module, name, *more]
    process = subprocess.Popen(words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin is not None and process.stdout is not None
        try:
            port = process.stdout.readline()
            if not port:
                raise LoadFailed(f"“{name}” does not start; its words are above")
            yield Served(int(port), process.pid)
        finally:
            process.stdin.close()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def ready(port: int) -> None:
    """Tell whoever has started us where we serve."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def until_stdin_ends(folder: Path | None = None) -> None:
    """End this process with its stdin; folder: what it leaves nothing behind in."""

    def watch() -> None:
        sys.stdin.buffer.read()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
