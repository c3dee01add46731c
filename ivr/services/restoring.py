"""`ekc backup restore`: a backup becomes the state, whole or not at all.

All that takes room is written aside and synced first. Then files are renamed, the keys first and the database
last: a restore that was killed in between leaves a state without a database, and is simply run again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ivr.domain.errors import BadInput
from ivr.files import new_private, sync
from ivr.ports import DatabaseCopies
from ivr.services.backup import CONFIG, KEYS, Backup, Manifest, opened
from ivr.settings import Settings, load

_STAGE = ".restore-"


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What has been done."""

    manifest: Manifest
    set_aside: Path | None
    """Where the files are that were in the way."""


def restore(
    file: Path,
    state: Path,
    open_copies: Callable[[Settings], DatabaseCopies],
    *,
    force: bool,
    now: datetime,
) -> Restored:
    """Into a state directory that exists and in which nothing runs or starts meanwhile.

    open_copies: the database that a system with these settings has. force: what is in the way is set aside.
    Raises BadInput, StorageDown; then all is as it was.
    """
    with opened(file) as backup, _writing(state), _stage(state) as stage:
        parts = backup.small_parts()
        _write_aside(stage, parts)
        copies = open_copies(_settings_after(stage, state))
        database = _database(backup, stage, copies)
        in_the_way = _in_the_way(state, parts, copies)
        if in_the_way and not force:
            raise BadInput(
                f"{state} is not empty ({', '.join(path.name for path in in_the_way)}); "
                "restore into an empty state, or set all that aside with --force"
            )
        _require_keys(backup, copies, state)
        aside = state / f"before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}" if in_the_way else None
        with ExitStack() as undo:
            if aside is not None:
                _set_aside(in_the_way, state, aside, undo)
            _put(stage, state, parts, undo)
            copies.load(database)
            undo.pop_all()
    return Restored(manifest=backup.manifest, set_aside=aside)


@contextmanager
def _writing(state: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"{state} cannot be written ({error.strerror}); make room or correct its owner"
        ) from None


@contextmanager
def _stage(state: Path) -> Iterator[Path]:
    """A folder in the state, so that renaming is enough; what killed restores left goes away."""
    for left in state.glob(f"{_STAGE}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_STAGE, dir=state) as folder:
        yield Path(folder)


def _write_aside(stage: Path, parts: Mapping[str, bytes]) -> None:
    (stage / KEYS).mkdir(mode=0o700)
    for name, content in parts.items():
        with new_private(stage / name) as file:
            file.write(content)


def _settings_after(stage: Path, state: Path) -> Settings:
    """Those in force when all is in place: which database is meant depends on them. Raises BadInput."""
    place = stage if (stage / CONFIG).exists() else state
    return load(place).model_copy(update={"state": state})


def _database(backup: Backup, stage: Path, copies: DatabaseCopies) -> Path:
    told = backup.manifest.database.backend
    if told != copies.backend:
        raise BadInput(
            f"the backup is one of {told}, the settings name {copies.backend}; "
            "name the database by EKC_DATABASE_URL (empty for SQLite)"
        )
    return backup.database(stage, copies)


def _in_the_way(state: Path, parts: Mapping[str, bytes], copies: DatabaseCopies) -> Sequence[Path]:
    """Database first. Keys and settings that are the same already are not in the way."""
    targets = ((state / name, content) for name, content in parts.items())
    others = [path for path, content in targets if os.path.lexists(path) and not _is(path, content)]
    return [*copies.files(), *others]


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == content


def _require_keys(backup: Backup, copies: DatabaseCopies, state: Path) -> None:
    missing = backup.missing(copies, state / KEYS)
    if missing:
        raise BadInput(
            f"the database cannot be read without {', '.join(missing)}: "
            f"copy the keys of its time into {state / KEYS}, then restore again"
        )


def _set_aside(paths: Sequence[Path], state: Path, aside: Path, undo: ExitStack) -> None:
    """Into a folder of their own, under the names they had."""
    for folder in (aside, aside / KEYS):
        folder.mkdir(mode=0o700)
        undo.callback(folder.rmdir)  # never more than an empty one: what could not go back stays there
    for path in paths:
        below = path.relative_to(state) if path.is_relative_to(state) else Path(path.name)
        _move(path, aside / below, undo)


def _put(stage: Path, state: Path, parts: Mapping[str, bytes], undo: ExitStack) -> None:
    keys = state / KEYS
    keys.mkdir(mode=0o700, exist_ok=True)
    keys.chmod(0o700)
    for name in parts:
        if not (state / name).exists():
            _move(stage / name, state / name, undo)
    for directory in (keys, state):
        sync(directory)


def _move(path: Path, to: Path, undo: ExitStack) -> None:
    shutil.move(path, to)
    undo.callback(shutil.move, to, path)
