"""Prompts as sound files: synthesised once, kept by content; personal ones made for one hearing.

Cached files are named by a hash of what they say and how, so that a changed text, command or recording
makes a new file and nothing else does.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ivr.domain.errors import Unavailable
from ivr.domain.estimate import Told
from ivr.files import write_whole
from ivr.ports import Prompt
from ivr.settings import Settings
from ivr.speech import catalogue, recordings
from ivr.speech.files import append, place, private_folder, written
from ivr.speech.files import name as name_file
from ivr.speech.parts import Piece
from ivr.speech.queueing import dialplan_name, lay_silence, recorded_as, telling, write_silence
from ivr.speech.segments import BETWEEN_PIECES, BETWEEN_WORDS, Play, Say, Segment, identity, single_sounds
from ivr.speech.sound import Item
from ivr.speech.synthesis import Synthesiser, join
from ivr.speech.voiced import SUFFIX as VOICED_SUFFIX

SOUNDS_VERSION = 2
"""Raise it when sound.py makes different sound of the same input."""
_PREPARED_AT_ONCE = 2
_AT_ONCE = 4
_FORGOTTEN = 3600.0
_UNUSED = 30 * 86400.0

Progress = Callable[[int, int], None]
"""Told how many prompts of how many are made."""


class PromptStore:
    """`ivr.ports.Prompts` over a synthesiser and a folder.

    cache: where what everybody hears is kept. private: where what one caller hears is made; nobody else may
    read it, and nothing else may lie there. own: the site's recordings `<id>.wav`. core: the folder of
    Asterisk's Russian sounds; None: everything is synthesised.
    """

    def __init__(
        self,
        synthesiser: Synthesiser,
        *,
        voice: str,
        cache: Path,
        private: Path,
        own: Path | None = None,
        core: Path | None = None,
    ) -> None:
        self._synthesiser = synthesiser
        self._voice = voice
        self._cache = cache
        self._private = private
        self._own = own
        self._core = core
        self._making: dict[str, asyncio.Task[Path]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    @classmethod
    def from_settings(cls, settings: Settings, *, core: Path | None) -> PromptStore:
        """The prompts of this site. Raises BadInput for a synthesis command that cannot work."""
        return cls(
            Synthesiser(settings.synthesis_command, seconds=settings.synthesis_seconds),
            voice=settings.synthesis_command,
            cache=settings.prompts_cache,
            private=settings.run_dir / "speech",
            own=settings.prompts_dir,
            core=core,
        )

    # --- the port ---

    async def audio(self, prompt: Prompt) -> Path:
        segments = self._segments(prompt)
        if catalogue.entry(prompt.id).personal:
            return await self._for_one_hearing(segments)
        return await self._shared(segments)

    def ready(self, prompt: Prompt) -> Path | None:
        segments = self._segments(prompt)
        if catalogue.entry(prompt.id).personal:
            return None
        path = self._cached(segments)
        return path if path.is_file() else None

    @property
    def silence(self) -> Path:
        return self._cache / "silence.wav"

    def release(self, audio: Path) -> None:
        if audio.parent == self._private:
            audio.unlink(missing_ok=True)

    async def lay(self, told: Told) -> None:
        """`ivr.ports.WaitSounds`."""
        if not told.silent:
            await self._named(telling(told))

    def _recording(self, sound: str) -> Path:
        return self._cache / "announcements" / f"{sound}.wav"

    def keeps(self, sound: str) -> bool:
        """Whether the recording of this hash is here."""
        return self._recording(sound).is_file()

    def keep(self, sound: str, recording: bytes) -> None:
        """Have a recording here, so that a prompt whose parameter `sound` names it can be made.

        Raises Unavailable.
        """
        with written():
            private_folder(self._recording(sound).parent)
            write_whole(self._recording(sound), recording)

    # --- at start-up ---

    def wipe(self) -> None:
        """Erase what an earlier engine left of personal speech; for the start of the only engine."""
        shutil.rmtree(self._private, ignore_errors=True)
        private_folder(self._private)

    async def prepare(self, progress: Progress | None = None) -> None:
        """Make every prompt that can be made before anybody calls, and name some for the dialplan.

        A prompt without parameters is then also found as `<cache>/<id>.wav`. Raises Unavailable after
        having tried them all, when some could not be made.
        """
        with written():
            private_folder(self._cache)
            lay_silence(self._cache)
            write_silence(self.silence)
        prompts = sorted(catalogue.prepared(), key=lambda prompt: not prompt.id.startswith("emergency"))
        turn = asyncio.Semaphore(_PREPARED_AT_ONCE)
        made = 0

        async def one(prompt: Prompt) -> Path | None:
            nonlocal made
            async with turn:
                path = await self._attempt(prompt)
            made += path is not None
            if progress is not None:
                progress(made, len(prompts))
            return path

        paths = await asyncio.gather(*map(one, prompts))
        self._forget_unused({path for path in paths if path is not None})
        if made < len(prompts):
            raise Unavailable(f"speech synthesis: {len(prompts) - made} of {len(prompts)} prompts not made")

    async def _attempt(self, prompt: Prompt) -> Path | None:
        try:
            return await self._named(prompt)
        except Unavailable:
            return None  # counted and reported by prepare

    async def _named(self, prompt: Prompt) -> Path:
        path = await self.audio(prompt)
        if (name := dialplan_name(prompt)) is not None:
            with written():
                name_file(path, self._cache / f"{name}.wav")
        return path

    def _forget_unused(self, used: set[Path]) -> None:
        old = time.time() - _UNUSED
        for path in self._cache.glob("[0-9a-f]" * 32 + ".wav"):
            if path not in used and path.stat().st_mtime < old:
                path.unlink(missing_ok=True)

    # --- what a prompt consists of ---

    def _segments(self, prompt: Prompt) -> tuple[Segment, ...]:
        pieces = catalogue.pieces(prompt)
        segments: list[Segment] = []
        if sound := prompt.values.get("sound"):
            return (Play((self._recording(str(sound)),)),)
        if (own := self._own_recording(prompt.id)) is not None:
            segments.append(Play((own,)))
            pieces = tuple(piece for piece in pieces if piece.value)
        number = False
        for piece in pieces:
            self._append(segments, piece, anew=number)
            number = bool(piece.words)
        return tuple(segments)

    def _own_recording(self, id_: str) -> Path | None:
        """The site's; a question for who may speak is otherwise heard as for who may not."""
        if self._own is None:
            return None
        files = (self._own / f"{recorded_as(name)}.wav" for name in (id_, id_.removesuffix(VOICED_SUFFIX)))
        return next((file for file in files if file.is_file()), None)

    def _append(self, segments: list[Segment], piece: Piece, *, anew: bool) -> None:
        """Neighbouring texts become one, for whole sentences sound better than their parts.

        anew: after a number, which ends its sentence: what follows is then the same sound for every number.
        """
        recorded = recordings.find(self._core, piece.words) if piece.words else None
        if recorded is not None:
            segments.append(Play(tuple(recorded)))
        elif not anew and segments and isinstance(last := segments[-1], Say):
            segments[-1] = Say(f"{last.text} {piece.text}")
        else:
            segments.append(Say(piece.text))

    def _cached(self, segments: Sequence[Segment]) -> Path:
        content = [SOUNDS_VERSION, self._voice, [identity(segment) for segment in segments]]
        name = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
        return self._cache / f"{name}.wav"

    # --- making ---

    async def _shared(self, segments: Sequence[Segment]) -> Path:
        """What everybody may hear: made once, whoever asks for it meanwhile."""
        path = self._cached(segments)
        if path.is_file():
            return path
        task = self._making.get(path.name)
        if task is None:
            single = len(parts := single_sounds(segments)) == 1
            made = self._make(segments, path) if single else self._compose(parts, path)
            self._making[path.name] = task = asyncio.create_task(made)
            task.add_done_callback(lambda done: self._made(path.name, done))
        return await asyncio.shield(task)

    async def _compose(self, parts: Sequence[tuple[int, Segment]], out: Path) -> Path:
        """Of sounds that other prompts have, too: a place in a queue is a few numbers and half-sentences, and
        joining sounds that are made already is copying."""
        made = [(silence, await self._shared((part,))) for silence, part in parts]
        with written():
            append(made, out)
        return out

    async def _for_one_hearing(self, segments: Sequence[Segment]) -> Path:
        with written():
            self._erase_forgotten()
        out = self._private / f"{secrets.token_hex(16)}.wav"
        try:
            return await self._make(segments, out)
        except BaseException:
            out.unlink(missing_ok=True)
            raise

    def _erase_forgotten(self) -> None:
        """A caller who hangs up while the sound is made may leave it behind."""
        private_folder(self._private)
        old = time.time() - _FORGOTTEN
        for path in self._private.glob("*.wav"):
            if path.stat().st_mtime < old:
                path.unlink(missing_ok=True)

    async def _make(self, segments: Sequence[Segment], out: Path) -> Path:
        async with self._slots:
            with written():
                private_folder(self._private)
                private_folder(self._cache)
                with TemporaryDirectory(dir=self._private) as folder:
                    joined = Path(folder) / "joined.wav"
                    await join(await self._items(segments, Path(folder)), joined)
                    joined.chmod(0o600)
                    place(joined, out)
        return out

    async def _items(self, segments: Sequence[Segment], folder: Path) -> list[Item]:
        items: list[Item] = []
        for segment in segments:
            if items:
                items.append(BETWEEN_PIECES)
            if isinstance(segment, Say):
                items.append(await self._synthesiser.speak(segment.text, folder))
                continue
            for n, file in enumerate(segment.files):
                items += [BETWEEN_WORDS] * (n > 0) + [file]
        return items

    def _made(self, name: str, task: asyncio.Task[Path]) -> None:
        del self._making[name]
        if not task.cancelled():
            task.exception()  # seen: whoever waited has it, and nobody may be waiting any more
