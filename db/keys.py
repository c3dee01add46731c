"""The key ring: files of 32 bytes in `<state>/keys/`, directory 0700, files 0600, never printed.

`data-<id>.key` seals rows, `hash-<id>.key` makes keyed hashes, `pepper-<id>.key` is mixed into secret codes
before they are hashed. Ids sort by time: the newest of each kind is the current one, the older ones still
open what they sealed. Which keys a database uses stands in its table `key_marks` (db/marks.py): a lost key is
said and never silently replaced by a new one, and all programs change to a new key at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from ivr.domain.errors import KeyLost
from ivr.domain.ids import TIME_LETTERS, new_id
from ivr.files import new_private, sync

KEY_BYTES = 32
_DRAFT = ".new"


class KeyKind(StrEnum):
    """What a key is for; one key never serves two purposes."""

    DATA = "data"  # seals values
    HASH = "hash"  # hashes values for look-up
    PEPPER = "pepper"  # goes into secret codes before they are hashed (§21)


_NAME = re.compile(rf"({'|'.join(KeyKind)})-([0-9A-HJKMNP-TV-Z]{{{TIME_LETTERS}}})\.key")


class KeyRing:
    """The keys of one directory, read at first use, and again when a key is asked for that was not there:
    while keys are rotated, running programs meet new ones."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._keys: dict[KeyKind, dict[str, bytes]] | None = None

    def __repr__(self) -> str:
        return f"KeyRing({str(self.directory)!r})"

    def ids(self, kind: KeyKind) -> tuple[str, ...]:
        """Ids of the keys there are, newest first."""
        return tuple(sorted(self._read()[kind], reverse=True))

    def current(self, kind: KeyKind) -> str:
        """The id new values get. Raises KeyLost when there is no key at all."""
        ids = self.ids(kind)
        if not ids:
            raise KeyLost(f"there is no {kind} key in {self.directory}; restore it from its backup")
        return ids[0]

    def key(self, kind: KeyKind, id_: str) -> bytes:
        """The key itself. Raises KeyLost when it is not there."""
        if id_ not in self._read()[kind]:
            self.reload()
        try:
            return self._read()[kind][id_]
        except KeyError:
            raise KeyLost(
                f"the key {kind}-{id_}.key is missing in {self.directory}; restore it from its backup "
                "(or copy it from the machine that has it)"
            ) from None

    def reload(self) -> None:
        """Look into the directory again at the next use."""
        self._keys = None

    def create_missing(self, kinds: Iterable[KeyKind] = tuple(KeyKind)) -> None:
        """Make the first key of each kind that has none. Only for a database that never used that kind."""
        self.reload()
        for kind in kinds:
            if not self.ids(kind):
                self.write(kind, *new_key())
        self.reload()

    def write(self, kind: KeyKind, id_: str, key: bytes) -> None:
        """Keep a new key; see `write_key`."""
        write_key(self._path(kind, id_), key)

    def erase(self, kind: KeyKind, id_: str) -> None:
        """Remove a key for good, or what is left of one that was being written; none is as good."""
        for path in (self._path(kind, id_), self._path(kind, id_).with_suffix(_DRAFT)):
            path.unlink(missing_ok=True)
        sync(self.directory)
        self.reload()

    def _path(self, kind: KeyKind, id_: str) -> Path:
        return self.directory / f"{kind}-{id_}.key"

    def _read(self) -> dict[KeyKind, dict[str, bytes]]:
        keys = self._keys  # another thread may reload meanwhile
        if keys is None:
            keys = {kind: {} for kind in KeyKind}
            for path in sorted(self.directory.glob("*.key")):
                match = _NAME.fullmatch(path.name)
                if match and (key := load_key(path)) is not None:
                    keys[KeyKind(match[1])][match[2]] = key
            self._keys = keys
        return keys


def new_key() -> tuple[str, bytes]:
    """(id, key) of this moment; nothing is kept yet."""
    return new_id(datetime.now(UTC))[:TIME_LETTERS], os.urandom(KEY_BYTES)


def write_key(path: Path, key: bytes) -> None:
    """Keep a new key: under its name once it is whole on the disk, for a power cut leaves no half key."""
    directory = path.parent
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    draft = path.with_suffix(_DRAFT)
    with new_private(draft) as file:
        file.write(key)
    os.link(draft, path)  # unlike rename, refuses a name that is taken
    draft.unlink()
    sync(directory)


def load_key(path: Path) -> bytes | None:
    """The key in a file; None when it is not there (a rotation may have just erased it). Raises KeyLost."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyLost(f"the key {path} cannot be read: {error.strerror}; mend its mode or owner") from None
    if len(key) != KEY_BYTES:
        raise KeyLost(
            f"the key {path} has {len(key)} bytes instead of {KEY_BYTES}; restore it from its backup"
        )
    return key
