"""Sound files in their folders: whole or not at all; a disk that takes no more is a prompt not made."""

from __future__ import annotations

import os
import secrets
import shutil
import wave
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from ivr.domain.errors import Unavailable
from ivr.files import write_whole
from ivr.speech.sound import RATE


@contextmanager
def written() -> Iterator[None]:
    """For the call a file that cannot be written is a prompt that cannot be made: Unavailable, never OSError.

    The file's name is not told.
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(f"speech synthesis: no file can be written ({error.strerror})") from None


def private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def place(made: Path, out: Path) -> None:
    """Nobody ever sees half a file: the copy gets its name when it is whole."""
    whole = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        shutil.move(made, whole)
        whole.replace(out)
    finally:
        whole.unlink(missing_ok=True)


def append(parts: Iterable[tuple[int, Path]], out: Path) -> None:
    """Sounds of ours one after the other, each after so many milliseconds of silence, as one file."""
    whole = BytesIO()
    with wave.open(whole, "wb") as joined:
        joined.setparams((1, 2, RATE, 0, "NONE", ""))
        for silence, part in parts:
            joined.writeframes(bytes(2 * RATE * silence // 1000))
            with wave.open(str(part), "rb") as sound:
                joined.writeframes(sound.readframes(-1))
    write_whole(out, whole.getvalue())


def name(path: Path, alias: Path) -> None:
    """A second, stable name for a cached file."""
    private_folder(alias.parent)
    if alias.exists() and alias.samefile(path):
        return
    link = alias.with_name(f".{alias.name}.{secrets.token_hex(4)}")
    os.link(path, link)
    link.replace(alias)
