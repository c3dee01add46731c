"""The key ring: files of 32 bytes in `<state>/keys/`, directory 0700, files 0600, never printed.

`data-<id>.key` seals rows, `hash-<id>.key` makes keyed hashes. Ids sort by time: the newest of each kind is
the current one, the older ones still open what they sealed. Which keys a database needs stands in its
table `key_marks`, so that a lost key is said and never silently replaced by a new one (db/schema.py).
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from ivr.domain.errors import KeyLost
from ivr.domain.ids import TIME_LETTERS, new_id

KEY_BYTES = 32
_NAME = re.compile(rf"(data|hash)-([0-9A-HJKMNP-TV-Z]{{{TIME_LETTERS}}})\.key")


class KeyKind(StrEnum):
    """What a key is for; one key never serves two purposes."""

    DATA = "data"  # seals values
    HASH = "hash"  # hashes values for look-up


class KeyRing:
    """The keys of one directory, read at first use."""

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

    def create_missing(self) -> None:
        """Make the first key of each kind that has none. Call it only for a database with nothing sealed."""
        self.reload()
        for kind in KeyKind:
            if not self.ids(kind):
                _create(self.directory, kind)
        self.reload()

    def _read(self) -> dict[KeyKind, dict[str, bytes]]:
        if self._keys is None:
            found: dict[KeyKind, dict[str, bytes]] = {kind: {} for kind in KeyKind}
            for path in sorted(self.directory.glob("*.key")):
                if match := _NAME.fullmatch(path.name):
                    found[KeyKind(match[1])][match[2]] = _load(path)
            self._keys = found
        return self._keys


def _load(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except OSError as error:
        raise KeyLost(f"the key {path} cannot be read: {error.strerror}; mend its mode or owner") from None
    if len(key) != KEY_BYTES:
        raise KeyLost(
            f"the key {path} has {len(key)} bytes instead of {KEY_BYTES}; restore it from its backup"
        )
    return key


def _create(directory: Path, kind: KeyKind) -> None:
    """A new key under its final name only once it is whole on the disk: a power cut leaves no half key."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    path = directory / f"{kind}-{new_id(datetime.now(UTC))[:TIME_LETTERS]}.key"
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    os.link(draft, path)  # unlike rename, refuses a name that is taken
    draft.unlink()
    _sync(directory)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
