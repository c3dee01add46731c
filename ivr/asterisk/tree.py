"""Which Asterisk is used: the system's when it is a supported one, else a tree unpacked into the cache."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ivr.domain.errors import BadInput
from ivr.settings import Settings

TESTED = ("22.10.1",)
"""The tests of this release have passed on these."""
BAD: tuple[tuple[str, str, str], ...] = (
    ("22.0.0", "22.10.0", "CVE-2026-57191: one packet without a password stops all SIP"),
    ("22.11.0", "22.11.0", "spied channels break (asterisk#2134)"),
)
"""First and last version of a span, and why it must not be used."""
_VERSION = re.compile(r"\b(\d+\.\d+\.\d+)")
_RUSSIAN = ("ru_RU_f_IvrvoiceRU", "ru")
_ENGLISH = ("en_US_f_Allison", "en")


@dataclass(frozen=True, kw_only=True)
class AsteriskTree:
    """An Asterisk that can be started."""

    root: Path
    """`/` for the system's own."""
    version: str
    argv_prefix: tuple[str, ...]
    """Comes before Asterisk's own arguments: its program, through its own loader when unpacked."""
    modules: Path
    data: Path
    """Has documentation, moh and sounds."""

    @property
    def russian(self) -> Path:
        """The Russian core sounds."""
        return self._sounds(_RUSSIAN, "asterisk-core-sounds-ru-wav")

    @property
    def english(self) -> Path | None:
        """The English core sounds, if there."""
        return next((p for n in _ENGLISH if (p := self.data / "sounds" / n).is_dir()), None)

    @property
    def moh(self) -> Path:
        """Music on hold."""
        path = self.data / "moh"
        if not any(path.glob("*.wav")):
            raise BadInput(
                f"no music on hold in {path}: install asterisk-moh-opsound-wav, or run `make setup`"
            )
        return path

    def _sounds(self, names: tuple[str, ...], package: str) -> Path:
        for name in names:
            if (path := self.data / "sounds" / name).is_dir():
                return path
        raise BadInput(f"no Russian sounds in {self.data / 'sounds'}: install {package}, or run `make setup`")


def numbers(version: str) -> tuple[int, ...]:
    """`22.10.1` as (22, 10, 1); raises BadInput."""
    if (match := _VERSION.search(version)) is None:
        raise BadInput(f"{version!r} is no version of Asterisk")
    return tuple(int(part) for part in match[1].split("."))


def objection(version: str) -> str | None:
    """Why this version must not be used; None for a tested one and for one that nobody has tried."""
    own = numbers(version)
    for first, last, why in BAD:
        if numbers(first) <= own <= numbers(last):
            return why
    return None if own[0] == 22 else "only Asterisk 22 is supported"


def tested(version: str) -> bool:
    return ".".join(str(n) for n in numbers(version)) in TESTED


def cache_dir() -> Path:
    """Where unpacked trees are kept: `$XDG_CACHE_HOME/ekc`, else `~/.cache/ekc`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ekc"


def cached_trees() -> list[Path]:
    """The unpacked trees, the best first: tested before untested, newer before older."""
    found = [p for p in cache_dir().glob("asterisk-*") if _VERSION.search(p.name) and (p / "usr").is_dir()]
    usable = [p for p in found if objection(p.name) is None]
    return sorted(usable, key=lambda p: (tested(p.name), numbers(p.name)), reverse=True)


def find_asterisk(settings: Settings) -> AsteriskTree:
    """`asterisk_root`, else the installed Asterisk if supported, else the best cached one.

    Raises BadInput with the remedy when there is none.
    """
    if settings.asterisk_root is not None:
        return open_tree(settings.asterisk_root)
    if (system := system_tree()) is not None:
        return system
    for root in cached_trees():
        return open_tree(root)
    raise BadInput("no supported Asterisk on this machine: run `make setup` or `ekc asterisk install`")


def system_tree() -> AsteriskTree | None:
    """The installed Asterisk when it is a supported one."""
    if not Path("/usr/sbin/asterisk").is_file():
        return None
    tree = open_tree(Path("/"))
    return None if objection(tree.version) else tree


@lru_cache(maxsize=8)
def open_tree(root: Path) -> AsteriskTree:
    """The Asterisk under `root`; raises BadInput when there is none or it does not run."""
    modules = next(root.glob("usr/lib/*/asterisk/modules"), None) or next(
        root.glob("usr/lib/asterisk/modules"), None
    )
    program = root / "usr/sbin/asterisk"
    if modules is None or not program.is_file():
        raise BadInput(f"there is no Asterisk in {root}: set EKC_ASTERISK_ROOT right, or run `make setup`")
    prefix = _argv_prefix(root, program, modules.parents[1])
    return AsteriskTree(
        root=root,
        version=_ask_version(prefix),
        argv_prefix=prefix,
        modules=modules,
        data=root / "usr/share/asterisk",
    )


def _argv_prefix(root: Path, program: Path, libraries: Path) -> tuple[str, ...]:
    if root == Path("/"):
        return (str(program),)
    loader = next(libraries.glob("ld-linux*.so.*"), None)
    if loader is None:
        raise BadInput(
            f"{libraries} has no dynamic loader: unpack Asterisk again with `ekc asterisk install`"
        )
    return (str(loader), "--library-path", str(libraries), str(program))


def _ask_version(prefix: tuple[str, ...]) -> str:
    try:
        answer = subprocess.run([*prefix, "-V"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise BadInput(f"{prefix[-1]} does not run ({type(error).__name__}): unpack it again") from None
    return ".".join(str(n) for n in numbers(answer.stdout))
