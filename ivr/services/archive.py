"""The file of a backup: a plain tar that any `tar` lists, of which only what this program writes is read.

A header is either the very one that we would have written for its name and size, or the file is refused. So
there are no links, no devices, no paths, no extended headers, and a changed byte does not pass unnoticed.
"""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from ivr.domain.errors import BadInput
from ivr.files import new_private

PIECE = 1 << 20
"""Bytes in memory at once."""
SMALL = 1 << 20
"""The largest member that is read into memory."""
MOST = 1000
"""Members."""
_BLOCK, _RECORD = tarfile.BLOCKSIZE, tarfile.RECORDSIZE
_NAME = re.compile(r"(?:keys/)?[A-Za-z0-9][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z0-9]{1,16}){0,2}")
Part = bytes | Path
"""What a member holds: these bytes, or those of this file."""


class Damaged(BadInput):
    """The backup is damaged; take another one."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the backup is damaged: {what}; take another one")


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What a member is recognised by."""

    size: int
    sha256: str


def is_name(name: str) -> bool:
    """Whether a member may be called so."""
    return _NAME.fullmatch(name) is not None


def digest_of(part: Part) -> Digest:
    """Raises OSError."""
    size, found = 0, sha256()
    for piece in _pieces(part):
        size += len(piece)
        found.update(piece)
    return Digest(size=size, sha256=found.hexdigest())


def _pieces(part: Part) -> Iterator[bytes]:
    if isinstance(part, bytes):
        yield part
        return
    with part.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


# --- writing ---------------------------------------------------------------------------------------


def write(file: Path, parts: Mapping[str, tuple[Part, Digest]]) -> None:
    """A new file (0600) with these members, in order; on the disk when this returns. Raises OSError."""
    with new_private(file) as out:
        for name, (part, digest) in parts.items():
            if isinstance(part, bytes) and digest.size > SMALL:
                raise BadInput(f"{name} has more than {SMALL} bytes, so it is none of ours; remove it")
            out.write(_header(name, digest.size))
            for piece in _pieces(part):
                out.write(piece)
            out.write(bytes(-digest.size % _BLOCK))
        out.write(bytes(2 * _BLOCK))
        out.write(bytes(-out.tell() % _RECORD))


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o600
    return member.tobuf(tarfile.GNU_FORMAT)


# --- reading ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Place:
    offset: int
    size: int


class Archive:
    """The members of a file that came from anywhere. Raises Damaged."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places = _members(file)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._places)

    def small(self, name: str) -> bytes:
        """All of a member that fits into memory; nobody has compared it with its digest yet."""
        place = self._places.get(name)
        if place is None:
            raise Damaged(f"{name} is not in it")
        if place.size > SMALL:
            raise Damaged(f"{name} is too large")
        return b"".join(self._contents(place))

    def bytes_of(self, name: str, digest: Digest) -> bytes:
        """The same, and it is what the digest says."""
        content = self.small(name)
        _compare(name, digest_of(content), digest)
        return content

    def extract(self, name: str, digest: Digest, to: Path) -> None:
        """Into a new file (0600), on the disk when this returns. Raises OSError."""
        place = self._places[name]
        found = sha256()
        with new_private(to) as out:
            for piece in self._contents(place):
                found.update(piece)
                out.write(piece)
        _compare(name, Digest(size=place.size, sha256=found.hexdigest()), digest)

    def _contents(self, place: _Place) -> Iterator[bytes]:
        self._file.seek(place.offset)
        left = place.size
        while left:
            piece = self._file.read(min(left, PIECE))
            if not piece:
                raise Damaged("it ends early")
            left -= len(piece)
            yield piece


def _compare(name: str, found: Digest, expected: Digest) -> None:
    if found != expected:
        raise Damaged(f"{name} is not what was written")


def _members(file: BinaryIO) -> Mapping[str, _Place]:
    end = file.seek(0, os.SEEK_END)
    found: dict[str, _Place] = {}
    at = 0
    while (block := _read(file, at, _BLOCK)) != bytes(_BLOCK):
        name, size = _name_and_size(block)
        if name in found or len(found) == MOST or size > end - at - _BLOCK:
            raise Damaged("it holds more than a backup does")
        found[name] = _Place(offset=at + _BLOCK, size=size)
        at += _BLOCK + size
        at += _zeros(file, at, -size % _BLOCK)
    if end != at + 2 * _BLOCK + -(at + 2 * _BLOCK) % _RECORD:
        raise Damaged("it does not end where it should")
    _zeros(file, at, end - at)
    return found


def _name_and_size(block: bytes) -> tuple[str, int]:
    try:
        member = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, ValueError):
        raise Damaged("this is no backup, or not all of one") from None
    if not is_name(member.name) or member.size < 0 or block != _header(member.name, member.size):
        raise Damaged("it holds something that no backup does")
    return member.name, member.size


def _zeros(file: BinaryIO, at: int, count: int) -> int:
    """How many there are: `count`, or it raises Damaged."""
    if _read(file, at, count) != bytes(count):
        raise Damaged("there is something between its members")
    return count


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    block = file.read(count)
    if len(block) != count:
        raise Damaged("it ends early")
    return block
