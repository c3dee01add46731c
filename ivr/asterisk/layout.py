"""Where one system's Asterisk keeps its things: all of it in the state directory, all of it private."""

from __future__ import annotations

import os
import stat
import wave
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ivr.asterisk.tree import AsteriskTree
from ivr.domain.errors import BadInput
from ivr.settings import Settings

FILE, DIRECTORY = 0o600, 0o700
UNIX_PATH = 107
"""Bytes that a Unix socket's path may have (unix(7), sun_path)."""
_CONTROL = "asterisk.ctl"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Asterisk's directories and journals."""

    etc: Path
    lib: Path
    data: Path
    """Links into the tree: the tree itself may be shared and is never written to."""
    spool: Path
    log: Path
    run: Path
    """Of the control socket; not in the state directory when that lies too deep for a socket's path."""

    @classmethod
    def of(cls, settings: Settings) -> Layout:
        top = settings.asterisk_dir
        return cls(
            etc=top / "etc",
            lib=top / "lib",
            data=top / "data",
            spool=top / "spool",
            log=top / "log",
            run=_run_directory(top / "run"),
        )

    @property
    def config(self) -> Path:
        return self.etc / "asterisk.conf"

    @property
    def realtime(self) -> Path:
        """The database of the queue `general`."""
        return self.etc / "realtime.sqlite3"

    @property
    def arrivals(self) -> Path:
        """One line for each call that came: time, node, uniqueid, SIP Call-ID, number, between tabs."""
        return self.spool / "arrivals.log"

    @property
    def duty(self) -> Path:
        """Operators' codes that no engine was there to take, a file for each; `alive` is the engine's."""
        return self.spool / "duty"

    @property
    def queue_log(self) -> Path:
        return self.log / "queue_log"

    @property
    def cel(self) -> Path:
        """Columns: asterisk-conf/cel_custom.conf.j2."""
        return self.log / "cel.csv"

    def make(self) -> None:
        """Make what is missing, mode 0700; journals 0600, before Asterisk would make them by its own mask."""
        below = (self.lib / "agi-bin", self.duty)
        for directory in (self.etc.parent, self.etc, self.lib, self.data, self.spool, self.log, *below):
            own_directory(directory)
        own_directory(self.run)
        for journal in (self.arrivals, self.queue_log, self.cel, self.log / "messages.log"):
            journal.touch(mode=FILE)

    def link(self, tree: AsteriskTree) -> None:
        """Make data/ show the tree's documentation, music and sounds, languages under short names."""
        own_directory(self.data / "sounds")
        _point(self.data / "documentation", tree.data / "documentation")
        _point(self.data / "moh", tree.moh)
        _point(self.data / "sounds" / "ru", tree.russian)
        _silence(self.data / "sounds" / "ru_q" / "digits")
        if (english := tree.english) is not None:
            _point(self.data / "sounds" / "en", english)


def _silence(digits: Path) -> None:
    """Numbers that are not said: the place of a waiting caller is part of a sentence (queues.conf)."""
    own_directory(digits.parent)
    own_directory(digits)
    for number in (*range(20), *range(20, 100, 10), *range(100, 1000, 100)):
        path = digits / f"{number}.wav"
        if path.is_file():
            continue
        path.touch(mode=FILE)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(160))


def own_directory(path: Path) -> None:
    """Make a directory that nobody else may enter.

    Raises BadInput when it exists and belongs to somebody else or is a link: under /tmp anybody could have
    made it before us.
    """
    path.mkdir(mode=DIRECTORY, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise BadInput(f"{path} belongs to somebody else: remove it, or choose another state directory")
    if stat.S_IMODE(found.st_mode) != DIRECTORY:
        path.chmod(DIRECTORY)


def _run_directory(wanted: Path) -> Path:
    if len(os.fsencode(wanted / _CONTROL)) <= UNIX_PATH:
        return wanted
    base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"  # noqa: S108 - own_directory checks whose it is
    return Path(base) / f"ekc-{sha256(os.fsencode(wanted)).hexdigest()[:16]}"


def _point(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)
