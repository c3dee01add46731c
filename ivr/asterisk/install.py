"""Makes sure that there is an Asterisk: the installed one, or a tree unpacked from Debian sid into the cache.

Also run as `python -m ivr.asterisk.install`. It unpacks packages without running any of their scripts, from
the mirror that apt already uses, and leaves apt's own configuration as it is.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ivr.asterisk.tree import (
    AsteriskTree,
    cache_dir,
    find_asterisk,
    objection,
    open_tree,
    system_tree,
    tested,
)
from ivr.domain.errors import BadInput, EkcError, Unavailable
from ivr.settings import Settings, load

__all__ = ["AsteriskTree", "ensure_asterisk", "find_asterisk", "main", "mirror"]

PACKAGES = ("asterisk", "asterisk-core-sounds-ru-wav", "asterisk-moh-opsound-wav")
SUITE = "sid"
SPACE = 1_500_000_000
"""Bytes that must be free: the tree, the packages and apt's lists beside it."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_PROGRESS = ("I: running apt-get update", "I: downloading", "I: extracting", "I: success")
Say = Callable[[str], None]


def ensure_asterisk(settings: Settings, say: Say) -> AsteriskTree:
    """An Asterisk for this system, unpacked first if there is none. `say` gets lines of progress.

    Raises BadInput or Unavailable, with the remedy.
    """
    if settings.asterisk_root is None and system_tree() is None:
        with _alone(cache_dir(), say):
            if not any(cache_dir().glob("asterisk-*")):
                _unpack(cache_dir(), say)
    tree = find_asterisk(settings)
    if not tested(tree.version):
        say(f"Asterisk {tree.version} has not been tried with this release: run `make test`.")
    say(f"Asterisk {tree.version} is in {tree.root}.")
    return tree


@contextmanager
def _alone(folder: Path, say: Say) -> Iterator[None]:
    """Only one at a time unpacks; the others wait and then find it there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "install.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is unpacking Asterisk; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(folder: Path, say: Say) -> None:
    """Unpack under a temporary name and rename when whole: half a tree is never taken for one."""
    if shutil.which("mmdebstrap") is None:
        raise BadInput("mmdebstrap is missing: install it with `sudo apt-get install mmdebstrap`")
    if (free := shutil.disk_usage(folder).free) < SPACE:
        raise BadInput(f"{folder} has {free >> 20} MB free and Asterisk takes {SPACE >> 20} MB: make room")
    for remains in folder.glob(".new-*"):
        shutil.rmtree(remains)
    target = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        _fetch(target, say)
        tree = open_tree(target)
        if (why := objection(tree.version)) is not None:
            raise BadInput(f"the mirror has Asterisk {tree.version}, which must not be used: {why}")
        target.chmod(0o755)
        target.rename(folder / f"asterisk-{tree.version}")
    finally:
        shutil.rmtree(target, ignore_errors=True)


def _fetch(target: Path, say: Say) -> None:
    source = mirror()
    say(f"Unpacking Asterisk from Debian {SUITE} (about 100 MB to download) …")
    error = _mmdebstrap(target, source, say)
    if error is not None and re.search(r"Release file .* (is expired|is not valid)", error):
        say("The mirror's Release file looks expired by this clock: its date is not checked this time.")
        shutil.rmtree(target)  # the first attempt has left something, and mmdebstrap wants it empty
        target.mkdir(mode=0o700)
        error = _mmdebstrap(target, source, say, '--aptopt=Acquire::Check-Valid-Until "false"')
    if error is not None:
        raise Unavailable(
            f"the package mirror did not give us Asterisk ({_reason(error)}): check the network and that "
            "`apt-get update` works, then try again"
        )


def _mmdebstrap(target: Path, source: str, say: Say, *more: str) -> str | None:
    """None when done, else what it said."""
    mode = "root" if os.geteuid() == 0 else "unshare"
    argv = ["mmdebstrap", f"--mode={mode}", "--variant=extract", f"--include={','.join(PACKAGES)}", *more]
    if KEYRING.is_file():
        argv.append(f"--keyring={KEYRING}")
    lines = []
    with subprocess.Popen(
        [*argv, SUITE, str(target), source],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith(_PROGRESS):
                say(f"  {line[3:].strip()}")
    return None if process.returncode == 0 else "".join(lines)


def _reason(text: str) -> str:
    """The first thing that went wrong, without the address of the mirror, which may hold a password."""
    lines = text.splitlines()
    wrong = [line for line in lines if re.match(r"\s*(Err:|E:)", line)] or lines[-1:]
    return re.sub(r"\w+://\S+", "the mirror", wrong[0].strip() if wrong else "no reason given")[:200]


# --- apt's sources ---


def mirror(folder: Path = Path("/etc/apt")) -> str:
    """The Debian archive that apt uses here: the first source of this system's own release, component main.

    Raises BadInput when apt names none.
    """
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    found = [uri for uri, suites in _sources(folder) if codename in suites or "stable" in suites]
    if not found:
        raise BadInput(f"apt names no Debian mirror in {folder}: add the line of your mirror to sources.list")
    return found[0]


def _sources(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """URI and suites of each source of packages with the component main, in apt's order."""
    parts = folder / "sources.list.d"
    for path in [folder / "sources.list", *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]:
        if path.is_file():
            text = path.read_text(errors="replace")
            yield from _deb822(text) if path.suffix == ".sources" else _one_line(text)


def _one_line(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", " ", line.partition("#")[0]).split()
        if len(words) >= 4 and words[0] == "deb" and "main" in words[3:]:
            yield words[1], [words[2]]


def _deb822(text: str) -> Iterator[tuple[str, list[str]]]:
    without_comments = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", without_comments):
        fields = {
            k.lower(): v.split() for k, v in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.M)
        }
        used = fields.get("enabled", ["yes"]) != ["no"] and "deb" in fields.get("types", [])
        if used and "main" in fields.get("components", []):
            for uri in fields.get("uris", []):
                yield uri, fields.get("suites", [])


def main() -> int:
    """Exit code 0 when an Asterisk is there, else 1 with one sentence on stderr."""
    try:
        ensure_asterisk(load(), lambda line: print(line, flush=True))
    except EkcError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
