"""The models of one node: folders beside each other, and a file that names the one in use.

A model is unpacked beside, tried, and renamed into place; the pointer is replaced: whoever looks sees the old
or the new, never half of one.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from ivr.domain.errors import BadInput, NotFound, Unavailable
from ivr.files import new_private
from ivr.ports import SpeechModel, Transcript
from ivr.speech import trying
from ivr.speech.licences import licence_of
from ivr.speech.model_archive import digest, unpack
from ivr.speech.model_download import download, file_name, is_url, without_password

FACTS = "ekc-model.json"
"""In each model's folder: what was known when it was installed."""
IN_USE = "in-use"
_LOCK, _SCRATCH = ".lock", ".new-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENDINGS = re.compile(r"\.(zip|tar|tgz|tar\.(gz|xz|bz2))$", re.IGNORECASE)
Try = Callable[[Path], None]


class ModelFolder:
    """`ivr.ports.SpeechModels`: everything below one directory."""

    def __init__(self, folder: Path, *, own: Callable[[Path], None], attempt: Try = trying.try_model) -> None:
        """own: makes a directory that nobody else may enter. attempt: raises BadInput for no model."""
        self._folder = folder
        self._own = own
        self._attempt = attempt

    # --- what there is ---

    def list(self) -> Sequence[SpeechModel]:
        if not self._folder.is_dir():
            return []
        names = sorted(path.name for path in self._folder.iterdir() if path.is_dir())
        return [self._read(name) for name in names if _NAME.fullmatch(name)]

    def in_use(self) -> Path | None:
        """The folder of the model in use; None: there is none, or it is not there any more."""
        try:
            name = (self._folder / IN_USE).read_text("ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        folder = self._folder / name
        return folder if _NAME.fullmatch(name) and folder.is_dir() else None

    def _read(self, name: str) -> SpeechModel:
        try:
            facts = json.loads((self._folder / name / FACTS).read_text("utf-8"))
            facts["installed_at"] = datetime.fromisoformat(facts["installed_at"])
            model = SpeechModel(**facts)
        except (OSError, ValueError, KeyError, TypeError):
            raise BadInput(
                f"{self._folder / name} was not put there by `ekc speech install`: move it away, install it"
            ) from None
        return replace(model, name=name, in_use=self.in_use() == self._folder / name)

    def _known(self, name: str) -> SpeechModel:
        if not _NAME.fullmatch(name) or not (self._folder / name).is_dir():
            raise NotFound(f"there is no model {name}; see `ekc speech list`")
        return self._read(name)

    # --- what changes it ---

    def install(
        self, source: str, *, sha256: str | None, now: datetime, progress: Callable[[int, int], None]
    ) -> SpeechModel:
        with self._alone(), self._scratch() as scratch, _writing(self._folder):
            origin, called, file = _fetched(source, scratch, progress)
            if file.is_dir():
                _root(file, called)  # before all of it is read: it may be anything
            found = _expected(digest(file), sha256)
            size = unpack(file, scratch / "unpacked")
            root, name = _root(scratch / "unpacked", called)
            self._refuse_second(name)
            self._attempt(root)
            model = SpeechModel(
                name=name, size=size, licence=licence_of(root), sha256=found, source=origin, installed_at=now
            )
            _note(root, model)
            root.rename(self._folder / name)
        return model

    def use(self, name: str) -> SpeechModel:
        with self._alone(), _writing(self._folder):
            model = self._known(name)
            new = self._folder / f".{IN_USE}"
            new.unlink(missing_ok=True)  # of one that was killed
            with new_private(new) as file:
                file.write(f"{name}\n".encode())
            new.replace(self._folder / IN_USE)
        return replace(model, in_use=True)

    def remove(self, name: str, *, force: bool) -> SpeechModel:
        with self._alone(), self._scratch() as scratch, _writing(self._folder):
            model = self._known(name)
            if model.in_use and not force:
                raise BadInput(f"{name} is in use; use another one first, or remove it with --force")
            if model.in_use:
                (self._folder / IN_USE).unlink()
            (self._folder / name).rename(scratch / "gone")
        return model

    def unknown_words(self, words: Collection[str]) -> Collection[str]:
        folder = self.in_use()
        return () if folder is None or not words else trying.unknown_words(folder, words)

    def transcribe(self, recording: Path, phrases: Sequence[str]) -> Transcript:
        folder = self.in_use()
        if folder is None:
            raise NotFound("no model is in use; install one, then `ekc speech use NAME`")
        return trying.transcribe(folder, recording, phrases)

    def _refuse_second(self, name: str) -> None:
        if (self._folder / name).exists():
            raise BadInput(f"there is a model {name} already; `ekc speech remove {name}` first")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._own(self._folder.parent)
        self._own(self._folder)
        with (self._folder / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BadInput("models are being changed by another command; wait for its end") from None
            yield

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A folder on the same disk, erased afterwards, and with it what a killed command has left."""
        for left in self._folder.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
        scratch = Path(mkdtemp(dir=self._folder, prefix=_SCRATCH))
        try:
            yield scratch
        finally:
            with suppress(OSError):  # the next command tries it again
                shutil.rmtree(scratch)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"cannot write {folder}: {error.strerror}; make room, or mend its rights") from None


def _fetched(source: str, scratch: Path, progress: Callable[[int, int], None]) -> tuple[str, str, Path]:
    """Where it comes from, what it is called there, and where it is now."""
    if not is_url(source):
        path = Path(source).expanduser().resolve()
        return str(path), path.name, path
    origin, file = without_password(source), scratch / "download"
    download(source, file, progress)
    return origin, file_name(source), file


def _expected(found: str, wanted: str | None) -> str:
    if wanted is not None and wanted.strip().lower() != found:
        raise BadInput(f"its SHA-256 is {found}, not the one that was given: do not use it, fetch it anew")
    return found


def _root(folder: Path, called: str) -> tuple[Path, str]:
    """The model's own folder, which is `folder` or the only one in it, and the model's name.

    Raises BadInput when neither is a model.
    """
    inner = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    if _looks_so(folder):
        root, name = folder, _ENDINGS.sub("", called)
    elif len(inner) == 1 and _looks_so(inner[0]):
        root, name = inner[0], inner[0].name
    else:
        raise BadInput("that is no Vosk model: it has no am/final.mdl; name the folder or archive of one")
    if not _NAME.fullmatch(name):
        raise BadInput("the model has an odd name; use Latin letters, digits, dot, hyphen, underscore (64)")
    return root, name


def _looks_so(folder: Path) -> bool:
    return (folder / "am/final.mdl").is_file() or (folder / "final.mdl").is_file()


def _note(root: Path, model: SpeechModel) -> None:
    facts = asdict(model) | {"installed_at": model.installed_at.isoformat()}
    facts.pop("in_use")
    (root / FACTS).write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", "utf-8")
