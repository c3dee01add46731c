"""Sound from text, by a command that the site may replace, and joining of sounds into one file.

The command runs as a process of its own with a time limit. Text reaches it through a file, never through
a shell or an argument; what it prints is not read, for it may repeat the text.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from ivr.domain.errors import BadInput, Unavailable
from ivr.speech import sound
from ivr.speech.files import written
from ivr.speech.sound import Item

NICENESS = 10
_PLACEHOLDERS = ("{input}", "{output}")


class Synthesiser:
    """Speaks Russian text into .wav files.

    command: a program and its arguments, with `{input}` (a UTF-8 text file) and `{output}` (the 16-bit PCM
    .wav file to write, of any rate).
    seconds: what one run may take.
    Raises BadInput for a command without both placeholders.
    """

    def __init__(self, command: str, *, seconds: float) -> None:
        try:
            self._command = shlex.split(command)
        except ValueError as error:
            raise BadInput(f"synthesis_command has unbalanced quotes: {error}") from None
        if any(sum(mark in word for word in self._command) != 1 for mark in _PLACEHOLDERS):
            raise BadInput("synthesis_command needs {input} and {output} once each")
        self._seconds = seconds

    async def speak(self, text: str, folder: Path) -> Path:
        """A .wav file of this text in `folder`, which is private and erased by the caller.

        Raises Unavailable when the command is missing, fails or takes too long, or the disk is full.
        """
        source, out = folder / f"{uuid4().hex}.txt", folder / f"{uuid4().hex}.wav"
        with written():
            _write_private(source, text)
        places = {"{input}": str(source), "{output}": str(out)}
        await run([_filled(word, places) for word in self._command], self._seconds)
        source.unlink(missing_ok=True)
        return out


async def join(items: Sequence[Item], out: Path) -> None:
    """Files and silences as one 8 kHz file, made beside the event loop. Raises Unavailable when one is no
    sound or the disk is full."""
    with written():
        try:
            await asyncio.to_thread(lambda: sound.write(out, sound.join(items)))
        except ValueError as error:
            raise Unavailable(f"speech synthesis: {error}") from None


def _filled(word: str, places: dict[str, str]) -> str:
    for mark, path in places.items():
        word = word.replace(mark, path)
    return word


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text + "\n", encoding="utf-8")


async def run(command: Sequence[str], seconds: float) -> None:
    """Run a program to its end. Raises Unavailable when it is missing, fails or takes too long."""
    name = Path(command[0]).name
    try:
        process = _start(command)
    except OSError as error:
        raise Unavailable(f"speech synthesis: {command[0]} cannot be started ({error.strerror})") from None
    try:
        code = await asyncio.wait_for(asyncio.to_thread(process.wait), seconds)
    except TimeoutError:
        raise Unavailable(f"speech synthesis: {name} took more than {seconds:g} s") from None
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):  # it ended by itself this very moment
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.to_thread(process.wait)
    if code:
        raise Unavailable(f"speech synthesis: {name} ended with exit code {code}")


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start it niced: whoever speaks and listens goes first.

    Not by the event loop, whose fork stops this process for some 15 ms under load: keys got lost then.
    """
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    with suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
    return process
