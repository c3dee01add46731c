"""A state directory on a small file system of its own, which can be filled to the last byte."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

MEGABYTES = 160
"""A state without calls takes some thirty."""
_PIECES = (1 << 20, 4096, 1)


class Disk:
    """A tmpfs where mounting is permitted, else a plain directory."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="ekc-chaos-"))
        self.state = self.path / "state"
        options = f"size={MEGABYTES}m,mode=0700"
        argv = ["mount", "-t", "tmpfs", "-o", options, "ekc-chaos", str(self.path)]
        self.own = shutil.which("mount") is not None and _succeeds(argv)
        """Whether `fill` fills nothing but the state."""
        self.state.mkdir(mode=0o700)

    @property
    def _ballast(self) -> Path:
        return self.path / "ballast"

    def fill(self) -> None:
        """Until not one more byte has room."""
        assert self.own, "this would fill a disk that is not ours"
        with self._ballast.open("ab", buffering=0) as file:
            for piece in _PIECES:
                with suppress(OSError):  # that is what is wanted: no space left on device
                    while file.write(b"\0" * piece):
                        pass

    def clear(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        if self.own:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)
        shutil.rmtree(self.path, ignore_errors=True)


def _succeeds(argv: list[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
