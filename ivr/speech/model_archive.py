"""Models come as folders, zip or tar archives from anywhere: nothing of them is trusted."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ivr.domain.errors import BadInput

MOST_BYTES = 8_000_000_000
"""Unpacked; the largest public Russian model has less than half of that."""
MOST_FILES = 2_000
MOST_TIMES = 100
"""How many times the archive's size it may have unpacked; a bomb has thousands."""
SPARE = 100_000_000
"""Bytes that must stay free on the disk."""
_CHUNK = 1 << 20
_LONGEST_READ = 1 << 24
"""At once, of a tar: longer are only made-up headers."""
_LONGEST_NAME = 255
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    UnicodeError,
    ValueError,
    OSError,
)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A plain file in a folder or archive."""

    name: str
    """As it stands there."""
    size: int
    """Bytes, as it is said there."""
    open: Callable[[], IO[bytes]]


def unpack(source: Path, target: Path) -> int:
    """Copy the files of a folder or archive into the new folder `target`; bytes written.

    Raises BadInput for what is too large, has no room, leads out of `target`, or is damaged; OSError when
    `target` cannot be written.
    """
    target.mkdir(mode=0o700)
    budget = _Budget(source, target)
    with _reading(source):
        for member in _members(source, budget):
            budget.take(member.size)
            _copy(member, target / _inside(member.name))
    return budget.taken


def digest(source: Path) -> str:
    """SHA-256 of an archive; of a folder that of its list of sums (docs/speech.md). Raises BadInput."""
    with _reading(source):
        if not source.is_dir():
            if source.exists() and not source.is_file():
                raise BadInput(f"{source} is neither a file nor a folder; name the model's folder or archive")
            return _sum(source)
        names = sorted(member.name for member in _of_folder(source))
        return sha256("".join(f"{_sum(source / name)}  {name}\n" for name in names).encode()).hexdigest()


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class _Full(Exception):
    """The target cannot be written, which is not the source's fault."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except _Full as full:
        raise full.error from None
    except FileNotFoundError:
        raise BadInput(
            f"there is no {source}; name a folder, a zip or tar archive, or an http(s) URL"
        ) from None
    except PermissionError:
        raise BadInput(f"{source} may not be read; make it readable, then again") from None
    except _BROKEN as error:
        raise BadInput(
            f"{source.name} is no whole zip or tar archive ({type(error).__name__}); fetch it anew"
        ) from None


class _Budget:
    """How much may be written."""

    def __init__(self, source: Path, target: Path) -> None:
        self.taken = self._files = 0
        self._free = shutil.disk_usage(target).free - SPARE
        self._most = MOST_BYTES
        if source.is_file():
            self._most = min(self._most, MOST_TIMES * max(source.stat().st_size, 1000))

    def foresee(self, size: int) -> None:
        """Refuse what is known beforehand."""
        if size > self._most:
            raise BadInput(
                f"it has more than {self._most >> 20} MB unpacked, which no model of its size has; "
                "take one from where you trust it"
            )
        if size > self._free:
            raise BadInput(
                f"it takes {size >> 20} MB unpacked and {max(self._free, 0) >> 20} MB may be used: make room"
            )

    def take(self, size: int) -> None:
        self._files += 1
        self.taken += size
        if self._files > MOST_FILES:
            raise BadInput(f"it has more than {MOST_FILES} files, which no model has")
        self.foresee(self.taken)


def _members(source: Path, budget: _Budget) -> Iterator[Member]:
    if source.is_dir():
        yield from _known(_of_folder(source), budget)
        return
    with source.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        if head.startswith(b"PK"):
            with zipfile.ZipFile(file) as archive:
                yield from _known(_of_zip(archive), budget)
        else:
            yield from _of_tar(file, head)


def _known(members: Iterator[Member], budget: _Budget) -> Sequence[Member]:
    every = list(members)
    budget.foresee(sum(member.size for member in every))
    return every


def _of_folder(folder: Path) -> Iterator[Member]:
    for above, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(above) / name
            mode = path.lstat().st_mode
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                raise BadInput(_not_plain(name))
            if stat.S_ISREG(mode):
                shown = path.relative_to(folder).as_posix()
                yield Member(name=shown, size=path.stat().st_size, open=_opener(path))


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _of_zip(archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise BadInput(_not_plain(info.filename))
        if info.flag_bits & 1:
            raise BadInput("the archive is encrypted; unpack it and install the folder")
        if not info.is_dir():
            yield Member(name=info.filename, size=info.file_size, open=_zip_opener(archive, info))


def _zip_opener(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    return lambda: archive.open(info)


class _Careful:
    """A stream of which nobody reads very much at once: a tar's header may ask for gigabytes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LONGEST_READ:
            raise tarfile.ReadError("a header is too long")
        data: bytes = self._stream.read(size)
        return data


def _of_tar(file: IO[bytes], head: bytes) -> Iterator[Member]:
    stream: Any = _Careful(_decompressed(file, head))
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        for info in archive:
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                raise BadInput(_not_plain(info.name))
            yield Member(name=info.name, size=info.size, open=_tar_opener(archive, info))


def _decompressed(file: IO[bytes], head: bytes) -> Any:
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(file)
    if head.startswith(b"BZh"):
        return bz2.open(file)
    return lzma.open(file) if head == b"\xfd7zXZ\x00" else file


def _tar_opener(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        found = archive.extractfile(info)
        if found is None:  # only of links and devices
            raise BadInput(_not_plain(info.name))
        return found

    return opened


def _inside(name: str) -> PurePosixPath:
    """The name, if it stays below the folder that it is unpacked into."""
    path = PurePosixPath(name)
    odd = "\\" in name or ":" in name or not name.isprintable() or len(name.encode()) > _LONGEST_NAME
    if odd or path.is_absolute() or ".." in path.parts or not path.parts:
        raise BadInput(
            f"it has a file called {_shown(name)}, which leads elsewhere: take it from where you trust it"
        )
    return path


def _not_plain(name: str) -> str:
    return (
        f"it holds {_shown(name)}, which is no plain file (a link or a device); models have plain files only"
    )


def _shown(name: str) -> str:
    return ascii(name[:60])


def _copy(member: Member, path: Path) -> None:
    left = member.size
    with member.open() as source, _written(path) as target:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            _write(target, chunk)
    if left != 0:
        raise BadInput(f"{_shown(member.name)} has another size than the archive says; fetch it anew")


@contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise BadInput(f"it holds {_shown(path.name)} twice; fetch it anew") from None
    except OSError as error:
        raise _Full(error) from None
    with file:
        yield file


def _write(target: IO[bytes], chunk: bytes) -> None:
    try:
        view = memoryview(chunk)
        while view:
            view = view[target.write(view) :]
    except OSError as error:
        raise _Full(error) from None
