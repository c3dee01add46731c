"""The file of rejected rows: what was wrong, ready to be mended and brought in again."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ivr.domain.errors import BadInput
from ivr.services.rows import Refused, Table


class Rejects:
    """Written beside its place and put there at the end, also when the import breaks off; mode 0600.

    It is there after every import that names it: no rows in it, nothing was rejected.
    """

    def __init__(self, path: Path, table: Table, *, source: BinaryIO) -> None:
        """source: the imported file. Raises BadInput when `path` cannot be written or is that file."""
        self._path = path
        self._table = table
        try:
            _check(path, source)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made 0600
        except OSError as error:
            raise BadInput(
                f"cannot write {path}: {error.strerror}; name a file in a folder you may write to"
            ) from None
        self._temporary = Path(name)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._file.write(table.rejects_head())

    def add(self, refused: Refused) -> None:
        self._file.write(self._table.reject(refused))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
            self._temporary.replace(self._path)
        except OSError as failure:
            self._temporary.unlink(missing_ok=True)
            raise BadInput(f"cannot write {self._path}: {failure.strerror}") from error


def _check(path: Path, source: BinaryIO) -> None:
    if not path.exists():
        return
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise BadInput(f"{path} is no file; name one for the rejected rows")
    if os.path.samestat(found, os.fstat(source.fileno())):
        raise BadInput(f"{path} is the file to import; name another one for the rejected rows")
